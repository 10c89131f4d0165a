"""Dates and clock times in a text: 2026-11-22, 22 November, Nov. 22, March 2024, 14:00 UTC, 2pm."""

from __future__ import annotations

from collections.abc import Sequence

from engine.checks.facts.reading import Token, glued_at, text_at

Date = tuple[int | None, int | None, int | None]
"""Year, month, day, or hour, minute, None; None where not said."""

_NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
MONTHS = {
    name[:size]: number
    for number, name in enumerate(_NAMES, start=1)
    for size in {3, 4 if name == "september" else 3, len(name)}
}


def clock_at(tokens: Sequence[Token], i: int) -> tuple[Date, int] | None:
    """14:00 UTC, 9:30 am, 2pm."""
    hour, minute, last = tokens[i].text, 0, i + 1
    if not hour.isdigit() or len(hour) > 2:
        return None
    if text_at(tokens, last) == ":" and glued_at(tokens, last) and glued_at(tokens, last + 1):
        rest = text_at(tokens, last + 1)
        if not (rest.isdigit() and len(rest) == 2 and int(rest) < 60):
            return None
        minute, last = int(rest), last + 2
    half, last = _half_day(tokens, last)
    zone = text_at(tokens, last) if text_at(tokens, last) in ("utc", "gmt", "z") else ""
    last += bool(zone)
    if last == i + 1 or int(hour) > (12 if half else 24):
        return None
    clock = int(hour) % 12 + (12 if half == "pm" else 0) if half else int(hour) % 24
    return (clock, minute, None), last


def _half_day(tokens: Sequence[Token], i: int) -> tuple[str, int]:
    """am, pm, a.m., p.m. and the index after it."""
    if text_at(tokens, i) in ("am", "pm"):
        return text_at(tokens, i), i + 1
    if (
        text_at(tokens, i) in ("a", "p")
        and text_at(tokens, i + 1) == "."
        and text_at(tokens, i + 2) == "m"
    ):
        return text_at(tokens, i) + "m", i + 3 + (text_at(tokens, i + 3) == ".")
    return "", i


def _year(text: str) -> int | None:
    return int(text) if len(text) == 4 and text.isdigit() and 1900 <= int(text) <= 2199 else None


def _day(tokens: Sequence[Token], i: int) -> tuple[int | None, int]:
    text = text_at(tokens, i)
    if not (text.isdigit() and len(text) <= 2 and 1 <= int(text) <= 31):
        return None, i
    suffix = text_at(tokens, i + 1) in ("st", "nd", "rd", "th") and glued_at(tokens, i + 1)
    return int(text), i + 1 + suffix


def date_at(tokens: Sequence[Token], i: int) -> tuple[Date, int] | None:
    """2026-11-22, 22 November 2026, Nov. 22, March 2024; a lone year is a bare number."""
    return _iso_date(tokens, i) or _day_first(tokens, i) or _month_first(tokens, i)


def _iso_date(tokens: Sequence[Token], i: int) -> tuple[Date, int] | None:
    year, month, day = (text_at(tokens, i + k) for k in (0, 2, 4))
    dashes = text_at(tokens, i + 1) == "-" == text_at(tokens, i + 3) and glued_at(tokens, i + 1)
    if not (dashes and _year(year) and len(month) == 2 == len(day)):
        return None
    if not (month.isdigit() and day.isdigit() and 1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return None
    return (int(year), int(month), int(day)), i + 5


def _day_first(tokens: Sequence[Token], i: int) -> tuple[Date, int] | None:
    day, after = _day(tokens, i)
    after += day is not None and text_at(tokens, after) == "of"
    month = MONTHS.get(text_at(tokens, after))
    if day is None or month is None:
        return None
    return _with_year(tokens, after + 1, month, day)


def _month_first(tokens: Sequence[Token], i: int) -> tuple[Date, int] | None:
    month = MONTHS.get(text_at(tokens, i))
    if month is None:
        return None
    after = i + 1 + (text_at(tokens, i + 1) == ".")
    after += text_at(tokens, after) == "of"
    year = _year(text_at(tokens, after))
    if year:
        return (year, month, None), after + 1
    after += text_at(tokens, after) == "the"
    day, after = _day(tokens, after)
    # "may 5% ..." is no date
    if (
        day is None
        or text_at(tokens, after) == "%"
        or (glued_at(tokens, after) and text_at(tokens, after) == "k")
    ):
        return None
    return _with_year(tokens, after, month, day)


def _with_year(tokens: Sequence[Token], i: int, month: int, day: int) -> tuple[Date, int]:
    i += text_at(tokens, i) == "."
    comma = text_at(tokens, i) in (",", "of")
    year = _year(text_at(tokens, i + comma))
    return ((year, month, day), i + comma + 1) if year else ((None, month, day), i)
