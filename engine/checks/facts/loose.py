"""Numbers that no special judge took: prices without a sign, sats, widths, shares, small talk."""

from __future__ import annotations

from engine.checks.facts.case import Case, after, before
from engine.checks.facts.changes import amount_relation, horizon, percent, relation_to
from engine.checks.facts.distances import fits
from engine.checks.facts.items import Item, Segment, Sentence
from engine.checks.facts.known import SPANS, usd
from engine.checks.facts.levels import close_to, money
from engine.checks.facts.numbers import Number
from engine.checks.facts.values import level_last
from engine.checks.facts.words import cues

_FLUENT = ("joke", "motivation", "news")
_SMALL = 12
_WHY = {
    "bad": "it can be read in more than one way",
    "other": "the snapshot has no value in this unit",
    "btc": "the snapshot counts no coins",
    "times": "the snapshot knows no multiples",
    "points": "the snapshot has no history of points",
    "rank": "the snapshot knows no ranks",
}


def number(case: Case, sentence: Sentence, segment: Segment, item: Item) -> None:
    """Judge one number by its unit."""
    assert item.number is not None  # noqa: S101  items of kind num carry one
    if item.value in ("usd", "pct") and _width(case, segment, item):
        return
    if level_last(case, segment, item):
        return
    if item.value == "pct":
        percent(case, segment, item)
    elif item.value in ("sats", "bare", "usd", "btc") and _exchange(case, segment, item):
        return
    elif item.value == "usd" or (
        item.value == "bare" and _like_price(case, sentence, segment, item)
    ):
        money(case, segment, item)
    elif _cents(case, item) or _figures(case, segment, item) or _share(case, segment, item):
        return
    elif _told(case, segment, item.number, item.value):
        item.done = True
    else:
        rule = "unit" if item.value in ("other", "bad") else "number"
        case.reject(rule, item, _WHY.get(item.value, "no fact of the snapshot has this meaning"))


def _width(case: Case, segment: Segment, item: Item) -> bool:
    """``a range of $2,320``, ``a 3.5% swing``: how wide the 24 h range is."""
    number = item.number
    ranged = any(ref.value == "range" for ref in segment.of("ref")) or any(
        case.quote(word).lower() in ("swing", "swings") for word in segment.of("swing", "word")
    )
    if not ranged or (segment.of("topic") and segment.of("topic")[0].value in ("cap", "volume")):
        return False
    others = [x for x in segment.of("num") if x is not item and x.value in ("usd", "pct")]
    led = before(segment, segment.index(item), 3)
    direct = any(x.kind == "swing" or x.value == "range" for x in led)
    if (others and not direct) or number is None or number.sign or _at_price(segment, item):
        return False
    width, price = case.known.width_usd(), case.known.level("price")
    if width is None or not price:
        case.reject("number", item, "the snapshot does not know the 24 h range")
        return True
    sizes = [width] if item.value == "usd" else [width / price * 100]
    if item.value == "pct" and case.known.level("low"):
        sizes.append(width / (case.known.level("low") or 1) * 100)
    relation = relation_to(segment, segment.index(item))
    said = f"the 24 h range is {usd(width)} or {width / price:.2%} wide"
    good = any(fits(number, size, relation) for size in sizes)
    for ref in after(segment, item.place, 4):
        ref.done = ref.done or (good and ref.value == "low")  # "1.46 % of the low"
    case.judge(good, "number", item, "width of the 24 h range", "high_24h, low_24h", said)
    return True


def _at_price(segment: Segment, item: Item) -> bool:
    """``in its range at $67,432``."""
    i = segment.index(item)
    return i > 0 and segment.items[i - 1].kind == "rel" and segment.items[i - 1].value == "at"


def _like_price(case: Case, sentence: Sentence, segment: Segment, item: Item) -> bool:
    """A bare number that stands where the price or a level stands."""
    number = item.amount
    if number.value < 1000:
        return False
    following = after(segment, segment.index(item), 1)
    counted = any(x.kind == "word" and x.value not in cues("loose.after_price") for x in following)
    thousands = case.quote(item).lower().endswith("k") and not sentence.has("topic", "fees")
    return not counted and (
        thousands
        or sentence.has("ref", "high", "low", "ath")
        or sentence.has("topic", "btc", "cap", "volume")
    )


