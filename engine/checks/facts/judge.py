"""The order in which a text's items are judged."""

from __future__ import annotations

from engine.checks.facts.case import Case, before
from engine.checks.facts.changes import SIGNS, direction, holds, horizon, percent
from engine.checks.facts.constants import idioms, quoted
from engine.checks.facts.distances import distances, role_here
from engine.checks.facts.items import (
    Item,
    Segment,
    Sentence,
    itemise,
    join_hyphens,
    sentences,
)
from engine.checks.facts.known import SPANS, pct
from engine.checks.facts.levels import money
from engine.checks.facts.network import blocks, fee_rates, fee_words, mood
from engine.checks.facts.pairs import money_pairs
from engine.checks.facts.places import near, relations
from engine.checks.facts.predicates import unknown_predicates
from engine.checks.facts.reading import Token, read
from engine.checks.facts.spans import claims_something, free_spans, trailing
from engine.checks.facts.times import judge_times

_CLAIMS = {"dir", "num", "emoji", "label", "ref", "mult", "super", "rel", "swing"}
_FLUENT = ("joke", "motivation", "news")
_SMALL = 12


def judge(case: Case) -> None:
    """Fill ``case`` with the findings and proofs of its text."""
    reading = read(case.text)
    for start, end, why in reading.unreadable:
        case.reject("unreadable", Item("odd", "", start, end), why)
    tokens = join_hyphens([token for token in reading.tokens if not _own_url(case, token)])
    headline = case.known.facts.headline
    aside = idioms(tokens, case.content_type) | quoted(tokens, headline, case.content_type)
    pending = ""
    for sentence in sentences(itemise(tokens, frozenset(aside))):
        _settle(sentence)
        case.span, case.way, case.spans = pending, 0, set()
        if not _pronoun(sentence):
            case.subject = "btc"
        market = case.content_type == "price" or _about_market(sentence)
        for k, segment in enumerate(sentence.segments):
            _segment(case, sentence, k, segment, market=market)
        _leftover_spans(case, sentence)
        claimless = not any(claims_something(segment) for segment in sentence.segments)
        pending = _header(sentence) if claimless else ""


def _own_url(case: Case, token: Token) -> bool:
    headline = case.known.facts.headline
    return token.kind == "url" and headline is not None and token.raw == headline.url


def _settle(sentence: Sentence) -> None:
    """Words of several senses take the one that fits the sentence."""
    fees = sentence.has("topic", "fees") or any(
        item.value == "feerate" for item in sentence.items() if item.kind == "num"
    )
    _release_time_words(list(sentence.items()))
    for item in sentence.items():
        for sense in item.senses[1:]:
            if (
                (sense.kind == "fee") == fees
                and item.kind != sense.kind
                and "fee" in (item.kind, sense.kind)
            ):
                item.turn_into(sense)
                break
        if item.kind == "fee" and not fees:
            item.kind, item.value = "word", "fee"


def _release_time_words(items: list[Item]) -> None:
    """``over the past 24 hours``: neither ``over`` nor ``past`` relates a price to a level."""
    for i, item in enumerate(items):
        if item.kind != "rel" or item.value not in ("above", "about", "away", "below"):
            continue
        for k, other in enumerate(items[i + 1 : i + 5], start=i + 1):
            if other.kind in ("span", "ago"):
                if not any(level.kind == "ref" for level in items[k + 1 : k + 3]):
                    item.kind = "word"
            elif other.value in ("the", "last", "previous", "a", "its", "in", "these") or (
                other.kind == "rel" and other.value == "above"
            ):
                continue
            break


def _pronoun(sentence: Sentence) -> bool:
    first = next(iter(sentence.items()), None)
    return first is not None and first.value in (
        "it",
        "it's",
        "that",
        "that's",
        "this",
        "its",
        "which",
    )


def _about_market(sentence: Sentence) -> bool:
    return any(
        (item.kind == "topic" and item.value not in ("block", "supply", "halving", "diff", "fng"))
        or (item.kind == "num" and item.value in ("usd", "pct"))
        for item in sentence.items()
    )


