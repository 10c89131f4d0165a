"""Dollar amounts: which level each one names, and whether it is that level.

A number takes the role named nearest to it in its segment (``a high of $69,120``, ``$31.3B in
volume``), else it is the price. ``over`` and ``under`` need the true order and at most ten percent
between; ``just over``, ``nearly`` two percent; ``about`` one percent or correct rounding.
"""

from __future__ import annotations

from engine.checks.facts.case import Case, after, before
from engine.checks.facts.changes import amount_relation, compared, horizon, relation_to
from engine.checks.facts.items import Item, Segment
from engine.checks.facts.known import LEVELS, SPANS, usd
from engine.checks.facts.numbers import Number
from engine.checks.facts.roles import role_of
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
    if _start(case, segment, item) or _difference(case, segment, item):
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
    i, number = segment.index(item), item.number
    assert number is not None  # noqa: S101
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
    number = item.number
    assert number is not None  # noqa: S101
    if number.sign:
        case.reject("number", item, f"it reads as a change, and {case.known.level_text(role)}")
        return
    roles = [role]
    if role == "price" and number.value >= 1e9:
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
    relation = relation_to(segment, i)
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


def _peaked(case: Case, segment: Segment) -> bool:
    """``peaked at``, with no day said: of the day or of all time."""
    peak = any(case.quote(x).lower().startswith("peak") for x in segment.of("ref"))
    return peak and not segment.of("span")


def _listed(segment: Segment, item: Item) -> bool:
    """``crossed A, B and C``: this segment is but one more number."""
    return segment.intro in (",", "and") and all(
        other is item or other.kind in ("word", "span") for other in segment.items
    )


def crossings(case: Case, segment: Segment) -> None:
    """``lost the $68K level``, ``regained the $104K mark``: the verb makes it a crossing."""
    for item in segment.of("num"):
        i = segment.index(item)
        mark = any(x.value in ("level", "mark", "handle", "line") for x in after(segment, i, 2))
        if (
            not item.done
            and item.value == "usd"
            and (_held(case, segment, item) or _holding(case, segment, item))
        ):
            continue
        if item.done or item.value != "usd" or not mark:
            continue
        for verb in before(segment, i, 3):
            if verb.kind == "dir" and verb.value in ("up", "down") and item.number is not None:
                way = "cross_up" if verb.value == "up" else "cross_down"
                price, number = case.known.level("price"), item.number
                good = price is not None and _holds(case, segment, item, price, way, "price")
                said = case.known.level_text("price")
                case.judge(
                    good and not number.sign,
                    "relation",
                    item,
                    way,
                    "price_usd, low_24h, high_24h",
                    said,
                )
                verb.done = True
                break


def _holding(case: Case, segment: Segment, item: Item) -> bool:
    """``Holding $70K``: the price is not under it."""
    led, price = before(segment, item.place, 1), case.known.level("price")
    if not any(x.value in ("hold", "holds", "holding", "defending", "defends") for x in led):
        return False
    number = item.number
    assert number is not None  # noqa: S101
    if price is not None and number.value - 0.5 > price and number.equals(price):
        case.reject("relation", item, case.known.level_text("price"))
        return True
    return False


def _held(case: Case, segment: Segment, item: Item) -> bool:
    """``$72K held today``: the day's low is not under it."""
    verbs = after(segment, item.place, 1)
    if not any(case.quote(x).lower() in ("held", "holds", "survived", "survives") for x in verbs):
        return False
    low, price, number = case.known.level("low"), case.known.level("price"), item.number
    assert number is not None  # noqa: S101
    good = (
        low is not None and price is not None and number.value <= low <= price <= number.value * 1.1
    )
    said = case.known.level_text("low")
    return case.judge(good, "relation", item, "held", "low_24h, price_usd", said) or True


def _holds(case: Case, segment: Segment, item: Item, fact: float, relation: str, role: str) -> bool:
    number = item.number
    assert number is not None  # noqa: S101
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
    number, text = item.number, case.text.lower()
    assert number is not None  # noqa: S101
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
    fact, number = case.known.before(span), item.number
    assert number is not None  # noqa: S101
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


def _difference(case: Case, segment: Segment, item: Item) -> bool:
    """``down $1,590``, ``$1,590 lower``, ``+$500``: the dollar change over a horizon."""
    number, i = item.number, segment.index(item)
    assert number is not None  # noqa: S101
    large = number.value > 10 * (case.known.level("price") or number.value)
    if large and relation_to(segment, i):
        return False  # "the market cap slips just under $1tn"
    sign = number.sign
    for other in before(segment, i, 4):
        if other.kind == "dir" and other.value in ("up", "down"):
            sign = sign or (1 if other.value == "up" else -1)
            break
        if other.kind == "rel" and other.value in ("about", "just_below", "above", "below"):
            if other.value in ("above", "below") and number.value >= 0.25 * (
                case.known.level("price") or 0
            ):
                break  # "dropped below $68,000" names a level
            continue
        if other.kind not in ("word", "size") or other.value not in (
            "by", "another", "a", "the", "of", "just", "only", "some", "big", "cool", "full",
        ):  # fmt: skip
            break
    if not sign:
        sign = (
            compared(segment, item) if number.value < 0.5 * (case.known.level("price") or 0) else 0
        )
    if not sign and _moved(segment):
        sign = 2
    if not sign:
        for other in after(segment, i, 2):
            if other.kind == "dir" and other.value in ("up", "down"):
                sign = 1 if other.value == "up" else -1
                break
            if case.quote(other).lower() in ("off its", "off the"):
                sign = -1
            if other.kind != "size" and other.value not in ("24h",):
                break
    if not sign:
        return False
    relation = amount_relation(segment, i)
    span = horizon(case, segment, item)
    start, price = case.known.before(span), case.known.level("price")
    if start is None or price is None:
        if number.sign or case.known.change(span) is not None:
            case.reject("number", item, case.known.change_text(span))
            return True
        return False
    moved = price - start
    size = abs(moved)
    good = _near(number, size, case) if not relation else close_to(number, size, relation)
    if not good and not number.sign and _plain_level(case, segment, item):
        return False
    said = f"the price moved {usd(moved)} over {span}"
    good = good and (sign == 2 or moved * sign > 0)
    if sign == 2 and not good:
        return False
    case.judge(good, "number", item, "dollar change", f"price_usd, {SPANS[span]}", said)
    return True


def _moved(segment: Segment) -> bool:
    """``moved $35 in 24 hours``: a size without a direction."""
    words = {"moved", "move", "moves", "moving", "changed", "change", "budged"}
    return any(x.value in words for x in segment.items) and not segment.of("swing", "dir")


def _plain_level(case: Case, segment: Segment, item: Item) -> bool:
    """``DIP: $67,432``, ``lost the $67K level``: after all a level."""
    price = case.known.level("price")
    number = item.number
    assert number is not None and price is not None  # noqa: S101
    i = segment.index(item)
    level = any(other.value in ("level", "mark", "handle") for other in after(segment, i, 2))
    apart = any(other.kind == "sep" for other in before(segment, i, 1))
    return level or (apart and number.equals(price))
