"""How far the price is from a level: 46 % off the record, $632 above the low, half its high.

Percent below a level is of that level; what the price ``needs`` to reach it is of the price.
``Within 2 %`` needs a distance between a third of that and all of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.checks.facts.case import Case, after, before
from engine.checks.facts.changes import amount_relation
from engine.checks.facts.items import Item, Segment
from engine.checks.facts.known import LEVELS, usd
from engine.checks.facts.levels import REFS, close_to
from engine.checks.facts.numbers import Number

_APART = {"below", "above", "from", "away", "just_below", "just_above"}
_NEEDED = {"needs", "need", "needed", "required", "takes", "take"}


@dataclass(frozen=True)
class _Link:
    """``relation`` between the price and the level ``role``; ``ref`` where it is named here."""

    role: str
    relation: str
    ref: Item | None
    ratio: bool = False


def role_here(segment: Segment, ref: Item) -> str:
    """The level a ref names; empty for weekly or yearly ones, which the snapshot lacks."""
    i = segment.index(ref)
    for other in before(segment, i, 2) + after(segment, i, 3):
        if other.kind in ("num", "sep", "rel"):
            break
        if other.kind in ("span", "ago"):
            if ref.value == "ath":
                short = ref.end - ref.start <= 5  # "today's peak", not "all-time high"
                return "high" if short and other.value == "24h" else "ath"
            return REFS.get(ref.value, "") if other.value == "24h" else ""
    return REFS.get(ref.value, "")


def distances(case: Case, segment: Segment) -> None:
    """Judge every percentage, amount or share that is a distance to a level."""
    for item in segment.of("num"):
        wide = item.value == "pct" and any(x.value == "range" for x in segment.of("ref"))
        if not item.done and not wide and item.value in ("pct", "usd", "share"):
            link = _link(case, segment, item)
            if link:
                _judge(case, segment, item, link)


def _link(case: Case, segment: Segment, item: Item) -> _Link | None:
    i = segment.index(item)
    within = any(
        other.kind == "rel" and case.quote(other).lower() == "within"
        for other in before(segment, i, 2)
    )
    relation, pointed = "within" if within else "", ""
    if item.value == "usd" and not within and _is_level(segment, i):
        return None
    if item.value == "usd" and any(
        x.value == "at" and x.kind == "rel" for x in before(segment, i, 1)
    ):
        return None
    if case.against and segment.of("dir") and not segment.of("span", "ago", "ref"):
        down = any(other.value == "down" for other in segment.of("dir"))
        return _Link(case.against, "below" if down else "above", None)
    for other in after(segment, i, 9):
        if (other.kind == "num" and other.value != "date") or other.value in (":", "="):
            break
        if other.kind == "rel" and other.value in _APART:
            relation = relation if relation in ("above", "below", "within") else other.value
        elif other.kind == "dir" and other.value in ("up", "down"):
            pointed = pointed or ("below" if other.value == "down" else "above")
        elif other.kind == "ref" and other.value in REFS:
            part = item.value == "share" or (item.value == "pct" and _part_of(segment, i))
            if relation or pointed == "below" or part or _needed(segment):
                lost = any(x.value == "down" for x in before(segment, i, 4) if x.kind == "dir")
                if part and lost:
                    return _Link(role_here(segment, other), "below", other)
                ratio = part and not relation and not pointed
                return _Link(role_here(segment, other), relation or pointed, other, ratio)
            break
        elif other.value in ("it", "that") and relation and case.last_ref:
            return _Link(case.last_ref, relation, None)
        elif other.kind in ("ago", "sep", "emoji"):
            break
    return _link_back(case, segment, item, relation)


def _part_of(segment: Segment, i: int) -> bool:
    """``53.4% of its all-time high``."""
    return any(other.value == "of" for other in after(segment, i, 1))


def _is_level(segment: Segment, i: int) -> bool:
    """``the record of $126,198``: the level's own value."""
    near = before(segment, i, 2)
    return (
        len(near) == 2
        and near[1].kind == "ref"
        and near[0].value in ("of", ":", "=", "is", "at", "was", "(")
    )


