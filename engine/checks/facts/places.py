"""Where the price stands: above its low, 46 % off the record, near the high, mid-range.

Near a 24 h level: within 1.5 % of it and in the third of the range next to it. At it: within 0.1 %.
Near the all-time high: within 3 %. ``Far below``: at least 10 %. A record, or an all-time high that
is spoken of without a number or a distance, must be one now or within the last day.
"""

from __future__ import annotations

from engine.checks.facts.case import Case, after, before
from engine.checks.facts.changes import relation_to
from engine.checks.facts.items import Item, Segment
from engine.checks.facts.known import LEVELS, usd
from engine.checks.facts.levels import REFS, close_to
from engine.checks.facts.numbers import Number

_BELOW = {"below", "from", "just_below", "away"}
_APART = {"below", "above", "from", "away", "just_below", "just_above"}


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
    """Percent or dollar distances to a level, in this segment or one spoken of just before."""
    for item in segment.of("num"):
        if not item.done and item.value in ("pct", "usd", "share"):
            found = _distance_of(case, segment, item)
            if found:
                _distance(case, segment, item, *found)


def _distance_of(case: Case, segment: Segment, item: Item) -> tuple[str, str, Item | None] | None:
    """(level, relation word, ref) of a distance, if the number is one."""
    i = segment.index(item)
    relation, reached = "", None
    for other in after(segment, i, 9):
        if other.kind == "num" or (other.kind == "sep" and other.value in (":", "=")):
            break
        if other.kind == "rel" and other.value in _APART:
            relation = relation if relation in ("above", "below") else other.value
        elif other.kind == "dir" and other.value in ("up", "down"):
            off = case.text[other.start : other.end].lower() == "off"
            relation = relation or ("below" if off or other.value == "down" else "above")
        elif other.kind == "ref" and other.value in REFS:
            reached = other
            break
        elif other.kind in ("span", "topic", "size", "word", "rel"):
            if other.value in ("it", "that") and relation and case.last_ref:
                return case.last_ref, relation, None
            continue
        else:
            break
    if reached is not None and relation:
        return role_here(segment, reached), relation, reached
    return _behind(case, segment, item, i, relation)


def _behind(
    case: Case, segment: Segment, item: Item, i: int, relation: str
) -> tuple[str, str, Item | None] | None:
    """``ATH: $126,198 (-46.6 %)``, ``distance from the high: 2.4 %``, ``46 % below``."""
    seen = before(segment, i, 9)
    for k, other in enumerate(seen):
        if other.kind == "num" and item.value != "pct":
            break
        if other.kind == "ref" and other.value in REFS:
            role = role_here(segment, other)
            governed = [x for x in seen[k + 1 : k + 4] if x.kind == "rel" and x.value in _APART]
            if governed and not any(x.value in ("of",) for x in seen[:k]):
                return role, governed[0].value, other
            if relation or any(x.value == "(" for x in seen[:1]):
                return role, relation or "away", other
            if item.value == "pct" and role == "ath" and item.number and item.number.sign:
                return role, "away", other
            break
        if other.kind in ("span", "ago"):
            break
    tail = after(segment, i, 3)
    ends = not any(other.kind in ("ref", "ago", "span", "num") for other in tail)
    if relation in ("below", "above", "away") and ends and case.last_ref:
        return case.last_ref, relation, None
    return None


def _distance(
    case: Case, segment: Segment, item: Item, role: str, relation: str, ref: Item | None
) -> None:
    number, known = item.number, case.known
    assert number is not None  # noqa: S101
    for other in segment.items:
        judged = other.kind == "rel" and other.value in _APART
        if judged or other is ref or (other.kind == "dir" and _points(other) and ref is not None):
            other.done = True
    if not role:
        case.reject(
            "time", item, "the snapshot knows the levels of the last 24 hours and the record"
        )
        return
    gap, part = known.gap_usd(role), known.gap_pct(role)
    if gap is None or part is None:
        case.reject("number", item, known.level_text(role))
        return
    said = f"{known.level_text(role)}, {usd(abs(gap))} or {abs(part):.2f} % from the price"
    below = _says_below(case, segment, item, relation, gap)
    if (below is True and gap >= 0) or (below is False and gap <= 0):
        case.reject("relation", item, said)
        return
    near = relation_to(segment, segment.index(item))
    within = any(x.value == "within" for x in before(segment, segment.index(item), 2))
    sizes = [abs(gap)] if item.value == "usd" else [abs(part)]
    if item.value != "usd" and _needs(segment) and known.level("price"):
        sizes = [abs(gap) / (known.level("price") or 1) * 100]
    if within or _is_within(case, segment, item):
        good = sizes[0] <= number.value + number.grain / 2 and sizes[0] >= number.value * 0.3
    else:
        good = any(_size_fits(number, size, near) for size in sizes)
    fact = f"price_usd, {LEVELS[role][0]}"
    case.judge(good, "number", item, f"distance from {LEVELS[role][1]}", fact, said)


