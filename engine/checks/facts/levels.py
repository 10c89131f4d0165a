"""Dollar amounts: which level each one names, and whether it is that level.

A number takes the role named nearest to it in its segment (``a high of $69,120``, ``$31.3B in
volume``), else it is the price. ``over`` and ``under`` need the true order and at most ten percent
between; ``just over``, ``nearly`` two percent; ``about`` one percent or correct rounding.
"""

from __future__ import annotations

from engine.checks.facts.case import Case, after, before, texts
from engine.checks.facts.changes import amount_relation, horizon, relation_to
from engine.checks.facts.items import Item, Segment
from engine.checks.facts.known import LEVELS, SPANS, usd
from engine.checks.facts.numbers import Number
from engine.checks.facts.roles import price_place, role_of
from engine.checks.facts.words import cues

REFS = {"high": "high", "low": "low", "ath": "ath"}


def close_to(number: Number, fact: float, relation: str) -> bool:
    """Whether ``relation`` holds between a fact and the printed number."""
    value = number.value
    if relation == "above":
        return value < fact <= value * 1.10
    if relation == "below":
        return value * 0.90 <= fact < value
    if relation == "just_above":
        return value < fact <= value * 1.02
    if relation == "just_below":
        return value * 0.98 <= fact < value
    coarse = _coarse(number)
    if relation == "odd":
        return value <= fact < min(value + coarse, value * 1.03)
    if relation == "about":
        room = min(0.01 * abs(fact), 2 * coarse) if 1e3 <= value < 1e6 else 0.01 * abs(fact)
        return number.equals(fact) or abs(fact - value) <= room
    return number.equals(fact)


def _coarse(number: Number) -> float:
    """The last place that is not a zero: 100 for 91,500; ``about $91,500`` is good to two of them."""
    digits = f"{round(number.value / number.grain)}" if number.grain > 0 else "1"
    return number.grain * 10.0 ** (len(digits) - len(digits.rstrip("0")))


def money(case: Case, segment: Segment, item: Item) -> None:
    """One dollar amount that stands by itself."""
    if case.subject in ("other", "asset") or _foreign(segment):
        case.reject("subject", item, "the snapshot knows Bitcoin only")
        return
    if _start(case, segment, item):
        return
    role = role_of(case, segment, item)
    if role == "atl":
        case.reject("number", item, "the snapshot does not know an all-time low")
    elif role.startswith("ago:"):
        _earlier(case, segment, item, role[4:])
    elif role in LEVELS:
        _level(case, segment, item, role)
    else:
        case.reject("unit", item, f"the snapshot knows no dollar value of {role}")


def _start(case: Case, segment: Segment, item: Item) -> bool:
    """``slips 2.3% from $69,027``: where a way began is not where it ended."""
    i, number = segment.index(item), item.amount
    led = [x for x in before(segment, i, 3) if x.kind != "word" and x.value != "about"]
    if (
        not led
        or led[0].kind != "rel"
        or led[0].value != "from"
        or case.quote(led[0]).lower() != "from"
    ):
        return False
    span, known, price = horizon(case, segment, item), case.known, case.known.level("price")
    starts = {f"price_usd, {SPANS[span]}": known.before(span)} if span in SPANS else {}
    if not segment.of("span", "ago") and not case.span:
        starts["price_usd, change_7d_pct"] = known.before("7d")
    if span == "24h":
        starts |= {"low_24h": known.level("low"), "high_24h": known.level("high")}
    ways = {x.value for x in segment.of("dir")} & {"up", "down"}
    for fact, value in starts.items():
        relation = relation_to(segment, i)
        near = value is not None and (
            _near(number, value, case) or close_to(number, value, relation)
        )
        if near and value and price and ways <= {"up" if price > value else "down"}:
            case.prove(item, "where it came from", fact, usd(value))
            for ref in (x for x in segment.of("dir") if fact != "price_usd, change_24h_pct"):
                ref.done = True
            return True
    case.reject("relation", item, f"it did not come from there; {known.change_text(span)}")
    return True


