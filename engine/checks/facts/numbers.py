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

from engine.checks.facts.dates import Date, clock_at, date_at
from engine.checks.facts.reading import Token, glued_at, kind_at, text_at
from engine.checks.facts.worded import mixed_at, share_at, spelled_at

Unit = Literal[
    "usd", "pct", "points", "feerate", "ehs", "btc", "sats", "blocks", "index", "times", "rank",
    "bare", "minutes", "hours", "days", "weeks", "months", "years", "clock", "date", "share",
    "other", "bad",
]  # fmt: skip
SCALES = {
    "k": 1e3, "grand": 1e3, "thousand": 1e3, "hundred": 1e2,
    "m": 1e6, "mm": 1e6, "mn": 1e6, "mln": 1e6, "mil": 1e6, "mio": 1e6, "million": 1e6,
    "b": 1e9, "bn": 1e9, "bln": 1e9, "billion": 1e9,
    "t": 1e12, "tn": 1e12, "trn": 1e12, "tln": 1e12, "trillion": 1e12,
}  # fmt: skip
_SPELLED = {"grand", "thousand", "hundred", "million", "billion", "trillion", "mln", "bn", "tn"}
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
        for link in (("/",), ("per",), ("a",), ())
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
    (("btc",), "btc"), (("bitcoin",), "btc"), (("bitcoins",), "btc"), (("₿",), "btc"), (("coins",), "btc"),
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
        for word in ["usdt", "usdc", "eur", "euros", "euro", "gbp", "pounds", "pound", "jpy", "yen", "cad", "aud", "chf", "cny", "yuan", "inr", "rupees", "krw", "won", "eth", "ether", "gwei", "th", "ph", "zh", "zettahash", "terahash", "petahash", "cents", "cent", "people", "seconds", "second", "decades", "decade", "centuries", "quarters", "€", "£", "¥", "₩", "₹", "₽", "‰"]
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
        return abs(self.value - abs(fact)) <= self.grain / 2 + 1e-14 * max(1.0, abs(fact))


def number_at(tokens: Sequence[Token], i: int) -> Number | None:
    """The number that begins at token ``i``, if one does."""
    date = date_at(tokens, i)
    if date:
        return Number(0.0, 1.0, "date", 0, i, date[1], date=date[0])
    return _digits_at(tokens, i) or _words_at(tokens, i)


# --- digits -------------------------------------------------------------------------------------


def _digits_at(tokens: Sequence[Token], start: int) -> Number | None:
    i, sign, currency = start, 0, ""
    while kind_at(tokens, i) != "digits":
        text = text_at(tokens, i)
        if text in ("-", "+", "–", "—", "±") and sign == 0 and _opens(tokens, i, start):
            sign = {"+": 1, "±": 2}.get(text, -1)
        elif text in ("$", "€", "£", "¥", "₩", "₹", "₽", "₿", "¢") and not currency:
            currency = text
        elif text in ("usd", "us") and not currency and i == start:
            currency = "$" if text == "usd" or text_at(tokens, i + 1) == "$" else ""
            if not currency:
                return None
            i += text_at(tokens, i + 1) == "$"
        elif text == "#" and i == start and glued_at(tokens, i + 1):
            pass
        else:
            return None
        i += 1
        if i - start > 3 or (i < len(tokens) and tokens[i].spaced and text not in ("usd", "$")):
            return None
    number = _plain(tokens, i)
    hashed = text_at(tokens, start) == "#"
    clock = None if currency or sign or hashed else clock_at(tokens, i)
    if clock:
        return Number(float(clock[0][0] or 0), 1.0, "clock", 0, i, clock[1], date=clock[0])
    number, i = _scaled(tokens, i + 1, number, currency != "")
    unit, last = _unit_after(tokens, i)
    if currency:
        wanted: Unit = "usd" if currency == "$" else "btc" if currency == "₿" else "other"
        unit, last = (wanted, last) if unit == wanted else (wanted, i)
    elif unit is None:
        unit, last = ("rank" if hashed else "bare"), i
        if kind_at(tokens, i) in ("word", "digits") and glued_at(tokens, i):
            unit = "bad"  # 67abc
            if text_at(tokens, i) in ("st", "nd", "rd", "th"):
                unit, last = "rank", i + 1
    elif unit == "index" and number.value > 100:
        unit = "bad"
    elif unit == "ehs" and text_at(tokens, i) == "zh":
        unit = "other"
    fraction = text_at(tokens, last) == "/" and kind_at(tokens, last + 1) == "digits"
    prices = fraction and min(number.value, _plain(tokens, last + 1).value) >= 1000
    listed = prices or _fee_list(tokens, last)
    if fraction and glued_at(tokens, last) and unit == "bare" and not listed:
        unit = "bad"  # 24/10, 11/22/2026
    if number.unit == "bad":
        unit = "bad"
    return replace(number, unit=unit, sign=sign, first=start, last=last)


