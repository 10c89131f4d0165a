"""Reading single fields of a provider's answer, or saying what is wrong with them."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from engine.errors import SourceError


def member(source: str, value: Any, *path: str | int) -> Any:
    """The value behind ``path``. Raises: SourceError naming the path if it is not there."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            place = ".".join(map(str, path))
            raise SourceError(source, f"its answer lacks {place}") from None
    return value


def number(source: str, name: str, value: Any) -> float:
    """A finite number, given as one or as text. Raises: SourceError."""
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        read = float(value)
    except (ValueError, OverflowError):
        raise SourceError(source, f"{name} is not a number") from None
    if not math.isfinite(read):
        raise SourceError(source, f"{name} is not a finite number")
    return read


def dollars(source: str, name: str, value: Any) -> float:
    """A number above zero: what a price must be. Raises: SourceError."""
    read = number(source, name, value)
    if read <= 0:
        raise SourceError(source, f"{name} is {read:g}, which no price can be")
    return read


def maybe_dollars(value: Any) -> float | None:
    """A number above zero, or None: for fields a snapshot can do without."""
    try:
        return dollars("", "", value)
    except SourceError:
        return None


def maybe_number(value: Any) -> float | None:
    """A finite number, or None."""
    try:
        return number("", "", value)
    except SourceError:
        return None


def whole(source: str, name: str, value: Any) -> int:
    """A whole number from 0. Raises: SourceError."""
    read = number(source, name, value)
    if read < 0 or read != int(read):
        raise SourceError(source, f"{name} is not a whole number from 0")
    return int(read)


def moment(source: str, name: str, value: Any) -> datetime:
    """A moment from ISO-8601 text with a zone. Raises: SourceError."""
    try:
        read = datetime.fromisoformat(value)
        if read.tzinfo is None:
            raise ValueError
        return whole_ms(read.astimezone(UTC))
    except (ValueError, TypeError, OverflowError):
        raise SourceError(source, f"{name} is not a time") from None


def unix_moment(source: str, name: str, seconds: float) -> datetime:
    """A moment from seconds since 1970. Raises: SourceError."""
    try:
        return whole_ms(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        raise SourceError(source, f"{name} is not a time") from None


def whole_ms(at: datetime) -> datetime:
    """The moment as the store keeps it: to the millisecond."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