def _foreign(segment: Segment) -> bool:
    return any(item.value in ("other", "asset") for item in segment.of("topic"))


def _level(case: Case, segment: Segment, item: Item, role: str) -> None:
    number = item.amount
    if number.sign:
        case.reject("number", item, f"it reads as a change, and {case.known.level_text(role)}")
        return
    if (
        role not in REFS
        and _by_so_much(case, segment, item)
        and not _told_by_verb(case, segment, item)
    ):
        case.reject("number", item, f"it reads as a change, and {case.known.level_text(role)}")
        return
    roles = [role]
    if role == "price" and number.value >= 1e9 and not price_place(case, segment, item):
        topics = {x.value for x in case.sentence.items() if x.kind == "topic"} | {case.subject}
        roles = [name for name in ("cap", "volume") if name in topics] or sorted(case.sized)
        roles = roles or ["cap"]
    elif role == "price" and not relation_to(segment, segment.index(item)):
        roles += _touched(segment)
    elif role == "high" and (_peaked(case, segment) or "ath" in case.spoken):
        roles = [role, "ath"]
    elif role in REFS and _governed_at(segment, item):
        roles = [role, "price"]
    i = segment.index(item)
    relation = relation_to(segment, i) or _told_by_verb(case, segment, item)
    if not relation and case.relation and _listed(segment, item):
        relation = case.relation
    case.relation = relation
    for name in roles:
        fact = case.known.level(name)
        if fact is not None and _holds(case, segment, item, fact, relation, name):
            case.prove(item, LEVELS[name][1], LEVELS[name][0], usd(fact))
            for span in segment.of("span") if relation.startswith("hold") else ():
                span.done = span.done or case.quote(span).lower() == "all day"
            return
    case.reject("relation" if relation else "number", item, case.known.level_text(roles[0]))


def _by_so_much(case: Case, segment: Segment, item: Item) -> bool:
    """``gained some $95,161``, ``a $512 move``, ``$512 lower``: the size of a change or of a gap."""
    led, following = before(segment, item.place, 4), after(segment, item.place, 3)
    sized = texts(case, led[:3] + following[:1]) & cues("sizes")
    if sized and item.amount.value < 1e9:
        return True
    for other in led:
        if other.kind == "dir" and other.value in ("up", "down"):
            return True
        hedge = other.kind == "size" or (other.kind == "rel" and other.value == "about")
        if not hedge and other.value not in ("of", "another", "a", "just", "only", "cool", "full"):
            break
    ways = [x.kind == "dir" and x.value in ("up", "down") for x in following if x.kind != "size"]
    placed = led and (led[0].kind == "sep" or led[0].value == "at")
    return ways[:1] == [True] and not placed and not any(x.value == "pct" for x in following)


def _told_by_verb(case: Case, segment: Segment, item: Item) -> str:
    """``$72K held``, ``holding $70K``, ``lost the $68K level``: the verb says where the price is."""
    led, following = before(segment, item.place, 3), after(segment, item.place, 2)
    if any(case.quote(x).lower() in ("held", "holds", "survived") for x in following[:1]):
        return "hold_above"
    if any(x.value in ("hold", "holds", "holding", "defending") for x in led[:1]):
        return "above"
    verb = next((x for x in led if x.kind == "dir" and x.value in ("up", "down")), None)
    if verb is None or not any(x.value in ("level", "mark", "handle", "line") for x in following):
        return ""
    verb.done = True
    return f"cross_{verb.value}"


def _peaked(case: Case, segment: Segment) -> bool:
    """``peaked at``, with no day said: of the day or of all time."""
    peak = any(case.quote(x).lower().startswith("peak") for x in segment.of("ref"))
    return peak and not segment.of("span")


def _listed(segment: Segment, item: Item) -> bool:
    """``crossed A, B and C``: this segment is but one more number."""
    return segment.intro in (",", "and") and all(
        other is item or other.kind in ("word", "span") for other in segment.items
    )