def _is_within(case: Case, segment: Segment, item: Item) -> bool:
    i = segment.index(item)
    return any(
        other.kind == "rel" and case.text[other.start : other.end].lower() == "within"
        for other in before(segment, i, 2)
    )


def _size_fits(number: Number, size: float, relation: str) -> bool:
    if relation == "above":
        return number.value < size <= number.value * 1.5
    if relation == "below":
        return number.value * 0.5 <= size < number.value
    return close_to(number, size, relation)


def _points(item: Item) -> bool:
    return item.value in ("up", "down")


def _says_below(case: Case, segment: Segment, item: Item, relation: str, gap: float) -> bool | None:
    """True: the text has the price below the level; None: it does not say."""
    number = item.number
    if relation in ("below", "just_below"):
        return True
    if relation in ("above", "just_above"):
        return False
    words = {other.value for other in segment.of("dir")}
    if number and number.sign in (1, -1):
        return number.sign < 0
    if "down" in words and "up" not in words:
        return True
    if "up" in words and "down" not in words:
        return False
    return None


def _needs(segment: Segment) -> bool:
    words = {
        "needs",
        "need",
        "must",
        "climb",
        "gain",
        "rally",
        "required",
        "regain",
        "takes",
        "retake",
    }
    return any(item.value in words for item in segment.of("word", "modal"))


def relations(case: Case, segment: Segment) -> None:
    """Levels spoken of without a number: near the low, below its record, at the high, mid-range."""
    for ref in segment.of("ref"):
        if ref.done:
            continue
        if ref.value == "range":
            continue
        if ref.value == "middle":
            _middle(case, ref)
        elif ref.value == "atl":
            case.reject("relation", ref, "the snapshot does not know an all-time low")
        else:
            _relation(case, segment, ref)


def _middle(case: Case, ref: Item) -> None:
    place = case.known.place()
    said = (
        "the 24 h range is not known" if place is None else f"it stands at {place:.0%} of its range"
    )
    good = place is not None and 0.35 <= place <= 0.65
    case.judge(good, "relation", ref, "middle of the range", "price_usd, high_24h, low_24h", said)


def _relation(case: Case, segment: Segment, ref: Item) -> None:
    i, known = segment.index(ref), case.known
    role = role_here(segment, ref)
    if not role:
        case.reject(
            "time", ref, "the snapshot knows the levels of the last 24 hours and the record"
        )
        return
    if _mentioned(segment, i):
        ref.done = True
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
        good = bool(known.at_record())
    else:
        good = abs(part) <= 0.1
    fact = f"price_usd, {LEVELS[role][0]}"
    case.judge(good, "relation", ref, f"{word or 'at'} {LEVELS[role][1]}", fact, said)


def near(case: Case, role: str) -> bool:
    part, place = case.known.gap_pct(role), case.known.place()
    if part is None:
        return False
    if role == "ath":
        return abs(part) <= 3
    if abs(part) <= 0.1:
        return True
    if abs(part) > 1.5 or place is None:
        return False
    return place >= 2 / 3 if role == "high" else place <= 1 / 3


def _mentioned(segment: Segment, i: int) -> bool:
    """The level has its number in this segment, so the number was judged instead."""
    around = before(segment, i, 6) + after(segment, i, 6)
    return any(
        item.kind == "num" and item.done and item.value in ("usd", "bare") for item in around
    ) and not any(
        item.kind == "rel"
        and not item.done
        and item.value in ("above", "below", "about", "just_below", "just_above")
        for item in before(segment, i, 4)
    )


def _governing(segment: Segment, i: int, role: str) -> str:
    """The relation word before a level; also ``off the low`` and ``from``."""
    for other in before(segment, i, 5):
        if other.kind == "rel":
            if other.value == "from":
                return _from(segment, role)
            if other.value in ("above", "below", "about", "just_below", "just_above", "away", "at"):
                return other.value
            if other.value == "cross_up":
                return "above"
            if other.value == "cross_down":
                return "below"
        if other.kind == "dir" and other.value == "down" and other.end - other.start == 3:
            return _from(segment, role)  # "off the low"
        if other.kind in ("num", "sep"):
            break
    return ""


def _from(segment: Segment, role: str) -> str:
    words = {item.value for item in segment.of("dir")}
    return "above" if role == "low" or ("up" in words and "down" not in words) else "below"
