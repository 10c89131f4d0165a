"""Which level a dollar amount names: the one spoken of nearest to it, else the price."""

from __future__ import annotations

from engine.checks.facts.case import Case, after, before
from engine.checks.facts.items import Item, Segment
from engine.checks.facts.known import SPANS
from engine.checks.facts.words import cues

_BREAKS = {"now", "currently", "trading", "trades", "price", "presently"}


def role_of(case: Case, segment: Segment, item: Item) -> str:
    """``price``, ``high``, ``low``, ``ath``, ``cap``, ``volume``, ``ago:24h`` or what it cannot be."""
    i = segment.index(item)
    ahead = _role_after(segment, i)
    behind = _role_before(segment, i)
    following = [x.value for x in after(segment, i, 1)]
    if following == ["wide"] or _labelled(segment, i):
        return "a distance"
    if dated := _dated(case, segment, item):
        return f"ago:{dated}"
    if _priced(case, segment, item, ahead, behind):
        return "price"
    if behind in ("", "price") and ahead:
        return ahead
    if behind:
        return behind
    if case.last_ref and any(x.value in ("against", "versus", "vs") for x in before(segment, i, 1)):
        return case.last_ref
    for other in segment.of("ago"):
        if not other.done and other.value in SPANS and _was(segment):
            other.done = True
            return f"ago:{other.value}"
    if case.ago is not None and _was(segment) and not _now(segment):
        case.ago.done = True
        return f"ago:{case.ago.value}"
    for other in segment.of("span"):
        if case.quote(other).lower() == "yesterday" and _was(segment) and not other.done:
            other.done = True
            return "ago:24h"
    return "price"


def _labelled(segment: Segment, i: int) -> bool:
    """``24h net move: about $109k``: the label asks for a distance, not for the price."""
    led = [x.value for x in before(segment, i, 3) if x.value != "about"]
    return led[:1] == [":"] and len(led) > 1 and led[1] in _DISTANCES


_DISTANCES = {"move", "gap", "spread", "range", "width", "distance", "difference", "diff", "delta"}


def price_place(case: Case, segment: Segment, item: Item) -> bool:
    """``Last: $2,200``, ``BTC: $5,780``, ``now at $870``: where nothing but the price can stand."""
    led = before(segment, item.place, 2)
    words = {"last", "spot", "price", "px", "current", "currently", "now"}
    named = len(led) == 2 and (led[1].value in words or led[1].kind == "topic")
    rels = any(x.kind in ("rel", "dir") for x in after(segment, item.place, 2))
    return named and led[0].value in (":", "=", "at", "@") and not rels


_STARTED = {"began", "started", "opened", "begun"}


def _dated(case: Case, segment: Segment, item: Item) -> str:
    """``A day ago: $97,300``, ``$101.2k (yesterday)``: the horizon that stands right beside it."""
    if any(case.quote(x).lower() in _STARTED for x in before(segment, item.place, 5)):
        return "7d" if case.sentence.has("span", "7d") else "24h"
    behind = after(segment, item.place, 3)
    if behind[-1:] and behind[-1].value == ":":
        behind = []  # "$85k (24h ago: $80.1k)"
    for beside in (before(segment, item.place, 3), behind[:2]):
        for other in beside:
            moment = "24h" if case.quote(other).lower() == "yesterday" else other.value
            if other.kind in ("ago", "span") and moment in SPANS:
                told = (other.kind == "ago" or moment != other.value) and _was(segment)
                other.done = other.done or told
                return moment if told else ""
            if other.value not in (":", "(", "about") or other.kind == "num":
                break
    return ""


