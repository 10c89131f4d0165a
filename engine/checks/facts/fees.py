"""Fee rates, said as numbers, lists of three and in words (cheap, steep)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engine.checks.facts.case import Case, after, before
from engine.checks.facts.changes import CHEAP, DEAR, relation_to
from engine.checks.facts.items import Item, Segment, Sentence
from engine.checks.facts.levels import close_to
from engine.records import Fees

_FEES = ("fast", "half_hour", "hour")
_FEE_NAMES = {"fast": "fast", "half_hour": "half-hour", "hour": "hour"}


def fee_boards(case: Case, items: list[Item]) -> None:
    """``5 | 4 | 3 sat/vB (fast | half-hour | hour)``: as many names as rates, in one order."""
    units = [x for x in items if x.value == "feerate" or _unit(case, x)]
    if not units:
        return
    case.rates = True
    runs = [*_runs(items, lambda x: x.kind == "num" and x.value in ("bare", "feerate"))]
    names = [*_runs(items, lambda x: x.kind != "num" and bool(_fee_name(x)))]
    fees = case.known.facts.fees
    for named in names if fees is not None else ():
        for rates in runs:
            apart = (named[-1], rates[0], rates[-1], named[0])
            first, last = sorted((items.index(apart[0]), items.index(apart[1])))
            behind = items.index(apart[2]), items.index(apart[3])
            gap = (
                items[first + 1 : last]
                if behind[0] > behind[1]
                else items[behind[0] + 1 : behind[1]]
            )
            if len(named) != len(rates) or any(x.kind not in ("sep", "topic", "word") for x in gap):
                continue
            for name, item in zip(named, rates, strict=True):
                item.size, name.done = _fee_name(name), True


def _unit(case: Case, item: Item) -> bool:
    """``(sat/vB)`` without a number."""
    text = case.quote(item).lower()
    return item.kind == "topic" and "sat" in text and "vb" in text


def _runs(items: list[Item], ours: Callable[[Item], bool]) -> Iterator[list[Item]]:
    """Two or more items of one kind with nothing but signs between them."""
    run: list[Item] = []
    for item in [*items, Item("word", "", 0, 0)]:
        if ours(item):
            run.append(item)
        elif item.kind not in ("sep",) and item.value not in ("to", "against"):
            if len(run) > 1:
                yield run
            run = []


def fee_rates(case: Case, sentence: Sentence, segment: Segment) -> None:
    """``fast 5, hour 3 sat/vB``; ``5/4/3 sat/vB``; without a name it is the fast fee."""
    unit = any("vb" in case.quote(x).lower() for x in sentence.items() if x.kind == "topic")
    case.rates = case.rates or unit or sentence.has("num", "feerate")
    items = [
        item
        for item in segment.of("num")
        if not item.done and _fee_number(case, sentence, segment, item)
    ]
    if not items:
        return
    fees = case.known.facts.fees
    if fees is None:
        for item in items:
            case.reject("number", item, "the snapshot does not know the fees")
        return
    named = [_fee_role(segment, item) for item in items]
    if len(items) == 3 and not any(named):
        named = list(_FEES)
    said = f"fees are {fees.fast:g} fast, {fees.half_hour:g} half-hour, {fees.hour:g} hour (sat/vB)"
    for item, role in zip(items, named, strict=True):
        number = item.number
        assert number is not None  # noqa: S101
        relation = relation_to(segment, segment.index(item))
        role = role or _second(case, item, fees) or ("hour" if _least(segment) else "fast")
        good = role in _FEES and close_to(number, getattr(fees, role), relation)
        name = f"{_FEE_NAMES.get(role, role)} fee"
        case.judge(good and not number.sign, "number", item, name, f"fees.{role}", said)
        for other in segment.of("span", "ref"):
            low = other.value == "low" and role == "hour"  # "as low as 1 sat/vB"
            other.done = other.done or (good and (low or _fee_name(other) == role))


def _second(case: Case, item: Item, fees: Fees) -> str:
    """``fast 5 sat/vB, the scenic route costs 3``: after the fast fee, a slower one."""
    told = any(p.fact == "fees.fast" and p.end <= item.start for p in case.proofs)
    if not told or item.number is None:
        return ""
    return next((role for role in _FEES[1:] if item.number.equals(getattr(fees, role))), "")


def _fee_number(case: Case, sentence: Sentence, segment: Segment, item: Item) -> bool:
    """Bare numbers count where the unit is said once for all of them."""
    if item.value == "feerate":
        return True
    rates = sentence.has("num", "feerate") or any(
        "vb" in case.quote(other).lower() for other in sentence.items() if other.kind == "topic"
    )
    rates = rates or (case.rates and bool(_fee_role(segment, item)))
    three = sum(x.value == "bare" and not x.done for x in segment.of("num")) == 3
    rates = rates or (three and any(x.value == "fees" for x in before(segment, item.place, 7)))
    return item.value == "bare" and rates and bool(item.number and item.number.value < 5000)


def _fee_role(segment: Segment, item: Item) -> str:
    if item.size in _FEES:
        return item.size
    i = segment.index(item)
    for beside in before(segment, i, 1):
        if beside.kind == "ref" and beside.value in ("low", "high"):
            return "hour" if beside.value == "low" else "fast"
    for other in before(segment, i, 7):
        if other.kind == "num":
            break
        if role := _fee_name(other):
            return role
        if other.kind == "span" and other.number:
            return "an unknown"
    for other in after(segment, i, 7):
        if other.kind == "num":
            break
        if role := _fee_name(other):
            denied = any(x.kind == "neg" for x in before(segment, other.place, 3))
            return "hour" if denied and role == "fast" else role
        if other.kind == "span" and other.number:
            return "an unknown"
    if any(item.value in ("average", "median", "typical", "mean") for item in segment.of("word")):
        return "average"
    return ""


def _fee_name(item: Item) -> str:
    for sense in item.senses:
        if sense.kind == "fee":
            return sense.value
    if item.kind == "span" and item.value == "1h" and not item.number:
        return "hour"  # "5 sat/vB for the hour"
    if item.kind == "span" and item.number:
        spans = {
            ("minutes", 30.0): "half_hour",
            ("minutes", 60.0): "hour",
            ("hours", 1.0): "hour",
            ("minutes", 10.0): "fast",
        }
        return spans.get((item.number.unit, item.number.value), "")
    if item.kind == "num" and item.value == "share":
        return "half_hour"
    return ""


def _least(segment: Segment) -> bool:
    return any(
        item.value in ("start", "starting", "starts")
        or (
            item.kind == "ref"
            and item.size == ""
            and item.value == "low"
            and item.end - item.start > 3
        )
        for item in segment.items
    )


def fee_words(case: Case, segment: Segment) -> None:
    """``fees are low``: at most 10 sat/vB for the fast one; high from 50."""
    rated = any(item.value == "feerate" for item in segment.of("num"))
    if (
        case.subject != "fees"
        and not rated
        and not any(x.value == "fees" for x in segment.of("topic"))
    ):
        return
    fees = case.known.facts.fees
    for item in segment.items:
        word = item.value if item.kind in ("word", "ref") else ""
        text = case.text[item.start : item.end].lower()
        cheap = word in ("low", "cheap", "tiny") and text not in ("as low as",)
        dear = word in ("high", "expensive", "steep", "pricey")
        if item.done or not (cheap or dear) or text in ("high priority", "low priority"):
            continue
        said = (
            "the snapshot does not know the fees"
            if fees is None
            else f"the fast fee is {fees.fast:g} sat/vB"
        )
        good = fees is not None and (fees.fast <= CHEAP if cheap else fees.fast >= DEAR)
        case.judge(
            good, "relation", item, f"fees are {'low' if cheap else 'high'}", "fees.fast", said
        )
