"""Two numbers that belong together: ``from A to B``, ``between A and B``, ``A – B``, high/low lists."""

from __future__ import annotations

from dataclasses import replace

from engine.checks.facts.case import Case, before
from engine.checks.facts.changes import amount_relation
from engine.checks.facts.items import Item, Segment, Sentence
from engine.checks.facts.known import usd
from engine.checks.facts.levels import LEVELS, REFS, close_to
from engine.checks.facts.numbers import Number
from engine.checks.facts.words import cues

_PASSED = {"a", "the", "about"}
_NOW = {"last", "now", "today", "currently"}
_JOINS = {"-", "–", "—", "/", "..", "…"}


def money_pairs(case: Case, sentence: Sentence, segment: Segment) -> None:
    """Judge every joined pair of dollar amounts; what stays alone is left to others."""
    items = segment.items
    for i, left in enumerate(items):
        if left.done or left.kind != "num" or left.value not in ("usd", "bare"):
            continue
        j = _partner(items, i)
        if j is None:
            continue
        right = items[j]
        assert left.number is not None and right.number is not None  # noqa: S101
        one, two = _same_unit(left.number, right.number)
        if "usd" not in (one.unit, two.unit) and max(one.value, two.value) < 1000:
            continue
        if _named(case, segment, i, left, right, one, two):
            continue
        if _moved(segment, i, items[i + 1 : j]) or _falls(segment, items[i + 1 : j], one, two):
            swung = sentence.has("dir", "wild") or sentence.has("word", "now")
            swung = swung or (
                any(x.value == "24h" for x in segment.of("span")) and not segment.of("dir")
            )
            swung = swung or any(p.claim.startswith("width") for p in case.proofs)
            swung = swung or not (segment.of("topic") or segment.of("dir"))
            swung = swung and not any(_up_to(x) for x in items[i + 1 : j])
            if not (swung and _swing(case, left, right, one, two)):
                _from_to(case, segment, left, right, one, two)
        else:
            _range(case, segment, left, right, one, two)


def _partner(items: list[Item], i: int) -> int | None:
    """The second number: directly behind a joining word or sign."""
    joined = False
    for j in range(i + 1, min(i + 6, len(items))):
        item = items[j]
        if item.kind == "num":
            return j if joined and item.value in ("usd", "bare") else None
        if (
            (item.kind == "sep" and item.value in _JOINS)
            or (item.kind == "conj" and item.value == "and")
            or (item.kind == "rel" and (item.value == "to" or _up_to(item)))
        ):
            joined = True
        elif (
            item.kind in ("ago", "span", "dir")
            or item.value in _PASSED
            or (item.value in _NOW and items[j - 1].value == "to")
        ):
            continue
        else:
            return None
    return None


def _up_to(item: Item) -> bool:
    """``from A up to B``: here a way, not a limit."""
    return item.kind == "rel" and item.value == "below" and item.end - item.start == len("up to")


def _same_unit(one: Number, two: Number) -> tuple[Number, Number]:
    """``$66–68K``: the first number takes the second one's thousands."""
    if one.value < 1000 <= two.value and two.grain >= 1 and one.value * 1000 <= two.value * 2:
        scale = 1000.0 if two.value < 1e6 else 1e6 if two.value < 1e9 else 1e9
        one = replace(one, value=one.value * scale, grain=one.grain * scale)
    return one, two


def _named(
    case: Case, segment: Segment, i: int, left: Item, right: Item, one: Number, two: Number
) -> bool:
    """``high and low of A and B``, ``high/low: A/B``."""
    refs = [item for item in before(segment, i, 9) if item.kind == "ref"][:2]
    names = [ref.value for ref in reversed(refs) if ref.value in ("high", "low", "ath")]
    if len(names) != 2:
        return False
    if names[0] == names[1]:
        case.reject("number", left, "two numbers cannot be one level")
        right.done = True
        return True
    for name, item, number in zip(names, (left, right), (one, two), strict=True):
        fact = case.known.level(name)
        good = fact is not None and number.equals(fact)
        case.judge(
            good, "number", item, LEVELS[name][1], LEVELS[name][0], case.known.level_text(name)
        )
    for ref in refs:
        ref.done = True
    return True


def _moved(segment: Segment, i: int, between: list[Item]) -> bool:
    """``from A to B`` and arrows tell of a way; a range has no direction."""
    told = any(item.kind == "rel" and (item.value == "to" or _up_to(item)) for item in between)
    if not told or segment.of("swing") or _ranged(segment):
        return False
    if any(
        item.kind == "rel" and item.value == "to" and item.size.startswith("arrow")
        for item in between
    ):
        return True
    led = any(item.kind == "rel" and item.value == "from" for item in before(segment, i, 6))
    return led or any(item.value in ("up", "down") for item in segment.of("dir"))


def _falls(segment: Segment, between: list[Item], one: Number, two: Number) -> bool:
    """``$72,240 to $69,925``: no range runs downwards."""
    told = any(item.kind == "rel" and item.value == "to" for item in between)
    return (
        told and one.value > two.value and not _ranged(segment) and not segment.of("swing", "ref")
    )