def _exchange(case: Case, segment: Segment, item: Item) -> bool:
    """Dollars against sats or coins at the price: ``$100 buys 148,300 sats``, ``0.1 BTC = $6,743``."""
    price, number = case.known.level("price"), item.amount
    said = case.known.level_text("price")
    per_dollar = any(case.quote(x).lower().startswith("sats per") for x in segment.of("topic"))
    if (item.value == "bare" and per_dollar) or (item.value == "sats" and _one_dollar(segment)):
        relation = amount_relation(segment, item.place)
        good = bool(price) and close_to(number, 1e8 / (price or 1), relation)
        case.judge(good, "number", item, "sats per dollar", "price_usd", said)
        return True
    others = [x for x in segment.of("num") if x is not item and (not x.done or number.value == 1)]
    other = next((x for x in others if x.value in _COINS), None)
    ours = {item.value, other.value if other else ""}
    if other is None or other.number is None or ours not in ({"usd", "sats"}, {"usd", "btc"}):
        return False
    dollars, coins = (number, other.number) if item.value == "usd" else (other.number, number)
    worth = coins.value * (1e-8 if "sats" in ours else 1.0) * (price or 0.0)
    slack = coins.grain / 2 * (1e-8 if "sats" in ours else 1.0) * (price or 0.0)
    near = (
        abs(worth - dollars.value) <= (dollars.grain / 2 if dollars.value >= _EXACT else 0) + slack
    )
    relations = [amount_relation(segment, x.place) for x in (item, other)]
    hedged = close_to(
        coins,
        dollars.value / (price or 1) * (1e8 if "sats" in ours else 1),
        relations[0] or relations[1],
    )
    good = bool(price) and (hedged if any(relations) else near)
    for side in (item, other):
        case.judge(good, "number", side, "exchange at the price", "price_usd", said)
    return True


_EXACT = 100
_COINS = ("usd", "sats", "btc")


def _one_dollar(segment: Segment) -> bool:
    return any(
        x.value in ("$", "dollar", "usd") or (x.kind == "past" and x.value in ("1", "one"))
        for x in segment.items
    ) and not any(x.value == "usd" for x in segment.of("num"))


def _cents(case: Case, item: Item) -> bool:
    """``$118,060, give or take forty cents``: what the price has after the point."""
    price, number = case.known.level("price"), item.number
    if price is None or number is None or "cent" not in case.quote(item).lower():
        return False
    good = number.value == round(price * 100) % 100 and any(
        p.fact == "price_usd" for p in case.proofs
    )
    if good:
        case.prove(item, "cents of the price", "price_usd", usd(price))
    return good


def _figures(case: Case, segment: Segment, item: Item) -> bool:
    """``six figures``: how many digits the price has."""
    following = after(segment, segment.index(item), 1)
    if not any(x.value in ("figures", "figure", "digits", "digit") for x in following):
        return False
    price, digits = case.known.level("price"), item.number.value if item.number else 0.0
    good = bool(price) and digits == len(str(int(price or 0)))
    said = case.known.level_text("price")
    towards = amount_relation(segment, item.place) in ("just_below", "about", "below")
    if price and (towards or any(x.value == "from" for x in before(segment, item.place, 1))):
        good = 0.95 <= price / 10 ** (digits - 1) < 1
    for span in (x for x in segment.of("span") if case.quote(x).lower() == "all day"):
        low, span.done = case.known.level("low"), True
        good = good and low is not None and digits == len(str(int(low)))
    case.judge(good, "number", item, "digits of the price", "price_usd", said)
    return True


def _share(case: Case, segment: Segment, item: Item) -> bool:
    """``lost a quarter this week``: a change said as a fraction, good to a tenth of it."""
    number = item.number
    gone = [
        x for x in case.sentence.items() if x.value == "gone" or case.quote(x).lower() == "gone"
    ]
    if item.value == "share" and number is not None and _of_the_week(case, segment, item):
        return True
    if item.value != "share" or number is None or not (segment.of("dir") or gone):
        return False
    span = horizon(case, segment, item)
    change = case.known.change(span)
    relation = amount_relation(segment, segment.index(item))
    good = change is not None and abs(abs(change) - number.value) <= number.value / 10
    if good and change is not None and relation.endswith(("above", "below")):
        good = (abs(change) > number.value) == relation.endswith("above")
    for word in gone:
        good, word.done = good and change is not None and change < 0, True
    case.judge(
        good,
        "number",
        item,
        f"change over {span}",
        SPANS.get(span, ""),
        case.known.change_text(span),
    )
    return True


def _of_the_week(case: Case, segment: Segment, item: Item) -> bool:
    """``up 5 % on the week, more than half of that in the past day``: the day's part of the week."""
    following = [x.value for x in after(segment, item.place, 2)]
    spans = {x.value for x in case.sentence.items() if x.kind == "span"}
    day, week, number = case.known.change("24h"), case.known.change("7d"), item.number
    if following[:1] != ["of"] or not {"24h", "7d"} <= spans or number is None:
        return False
    if following[1:] not in (["that"], ["what"], ["it"], ["this"]) or not day or not week:
        return False
    part, relation = day / week * 100, amount_relation(segment, item.place)
    good = abs(part - number.value) <= 2.5 if not relation else fits(number, part, relation)
    said = f"{case.known.change_text('24h')} and {case.known.change_text('7d')}"
    for span in segment.of("span"):
        span.done = True
    return (
        case.judge(good, "number", item, "the day's part of the week", "change_24h_pct", said)
        or True
    )


def _told(case: Case, segment: Segment, number: Number, unit: str) -> bool:
    """Small counts in jokes and motivation are story, not data."""
    if case.content_type not in _FLUENT or unit not in ("bare", "share", "times"):
        return False
    moved = segment.of("dir", "mult") and segment.of("topic")
    small = number.value <= _SMALL or unit == "share"
    return number.worded and small and not moved
