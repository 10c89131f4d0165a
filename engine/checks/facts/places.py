"""Where the price stands without a number: above its low, near the high, at a record, mid-range.

Near a 24 h level: within 1.5 % of it and in the third of the range next to it, or within 3 % and in
the tenth next to it. At it: within 0.1 %.
Near the all-time high: within 3 %. ``Far below``: at least 10 %. A record, or an all-time high that
is spoken of without a number or a distance, must be one now or within the last day.
"""

from __future__ import annotations

from engine.checks.facts.case import Case, after, before
from engine.checks.facts.distances import role_here
from engine.checks.facts.items import Item, Segment
from engine.checks.facts.known import LEVELS
from engine.checks.facts.words import cues


def relations(case: Case, segment: Segment) -> None:
    """Levels spoken of without a number: near the low, below its record, at the high, mid-range."""
    _closer(case, segment)
    for ref in segment.of("ref"):
        if ref.done:
            continue
        if ref.value == "range":
            continue
        if ref.value in _PARTS:
            _part(case, ref)
        elif ref.value == "atl":
            case.reject("relation", ref, "the snapshot does not know an all-time low")
        else:
            _relation(case, segment, ref)


def _closer(case: Case, segment: Segment) -> None:
    """``closer to its low``: in that half of the range, whatever else is said of the low."""
    for word in segment.of("rel"):
        near_to = after(segment, segment.index(word), 4) if word.value == "closer" else []
        ref = next((x for x in near_to if x.kind == "ref" and x.value in ("high", "low")), None)
        if ref is not None and not word.done:
            place = case.known.place()
            good = place is not None and (place > 0.5) == (ref.value == "high")
            said = f"{case.known.level_text('low')}, {case.known.level_text('high')}"
            case.judge(
                good,
                "relation",
                word,
                f"closer to the {ref.value}",
                "price_usd, high_24h, low_24h",
                said,
            )
            ref.done = True
            for other in after(segment, segment.index(ref), 9):
                other.done = other.done or other.kind == "ref"


_PARTS = {
    "middle": (0.35, 0.65), "lower half": (0.0, 0.5), "upper half": (0.5, 1.0), "lower third": (0.0, 0.34),
    "lower fifth": (0.0, 0.2), "upper fifth": (0.8, 1.0), "lower tenth": (0.0, 0.1), "upper tenth": (0.9, 1.0),
    "upper third": (0.66, 1.0), "lower quarter": (0.0, 0.25), "upper quarter": (0.75, 1.0),
}  # fmt: skip


def _part(case: Case, ref: Item) -> None:
    """Which part of the 24 h range the price is in."""
    place, (low, high) = case.known.place(), _PARTS[ref.value]
    if case.sentence.has("topic", "halving"):
        done = case.known.halving_pct()
        good = done is not None and abs(done - 50) <= 2
        case.judge(
            good,
            "relation",
            ref,
            "half of the epoch",
            "block_height",
            f"{done or 0:.1f} % of it is done",
        )
        return
    said = (
        "the 24 h range is not known" if place is None else f"it stands at {place:.0%} of its range"
    )
    good = place is not None and low <= place <= high
    fact = "price_usd, high_24h, low_24h"
    case.judge(good, "relation", ref, f"{ref.value} of the range", fact, said)


def _relation(case: Case, segment: Segment, ref: Item) -> None:
    i, known = segment.index(ref), case.known
    role = role_here(segment, ref)
    if not role:
        case.reject(
            "time", ref, "the snapshot knows the levels of the last 24 hours and the record"
        )
        return
    if _mentioned(case, segment, i) or _pointed(case, segment, role):
        ref.done = True
        return
    led = before(segment, i, 2)
    if len(led) == 2 and case.quote(led[0]) in ("<", ">") and led[1].number is not None:
        level = known.level(role)
        number = led[1].number
        exact = level is not None and not number.equals(level)
        good = exact and (number.value < (level or 0.0)) == (case.quote(led[0]) == "<")
        case.judge(
            good,
            "relation",
            ref,
            f"order of {LEVELS[role][1]}",
            LEVELS[role][0],
            known.level_text(role),
        )
        return
    word = _governing(segment, i, role)
    gap, part = known.gap_usd(role), known.gap_pct(role)
    if gap is None or part is None:
        case.reject("relation", ref, known.level_text(role))
        return
    said = f"{known.level_text(role)} and {known.level_text('price')}"
    far = any(
        item.value in ("far", "well", "deep", "way", "miles") for item in before(segment, i, 5)
    )
    if word == "below":
        good = gap < 0 and (not far or part <= -10)
    elif word == "above":
        good = gap > 0 and (not far or part >= 10)
    elif word in ("near", "about", "just_below", "just_above"):
        good = not far and near(case, role) and (word != "just_below" or gap < 0)
        if far:
            good = abs(part) >= 10
    elif word == "away":
        good = far and abs(part) >= 10
    elif role == "ath":
        start = min(item.start for item in case.sentence.items())
        priced = any(p.start >= start and p.fact == "price_usd" for p in case.proofs)
        good = bool(known.at_record()) and (part >= -0.1 or not priced)
    else:
        good = abs(part) <= 0.1
    fact = f"price_usd, {LEVELS[role][0]}"
    case.judge(good, "relation", ref, f"{word or 'at'} {LEVELS[role][1]}", fact, said)


