"""Derived numbers that name what they are derived from: the width of the day, the age of a record.

Each derivation is one value of the snapshot and the words that must stand in the sentence with it.
A number is proved by it only if it is that value at its printed precision; what does not fit is
left to the other judges.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.checks.facts.case import Case, after, before
from engine.checks.facts.changes import amount_relation
from engine.checks.facts.items import Item, Segment, Sentence
from engine.checks.facts.known import HALVING_BLOCKS, Known, usd
from engine.checks.facts.levels import close_to
from engine.checks.facts.numbers import Number, Unit
from engine.checks.facts.roles import price_place
from engine.checks.facts.words import cues

_DAYS = {"days": 1.0, "weeks": 7.0, "months": 30.44, "years": 365.25}
_ROUND: dict[str, Unit] = {"other:the year": "years", "other:the month": "months", "7d": "weeks"}
_TELLING = 10
_NO_AGE = {"took", "takes", "taken", "before", "until", "till", "streak", "row", "reach", "next"}


@dataclass(frozen=True)
class _Derived:
    """``value`` of the snapshot; ``said`` of it in a proof; ``fits_here``: the words it needs."""

    claim: str
    fact: str
    units: tuple[str, ...]
    value: Callable[[Known], float | None]
    fits_here: Callable[[Sentence, Segment, Item], bool]


def derived(case: Case, sentence: Sentence, segment: Segment) -> None:
    """Prove every number of the segment that is a derivation named in its sentence."""
    for item in segment.items:
        if not item.done and item.kind == "span" and item.number is None:
            _round_age(case, sentence, segment, item)
        if item.done or item.number is None or item.number.sign:
            continue
        if item.kind == "num":
            _by_value(case, sentence, segment, item)
        elif item.kind in ("span", "ago") and item.number.unit in _DAYS:
            _age(case, sentence, segment, item)


def _by_value(case: Case, sentence: Sentence, segment: Segment, item: Item) -> None:
    number = item.amount
    for rule in _RULES:
        spoken = {"high", "low"} <= case.spoken and rule.claim.startswith("width")
        spoken = spoken and not segment.of("dir", "ref") and not _other_horizon(segment)
        width = rule.claim.startswith("width") and price_place(case, segment, item)
        if (
            width
            or item.value not in rule.units
            or not (spoken or rule.fits_here(sentence, segment, item))
        ):
            continue
        value = rule.value(case.known)
        if rule.fact == "a constant" and not number.equals(value or 0.0):
            continue
        if value is not None and _equals(segment, item, number, value):
            said = usd(value) if "usd" in rule.units else f"{value:,.2f}"
            case.prove(item, rule.claim, rule.fact, said)
            _settle(sentence, segment, rule)
            return


def _equals(segment: Segment, item: Item, number: Number, value: float) -> bool:
    relation = amount_relation(segment, segment.index(item))
    if relation in ("just_above", "just_below"):
        room = max(0.05 * number.value, number.grain)
        low, high = (0, room) if relation == "just_above" else (-room, 0)
        return low <= value - number.value <= high
    return close_to(number, value, relation)


def _settle(sentence: Sentence, segment: Segment, rule: _Derived) -> None:
    """The levels between which a distance was proved claim nothing more."""
    timed = rule.claim.startswith(("blocks", "age"))
    for item in segment.items if timed else ():
        if item.value in ("other:an earlier moment", "other:several days"):
            item.done = True
    for other in sentence.segments if rule.claim.startswith(("width", "from the high")) else ():
        for item in other.of("ref"):
            numbered = any(x.kind == "num" and not x.done for x in after(other, item.place, 5))
            item.done = item.done or not numbered


def _other_horizon(segment: Segment) -> bool:
    return any(item.value not in ("24h",) for item in segment.of("span"))


def _width_here(sentence: Sentence, segment: Segment, item: Item) -> bool:
    if _other_horizon(segment) or segment.of("neg") or sentence.has("topic", "cap", "volume"):
        return False
    refs = {x.value for x in sentence.items() if x.kind == "ref"}
    words = {x.value for x in sentence.items()}
    if {"high", "low"} <= refs and (
        words & cues("derivations.apart") or sentence.has("rel", "away")
    ):
        return True
    if "range" in refs or sentence.has("swing"):
        return True
    following = [x.value for x in after(segment, segment.index(item), 2)]
    leading = [x.value for x in before(segment, segment.index(item), 2)]
    wide = {"wide", "gap", "apart", "window", "top", "spread", "swing", "end"}
    day = [
        x for x in after(segment, segment.index(item), 1) if x.kind == "span" and x.value == "24h"
    ]
    named = bool(day) and day[0].end - day[0].start in (3, 7) and not segment.of("dir")
    return (
        bool(wide & set(following))
        or named
        or bool({"spans", "spanned", "spanning", "covers", "covered"} & set(leading))
    )


def _high_to_record(sentence: Sentence, segment: Segment, item: Item) -> bool:
    refs = {x.value for x in sentence.items() if x.kind == "ref"}
    return {"high", "ath"} <= refs and not _other_horizon(segment)


def _turnover(sentence: Sentence, segment: Segment, item: Item) -> bool:
    words = {x.value for x in sentence.items()}
    whole = sentence.has("topic", "cap") or bool(words & {"worth", "whole", "everything", "all"})
    led = before(segment, item.place, 2)
    named = any(x.kind == "topic" and x.end - x.start == len("turnover") for x in led)
    return (sentence.has("topic", "volume") and whole) or named or "ratio" in words


def _chain(sentence: Sentence, item: Item) -> bool:
    return sentence.has("topic", "halving", "block") or item.value == "blocks"


def _chain_count(sentence: Sentence, segment: Segment, item: Item) -> bool:
    return _chain(sentence, item) or sentence.has("word", "sum", "total", "interval", "every")


def _fee_gap(sentence: Sentence, segment: Segment, item: Item) -> bool:
    told = {
        "saves", "save", "saving", "saved", "cheaper", "difference", "gap", "extra", "premium", "discount",
    }  # fmt: skip
    return any(word in told for x in sentence.items() for word in (x.value,)) or sentence.has(
        "ref", "range"
    )


_RULES = (
    _Derived(
        "width of the 24 h range", "high_24h, low_24h", ("usd", "bare"), Known.width_usd, _width_here
    ),
    _Derived(
        "width of the 24 h range", "high_24h, low_24h", ("pct",), Known.width_pct, _width_here
    ),
    _Derived(
        "from the high to the record", "high_24h, ath_usd", ("usd",), Known.high_to_record, _high_to_record
    ),
    _Derived(
        "volume as a share of the market cap", "volume_24h_usd, market_cap_usd", ("pct",),
        Known.turnover_pct, _turnover,
    ),
    _Derived(
        "blocks between halvings", "a constant", ("blocks", "bare"), lambda known: float(HALVING_BLOCKS), _chain_count
    ),
    _Derived(
        "age of the record in days", "ath_date, as_of", ("bare",), Known.record_days,
        lambda sentence, segment, item: any(
            x.value == "day" or x.value == "24h" for x in before(segment, item.place, 1)
        ) or {"days", "since"} <= {
            word for x in sentence.items() for word in (x.value.removeprefix("other:several "), "since" if "earlier" in x.value else "")
        },
    ),
    _Derived(
        "middle of the 24 h range", "high_24h, low_24h", ("usd", "bare"), Known.middle_usd,
        lambda sentence, segment, item: any(
            x.value in ("mid", "middle", "midpoint") for x in before(segment, item.place, 3)
        ),
    ),
    _Derived("what waiting saves", "fees", ("feerate",), Known.fee_gap, _fee_gap),
)  # fmt: skip


def _round_age(case: Case, sentence: Sentence, segment: Segment, item: Item) -> None:
    """``more than a year since the record``."""
    unit = _ROUND.get(item.value)
    if unit and any(x.value in ("a", "one") for x in before(segment, item.place, 1)):
        item.number = Number(1.0, 1.0, unit, 0, 0, 0, worded=True)
        _age(case, sentence, segment, item)
        if not item.done:
            item.number = None


def _age(case: Case, sentence: Sentence, segment: Segment, item: Item) -> None:
    """``412 days since the record``, ``set two days ago``, ``more than a year old``."""
    number, days = item.amount, case.known.record_days()
    about = sentence.has("ref", "ath") or (case.of_record and not sentence.has("ref"))
    words = {x.value for x in sentence.items()} | {x.intro for x in sentence.segments}
    telling = words & (cues("derivations.telling") | {"other:an earlier moment"})
    exact = (
        number.unit == "days"
        and days is not None
        and number.value == days >= _TELLING
        and "in" not in words
    )
    told = bool(telling) or item.kind == "ago" or exact
    if (
        days is None
        or not about
        or not told
        or words & _NO_AGE
        or sentence.has("neg", "not")
        or sentence.has("if")
    ):
        return
    size = days / _DAYS[number.unit]
    relation = amount_relation(segment, segment.index(item))
    if relation == "above":
        good = number.value < size <= number.value + max(1.0, number.value * 0.25)
    elif relation in ("just_above", "just_below"):
        low, high = (0.0, 0.15) if relation == "just_above" else (-0.15, 0.0)
        room = max(1.0, number.value)
        good = low * room <= size - number.value <= high * room
    elif relation == "below":
        good = number.value * 0.75 <= size < number.value
    elif number.unit == "days":
        good = number.equals(days) if not relation else close_to(number, days, relation)
    else:
        good = number.equals(size)
        if "to the day" in case.text.lower() or words & {"exactly", "precisely"}:
            good = abs(size - number.value) * _DAYS[number.unit] < 1
    if good:
        said = f"the record is {days:g} days old"
        case.prove(item, "age of the record", "ath_date, as_of", said)
        for other in sentence.items():
            if other.value == "other:an earlier moment" or (
                other.kind == "ref" and other.value == "ath"
            ):
                other.done = True
