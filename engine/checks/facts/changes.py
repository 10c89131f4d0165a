"""Directions and percentages: up, slips, flat, 2.3 % lower, in green, 📉.

Thresholds (percent over the horizon said, 24 h where none is): a plain direction needs the right
sign; flat at most 0.5, unchanged 0.25, calm 1.5 (range at most 4); wild a range of at least 3;
rallies, tumbles … at least 1; soars, crashes … at least 5, or 3 where a percentage stands in the
sentence; edges, slightly at most 2 (4 beside a percentage); barely at most 0.75. For seven days all
but flat keep, and flat is 1.5. Rebounds and recovers need a rise, and a 24 h low below where it
began, or, where the low is named, a price above it.
"""

from __future__ import annotations

from engine.checks.facts import spans
from engine.checks.facts.case import Case, after, before
from engine.checks.facts.items import Item, Segment
from engine.checks.facts.known import SPANS, pct

CHEAP, DEAR = 10.0, 50.0
"""sat/vB: a fast fee up to the first may be called low, from the second high."""

SIGNS = {"up": 1, "down": -1, "flat": 0}
_LEAST = {"some": (1.0, 0.8), "strong": (3.0, 2.0), "big": (5.0, 3.0)}
_MOST = {"small": (2.0, 4.0), "tiny": (0.75, 0.75)}
_NO_HISTORY = {
    "fees": "fees", "volume": "volume", "fng": "the Fear & Greed index", "hash": "the hash rate",
    "other": "anything but Bitcoin", "asset": "anything but Bitcoin", "halving": "the halving", "supply": "the supply",
}  # fmt: skip


def horizon(case: Case, segment: Segment, item: Item) -> str:
    """The horizon of a claim; remembered, so that it is known to be spoken for."""
    span = spans.resolve(segment, item, case.span)
    case.spans.add(span)
    return span


def signed(segment: Segment, item: Item) -> bool:
    """Whether a direction word or a sign says which way this number goes."""
    number = item.number
    return bool(number and number.sign) or any(
        other.kind in ("dir", "emoji") for other in segment.items
    )


def percent(case: Case, segment: Segment, item: Item) -> None:
    """A percentage that is a change over a horizon."""
    number = item.amount
    if case.subject not in ("btc", "price", "market"):
        if case.subject == "diff":
            _difficulty(case, item)
            return
        what = _NO_HISTORY.get(case.subject, case.subject)
        case.reject("number", item, f"the snapshot has no history of {what}")
        return
    if _of_something(case, segment, item):
        case.reject("number", item, "the snapshot knows no shares of anything but the record")
        return
    span = horizon(case, segment, item)
    change = case.known.change(span)
    said = case.known.change_text(span)
    if change is None:
        case.reject("time" if span not in SPANS else "number", item, said)
        return
    if not _fits(segment, item, abs(change)):
        case.reject("number", item, said)
        return
    sign = number.sign or compared(segment, item) or _cost(segment, item)
    if sign == 2 or (sign == 0 and (_moves(segment) or signed(segment, item))):
        sign = 0  # the direction word is judged by itself
    elif sign == 0:
        sign = case.way or 1
    if (sign > 0 > change) or (sign < 0 < change):
        case.reject("direction", item, said)
        return
    case.prove(item, f"change over {span}", SPANS[span], pct(change))


def _cost(segment: Segment, item: Item) -> int:
    """``the week has taken 4.07 %``, ``the day's bill, 1.2 %``: what a horizon does to the price."""
    led = before(segment, item.place, 6)
    timed = any(x.kind == "span" for x in led)
    taken = {"took", "taken", "takes", "cost", "costs", "bill", "toll", "damage"}
    given = {"gave", "given", "gives", "brought", "returned", "paid"}
    words = {x.value for x in led}
    return timed * (bool(words & given) - bool(words & taken))


def _of_something(case: Case, segment: Segment, item: Item) -> bool:
    """``2.3% of its holders``; ``2.3% of its value`` is the price's own change."""
    following = after(segment, segment.index(item), 4)
    if not following or following[0].value != "of":
        return False
    own = {"value", "price", "worth"}
    return not any(case.quote(other).lower() in own for other in following[1:])


def _difficulty(case: Case, item: Item) -> None:
    change = case.known.facts.difficulty_change_pct
    number = item.number
    good = bool(change is not None and number and number.equals(change))
    if good and number and change is not None and number.sign * change < 0:
        good = False
    said = "the snapshot does not know the difficulty change" if change is None else pct(change)
    case.judge(good, "number", item, "difficulty change", "difficulty_change_pct", said)


