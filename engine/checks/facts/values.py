"""Numbers that are a known value to the last printed digit, where the words only half say which.

``Where is the top of the day? $105,220.``; ``$63,410 was seen in the last 24 hours``; ``the record, $156,200,
is $3,900 up the stairs``. The value must be exact, the level spoken of here or in the sentence before (or
the day's range by a past tense), and no word may name another level.
"""

from __future__ import annotations

from engine.checks.facts.case import Case, before
from engine.checks.facts.changes import amount_relation
from engine.checks.facts.closed import harmless
from engine.checks.facts.distances import fits
from engine.checks.facts.items import Item, Segment, Sentence
from engine.checks.facts.known import LEVELS, usd
from engine.checks.facts.levels import REFS
from engine.checks.facts.roles import role_of

_EXACT, _TELLING, _PLAIN = 1_000, 100, 10
_PAST = {
    "was", "were", "had", "could've", "got", "bought", "sold", "paid", "made", "saw", "seen", "touched", "remember", "earlier",
    "reached", "printed", "asked", "fetched", "visited", "spotted", "been", "cost", "went", "slid", "lain", "brushing", "within", "reach", "far", "knocked", "stretched", "high-water", "peaked", "dipped",
}  # fmt: skip
_NOW = {
    "now", "currently", "trades", "trading", "sits", "stands", "is", "presently", "changes", "price",
}  # fmt: skip
_APART = {
    "off", "away", "short", "below", "under", "beneath", "from", "left", "up", "more", "to", "down", "back", "above", "over",
    "shy", "missing", "further", "farther", "climb", "gap", "distance", "upstairs", "downstairs",
}  # fmt: skip
_CHAIN = {"block", "blocks", "chain", "height", "counter", "tip", "timechain"}


def exact_value(case: Case, sentence: Sentence, segment: Segment, item: Item) -> bool:
    """Whether ``item`` is such a value; proves it if so, and never rejects."""
    number = item.number
    if number is None or number.grain <= 0 or segment.of("neg"):
        return False
    digits = round(number.value / number.grain)
    if number.sign:
        return digits >= _PLAIN and (_beside(case, segment, item) or _needed(case, segment, item))
    if item.value == "usd" and digits >= _EXACT and _level(case, segment, item):
        return True
    if item.value in ("usd", "pct") and digits >= _PLAIN and _gap(case, segment, item):
        return True
    if item.value == "usd" and digits >= _TELLING and _moved(case, sentence, segment, item):
        return True
    if item.value == "pct" and (_turnover(case, segment, item) or _needed(case, segment, item)):
        return True
    return item.value == "bare" and digits >= _EXACT and _counted(case, sentence, segment, item)


def _counted(case: Case, sentence: Sentence, segment: Segment, item: Item) -> bool:
    """A block height or the price, to the last digit and without a unit."""
    number, price = item.number, case.known.level("price")
    height = case.known.facts.block_height
    assert number is not None  # noqa: S101
    if number.value == height and {x.value for x in sentence.items()} & _CHAIN:
        case.prove(item, "block height", "block_height", f"{height:,}")
        return True
    alone = not segment.of("topic", "ref", "dir", "label", "fee") and all(
        harmless(x.value) for x in segment.of("word")
    )
    if price is None or number.grain > 1 or not number.equals(price) or not alone:
        return False
    case.prove(item, "the price", "price_usd", usd(price))
    return True


def _beside(case: Case, segment: Segment, item: Item) -> bool:
    """``High $82,415 (+$415)``: from the price to the level in front."""
    number, price = item.number, case.known.level("price")
    led = [x for x in before(segment, item.place, 3) if x.kind == "num"]
    bracket = any(x.value == "(" for x in before(segment, item.place, 1))
    assert number is not None  # noqa: S101
    if price is None or not bracket or not led or led[0].number is None:
        return False
    role = next((r for r in REFS if (v := case.known.level(r)) and led[0].number.equals(v)), "")
    level = case.known.level(role) if role else None
    if level is None:
        return False
    gap = level - price if item.value == "usd" else (level - price) / price * 100
    if not number.equals(gap) or gap * number.sign < 0:
        return False
    case.prove(
        item, f"from the price to {LEVELS[role][1]}", f"price_usd, {LEVELS[role][0]}", usd(gap)
    )
    return True