def _leftover_spans(case: Case, sentence: Sentence) -> None:
    """A horizon no change was proved over: ``$67,432 this year``, ``between A and B this week``."""
    if sentence.has("topic", "halving", "diff", "supply") or any(
        item.kind == "num" and item.value == "feerate" for item in sentence.items()
    ):
        return
    claims = any(item.kind in ("num", "dir", "ref", "emoji") for item in sentence.items())
    used = {item.value for item in sentence.items() if item.kind in ("span", "ago") and item.done}
    for segment in sentence.segments:
        for item in segment.of("span"):
            if (
                claims
                and not item.done
                and item.value != "24h"
                and item.value not in used | case.spans
            ):
                case.reject(
                    "time",
                    item,
                    case.known.change_text(item.value) + " and levels are known for 24 hours only",
                )


def _header(sentence: Sentence) -> str:
    """``This week in Bitcoin:`` sets the horizon of the sentence after it."""
    spans = [span for segment in sentence.segments for span in free_spans(segment)]
    return spans[-1].value if spans else ""


def _segment(case: Case, sentence: Sentence, k: int, segment: Segment, *, market: bool) -> None:
    _take_subject(case, segment)
    if segment.intro == "but":
        case.span = ""
    later = trailing(sentence, k)
    spans = free_spans(segment)
    if later and not spans:
        case.span = later
    if market and _blocked(case, sentence, segment):
        return
    _negations(case, segment)
    judge_times(case, sentence, segment)
    fee_rates(case, sentence, segment)
    mood(case, sentence, segment)
    blocks(case, sentence, segment)
    money_pairs(case, sentence, segment)
    distances(case, segment)
    for item in segment.of("num"):
        if not item.done:
            _number(case, sentence, segment, item)
    if market:
        _words(case, segment)
    if spans:
        case.span = spans[-1].value
    _remember(case, segment)


def _remember(case: Case, segment: Segment) -> None:
    """What ``it`` and a bare ``18.3% on the week`` later in the sentence refer to."""
    for ref in segment.of("ref"):
        case.last_ref = role_here(segment, ref) or case.last_ref
    ways = {SIGNS[item.value] for item in segment.of("dir") if item.value in SIGNS}
    ways |= {item.number.sign for item in segment.of("num") if item.number and item.number.sign}
    if len(ways) == 1:
        case.way = ways.pop()


def _take_subject(case: Case, segment: Segment) -> None:
    """The first topic of a segment is what it is about, unless it is led in by ``with``."""
    if segment.intro == "with":
        return
    for item in segment.items:
        if item.kind == "topic":
            case.subject = item.value
            owned = [other.value for other in segment.of("topic")]
            if item.value == "btc" and len(owned) > 1:
                case.subject = _possessed(case, segment, item)
            return


def _possessed(case: Case, segment: Segment, item: Item) -> str:
    """``Bitcoin's market cap``, ``Bitcoin fees``: the noun that follows is the subject."""
    i = segment.index(item)
    following = segment.items[i + 1] if i + 1 < len(segment.items) else None
    for other in segment.items[i + 1 : i + 3]:
        if other.kind == "topic":
            return other.value
        if other.kind not in ("span", "word") or other is not following:
            break
    return "btc"


def _blocked(case: Case, sentence: Sentence, segment: Segment) -> bool:
    """Predictions and conditions: whatever they say of the market is not proved."""
    claims = [item for item in segment.items if item.kind in _CLAIMS and not _harmless(item)]
    halving = sentence.has("topic", "halving", "diff")
    modal = next((item for item in segment.of("modal")), None)
    condition = next((item for item in sentence.items() if item.kind == "if"), None)
    for blocker, why in (
        (modal, "the snapshot knows nothing of the future"),
        (condition, "a condition is not a fact"),
    ):
        if blocker is not None and claims and not halving:
            if not blocker.done:
                case.reject("prediction", blocker, why)
            for item in segment.items:
                item.done = True
            return True
    return False


def _harmless(item: Item) -> bool:
    return item.kind == "rel" or (item.kind == "num" and item.value in ("clock", "date"))


def _negations(case: Case, segment: Segment) -> None:
    """``not down``: true if its opposite is; numbers under a negation prove nothing."""
    for i, item in enumerate(segment.items):
        if item.kind != "neg" or item.done:
            continue
        for k, other in enumerate(segment.items[i + 1 : i + 7]):
            if other.kind == "sep" and other.value == ":":
                break
            if other.kind == "word" and other.value in ("only", "just", "alone", "but"):
                break
            if other.kind == "num" and not other.done and other.value != "date":
                case.reject("negation", other, "a number under a negation states no fact")
            elif other.kind in ("dir", "emoji") and not other.done:
                _negated(case, segment, other)
            elif other.kind in ("ref", "super", "mult") and not other.done:
                _negated_level(case, other, segment.items[i + 1 : i + 1 + k])
        item.done = True


