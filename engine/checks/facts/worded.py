"""Numbers written in words: sixty-seven thousand, two point three, half, a dozen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from engine.checks.facts.reading import Token, text_at

SCALES = {
    "hundred": 1e2, "thousand": 1e3, "grand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12,
}  # fmt: skip
_UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ONES = {word: value for value, word in enumerate(_UNITS)}
_ONES |= {word: 10 * value for value, word in enumerate(_TENS, start=2)}
_SHARES = {
    "half": 50.0, "halfway": 50.0, "third": 100 / 3, "quarter": 25.0, "fifth": 20.0,
    "thirds": 100 / 3, "quarters": 25.0, "fifths": 20.0, "tenth": 10.0, "sixth": 100 / 6, "seventh": 100 / 7,
    "eighth": 12.5, "ninth": 100 / 9, "twelfth": 100 / 12, "twentieth": 5.0,
}  # fmt: skip


def spelled_at(tokens: Sequence[Token], start: int) -> tuple[float, float, int] | None:
    """(value, size of its last place, index after it): sixty-seven thousand, a million."""
    i, total, part, seen, grain = start, 0.0, 0.0, False, 1.0
    if text_at(tokens, i) in ("a", "an") and text_at(tokens, i + 1) in SCALES:
        part, seen, i = 1.0, True, i + 1
    while (word := text_at(tokens, i)) in _ONES or (seen and word in {*SCALES, "and", "odd"}):
        if word in _ONES:
            joins = part % 100 >= 20 and part % 10 == 0 and _ONES[word] < 10
            if seen and grain == 1.0 and part % 100 and not joins:
                break  # "twenty twenty"
            part, seen, grain = part + _ONES[word], True, 1.0
        elif word == "odd":
            grain = 10.0  # "sixty-odd thousand"
        elif word == "and":
            if grain == 1.0 or text_at(tokens, i + 1) not in _ONES:
                break
        elif word == "hundred":
            part, grain = part * 100, 100.0
        else:
            size = SCALES[word]
            total, part = total + (part or 1) * size, 0.0
            grain = size * (10.0 if text_at(tokens, i - 1) == "odd" else 1.0)
        i += 1
    if not seen:
        return None
    value = total + part
    if text_at(tokens, i) == "point" and text_at(tokens, i + 1) in _ONES:
        i, value, grain = _decimals(tokens, i + 1, value)
        if scale := SCALES.get(text_at(tokens, i)):
            i, value, grain = i + 1, value * scale, grain * scale
    return value, grain, i


def _decimals(tokens: Sequence[Token], i: int, value: float) -> tuple[int, float, float]:
    place = 1.0
    while _ONES.get(text_at(tokens, i), 10) < 10 and place > 1e-6:
        place /= 10
        value += _ONES[text_at(tokens, i)] * place
        i += 1
    return i, value, place


def share_at(tokens: Sequence[Token], i: int) -> tuple[float, int, Literal["share", "bare"]] | None:
    """(percent, index after it, unit): half, a quarter, two thirds; a dozen is a bare twelve."""
    first = text_at(tokens, i)
    counted = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3}.get(first)
    name = text_at(tokens, i + 1) if counted else first
    if counted and name == "dozen":
        return 12.0 * counted, i + 2, "bare"
    size = _SHARES.get(name)
    if size is None or (not counted and name not in ("half", "halfway")):
        return None
    return size * (counted or 1), i + (2 if counted else 1), "share"


_PARTS = {
    "half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fifth": 5, "fifths": 5, "eighth": 8, "eighths": 8,
    "tenth": 10, "tenths": 10, "twentieth": 20, "twentieths": 20, "fiftieth": 50, "fiftieths": 50, "hundredth": 100, "hundredths": 100,
}  # fmt: skip


def fraction_at(tokens: Sequence[Token], i: int) -> tuple[float, float, int] | None:
    """(value, size of its last place, index after it): a fifth, three tenths, six hundredths."""
    first = text_at(tokens, i)
    count = 1 if first in ("a", "an", "half") else _ONES.get(first, 0)
    last = i if first == "half" else i + 1
    size = _PARTS.get(text_at(tokens, last))
    if not count or size is None or count >= size:
        return None
    return count / size, 1.0 / max(size, 10), last + 1


def mixed_at(tokens: Sequence[Token], i: int) -> tuple[float, float, int] | None:
    """Four and two fifths, nineteen and a fifth, seven and a half; or a fraction alone."""
    whole = spelled_at(tokens, i)
    if whole is not None and text_at(tokens, whole[2]) == "and":
        part = fraction_at(tokens, whole[2] + 1)
        if part is not None:
            return whole[0] + part[0], part[1], part[2]
    return fraction_at(tokens, i)