def _pointed(case: Case, segment: Segment, role: str) -> bool:
    """``Remember $110,480? That was the 24h low.``: the number just proved to be that level."""
    first = [x.value for x in segment.items[:2]]
    last = case.proofs[-1].fact if case.proofs else ""
    if segment.intro == "as" and first[0] in ("is", "was") and LEVELS[role][0] in last:
        return last != "price_usd"  # "never below $123,860, which is a nice floor"
    points = first[0] in ("that", "that's", "this", "it", "which") and not segment.of("num")
    said = first[0] == "that's" or (len(first) > 1 and first[1] in ("was", "is"))
    return bool(points and said and last == LEVELS[role][0])


def near(case: Case, role: str) -> bool:
    part, place = case.known.gap_pct(role), case.known.place()
    if part is None:
        return False
    if role == "ath":
        return abs(part) <= 3
    if abs(part) <= 0.1:
        return True
    if place is None or abs(part) > 3:
        return False
    edge = 1 - place if role == "high" else place
    return edge <= 0.1 or (edge <= 1 / 3 and abs(part) <= 1.5)


_FRESH = {"new", "fresh", "newest"}


def _mentioned(case: Case, segment: Segment, i: int) -> bool:
    """The level's own number stands here and was judged; nothing else is said of it."""
    around = before(segment, i, 6) + after(segment, i, 8)
    numbered = [x for x in around if x.kind == "num" and x.done and x.value in ("usd", "bare")]
    start = min((x.start for x in case.sentence.items()), default=0)
    role = role_here(segment, segment.items[i])
    spoken = role == "ath" and any(
        p.start >= start and "ath" in p.fact and "price_usd" not in p.claim for p in case.proofs
    )
    if not numbered and not spoken:
        return False
    dated = any(x.kind == "num" and x.value == "date" for x in case.sentence.items())
    for item in before(segment, i, 5):
        if item.kind in ("num", "sep", "ref"):
            break
        text = case.quote(item).lower()
        if item.kind == "rel" and _hair(segment, item):
            return False
        if text == "at" and any(x.kind == "num" and x.done for x in before(segment, item.place, 1)):
            break  # "$60,255 at the bottom"
        if item.kind == "rel" and (
            (item.value in cues("places.telling") and not item.done) or text in ("at", "@")
        ):
            return False
        if text in _FRESH or (
            segment.items[i].value == "ath" and text in cues("places.sets") and not dated
        ):
            return False
    return True


def _hair(segment: Segment, rel: Item) -> bool:
    """``only a hair from its high``: near it."""
    apart = rel.value in ("from", "below", "above", "away")
    led = before(segment, rel.place, 3)
    return apart and any(x.value in cues("places.hairs") or x.value == "tiny" for x in led)


def _governing(segment: Segment, i: int, role: str) -> str:
    """The relation word before a level; also ``off the low`` and ``from``."""
    for other in before(segment, i, 5):
        if other.kind == "rel":
            other.done = True
            if _hair(segment, other):
                return "about"
            if other.value == "from":
                return _from(segment, role)
            if other.value in cues("places.governing"):
                return other.value
            if other.value in ("cross_up", "hold_above"):
                return "above"
            if other.value in ("cross_down", "hold_below"):
                return "below"
        if other.kind == "dir" and other.value == "down" and other.end - other.start == 3:
            return _from(segment, role)  # "off the low"
        if other.kind in ("num", "sep"):
            break
    return ""


def _from(segment: Segment, role: str) -> str:
    words = {item.value for item in segment.of("dir")}
    return "above" if role == "low" or ("up" in words and "down" not in words) else "below"