def _needed(case: Case, segment: Segment, item: Item) -> bool:
    """``ATH -12.9%. Needed: +14.9%``: the rise that would reach the record."""
    number, price, record = item.number, case.known.level("price"), case.known.level("ath")
    words = {x.value for x in segment.items}
    told = words & {"needed", "needs", "need", "required", "takes", "take", "back"}
    assert number is not None  # noqa: S101
    if item.value != "pct" or not told or "ath" not in case.spoken or not price or not record:
        return False
    size = (record - price) / price * 100
    if number.sign < 0 or not fits(number, size, amount_relation(segment, item.place)):
        return False
    case.prove(item, "needed for the record", "price_usd, ath_usd", f"{size:.2f} %")
    return True


def _moved(case: Case, sentence: Sentence, segment: Segment, item: Item) -> bool:
    """``7d: +1.25 %, roughly $1,012``: the dollars of a change proved in this sentence or the last."""
    number, price = item.number, case.known.level("price")
    spans = {"change_24h_pct": "24h", "change_7d_pct": "7d"}
    proved = [p for p in case.proofs[-6:] if p.fact in spans and p.end <= item.start]
    said = [x.value for x in sentence.items() if x.kind == "span"]
    assert number is not None  # noqa: S101
    if not proved or price is None or number.value > price / 2 or segment.of("ref", "topic"):
        return False
    for span in [spans[p.fact] for p in reversed(proved)]:
        start = case.known.before(span)
        if start is None or (said and span not in said):
            continue
        way = {"up": 1, "down": -1}
        signs = {way[x.value] for x in segment.of("dir") if x.value in way}
        gap = price - start
        near = fits(number, abs(gap), amount_relation(segment, item.place))
        if near and all(sign * gap > 0 for sign in signs):
            case.prove(
                item, f"dollar change over {span}", "price_usd, " + proved[-1].fact, usd(gap)
            )
            return True
    return False


def _turnover(case: Case, segment: Segment, item: Item) -> bool:
    """``$38.8B volume. $1.74T cap. Ratio: 2.2 %``."""
    share, number = case.known.turnover_pct(), item.number
    facts = {p.fact for p in case.proofs}
    told = {x.value for x in segment.items} & {"ratio", "turnover", "share"}
    assert number is not None  # noqa: S101
    if share is None or not told or not {"volume_24h_usd", "market_cap_usd"} <= facts:
        return False
    if not number.equals(share):
        return False
    case.prove(
        item,
        "volume as a share of the market cap",
        "volume_24h_usd, market_cap_usd",
        f"{share:.2f} %",
    )
    return True


def round_levels(case: Case, segment: Segment) -> None:
    """``$3,750 short of $100K``, ``$140 under $110K``: from the price to any level that is named."""
    price = case.known.level("price")
    for item in segment.of("num"):
        number = item.number
        rels = [
            x for x in segment.items[item.place + 1 : item.place + 5] if x.kind in ("rel", "dir")
        ]
        level = next(
            (x for x in segment.items[item.place + 1 : item.place + 7] if x.kind == "num"), None
        )
        if item.done or item.value != "usd" or number is None or not rels or level is None:
            continue
        way = _way(case, rels)
        wide = level.number is not None and number.value < 0.2 * level.number.value
        if not way or level.value != "usd" or level.number is None or not wide or price is None:
            continue
        gap = price - level.number.value
        exact = level.number.value / level.number.grain >= _EXACT
        named = any(level.number.equals(case.known.level(r) or -1.0) for r in REFS)
        if number.sign or (exact and named):
            continue
        good = gap * way > 0 and fits(number, abs(gap), amount_relation(segment, item.place))
        said = f"{case.known.level_text('price')}, {usd(abs(gap))} from {usd(level.number.value)}"
        for x in (item, level):
            case.judge(good, "relation", x, "distance from a named level", "price_usd", said)
        for x in rels:
            x.done = True


def _way(case: Case, rels: list[Item]) -> int:
    """1 where the price is over the level, -1 where it is under it, 0 where nothing says so."""
    texts = {case.quote(x).lower() for x in rels}
    if texts & {"above", "over", "past", "north of", "beyond"}:
        return 1
    if texts & {
        "under",
        "below",
        "beneath",
        "short of",
        "shy of",
        "south of",
        "short",
        "away from",
        "from",
    }:
        return -1
    return 0


def _level(case: Case, segment: Segment, item: Item) -> bool:
    number, known = item.number, case.known
    price = known.level("price")
    assert number is not None  # noqa: S101
    if price is None or number.equals(price) or amount_relation(segment, item.place):
        return False
    words = {word for x in segment.items for word in case.quote(x).lower().split()}
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
    if price is None or (item.value == "usd" and number.equals(price)):
        return False
    texts = {word for x in segment.items for word in case.quote(x).lower().split()}
    if not texts & _APART or segment.of("span", "ago"):
        return False
    named = {x.value for x in segment.of("ref")} & set(REFS)
    for role in case.spoken & named if named else case.spoken:
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