def _negated(case: Case, segment: Segment, item: Item) -> None:
    span = horizon(case, segment, item)
    change = case.known.change(span)
    plain = item.value in ("up", "down") and case.subject == "btc"
    good = change is not None and plain and not holds(item.value, set(), change, span)
    text = case.text[: item.start].lower().rstrip()
    if text.endswith(("no longer", "stopped", "stops", "stop")):
        good = False  # that it did before is one more claim
    said = case.known.change_text(span)
    if change is not None and not plain:
        said += ", which does not prove the negation"
    fact = SPANS.get(span, "")
    case.judge(
        good,
        "negation",
        item,
        f"not {item.value} over {span}",
        fact,
        said if not good else pct(change or 0),
    )


def _negated_level(case: Case, item: Item, between: list[Item]) -> None:
    role = item.value if item.kind == "ref" else ""
    part = case.known.gap_pct(role) if role in ("high", "low", "ath") else None
    text = case.text[: item.start].lower()
    far = "far from" in text or "nowhere near" in text
    close = any(other.kind == "rel" and other.value == "about" for other in between)
    if part is None or any(other.kind not in ("word", "rel", "span") for other in between):
        good = False
    elif far:
        good = abs(part) >= (10 if role == "ath" else 2)
    elif close:
        good = not near(case, role)
    else:
        good = not case.known.at_record() if role == "ath" else abs(part) > 0.2
    said = (
        case.known.level_text(role)
        if role in ("high", "low", "ath")
        else "nothing proves the negation"
    )
    case.judge(good, "negation", item, f"not at {role}", "price_usd", said)


def _number(case: Case, sentence: Sentence, segment: Segment, item: Item) -> None:
    """A number that none of the special judges took."""
    number = item.number
    assert number is not None  # noqa: S101
    if item.value == "pct":
        percent(case, segment, item)
    elif item.value == "usd" or (
        item.value == "bare" and _like_price(case, sentence, segment, item)
    ):
        money(case, segment, item)
    elif item.value == "sats" and _sats(case, segment, item):
        return
    elif item.value == "share":
        _share(case, segment, item)
    elif _figures(case, segment, item):
        return
    elif _told(case, sentence, segment, item):
        item.done = True
    else:
        case.reject(
            "unit" if item.value in ("other", "bad") else "number",
            item,
            _WHY.get(item.value, "no fact of the snapshot has this meaning"),
        )


_WHY = {
    "bad": "it can be read in more than one way",
    "other": "the snapshot has no value in this unit",
    "btc": "the snapshot counts no coins",
    "times": "the snapshot knows no multiples",
    "points": "the snapshot has no history of points",
    "rank": "the snapshot knows no ranks",
}


def _share(case: Case, segment: Segment, item: Item) -> None:
    case.reject("number", item, "no distance or change of this size is known")


def _like_price(case: Case, sentence: Sentence, segment: Segment, item: Item) -> bool:
    """A bare number that stands where the price or a level stands."""
    number = item.number
    assert number is not None  # noqa: S101
    if number.value < 1000 or (number.worded and number.value < 1000):
        return False
    levels = sentence.has("ref", "high", "low", "ath") or sentence.has("topic", "btc")
    i = segment.index(item)
    following = segment.items[i + 1] if i + 1 < len(segment.items) else None
    counted = (
        following is not None and following.kind == "word" and following.value not in _AFTER_PRICE
    )
    return levels and not counted


_AFTER_PRICE = {
    "today", "now", "at", "on", "in", "per", "for", "right", "this", "as", "is", "was", "of", "again", "level", "mark",
    "handle", "area", "zone", "range", "currently", "each", "s", "it", "its", "the", "a",
}  # fmt: skip


def _sats(case: Case, segment: Segment, item: Item) -> bool:
    """Sats per dollar, from the price."""
    price, number = case.known.level("price"), item.number
    dollar = any(
        other.value in ("$", "dollar", "usd") or (other.kind == "past" and "1" in other.value)
        for other in segment.items
    )
    if not price or number is None or not dollar:
        return False
    sats = 1e8 / price
    case.judge(
        number.equals(sats),
        "number",
        item,
        "sats per dollar",
        "price_usd",
        f"one dollar is {sats:,.0f} sats",
    )
    return True


