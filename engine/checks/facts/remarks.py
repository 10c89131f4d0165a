"""Words that claim without a number: directions, emoji, multiples, superlatives, sizes."""

from __future__ import annotations

from engine.checks.facts.case import Case, after, before
from engine.checks.facts.changes import amount_relation, direction, holds, horizon
from engine.checks.facts.closed import of_a_thing
from engine.checks.facts.fees import fee_words
from engine.checks.facts.items import Item, Segment
from engine.checks.facts.known import SPANS
from engine.checks.facts.places import relations
from engine.checks.facts.words import cues

_VALUED = ("cheap", "expensive", "pricey", "inexpensive", "affordable")
_MOVES = ("move", "moves", "day", "change", "swing", "swings", "moved")


def remarks(case: Case, segment: Segment) -> None:
    """Judge every item of the segment that claims by itself and was not judged before."""
    fee_words(case, segment)
    emoji = []
    for item in segment.items:
        if item.done:
            continue
        if item.kind == "dir" and _record_fell(case, segment, item):
            continue
        if item.kind == "dir" and _turned(case, segment, item):
            continue
        if item.kind == "dir" and not _idle(case, segment, item):
            direction(case, segment, item)
        elif item.kind == "emoji":
            emoji.append(item)
        elif item.kind == "mult":
            _multiple(case, segment, item)
        elif item.kind == "super":
            case.reject("relation", item, "the snapshot has no history to compare with")
        elif item.kind == "claim":
            case.reject("claim", item, "no fact of the snapshot speaks of it")
        elif item.kind == "size":
            _size(case, segment, item)
        elif item.kind == "quant" and segment.of("dir", "ref", "mult", "emoji"):
            case.reject("relation", item, "the snapshot knows the last days only")
        elif item.value in _VALUED and any(x.value == "btc" for x in segment.of("topic")):
            if case.content_type == "price":
                case.reject("claim", item, "no fact of the snapshot values Bitcoin")
        elif item.kind == "still":
            _still(case, segment, item)
    _record_touched(case, segment)
    relations(case, segment)
    _against_earlier(case, segment)
    for item in emoji:
        span = horizon(case, segment, item)
        if not segment.of("span", "ago") and not case.span:
            span = next((name for name in _told(case) if _shows(case, item, name)), span)
        _over(case, item, span, item.value, _shows(case, item, span))


def _told(case: Case) -> list[str]:
    """The horizons of the changes proved so far."""
    return [span for span, key in SPANS.items() if any(key in p.fact for p in case.proofs)]


def _shows(case: Case, item: Item, span: str) -> bool:
    change = case.known.change(span)
    return change is not None and holds(item.value, set(), change, span)


def _against_earlier(case: Case, segment: Segment) -> None:
    """``above last week's level``, ``below where it was a day ago``: the sign of a change."""
    for item in segment.of("rel"):
        if item.done or item.value not in ("above", "below", "hold_above", "hold_below"):
            continue
        following = after(segment, segment.index(item), 4)
        earlier = next((x for x in following if x.kind == "ago"), None)
        if earlier is not None and not any(
            x.kind in ("num", "ref") and x.place < earlier.place for x in following
        ):
            change = case.known.change(earlier.value)
            up = item.value.endswith("above") != case.sentence.has("num", "sats")
            earlier.done = True
            good = change is not None and change != 0 and (change > 0) == up
            _over(case, item, earlier.value, "above" if up else "below", good)


def _over(case: Case, item: Item, span: str, claim: str, good: bool) -> None:
    said = case.known.change_text(span)
    case.judge(good, "direction", item, f"{claim} over {span}", SPANS.get(span, ""), said)


def _record_touched(case: Case, segment: Segment) -> None:
    """``the old record has been touched today``."""
    refs = [x.place for x in segment.of("ref") if x.value == "ath"]
    high, record = case.known.level("high"), case.known.level("ath")
    if not refs or segment.of("neg", "topic") or high is None or record is None:
        return
    for item in segment.items[refs[0] + 1 :]:
        if case.quote(item).lower() in cues("remarks.touched") and high < record * 0.9999:
            case.reject("relation", item, case.known.level_text("ath"))
            return


def _turned(case: Case, segment: Segment, item: Item) -> bool:
    """``got as far as $106,850 before easing off``: away from the extreme just proved."""
    last = case.proofs[-1] if case.proofs else None
    if case.proofs and last is not None and last.fact == "price_usd" and segment.of("num"):
        last = next((p for p in case.proofs[-2::-1]), None)  # "before easing to $79,640"
    if segment.intro != "before" or last is None or segment.of("ref", "topic"):
        return False
    role = {"high_24h": "high", "low_24h": "low"}.get(last.fact, "")
    gap = case.known.gap_pct(role) if role else None
    if gap is None or item.value != ("down" if role == "high" else "up"):
        return False
    said = f"{case.known.level_text(role)} and {case.known.level_text('price')}"
    return (
        case.judge(abs(gap) > 0.05, "direction", item, "turned", f"price_usd, {last.fact}", said)
        or True
    )


