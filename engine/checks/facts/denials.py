"""What a negation says of a dollar level: never above it, not below it, no longer over it, failed to hold it.

What is said to have happened or not is judged by the 24 h range, what is by the price. A level more than a
tenth away says nothing and is rejected.
"""

from __future__ import annotations

from engine.checks.facts.case import Case
from engine.checks.facts.changes import relation_to
from engine.checks.facts.items import Item, Segment
from engine.checks.facts.known import usd
from engine.checks.facts.words import cues

_PAST_NEGATIONS = (
    "never", "didn't", "did not", "hasn't", "haven't", "wasn't", "weren't", "fail", "without", "refus", "avoid", "miss",
)  # fmt: skip
_UP = {"above", "just_above", "cross_up", "hold_above"}
_DOWN = {"below", "just_below", "cross_down", "hold_below"}
_EITHER_WAY = {"break", "broken", "breach", "breached", "cross", "crossed", "crossing", "breaking"}
_REFUSED = ("instead", "rather", "stop", "anything but", "false", "denies", "lacks")


def denied_level(case: Case, segment: Segment, negation: Item, item: Item) -> bool:
    """Judge a dollar amount under ``negation``; False where it is nothing of the kind."""
    number, known = item.number, case.known
    text = case.quote(negation).lower()
    money = item.value == "usd" or (item.value == "bare" and number and number.value >= 1000)
    if number is None or not money or number.sign or text.startswith(_REFUSED):
        return False
    price, high, low = known.level("price"), known.level("high"), known.level("low")
    spans = {x.value for x in segment.of("span", "ago")} | ({case.span} if case.span else set())
    if (
        price is None
        or spans - {"24h"}
        or any(x.kind == "ref" for x in segment.items[: item.place])
    ):
        return False
    relation = _relation(segment, negation, item)
    if any(
        case.quote(x).lower() in _EITHER_WAY for x in segment.items[negation.place : item.place]
    ):
        relation = ""
    between = segment.items[negation.place + 1 : item.place]
    around = [*segment.items[max(0, negation.place - 2) : negation.place], *between]
    day = any(x.value == "24h" for x in case.sentence.items() if x.kind == "span")
    past = (
        day
        or text.startswith(_PAST_NEGATIONS)
        or any(x.value in cues("denials.happened") for x in around)
    )
    level = number.value
    if not 0.9 * price <= level <= 1.1 * price:
        good = False
    elif text.startswith(("nowhere", "far from")):
        good = abs(level - price) >= 0.05 * price
    elif text.endswith("longer"):
        good = _no_longer(relation, level, price, high, low)
    elif text.startswith("fail") and relation in ("hold_above", ""):
        good = price < level and high is not None and level <= max(high, known.before("24h") or 0.0)
    elif past:
        good = _did_not(relation, level, high, low)
    else:
        good = {"up": price <= level, "down": price >= level}.get(
            _way(relation), not number.equals(price)
        )
    for rel in (x for x in between if x.kind in ("rel", "dir")):
        rel.done = True
    said = f"{known.level_text('price')}, {known.level_text('high')}, {known.level_text('low')}"
    claim = f"not {relation or 'at'} {usd(level)}"
    return case.judge(good, "negation", item, claim, "price_usd, high_24h, low_24h", said) or True


def _relation(segment: Segment, negation: Item, item: Item) -> str:
    relation = relation_to(segment, item.place)
    verbs = [x for x in segment.items[negation.place + 1 : item.place] if x.kind in ("rel", "dir")]
    for verb in verbs if not relation else ():
        if verb.kind == "rel" and verb.value in _UP | _DOWN:
            return verb.value
    return relation


def _way(relation: str) -> str:
    return "up" if relation in _UP else "down" if relation in _DOWN else ""


def _no_longer(
    relation: str, level: float, price: float, high: float | None, low: float | None
) -> bool:
    if relation in _UP:
        return high is not None and price < level < high
    return relation in _DOWN and low is not None and low < level < price


def _did_not(relation: str, level: float, high: float | None, low: float | None) -> bool:
    """Whether all the day stayed on the other side of the level."""
    if relation in _UP:
        return high is not None and high <= level
    if relation in _DOWN:
        return low is not None and low >= level
    return (high is not None and high < level) or (low is not None and level < low)
