"""Numbers that are a known value to the last printed digit, where the words only half say which.

``Where is the top of the day? $105,220.``; ``$63,410 was seen in the last 24 hours``; ``the record, $156,200,
is $3,900 up the stairs``. The value must be exact, the level spoken of here or in the sentence before (or
the day's range by a past tense), and no word may name another level.
"""

from __future__ import annotations

from engine.checks.facts.case import Case, before
from engine.checks.facts.changes import amount_relation
from engine.checks.facts.distances import fits
from engine.checks.facts.items import Item, Segment, Sentence
from engine.checks.facts.known import LEVELS, usd
from engine.checks.facts.levels import REFS, role_of

_EXACT, _PLAIN = 1_000, 10
_PAST = {
    "was", "were", "had", "could've", "got", "bought", "sold", "paid", "made", "saw", "seen", "touched", "remember", "earlier",
    "reached", "printed", "asked", "fetched", "visited", "spotted", "been", "cost", "went",
}  # fmt: skip
_NOW = {
    "now",
    "currently",
    "trades",
    "trading",
    "sits",
    "stands",
    "is",
    "presently",
    "changes",
    "price",
}
_APART = {
    "off", "away", "short", "below", "under", "beneath", "from", "left", "up", "more", "to", "down", "back", "above", "over",
    "shy", "missing", "further", "farther", "climb", "gap", "distance", "upstairs", "downstairs",
}  # fmt: skip
_CHAIN = {"block", "blocks", "chain", "height", "counter", "tip", "timechain"}


def exact_value(case: Case, sentence: Sentence, segment: Segment, item: Item) -> bool:
    """Whether ``item`` is such a value; proves it if so, and never rejects."""
    number = item.number
    if number is None or number.sign or number.grain <= 0 or segment.of("neg"):
        return False
    digits = round(number.value / number.grain)
    if item.value == "usd" and digits >= _EXACT and _level(case, segment, item):
        return True
    if item.value in ("usd", "pct") and digits >= _PLAIN and _gap(case, segment, item):
        return True
    height = case.known.facts.block_height
    words = {x.value for x in sentence.items()}
    if item.value == "bare" and digits >= _EXACT and number.value == height and words & _CHAIN:
        case.prove(item, "block height", "block_height", f"{height:,}")
        return True
    return False


def _level(case: Case, segment: Segment, item: Item) -> bool:
    number, known = item.number, case.known
    price = known.level("price")
    assert number is not None  # noqa: S101
    if price is None or number.equals(price) or amount_relation(segment, item.place):
        return False
    words = {x.value for x in segment.items}
    ways = {x.value for x in segment.of("dir")}
    past = bool(words & _PAST) or any(x.value == "24h" for x in segment.of("span"))
    asked = not segment.of("dir", "topic", "rel")
    for name, level in ((name, known.level(name)) for name in REFS):
        if level is None or not number.equals(level):
            continue
        role = role_of(case, segment, item)
        if role not in ("price", name):
            continue
        heading = {"high": "down", "low": "up"}.get(name, "")
        told = (name in case.spoken and (asked or past)) or (name != "ath" and past)
        if told and heading not in ways and not (words & _NOW and role == "price" and not asked):
            case.prove(item, LEVELS[name][1], LEVELS[name][0], usd(level))
            return True
    return False


def _gap(case: Case, segment: Segment, item: Item) -> bool:
    number, known = item.number, case.known
    price = known.level("price")
    assert number is not None  # noqa: S101
    if price is None or (item.value == "usd" and number.value > price / 2):
        return False
    texts = {word for x in segment.items for word in case.quote(x).lower().split()}
    if not texts & _APART or segment.of("span", "ago"):
        return False
    for role in case.spoken:
        gap = known.gap_usd(role) if item.value == "usd" else known.gap_pct(role)
        if gap is None or not fits(number, abs(gap), amount_relation(segment, item.place)):
            continue
        over = bool(texts & {"above", "over"}) and gap < 0
        under = bool(texts & {"below", "under", "beneath"}) and gap > 0
        if (over or under) and not _level_leads(segment, item):
            continue
        case.prove(
            item, f"distance from {LEVELS[role][1]}", f"price_usd, {LEVELS[role][0]}", usd(gap)
        )
        for x in segment.of("dir"):
            if case.quote(x).lower() in ("off", "down", "up"):
                x.done = True
        for x in segment.of("ref"):
            x.done = x.done or x.value == role
        return True
    return False


def _level_leads(segment: Segment, item: Item) -> bool:
    """``the record is $3,900 above``: the level is the subject."""
    return any(x.kind == "ref" for x in before(segment, item.place, 9))