def _ranged(segment: Segment) -> bool:
    return any(item.value == "range" for item in segment.of("ref")) or any(
        item.value in ("runs", "ran", "spans", "spanned", "spanning", "running")
        for item in segment.of("word")
    )


def _swing(case: Case, left: Item, right: Item, one: Number, two: Number) -> bool:
    """From one end of the day's range to the other, with the price said elsewhere."""
    high, low = case.known.level("high"), case.known.level("low")
    if high is None or low is None:
        return False
    if not (one.equals(high) and two.equals(low)) and not (one.equals(low) and two.equals(high)):
        return False
    said = f"{case.known.level_text('low')} and {case.known.level_text('high')}"
    case.prove(left, "one end of the range", "high_24h, low_24h", said)
    case.prove(right, "other end of the range", "high_24h, low_24h", said)
    return True


def _from_to(
    case: Case, segment: Segment, left: Item, right: Item, one: Number, two: Number
) -> None:
    known = case.known
    price = known.level("price")
    i, j = left.place, right.place
    nears = [amount_relation(segment, k) for k in (i, j)]
    if _way_left(case, segment, left, right, one, two):
        return
    if price is None or not close_to(two, price, nears[1]):
        case.reject("number", right, known.level_text("price"))
        case.reject("relation", left, "the way must end at the price of the snapshot")
        return
    starts = {
        "price_usd, change_24h_pct": known.before("24h"),
        "price_usd, change_7d_pct": known.before("7d"),
        "low_24h": known.level("low"),
        "high_24h": known.level("high"),
        "ath_usd": known.level("ath"),
    }
    said_spans = {item.value for item in segment.of("span", "ago")} or {case.span}
    if any(x.number and x.value.startswith("other") for x in segment.of("span", "ago")):
        starts = {}
    elif "24h" in said_spans:
        del starts["price_usd, change_7d_pct"], starts["ath_usd"]
    elif "7d" in said_spans:
        starts = {key: value for key, value in starts.items() if "7d" in key}
    slack = 0.00006 * price
    way = 1 if two.value > one.value else -1 if two.value < one.value else 0
    said = {item.value for item in segment.of("dir")} & {"up", "down"}
    said |= {"up"} if any(_up_to(x) for x in segment.items[i:j]) else set()
    said |= {x.size.split()[1] for x in segment.items[i:j] if x.size.startswith("arrow ")}
    agrees = said <= {"up" if way > 0 else "down"} and way != 0
    refs = [x.value for x in before(segment, i, 3) if x.kind == "ref" and x.value in REFS]
    for fact, value in starts.items():
        if value is None or not agrees or (refs and LEVELS[refs[0]][0] != fact):
            continue
        exact = abs(one.value - value) <= one.grain / 2 + slack
        if not (close_to(one, value, nears[0]) or (exact and nears[0] in ("", "about"))):
            continue
        if (value < price) != (way > 0):
            continue
        case.prove(left, "where it came from", fact, usd(value))
        case.prove(right, "the price", "price_usd", usd(price))
        case.spans |= said_spans & {"24h", "7d"}
        for item in segment.of("dir", "span"):
            if item.kind == "dir" or case.quote(item).lower() == "yesterday":
                item.done = True
        return
    case.reject("relation", left, f"no known price at which it stood; {known.level_text('price')}")
    right.done = True


def _way_left(
    case: Case, segment: Segment, left: Item, right: Item, one: Number, two: Number
) -> bool:
    """``just $470 to go from $125,610 to $126,080``: from the price up to a level."""
    price = case.known.level("price")
    words = {x.value for x in segment.items}
    ahead = words & {"left", "needs", "need", "missing", "remains", "remaining", "gap"}
    ahead |= {x.value for x in segment.of("rel") if x.value == "away"}
    level = next((r for r in REFS if (v := case.known.level(r)) and two.equals(v)), "")
    if not ahead or not level or price is None or not one.equals(price) or segment.of("dir"):
        return False
    case.prove(left, "the price", "price_usd", usd(price))
    case.prove(right, LEVELS[level][1], LEVELS[level][0], case.known.level_text(level))
    return True


def _range(case: Case, segment: Segment, left: Item, right: Item, one: Number, two: Number) -> None:
    known = case.known
    low, high, price = known.level("low"), known.level("high"), known.level("price")
    said = f"{known.level_text('low')} and {known.level_text('high')}"
    if low is None or high is None:
        good = False
    else:
        exact = one.equals(low) and two.equals(high)
        exact = exact or (one.equals(high) and two.equals(low) and not segment.of("ref"))
        # "between 66,000 and 70,000": true of the whole day, and not much wider than it
        spoken = not segment.of("ref", "swing") and one.value % 500 == 0 == two.value % 500
        loose = one.value <= low <= high <= two.value <= one.value * 1.06
        good = low <= high and (exact or (spoken and loose))
    now = cues("pairs.now") & {item.value for item in segment.items}
    if not good and now and price is not None and not segment.of("span", "swing"):
        good = one.value <= price <= two.value <= one.value * 1.03
        said = known.level_text("price") if not good else said
    if any(x.value != "24h" for x in segment.of("span", "ago")):
        good = False
    if good:
        case.prove(left, "lower end", "low_24h", said)
        case.prove(right, "upper end", "high_24h", said)
    else:
        case.reject("relation", left, said)
        right.done = True
