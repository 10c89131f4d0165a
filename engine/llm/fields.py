"""Reading a model server's JSON without trusting it: every field is what it should be, or absent."""

from __future__ import annotations

from typing import Any


def whole(value: Any) -> int | None:
    """A count a server gave, None if it is none."""
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
    return value if good else None


def number(value: Any) -> float | None:
    """A measurement a server gave, None if it is none."""
    good = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**63
    return float(value) if good else None


def words(value: Any) -> str | None:
    """A name a server gave, fit for storing; None if it is none."""
    return storable(value) if isinstance(value, str) and value else None


def table(value: Any) -> dict[str, Any]:
    """A JSON object a server gave, empty if it is none."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[dict[str, Any]]:
    """The objects in a JSON list a server gave, none if it is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def shortened(text: Any) -> str:
    """A server's words for an operator: one line of at most 300 characters."""
    return " ".join(storable(str(text)).split())[:300]


def storable(text: str) -> str:
    """``text`` as UTF-8 can hold it: JSON may carry half of a surrogate pair, or a pair in two
    pieces, which SQLite refuses."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