def _priced(case: Case, segment: Segment, item: Item, ahead: str, behind: str) -> bool:
    """``$97.3 billion in volume says people like $84,650``, ``a $109k asset``: far too little for the rest."""
    price, number = case.known.level("price"), item.number
    if not price or number is None or number.value > 2 * price:
        return False
    beside = [x.kind for x in before(segment, item.place, 2)]
    if any(x.value == ":" for x in before(segment, item.place, 1)):
        return False  # "Volume (24h): $67,432"
    asset = [case.quote(x).lower() for x in after(segment, item.place, 1)] == ["asset"]
    return (behind in ("cap", "volume") and "topic" not in beside) or (ahead == "cap" and asset)


def _now(segment: Segment) -> bool:
    words = {item.value for item in segment.items}
    return bool(words & (_BREAKS - {"price"})) or any(x.value == "24h" for x in segment.of("span"))


def _was(segment: Segment) -> bool:
    """``it was $69,022 a day ago``; not ``$67,432, lower than a day ago``."""
    words = {item.value for item in segment.items}
    return not words & {"than", "from", "since"} and not segment.of("dir")


def _role_before(segment: Segment, i: int) -> str:
    beside = before(segment, i, 1)
    restated = bool(beside) and beside[0].value in (":", "(")
    for distance, other in enumerate(before(segment, i, 9)):
        if (
            other.kind == "num"
            and other.value in ("usd", "bare")
            and not (restated and distance == 1)
        ):
            return ""
        if other.value in _BREAKS and other.kind in ("word", "rel"):
            return ""
        if other.kind == "ref" and other.size == "negated":
            continue
        if other.kind == "ref" and other.value in ("high", "low", "ath", "atl"):
            if distance and _taken(segment, other):
                return ""
            return _ref_role(segment, other) if distance <= 7 else ""
        if other.kind == "topic" and other.value not in ("btc", "block", "fng", "halving"):
            return _over(segment, other) if other.value == "volume" else other.value
        if other.kind == "topic" and "price" in other.senses[0].value:
            return "price"
    return ""


def _taken(segment: Segment, ref: Item) -> bool:
    """``$60,255 at the bottom to $73,120``: the level already has the number in front of it."""
    near = before(segment, segment.index(ref), 4)
    number = next((k for k, x in enumerate(near) if x.kind == "num" and x.value == "usd"), None)
    return number is not None and any(x.kind == "rel" and x.value == "at" for x in near[:number])


def _role_after(segment: Segment, i: int) -> str:
    for distance, other in enumerate(after(segment, i, 6)):
        defines = distance == 0 and other.value in (":", "=")
        if other.kind == "num" or (other.kind == "sep" and other.value != "(" and not defines):
            return ""
        if defines or (distance == 0 and other.kind == "rel" and other.value == "at"):
            continue
        if other.kind == "ref" and other.value in ("high", "low", "ath", "atl"):
            return _ref_role(segment, other)
        if other.kind == "topic" and other.value != "btc":
            if other.value in ("fng", "block", "halving"):
                return ""
            return _over(segment, other) if other.value == "volume" else other.value
        if other.kind not in ("word", "span", "topic") or (
            other.kind == "word" and other.value not in cues("roles.links")
        ):
            return ""
    return ""


def _over(segment: Segment, topic: Item) -> str:
    """Only the volume of the last 24 hours is known."""
    i = segment.index(topic)
    for other in before(segment, i, 2) + after(segment, i, 6):
        if other.kind == "span" and other.value != "24h":
            return f"the volume over {other.value.removeprefix('other:')}"
        if other.kind == "ref":
            return "a record or extreme of the volume"
    return "volume"


def _ref_role(segment: Segment, ref: Item) -> str:
    """A weekly or yearly high is none of the snapshot's levels."""
    i = segment.index(ref)
    for other in before(segment, i, 2) + after(segment, i, 3):
        if other.kind == "span" and other.value != "24h" and ref.value != "ath":
            return f"a level over {other.value.removeprefix('other:')}"
        if other.kind == "span" and ref.value == "ath" and other.value == "24h":
            return "high" if ref.end - ref.start <= 5 else "ath"  # "today's peak"
        if other.kind in ("num", "sep"):
            break
    return ref.value
