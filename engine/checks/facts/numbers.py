"""Numbers in a text: value, unit, printed precision and span.

Unit-typed extraction (facts: ollama-and-prompt-testing §4): ``$67.4K`` is 67,400 US dollars printed
to the nearest hundred, ``two percent`` is 2 % printed to the nearest one. A number that can be read
in two ways (``67.432,18``) has the unit ``bad`` and nothing proves it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from engine.checks.facts.reading import Token

Unit = Literal[
    "usd", "pct", "points", "feerate", "ehs", "btc", "sats", "blocks", "index", "times", "rank",
    "bare", "minutes", "hours", "days", "weeks", "months", "years", "clock", "date", "share",
    "other", "bad",
]  # fmt: skip
Date = tuple[int | None, int | None, int | None]
"""Year, month, day; None where not said."""

SCALES = {
    "k": 1e3, "grand": 1e3, "thousand": 1e3, "hundred": 1e2,
    "m": 1e6, "mm": 1e6, "mn": 1e6, "mln": 1e6, "mil": 1e6, "mio": 1e6, "million": 1e6,
    "b": 1e9, "bn": 1e9, "bln": 1e9, "billion": 1e9,
    "t": 1e12, "tn": 1e12, "trn": 1e12, "tln": 1e12, "trillion": 1e12,
}  # fmt: skip
_SPELLED = {"grand", "thousand", "hundred", "million", "billion", "trillion", "mln", "bn", "tn"}
_SMALL = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
}
_SHARES = {
    "half": 50.0, "halfway": 50.0, "third": 100 / 3, "quarter": 25.0, "fifth": 20.0,
    "thirds": 100 / 3, "quarters": 25.0, "fifths": 20.0, "tenth": 10.0,
}  # fmt: skip
_MONTHS = {
    name[:size]: number
    for number, name in enumerate(
        [
            "january",
            "february",
            "march",
            "april",
            "may",
            "june",
            "july",
            "august",
            "september",
            "october",
            "november",
            "december",
        ],
        start=1,
    )
    for size in {3, 4 if name == "september" else 3, len(name)}
}
_TIME_UNITS: dict[str, Unit] = {
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "minutes"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "hours"),
    **dict.fromkeys(("d", "day", "days"), "days"),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), "weeks"),
    **dict.fromkeys(("mo", "mos", "month", "months"), "months"),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), "years"),
}
_UNITS: tuple[tuple[tuple[str, ...], Unit], ...] = (
    *(
        ((coin, *link, size), "feerate")
        for coin in ("sat", "sats", "satoshi", "satoshis", "s")
        for link in (("/",), ("per",), ())
        for size in ("vb", "vbyte", "vbytes", "byte", "bytes")
    ),
    (("sats", "per", "virtual", "byte"), "feerate"),
    (("sat", "per", "virtual", "byte"), "feerate"),
    (("eh", "/", "s"), "ehs"), (("ehs",), "ehs"), (("eh",), "ehs"),
    (("exahash", "per", "second"), "ehs"), (("exahashes", "per", "second"), "ehs"),
    (("exahash",), "ehs"), (("exahashes",), "ehs"),
    (("percentage", "points"), "points"), (("percentage", "point"), "points"),
    (("percent", "points"), "points"), (("basis", "points"), "points"), (("bps",), "points"),
    (("pp",), "points"), (("ppt",), "points"), (("points",), "points"), (("pts",), "points"),
    (("point",), "points"),
    (("%",), "pct"), (("percent",), "pct"), (("pct",), "pct"), (("per", "cent"), "pct"),
    (("us", "dollars"), "usd"), (("u", ".", "s", ".", "dollars"), "usd"),
    (("usd",), "usd"), (("dollars",), "usd"), (("dollar",), "usd"), (("bucks",), "usd"),
    (("$",), "usd"),
    (("btc",), "btc"), (("bitcoin",), "btc"), (("bitcoins",), "btc"), (("coins",), "btc"),
    (("sats",), "sats"), (("sat",), "sats"), (("satoshis",), "sats"),
    (("blocks",), "blocks"), (("block",), "blocks"),
    (("/", "100"), "index"), (("out", "of", "100"), "index"), (("of", "100"), "index"),
    (("out", "of", "a", "100"), "index"), (("of", "a", "possible", "100"), "index"),
    (("out", "of", "a", "possible", "100"), "index"), (("on", "100"), "index"),
    (("x",), "times"), (("times",), "times"), (("fold",), "times"),
    *(((word,), unit) for word, unit in _TIME_UNITS.items()),
    (("am",), "clock"), (("pm",), "clock"), (("utc",), "clock"), (("gmt",), "clock"),
    *(
        ((word,), "other")
        for word in ["usdt", "usdc", "eur", "euros", "euro", "gbp", "pounds", "pound", "jpy", "yen", "cad", "aud", "chf", "cny", "yuan", "inr", "rupees", "krw", "won", "eth", "ether", "gwei", "th", "ph", "zh", "zettahash", "terahash", "petahash", "cents", "cent", "people", "seconds", "second", "decades", "decade", "centuries", "quarters", "€", "£", "¥", "₩", "₹", "₽", "₿", "‰"]
    ),
)  # fmt: skip
_UNITS_BY_FIRST: dict[str, list[tuple[tuple[str, ...], Unit]]] = {}
for _words, _unit in sorted(_UNITS, key=lambda pair: -len(pair[0])):
    _UNITS_BY_FIRST.setdefault(_words[0], []).append((_words, _unit))

# Letters glued to digits that are no unit of theirs alone: 24h is a duration, 5m is not.
_GLUED_ONLY = {"h", "d", "w", "y", "x", "s", "mo"}
_PLAIN_NUMBER = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d{1,3}(?:\u00a0\d{3})+|\d+)?(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Number:
    """``grain``: the size of one printed unit of the last place. ``sign`` 0 where none is printed.

    ``first``/``last``: token indexes, last exclusive. ``date`` for units date and clock (hour,
    minute, None). ``worded``: written in words.
    """

    value: float
    grain: float
    unit: Unit
    sign: int
    first: int
    last: int
    worded: bool = False
    date: Date | None = None

    def equals(self, fact: float) -> bool:
        """Whether ``fact`` rounds to this number at its printed precision (ties go both ways)."""
        return abs(self.value - abs(fact)) <= self.grain / 2 + 1e-9 * max(1.0, abs(fact))


def number_at(tokens: Sequence[Token], i: int) -> Number | None:
    """The number that begins at token ``i``, if one does."""
    return _date_at(tokens, i) or _digits_at(tokens, i) or _words_at(tokens, i)


def _text(tokens: Sequence[Token], i: int) -> str:
    return tokens[i].text if 0 <= i < len(tokens) else ""


def _kind(tokens: Sequence[Token], i: int) -> str:
    return tokens[i].kind if 0 <= i < len(tokens) else ""


def _glued(tokens: Sequence[Token], i: int) -> bool:
    return 0 <= i < len(tokens) and not tokens[i].spaced


# --- digits -------------------------------------------------------------------------------------


def _digits_at(tokens: Sequence[Token], start: int) -> Number | None:
    i, sign, currency = start, 0, ""
    while _kind(tokens, i) != "digits":
        text = _text(tokens, i)
        if text in ("-", "+", "–", "—", "±") and sign == 0 and _opens(tokens, i, start):
            sign = {"+": 1, "±": 2}.get(text, -1)
        elif text in ("$", "€", "£", "¥", "₩", "₹", "₽", "₿", "¢") and not currency:
            currency = text
        elif text in ("usd", "us") and not currency and i == start:
            currency = "$" if text == "usd" or _text(tokens, i + 1) == "$" else ""
            if not currency:
                return None
            i += _text(tokens, i + 1) == "$"
        elif text == "#" and i == start and _glued(tokens, i + 1):
            pass
        else:
            return None
        i += 1
        if i - start > 3 or (i < len(tokens) and tokens[i].spaced and text not in ("usd", "$")):
            return None
    number = _plain(tokens, i)
    hashed = _text(tokens, start) == "#"
    clock = None if currency or sign or hashed else _clock_at(tokens, i)
    if clock:
        return clock
    number, i = _scaled(tokens, i + 1, number, currency != "")
    unit, last = _unit_after(tokens, i)
    if currency:
        wanted: Unit = "usd" if currency == "$" else "btc" if currency == "₿" else "other"
        unit, last = (wanted, last) if unit == wanted else (wanted, i)
    elif unit is None:
        unit, last = ("rank" if hashed else "bare"), i
        if _kind(tokens, i) in ("word", "digits") and _glued(tokens, i):
            unit = "bad"  # 67abc
            if _text(tokens, i) in ("st", "nd", "rd", "th"):
                unit, last = "rank", i + 1
    elif unit == "index" and number.value > 100:
        unit = "bad"
    elif unit == "ehs" and _text(tokens, i) == "zh":
        unit = "other"
    fraction = _text(tokens, last) == "/" and _kind(tokens, last + 1) == "digits"
    if fraction and _glued(tokens, last) and unit == "bare" and not _fee_list(tokens, last):
        unit = "bad"  # 24/10, 11/22/2026
    if number.unit == "bad":
        unit = "bad"
    return replace(number, unit=unit, sign=sign, first=start, last=last)


def _fee_list(tokens: Sequence[Token], i: int) -> bool:
    """5/4/3 sat/vB: fast, half hour, hour."""
    while _text(tokens, i) == "/" and _kind(tokens, i + 1) == "digits":
        i += 2
    return _unit_after(tokens, i)[0] in ("feerate", "usd") or _text(tokens, i) in ("k",)


def _opens(tokens: Sequence[Token], i: int, start: int) -> bool:
    """Whether a sign here belongs to the number after it, not between two things."""
    if i + 1 >= len(tokens) or tokens[i + 1].spaced:
        return False
    before = tokens[i - 1] if i else None
    if before is None or tokens[i].spaced or i > start:
        return True
    return before.kind in ("mark", "emoji", "line") and before.text not in ("%", "$", ")")


def _plain(tokens: Sequence[Token], i: int) -> Number:
    text = tokens[i].text
    good = _PLAIN_NUMBER.fullmatch(text) is not None and len(text) <= 24
    if good and len(text) > 1 and text[0] == "0" and text[1] in "0123456789,":
        good = False  # 067,432
    if not good:
        return Number(0.0, 0.0, "bad", 0, i, i + 1)
    plain = text.replace(",", "").replace("\u00a0", "")
    decimals = len(plain.partition(".")[2])
    unit: Unit = "bare"
    return Number(float(plain), 10.0**-decimals, unit, 0, i, i + 1)


def _scaled(tokens: Sequence[Token], i: int, number: Number, currency: bool) -> tuple[Number, int]:
    while i < len(tokens):
        scale = SCALES.get(tokens[i].text)
        known = scale and (
            tokens[i].text in _SPELLED
            or not tokens[i].spaced
            or (currency and tokens[i].text in ("m", "b", "t", "k", "trn", "mn"))
        )
        if not scale or not known:
            break
        number = replace(number, value=number.value * scale, grain=number.grain * scale)
        i += 1
    return number, i


def _unit_after(tokens: Sequence[Token], i: int) -> tuple[Unit | None, int]:
    for words, unit in _UNITS_BY_FIRST.get(_text(tokens, i), ()):
        if all(_text(tokens, i + k) == word for k, word in enumerate(words)):
            glued_only = words[0] in _GLUED_ONLY and len(words) == 1
            if glued_only and tokens[i].spaced and words[0] not in ("h", "x"):
                continue
            if words[0] == "$" and tokens[i].spaced:
                continue
            return unit, i + len(words)
    return None, i


def _clock_at(tokens: Sequence[Token], i: int) -> Number | None:
    """14:00 UTC, 9:30 am, 2pm."""
    hour, minute, last = tokens[i].text, 0, i + 1
    if not hour.isdigit() or len(hour) > 2:
        return None
    if _text(tokens, last) == ":" and _glued(tokens, last) and _glued(tokens, last + 1):
        rest = _text(tokens, last + 1)
        if not (rest.isdigit() and len(rest) == 2 and int(rest) < 60):
            return None
        minute, last = int(rest), last + 2
    half = _text(tokens, last) if _text(tokens, last) in ("am", "pm") else ""
    last += bool(half)
    zone = _text(tokens, last) if _text(tokens, last) in ("utc", "gmt", "z") else ""
    last += bool(zone)
    if last == i + 1 or int(hour) > (12 if half else 24):
        return None
    clock = int(hour) % 12 + (12 if half == "pm" else 0) if half else int(hour) % 24
    return Number(float(clock), 1.0, "clock", 0, i, last, date=(clock, minute, None))


# --- dates --------------------------------------------------------------------------------------


def _year(text: str) -> int | None:
    return int(text) if len(text) == 4 and text.isdigit() and 1900 <= int(text) <= 2199 else None


def _day(tokens: Sequence[Token], i: int) -> tuple[int | None, int]:
    text = _text(tokens, i)
    if not (text.isdigit() and len(text) <= 2 and 1 <= int(text) <= 31):
        return None, i
    suffix = _text(tokens, i + 1) in ("st", "nd", "rd", "th") and _glued(tokens, i + 1)
    return int(text), i + 1 + suffix


def _date_at(tokens: Sequence[Token], i: int) -> Number | None:
    """2026-11-22, 22 November 2026, Nov. 22, March 2024; a lone year is a bare number."""
    found = _iso_date(tokens, i) or _day_first(tokens, i) or _month_first(tokens, i)
    if found is None:
        return None
    date, last = found
    return Number(0.0, 1.0, "date", 0, i, last, date=date)


def _iso_date(tokens: Sequence[Token], i: int) -> tuple[Date, int] | None:
    year, month, day = (_text(tokens, i + k) for k in (0, 2, 4))
    dashes = _text(tokens, i + 1) == "-" == _text(tokens, i + 3) and _glued(tokens, i + 1)
    if not (dashes and _year(year) and len(month) == 2 == len(day)):
        return None
    if not (month.isdigit() and day.isdigit() and 1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return None
    return (int(year), int(month), int(day)), i + 5


def _day_first(tokens: Sequence[Token], i: int) -> tuple[Date, int] | None:
    day, after = _day(tokens, i)
    after += day is not None and _text(tokens, after) == "of"
    month = _MONTHS.get(_text(tokens, after))
    if day is None or month is None:
        return None
    return _with_year(tokens, after + 1, month, day)


def _month_first(tokens: Sequence[Token], i: int) -> tuple[Date, int] | None:
    month = _MONTHS.get(_text(tokens, i))
    if month is None:
        return None
    after = i + 1 + (_text(tokens, i + 1) == ".")
    after += _text(tokens, after) == "of"
    year = _year(_text(tokens, after))
    if year:
        return (year, month, None), after + 1
    after += _text(tokens, after) == "the"
    day, after = _day(tokens, after)
    # "may 5% ..." is no date
    if (
        day is None
        or _text(tokens, after) == "%"
        or (_glued(tokens, after) and _text(tokens, after) == "k")
    ):
        return None
    return _with_year(tokens, after, month, day)


def _with_year(tokens: Sequence[Token], i: int, month: int, day: int) -> tuple[Date, int]:
    i += _text(tokens, i) == "."
    comma = _text(tokens, i) in (",", "of")
    year = _year(_text(tokens, i + comma))
    return ((year, month, day), i + comma + 1) if year else ((None, month, day), i)


# --- words --------------------------------------------------------------------------------------


def _words_at(tokens: Sequence[Token], start: int) -> Number | None:
    """sixty-seven thousand, two point three percent, half, a dozen, a million."""
    share = _share_at(tokens, start)
    if share:
        return share
    i, total, part, seen, grain = start, 0.0, 0.0, False, 1.0
    if (
        _text(tokens, i) in ("a", "an")
        and _text(tokens, i + 1) in SCALES
        and len(_text(tokens, i + 1)) > 3
    ):
        part, seen, i = 1.0, True, i + 1
    while i < len(tokens):
        word = _text(tokens, i)
        if word in _SMALL or word in _TENS:
            small = _SMALL.get(word, 0) or _TENS.get(word, 0)
            joins = part % 100 >= 20 and part % 10 == 0 and small < 10
            if seen and grain == 1.0 and part % 100 and not joins:
                break  # "twenty twenty"
            part, seen, grain = part + small, True, 1.0
        elif word in _SPELLED and seen and len(word) > 3:
            scale = SCALES[word]
            if scale == 100:
                part, grain = part * 100, 100.0
            else:
                total, part, grain = total + (part or 1) * scale, 0.0, scale
        elif not (
            word == "and"
            and seen
            and grain > 1
            and (_text(tokens, i + 1) in _SMALL or _text(tokens, i + 1) in _TENS)
        ):
            break
        i += 1
    if not seen:
        return None
    value = total + part
    if _text(tokens, i) == "point" and _text(tokens, i + 1) in _SMALL:
        i, value, grain = _decimals(tokens, i + 1, value)
        if _text(tokens, i) in SCALES and len(_text(tokens, i)) > 3:
            scale = SCALES[_text(tokens, i)]
            i, value, grain = i + 1, value * scale, grain * scale
    unit, last = _unit_after(tokens, i)
    return Number(value, grain, unit or "bare", 0, start, last if unit else i, worded=True)


def _decimals(tokens: Sequence[Token], i: int, value: float) -> tuple[int, float, float]:
    place = 1.0
    while _text(tokens, i) in _SMALL and _SMALL[_text(tokens, i)] < 10 and place > 1e-6:
        place /= 10
        value += _SMALL[_text(tokens, i)] * place
        i += 1
    return i, value, place


def _share_at(tokens: Sequence[Token], i: int) -> Number | None:
    """half, a quarter, two thirds, a dozen: shares are percent printed to the nearest five."""
    first = _text(tokens, i)
    counted = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3}.get(first)
    name = _text(tokens, i + 1) if counted else first
    if counted and name == "dozen":
        return Number(12.0 * counted, 1.0, "bare", 0, i, i + 2, worded=True)
    size = _SHARES.get(name)
    if size is None or (not counted and name not in ("half", "halfway")):
        return None
    last = i + (2 if counted else 1)
    return Number(size * (counted or 1), 5.0, "share", 0, i, last, worded=True)