def compared(segment: Segment, item: Item) -> int:
    """``2.3% less than this time yesterday``, ``above where it was 24 hours ago``: the sign."""
    i = segment.index(item)
    for k, other in enumerate(after(segment, i, 3), start=i + 1):
        if other.kind == "rel" and other.value in ("above", "below"):
            if any(x.kind in ("ago", "span") for x in after(segment, k, 5)):
                other.done = True
                return 1 if other.value == "above" else -1
        elif other.kind != "word":
            break
    return 0


def _moves(segment: Segment) -> bool:
    """``a 2.3% move``, ``moved 2.3%``: size without direction."""
    words = {"move", "moved", "moves", "swing", "change", "changed", "shift", "shifted", "moving"}
    return any(item.value in words - {"change"} for item in segment.of("word", "swing"))


def _fits(segment: Segment, item: Item, size: float) -> bool:
    """The printed magnitude against the real one, with ``over``, ``nearly``, ``about``."""
    number = item.amount
    relation = amount_relation(segment, segment.index(item))
    if relation == "above":
        return number.value < size <= max(number.value * 2, number.value + 1)
    if relation == "below":
        return number.value / 2 <= size < number.value
    if relation == "just_above":
        return number.value < size <= number.value + max(number.value * 0.1, number.grain / 2)
    if relation == "just_below":
        return number.value - max(number.value * 0.1, number.grain / 2) <= size < number.value
    if relation == "about":
        return number.equals(size) or abs(number.value - size) <= 0.02 * size
    return number.equals(size)


_NO_AMOUNT = ("away", "to", "at", "from", "between", "against", "odd")
_PASSED = {"the", "a", "an", "just", "only", "by", "its", "than"}


def relation_to(segment: Segment, i: int) -> str:
    """The relation word right before a number: ``over $67K``, ``just shy of 68,000``."""
    than = False
    for item in before(segment, i, 3):
        if item.kind == "rel" and item.value not in _NO_AMOUNT:
            item.done = True
            return _crossing(segment, item)
        if item.kind == "dir" and item.value in ("up", "down") and than:
            return "above" if item.value == "up" else "below"
        than = item.value == "than"
        skipped = item.kind == "rel" and item.value == "at"
        if not skipped and (item.kind != "word" or item.value not in _PASSED):
            break
    led = before(segment, i, 1)
    for item in after(segment, i, 1):
        behind = after(segment, item.place, 1)
        coin = item.kind == "topic" and (not behind or behind[0].kind == "sep")
        if coin and item.value in ("btc", "cap") and led and led[0].value == "a":
            return "about"  # "on a $118,000 coin"
        if item.kind == "rel" and item.value == "about" and _trails(item):
            return "about"
        if item.kind == "rel" and item.value == "odd":
            item.done = True
            return "odd"
        if item.value in ("+", "plus") and not item.spaced:
            return "above"
        if item.value in ("ish", "or so"):
            return "about"
    return ""


def amount_relation(segment: Segment, i: int) -> str:
    """As :func:`relation_to` before an amount, which is not crossed: ``lost under two percent``."""
    relation = relation_to(segment, i)
    return {"cross_up": "above", "cross_down": "below", "through": ""}.get(relation, relation)


def _crossing(segment: Segment, item: Item) -> str:
    """``climbs above``, ``slid back under``, ``fell through``: a direction makes it a crossing."""
    if item.value not in ("above", "below", "through", "cross_up", "cross_down"):
        return item.value
    verb = next(iter(before(segment, item.place, 1)), None)
    if verb is None or (item.value == "through" and verb.kind != "dir"):
        verb = next(iter(segment.of("dir", "emoji")), verb)
    if verb is not None and verb.kind in ("dir", "emoji") and verb.value in ("up", "down"):
        if item.value == "through":
            return f"cross_{verb.value}"
        if (verb.value == "up") == (item.value in ("above", "cross_up")):
            return f"cross_{verb.value}"
    return item.value


def _trails(item: Item) -> bool:
    return item.end - item.start > 4  # "or so", "give or take", not "~" before the next number


def direction(case: Case, segment: Segment, item: Item) -> None:
    """A direction word or emoji against the change of its horizon."""
    subject = _subject(case, segment, item)
    if _returning(case, item) and _from_low(case, item):
        return
    if subject == "fees" and item.value == "calm":
        fees = case.known.facts.fees
        said = (
            "the snapshot does not know the fees"
            if fees is None
            else f"the fast fee is {fees.fast:g} sat/vB"
        )
        case.judge(
            fees is not None and fees.fast <= CHEAP, "relation", item, "calm", "fees.fast", said
        )
        return
    if subject not in ("btc", "cap", "range"):
        _elsewhere(case, item, subject)
        return
    if item.value in ("calm", "wild", "moving"):
        _weather(case, segment, item)
        return
    span = horizon(case, segment, item)
    change = case.known.change(span)
    said = case.known.change_text(span)
    if change is None:
        case.reject("time" if span not in SPANS else "direction", item, said)
        return
    beside = case.sentence.has("num", "pct")
    held = holds(item.value, _sizes(segment, item), change, span, beside=beside)
    following = " ".join(case.quote(x).lower() for x in after(segment, item.place, 3))
    if item.value == "flat" and following.startswith(_TO_THE_CENT):
        held = abs(change) < 0.01
    if held and _returning(case, item):
        held = _came_back(case)
        said += "" if held else ", and nothing shows that it was lower before"
    case.judge(held, "direction", item, f"{item.value} over {span}", SPANS[span], said)