def _figures(case: Case, segment: Segment, item: Item) -> bool:
    """``six figures``: how many digits the price has."""
    price, number = case.known.level("price"), item.number
    following = segment.items[segment.index(item) + 1 :][:1]
    if (
        number is None
        or not following
        or following[0].value not in ("figures", "figure", "digits", "digit")
    ):
        return False
    digits = len(str(int(price))) if price else 0
    good = bool(digits) and number.equals(digits)
    case.judge(
        good, "number", item, "digits of the price", "price_usd", case.known.level_text("price")
    )
    return True


def _told(case: Case, sentence: Sentence, segment: Segment, item: Item) -> bool:
    """Small counts in jokes and motivation are story, not data."""
    number = item.number
    if (
        case.content_type not in _FLUENT
        or number is None
        or item.value not in ("bare", "share", "times")
    ):
        return False
    return (
        number.worded and (number.value <= _SMALL or item.value == "share") and not _moved(segment)
    )


def _moved(segment: Segment) -> bool:
    return any(item.kind in ("dir", "mult") for item in segment.items) and any(
        item.kind == "topic" for item in segment.items
    )


def _words(case: Case, segment: Segment) -> None:
    """Everything that claims without a number."""
    fee_words(case, segment)
    emoji = []
    for item in segment.items:
        if item.done:
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
        elif item.kind == "still":
            _still(case, segment, item)
    relations(case, segment)
    for item in emoji:
        _emoji(case, segment, item)
    unknown_predicates(case, segment)


def _idle(case: Case, segment: Segment, item: Item) -> bool:
    """``off`` is a direction only beside a number; sizes of ranges are judged elsewhere."""
    if case.text[item.start : item.end].lower() != "off":
        return False
    i = segment.index(item)
    around = before(segment, i, 2) + segment.items[i + 1 : i + 3]
    if any(other.kind == "num" and other.value in ("pct", "usd") for other in around):
        return False
    item.done = True
    return True


def _emoji(case: Case, segment: Segment, item: Item) -> None:
    """An arrow or chart agrees with a direction proved beside it, else with 24 h."""
    for span in [horizon(case, segment, item)]:
        change = case.known.change(span)
        good = change is not None and holds(item.value, set(), change, span)
        case.judge(
            good,
            "direction",
            item,
            f"{item.value} over {span}",
            SPANS.get(span, ""),
            case.known.change_text(span),
        )


def _multiple(case: Case, segment: Segment, item: Item) -> None:
    span = horizon(case, segment, item)
    change, times = case.known.change(span), float(item.value)
    good = (
        change is not None
        and abs(1 + change / 100 - times) <= 0.05 * times
        and bool(segment.of("span"))
    )
    case.judge(
        good,
        "relation",
        item,
        f"times {times:g} over {span}",
        SPANS.get(span, ""),
        case.known.change_text(span),
    )


def _size(case: Case, segment: Segment, item: Item) -> None:
    """``a big move``: a size word without a direction speaks of the change all the same."""
    if item.value not in ("strong", "big", "small", "tiny"):
        return
    follows = segment.items[segment.index(item) + 1 : segment.index(item) + 3]
    if not any(
        other.value in ("move", "moves", "day", "change", "swing", "swings") for other in follows
    ):
        return
    span = horizon(case, segment, item)
    change = case.known.change(span)
    size = abs(change) if change is not None else None
    good = size is not None and (size >= 3 if item.value in ("strong", "big") else size <= 2)
    case.judge(
        good,
        "direction",
        item,
        f"{item.value} move",
        SPANS.get(span, ""),
        case.known.change_text(span),
    )


def _still(case: Case, segment: Segment, item: Item) -> None:
    """``extends its losses``, ``another red day``: both horizons must point the same way."""
    words = {other.value for other in segment.of("dir")} & {"up", "down"}
    text = case.text[item.start : item.end].lower()
    following = segment.items[segment.index(item) + 1 :][:1]
    if text.startswith("keep") and not any(
        other.kind == "dir" and case.quote(other).endswith("ing") for other in following
    ):
        return  # "keeps a gain" says no more than the gain
    if not words:
        return
    day, week = case.known.change("24h"), case.known.change("7d")
    good = day is not None and week is not None and day * week > 0
    said = f"{case.known.change_text('24h')} and {case.known.change_text('7d')}"
    case.judge(good, "direction", item, "goes on", "change_24h_pct, change_7d_pct", said)