def _link_back(case: Case, segment: Segment, item: Item, relation: str) -> _Link | None:
    """``ATH: $126,198 (-46.6 %)``, ``distance from the high: 2.4 %``, ``46 % below``."""
    i = segment.index(item)
    seen = before(segment, i, 9)
    for k, other in enumerate(seen):
        if (
            other.kind == "num"
            and item.value == "usd"
            and not (relation and _is_level(segment, other.place))
        ):
            break
        if other.kind in ("span", "ago"):
            break
        if other.kind == "ref" and other.value in REFS:
            role = role_here(segment, other)
            governed = [x for x in seen[k + 1 : k + 4] if x.kind == "rel" and x.value in _APART]
            if governed and not any(x.value == "of" for x in seen[:k]):
                return _Link(role, governed[0].value, other)
            relation = relation or next(
                (x.value for x in seen[:k] if x.value == "away" and x.kind == "rel"), ""
            )
            bracket = bool(seen) and seen[0].value == "(" and item.value == "pct"
            signed = item.value == "pct" and bool(item.number and item.number.sign)
            if relation or bracket or (signed and role == "ath"):
                return _Link(role, relation or "away", other)
            break
        if other.kind == "rel" and other.value == "away" and k <= 2 and case.last_ref:
            return _Link(case.last_ref, "away", None)
    tail = after(segment, i, 4)
    ends = not any(other.kind in ("ref", "ago", "span", "num") for other in tail)
    if relation in ("below", "above", "away") and ends and case.last_ref:
        return _Link(case.last_ref, relation, None)
    return None


def _judge(case: Case, segment: Segment, item: Item, link: _Link) -> None:
    number, known = item.amount, case.known
    _settle(case, segment, item, link)
    if not link.role:
        why = "the snapshot knows the levels of the last 24 hours and the record"
        case.reject("time", item, why)
        return
    gap, part = known.gap_usd(link.role), known.gap_pct(link.role)
    if gap is None or part is None:
        case.reject("number", item, known.level_text(link.role))
        return
    said = f"{known.level_text(link.role)}, {usd(abs(gap))} or {abs(part):.2f} % from the price"
    if segment.of("neg") or (
        _needed(segment) and any(x.value == "down" for x in segment.of("dir"))
    ):
        case.reject("negation", item, said)
        return
    below = _says_below(segment, item, link)
    if (below is True and gap >= 0) or (below is False and gap <= 0):
        case.reject("relation", item, said)
        return
    size = abs(gap) if item.value == "usd" else abs(part)
    if link.ratio:
        size = 100 + part
    elif item.value != "usd" and _needed(segment):
        size = abs(gap) / (known.level("price") or 1.0) * 100
    if link.relation == "within":
        hedged = amount_relation(segment, item.place) == "about"
        most = number.value + number.grain / 2 if hedged else number.value * 1.005
        good = number.value / 3 <= size <= most
    else:
        near = amount_relation(segment, segment.index(item))
        case.relation = near or (case.relation if segment.intro == "and" else "")
        good = fits(number, size, case.relation)
    fact = f"price_usd, {LEVELS[link.role][0]}"
    case.judge(good, "number", item, f"distance from {LEVELS[link.role][1]}", fact, said)


def _settle(case: Case, segment: Segment, item: Item, link: _Link) -> None:
    """The words of the distance are judged with it; other directions stay open."""
    i = segment.index(item)
    if link.ref is not None:
        link.ref.done = True
    for k, other in enumerate(segment.items):
        if other.kind == "rel" and other.value in _APART:
            other.done = True
        near = -3 <= k - i <= 3 and item.value != "share"
        against = link.ref is None and link.role == case.against
        if other.kind == "dir" and other.value in ("up", "down") and (near or against):
            between = segment.items[min(i, k) + 1 : max(i, k)]
            if all(x.kind in ("word", "rel", "size") for x in between):
                other.done = True


def fits(number: Number, size: float, relation: str) -> bool:
    """Whether a distance is ``size``; ``roughly $600`` may be rounded to its last printed digit."""
    if relation == "above":
        return number.value < size <= number.value * 1.5
    if relation == "below":
        return number.value * 0.5 <= size < number.value
    if relation in ("just_above", "just_below"):
        wide = max(0.1 * number.value, number.grain)
        low, high = (0.0, wide) if relation == "just_above" else (-wide, 0.0)
        return low < size - number.value <= high or low <= size - number.value < high
    if relation == "about" and abs(number.value - size) <= 0.07 * size:
        coarse = 10.0 ** (len(f"{number.value:.0f}") - len(f"{number.value:.0f}".rstrip("0")) or 1)
        if number.value >= 100 and abs(number.value - size) <= coarse / 2:
            return True
    return close_to(number, size, relation)


def _says_below(segment: Segment, item: Item, link: _Link) -> bool | None:
    """True: the text has the price below the level; None: it does not say."""
    if link.ratio or _needed(segment):
        return True
    if link.relation == "within":
        return None
    if link.relation in ("below", "just_below"):
        return True
    if link.relation in ("above", "just_above"):
        return False
    if item.number and item.number.sign in (1, -1):
        return item.number.sign < 0
    words = {other.value for other in segment.of("dir")} & {"up", "down"}
    return None if len(words) != 1 else words == {"down"}


def _needed(segment: Segment) -> bool:
    return any(
        item.value in _NEEDED or item.value == "will" for item in segment.of("word", "modal")
    )