def holds(value: str, sizes: set[str], change: float, span: str, *, beside: bool = False) -> bool:
    """Whether a direction of these sizes describes ``change`` percent over ``span``."""
    size = abs(change)
    if value == "flat":
        limit = 0.25 if "tiny" in sizes else 0.5
        return size <= (limit if span != "7d" else limit * 3)
    if (value == "up") != (change > 0) or change == 0:
        return False
    if any(size < _LEAST[name][beside] for name in sizes if name in _LEAST):
        return False
    return all(size <= _MOST[name][beside] for name in sizes if name in _MOST)


_TO_THE_CENT = ("at all", "to the cent", "to the dollar", "to the penny")


def _sizes(segment: Segment, item: Item) -> set[str]:
    """What the word asserts by itself and by its adverbs."""
    i = segment.index(item)
    around = before(segment, i, 3) + after(segment, i, 3)
    named = {other.value for other in around if other.kind == "size"}
    for other in around:
        if other.kind == "size":
            other.done = True
    if item.size:
        named.add(item.size)
    return named


def _weather(case: Case, segment: Segment, item: Item) -> None:
    """Calm and wild speak of the 24 h range as well."""
    width, price = case.known.width_usd(), case.known.level("price")
    change = case.known.change("24h")
    wide = None if width is None or not price else width / price * 100
    span = horizon(case, segment, item)
    if span != "24h":
        case.reject("time", item, "only the last 24 hours have a known range")
        return
    known = "not known" if wide is None else f"{wide:.2f} % wide"
    said = f"{case.known.change_text('24h')} and the 24 h range is {known}"
    if item.value == "moving":
        held = change is not None and abs(change) >= 1
    elif item.value == "calm":
        held = change is not None and abs(change) <= 1.5 and (wide is None or wide <= 4)
    else:
        held = (wide is not None and wide >= 3) or (change is not None and abs(change) >= 4)
    case.judge(held, "direction", item, item.value, "change_24h_pct, high_24h, low_24h", said)


def _subject(case: Case, segment: Segment, item: Item) -> str:
    """``falling fees``, ``a drop in volume``: the noun right after the word is its subject."""
    i = segment.index(item)
    for other in after(segment, i, 3):
        if other.kind == "topic":
            return case.subject if other.value == "btc" else other.value
        if other.kind not in ("word", "span") or other.value not in (
            "in", "of", "the", "trading", "24h", "s",
        ):  # fmt: skip
            break
    return case.subject


def _elsewhere(case: Case, item: Item, subject: str) -> None:
    """Directions of other things: only what the snapshot can prove."""
    change = case.known.facts.difficulty_change_pct
    if subject == "diff" and change is not None and item.value in ("up", "down"):
        held = (change > 0) == (item.value == "up") and change != 0
        case.judge(held, "direction", item, "difficulty", "difficulty_change_pct", pct(change))
        return
    if subject in ("block", "supply", "halving") and item.value == "up":
        case.prove(item, "the chain only grows", "block_height", "by its rules")
        return
    what = _NO_HISTORY.get(subject, f"the {subject}")
    case.reject("direction", item, f"the snapshot has no history of {what}")


def _returning(case: Case, item: Item) -> bool:
    word = case.text[item.start : item.end].lower()
    return word.startswith(("rebound", "recover", "bounc", "comeback", "snap", "claw"))


def _from_low(case: Case, item: Item) -> bool:
    """``bounced off its low of``, ``as low as A before recovering``: a way up from the day's low."""
    low = any(ref.kind == "ref" and ref.value == "low" for ref in case.sentence.items())
    gap = case.known.gap_pct("low")
    if not low or gap is None:
        return False
    said = f"{case.known.level_text('low')} and {case.known.level_text('price')}"
    case.judge(gap > 0.1, "direction", item, "up from the low", "price_usd, low_24h", said)
    return True


def _came_back(case: Case) -> bool:
    """A rise after a dip: within the 24 h the price was below where it began."""
    start, low = case.known.before("24h"), case.known.level("low")
    return start is not None and (low is None or low < start)