def _holds(case: Case, segment: Segment, item: Item, fact: float, relation: str, role: str) -> bool:
    number = item.amount
    level, high, low = number.value, case.known.level("high"), case.known.level("low")
    crossed = role == "price"
    whole = {"whole", "entire", "throughout"} & {x.value for x in segment.items}
    if crossed and whole and relation in ("above", "below", "just_above", "just_below"):
        relation = f"hold_{relation.removeprefix('just_')}"
    if crossed and _left_again(case, segment, item, relation, fact):
        return True
    if relation == "cross_up" and crossed:
        start = case.known.before("24h")
        earlier = min((x for x in (low, start) if x is not None), default=None)
        return earlier is not None and earlier < level < fact <= level * 1.1
    if relation == "cross_down" and crossed:
        start = case.known.before("24h")
        earlier = max((x for x in (high, start) if x is not None), default=None)
        return earlier is not None and level * 0.9 <= fact < level < earlier
    if relation == "hold_above" and crossed:
        low = min(fact, case.known.before("24h") or 0.0) if low is None else low
        return level <= low and fact <= level * 1.1
    if relation == "hold_below" and crossed:
        return high is not None and high <= level and level * 0.9 <= fact
    if relation.startswith(("cross", "hold", "through")):
        return number.equals(fact)
    return close_to(number, fact, relation)


def _left_again(case: Case, segment: Segment, item: Item, relation: str, price: float) -> bool:
    """``poked its head above $80,000 before easing to $79,640``: over it within the day, and told so."""
    number, text = item.amount, case.text.lower()
    led = texts(case, before(segment, item.place, 4))
    if led & {"back", "is", "now", "trades", "sits", "remains", "stays"}:
        return False  # of the present
    ways = {x.value for x in before(segment, item.place, 4) if x.kind == "dir"}
    if ("down" if relation in ("above", "cross_up", "just_above") else "up") in ways:
        return False  # "dropped above"
    level, up = number.value, relation in ("above", "cross_up", "just_above")
    extreme = case.known.level("high" if up else "low")
    beyond = extreme is not None and (price <= level < extreme if up else extreme < level <= price)
    if not beyond or not (up or relation in ("below", "cross_down")):
        return False
    words = set(text.replace(",", " ").split())
    past = words & cues("visited") or any(word.endswith("ed") for word in words)
    back = words & {"back", "isn't", "longer", "since", "again"} or f"{price:,.0f}" in text
    return bool(past and back) and abs(price - level) <= 0.1 * level


def _touched(segment: Segment) -> list[str]:
    """``after falling to``, ``touched``, ``earlier``: which ends of the day's range may be meant."""
    words = {"touched", "touching", "touch", "earlier", "briefly", "tested", "wicked"}
    past = any(item.value in words for item in segment.items)
    past = (
        past or segment.intro == "after" or any(item.value == "other" for item in segment.of("ago"))
    )
    if not past:
        return []
    ways = {item.value for item in segment.of("dir")} & {"up", "down"}
    return ["low"] if ways == {"down"} else ["high"] if ways == {"up"} else ["low", "high"]


def _governed_at(segment: Segment, item: Item) -> bool:
    """``below its high at $67,432``: the number may be the price."""
    i = segment.index(item)
    near = before(segment, i, 1)
    if not (near and near[0].kind == "rel" and near[0].value == "at"):
        return False
    return any(
        other.kind == "rel" and other.value in ("below", "above", "about", "from", "just_below")
        for other in before(segment, i, 8)[1:]
    )


def _earlier(case: Case, segment: Segment, item: Item, span: str) -> None:
    fact, number = case.known.before(span), item.amount
    said = case.known.change_text(span)
    relation = amount_relation(segment, segment.index(item))
    good = fact is not None and (
        close_to(number, fact, relation) if relation else _near(number, fact, case)
    )
    case.judge(good, "number", item, f"price {span} ago", f"price_usd, {SPANS[span]}", said)


def _near(number: Number, fact: float, case: Case) -> bool:
    """A derived dollar value is as exact as a change known to two decimals lets it be."""
    slack = 0.00006 * (case.known.level("price") or 0.0)
    return abs(number.value - abs(fact)) <= number.grain / 2 + slack