def _fee_list(tokens: Sequence[Token], i: int) -> bool:
    """5/4/3 sat/vB: fast, half hour, hour; ``fees 7/5/3``."""
    if any(text_at(tokens, k) in ("fee", "fees") for k in range(max(0, i - 7), i)):
        return True
    while text_at(tokens, i) == "/" and kind_at(tokens, i + 1) == "digits":
        i += 2
    return _unit_after(tokens, i)[0] in ("feerate", "usd") or text_at(tokens, i) in ("k",)


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
    for words, unit in _UNITS_BY_FIRST.get(text_at(tokens, i), ()):
        if all(text_at(tokens, i + k) == word for k, word in enumerate(words)):
            glued_only = words[0] in _GLUED_ONLY and len(words) == 1
            if (
                glued_only
                and tokens[i].spaced
                and (words[0] not in ("h", "x") or tokens[i].raw == "H")
            ):
                continue
            if words[0] == "$" and tokens[i].spaced:
                continue
            return unit, i + len(words)
    return None, i


def _mixed_at(tokens: Sequence[Token], start: int) -> Number | None:
    """Three tenths of a percent, nineteen and a fifth percent, seven and a half thousand."""
    mixed = mixed_at(tokens, start)
    if mixed is None:
        return None
    value, grain, i = mixed
    if text_at(tokens, i) in ("thousand", "million", "billion", "trillion") and value > 1:
        scale = SCALES[text_at(tokens, i)]
        unit, last = _unit_after(tokens, i + 1)
        return Number(
            value * scale, grain * scale, unit or "bare", 0, start, last or i + 1, worded=True
        )
    of = i + (text_at(tokens, i) == "of")
    counted = of + (text_at(tokens, of) in ("a", "one", "1"))
    unit, last = _unit_after(tokens, counted)
    if unit not in ("pct", "points") or (counted > of and value >= 1):
        return None
    return Number(value, grain, "pct", 0, start, last, worded=True)


def _words_at(tokens: Sequence[Token], start: int) -> Number | None:
    """sixty-seven thousand dollars, two percent; half and its like are shares."""
    mixed = _mixed_at(tokens, start)
    if mixed is not None:
        return mixed
    share = share_at(tokens, start)
    if share:
        value, last, unit = share
        return Number(value, 1.0 if unit == "bare" else 5.0, unit, 0, start, last, worded=True)
    spelled = spelled_at(tokens, start)
    if spelled is None and text_at(tokens, start + 1) == "single":
        unit_said, last = _unit_after(tokens, start + 2)
        if text_at(tokens, start) == "a" and unit_said in ("feerate", "pct"):
            return Number(1.0, 1.0, unit_said, 0, start, last, worded=True)
    if spelled is None:
        following = text_at(tokens, start + 1)
        if text_at(tokens, start) == "a" and following in ("percent", "%", "cent"):
            counted: Unit = "other" if following == "cent" else "pct"
            return Number(1.0, 1.0, counted, 0, start, start + 2, worded=True)
        return None
    value, grain, i = spelled
    unit_said, last = _unit_after(tokens, i)
    return Number(value, grain, unit_said or "bare", 0, start, last, worded=True)