def _record_fell(case: Case, segment: Segment, item: Item) -> bool:
    """``the record of $126,198 fell today``: it says that there is a new one."""
    led = [x for x in before(segment, item.place, 6) if x.kind in ("ref", "topic", "dir")]
    named = bool(led) and led[0].kind == "ref" and led[0].value == "ath"
    verb = case.quote(item).lower() in ("fell", "falls", "fallen", "tumbled", "tumbles", "crumbled")
    if not (named and verb):
        return False
    said = f"{case.known.level_text('ath')} and {case.known.level_text('price')}"
    good = bool(case.known.at_record())
    return case.judge(good, "relation", item, "a new record", "price_usd, ath_usd", said) or True


def _idle(case: Case, segment: Segment, item: Item) -> bool:
    """``off`` is a direction only beside a number; the sun that rose is no market."""
    i = segment.index(item)
    parked = case.quote(item).lower() in ("parked", "stuck", "idles", "idling", "stalled")
    if case.quote(item).lower() == "off":
        around = before(segment, i, 2) + after(segment, i, 2)
        idle = not any(x.kind == "num" and x.value in ("pct", "usd") for x in around)
    elif case.quote(item).lower() == "flat" and any(
        x.value == "usd" for x in before(segment, i, 1)
    ):
        idle = True  # "ninety-one thousand dollars flat"
    elif any(x.kind == "rel" and x.value == "at" for x in after(segment, i, 2)) and parked:
        idle = True  # "parked right at the bottom of its range"
    elif item.value == "calm" and not segment.of("topic") and _people(case, segment, i):
        idle = True  # "anyone feeling calm?", "time to calm down"
    else:
        idle = of_a_thing(segment, i)
    item.done = item.done or idle
    return idle


def _people(case: Case, segment: Segment, i: int) -> bool:
    asked = {"anyone", "anybody", "who", "you", "i", "we", "me", "us"}
    led = [x.value for x in before(segment, i, 4)]
    return led[:1] == ["to"] or bool(set(led) & asked)


def _multiple(case: Case, segment: Segment, item: Item) -> None:
    if any(x.value.startswith("digit") for x in after(segment, item.place, 1)):
        span = horizon(case, segment, item)
        change = case.known.change(span)
        _over(case, item, span, "ten percent", change is not None and 10 <= abs(change) < 100)
        return
    if case.sentence.has("topic", "halving") and float(item.value) == 1 / 2:
        item.done = True  # what a halving does
        return
    price, record = case.known.level("price"), case.known.level("ath")
    refs = [x for x in segment.of("ref") if x.value == "ath"]
    if refs and price and record and not segment.of("dir"):
        relation, ratio, times = (
            amount_relation(segment, item.place),
            record / price,
            float(item.value),
        )
        good = times < ratio <= times * 1.25 if relation == "above" else abs(ratio - times) <= 0.05
        good = times * 0.8 <= ratio < times if relation in ("below", "just_below") else good
        said = f"the record is {ratio:.2f} times the price"
        case.judge(good, "number", item, "record to price", "price_usd, ath_usd", said)
        for ref in refs:
            ref.done = True
        return
    span, times = horizon(case, segment, item), float(item.value)
    change, timed = case.known.change(span), bool(segment.of("span", "ago"))
    good = change is not None and timed and abs(1 + change / 100 - times) <= 0.05 * times
    _over(case, item, span, f"times {times:g}", good)


def _size(case: Case, segment: Segment, item: Item) -> None:
    """``a big move``: a size word without a direction speaks of the change all the same."""
    i = segment.index(item)
    follows = after(segment, i, 2) + before(segment, i, 2)
    if not any(other.value in _MOVES or other.kind == "swing" for other in follows):
        return
    span = horizon(case, segment, item)
    change, large = case.known.change(span), item.value in ("strong", "big")
    good = change is not None and (abs(change) >= 3 if large else abs(change) <= 2)
    _over(case, item, span, f"{item.value} move", good)


def _still(case: Case, segment: Segment, item: Item) -> None:
    """``extends its losses``, ``another red day``: both horizons must point the same way."""
    text = case.quote(item).lower()
    following = after(segment, segment.index(item), 1)
    going = any(x.kind == "dir" and case.quote(x).lower().endswith("ing") for x in following)
    if not {x.value for x in segment.of("dir")} & {"up", "down"}:
        return
    if text.startswith(("keep", "remain")) and not going:
        return  # "keeps a gain", "remains down" say no more than the gain
    day, week = case.known.change("24h"), case.known.change("7d")
    good = day is not None and week is not None and day * week > 0
    said = f"{case.known.change_text('24h')} and {case.known.change_text('7d')}"
    case.judge(good, "direction", item, "goes on", "change_24h_pct, change_7d_pct", said)
