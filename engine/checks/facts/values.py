"""Value first: what a number equals, and whether the words around it contradict that.

Every meaning of the number's kind that has its value at the printed precision is taken
(:mod:`meanings`); a meaning falls where the words name another level, side, sign or horizon, and it
needs a cue: the level, a word of distance, of motion or of time. :func:`value_first` comes before the
judges that read a number from its words, :func:`level_last` after them, for levels told as visited
(``$63,410 was seen``) and bare prices.
"""

from __future__ import annotations

from engine.checks.facts.apart import (
    BELOW,
    apart,
    beside_level,
    level_leads,
    named_round,
    other_spans,
)
from engine.checks.facts.case import Case, after, before, texts, told_past, words_of
from engine.checks.facts.changes import amount_relation
from engine.checks.facts.closed import harmless
from engine.checks.facts.distances import fits
from engine.checks.facts.items import Item, Segment, Sentence
from engine.checks.facts.known import LEVELS, usd
from engine.checks.facts.levels import REFS
from engine.checks.facts.meanings import Meaning, counts, dollars, percents
from engine.checks.facts.moves import moves, was
from engine.checks.facts.roles import price_place, role_of
from engine.checks.facts.words import cues

_TWO, _THREE, _FOUR = 10, 100, 1_000
_ASCENT = {"ascent", "climb", "rise", "rally", "gain"}
_CHAIN = ("block", "halving", "halved", "blk", "height", "chain", "subsidy", "tip", "counter")
_EPOCH = {210_000: "done", 1_050_000: "height"}


def value_first(case: Case, sentence: Sentence, segment: Segment) -> None:
    """Prove the numbers of a segment that are a known value nobody contradicts."""
    for item in segment.of("num"):
        number = item.number
        if item.done or number is None or number.grain <= 0 or _denied(segment, item):
            continue
        relation = amount_relation(segment, item.place)
        within = "within" in texts(case, before(segment, item.place, 2))
        for meaning in _meanings(case, sentence, item):
            near = fits(number, meaning.value, relation) or _rounded(item, meaning, relation)
            if within and not relation and meaning.value > number.value * 1.005:
                continue
            if near and _allowed(case, sentence, segment, item, meaning):
                _prove(case, segment, item, meaning)
                break
        else:
            named_round(case, segment, item)


def _rounded(item: Item, meaning: Meaning, relation: str) -> bool:
    """``a $7,900 rise`` for 7,896: a distance to its last hundred, a thousandth off at most."""
    number = item.amount
    coarse = number.grain >= 1 and number.value >= 1000 and number.value % 100 == 0
    apart = item.value == "usd" and meaning.kind in ("gap", "round", "move") and not relation
    return apart and coarse and abs(number.value - meaning.value) <= 0.001 * meaning.value


def _meanings(case: Case, sentence: Sentence, item: Item) -> list[Meaning]:
    found: list[Meaning] = []
    if item.value == "usd" or (item.value == "bare" and _money_like(case, sentence, item)):
        found += dollars(case.known, case.rounds)
    if item.value == "pct":
        found += percents(case.known, case.rounds)
    if item.value in ("bare", "blocks", "rank", "sats"):
        found += counts(case.known)
    return found


def _denied(segment: Segment, item: Item) -> bool:
    for other in before(segment, item.place, 12):
        if other.value in ("but", ":", ";", "though"):
            return False
        if other.kind == "neg":
            return True
    return False


def _money_like(case: Case, sentence: Sentence, item: Item) -> bool:
    number, price = item.amount, case.known.level("price")
    chain = sentence.has("topic", "block", "halving", "fees", "fng", "supply", "diff")
    timed = sentence.has("span") or any("ago" in p.claim for p in case.proofs)
    moved = bool(number.sign) and timed and item.digits >= _TWO
    large = number.value >= _FOUR or item.digits >= _FOUR
    return bool(price) and (large or moved) and not chain


def _allowed(
    case: Case, sentence: Sentence, segment: Segment, item: Item, meaning: Meaning
) -> bool:
    number, price = item.amount, case.known.level("price")
    following = after(segment, item.place, 3)
    part_of = item.value == "pct" and any(x.value == "of" for x in following[:1])
    part_of = part_of and not texts(case, following) & {"price", "value", "worth"}
    if part_of and meaning.kind != "share":
        return False
    if segment.of("swing") or (sentence.has("topic", "asset") and case.content_type == "price"):
        return False
    other_way = number.sign and meaning.side and (number.sign > 0) != (meaning.side > 0)
    if other_way and meaning.kind != "needed":
        return beside_level(case, segment, item, meaning)
    if item.value == "usd" and price and meaning.kind != "past" and number.equals(price):
        return False
    dollars = item.value != "pct" and not number.sign and meaning.kind in ("gap", "round", "move")
    if dollars and price_place(case, segment, item):
        return False
    ascent = meaning.kind == "gap" and item.value == "pct" and meaning.side < 0
    if ascent and words_of(case, segment) & _ASCENT and not words_of(case, segment) & BELOW:
        return False  # a way up is a share of the price, not of the level
    led = before(segment, item.place, 6)
    must = texts(case, led) & {"needs", "need", "needed", "must"}
    if must and meaning.kind == "gap" and item.value == "pct":
        return False  # what is needed is a share of the price
    if must and any(x.value == "down" for x in segment.of("dir")):
        return False
    if meaning.kind == "needed":
        needs = bool(words_of(case, segment) & cues("needs")) and number.sign >= 0
        return needs and meaning.role in case.spoken and item.digits >= _TWO
    if meaning.kind == "count":
        return _counts(case, segment, item, meaning)
    if meaning.kind == "past":
        return was(case, sentence, segment, item, meaning)
    if meaning.kind == "move":
        return moves(case, sentence, segment, item, meaning)
    if meaning.kind == "share":
        return part_of and _shares(segment, item, meaning)
    return apart(case, sentence, segment, item, meaning)


# --- shares and counts --------------------------------------------------------------------------


def _shares(segment: Segment, item: Item, meaning: Meaning) -> bool:
    """``97 % of its record``."""
    following = after(segment, item.place, 4)
    exact = item.number is not None and item.number.equals(meaning.value)
    return exact and any(x.kind == "ref" and x.value == meaning.role for x in following)


def _counts(case: Case, segment: Segment, item: Item, meaning: Meaning) -> bool:
    said, text = words_of(case, segment) | {segment.intro}, case.text.lower()
    if meaning.role == "sats":
        dollar = "dollar" in text or "$" in text or "usd" in text
        return "sat" in text and dollar and item.digits >= _TWO and not segment.of("ago")
    chain = any(word in text for word in _CHAIN)
    if item.digits < _THREE or not chain:
        return False
    whole = [x.number.value for x in after(segment, item.place, 2) if x.number]
    if whole and whole[0] in _EPOCH and segment.items[item.place + 1].value in ("of", "/"):
        return meaning.role == _EPOCH[int(whole[0])]  # "103,967 of 210,000"
    left, done = said & cues("left"), said & cues("done")
    if meaning.role == "left":
        return bool(left) and not done & {"since", "spent", "behind", "ago", "through"}
    if meaning.role == "done":
        away = {"left", "until", "remain", "remaining", "unspent", "away"}
        return bool(done) and not left & away
    if meaning.role == "next":
        return "halv" in text or "until" in said
    onward = any(x.value == "halving" for x in segment.of("topic"))
    onward = onward or (
        item.value == "blocks" and bool(left & {"go", "left", "remain", "remaining"})
    )
    return item.digits >= _FOUR and not onward and not segment.of("dir", "ago")


# --- what is proved -----------------------------------------------------------------------------


def _joined(segment: Segment, item: Item, other: Item) -> bool:
    """No other number stands between."""
    first, last = sorted((item.place, other.place))
    return last - first <= 6 and not any(x.kind == "num" for x in segment.items[first + 1 : last])


def _prove(case: Case, segment: Segment, item: Item, meaning: Meaning) -> None:
    said = usd(meaning.value) if item.value == "usd" else f"{meaning.value:,.2f}"
    case.prove(item, meaning.claim, meaning.fact, said)
    if meaning.span:
        case.spans.add(meaning.span)
    for other in segment.items:
        other.done = other.done or _settled(case, segment, item, other, meaning)


def _settled(case: Case, segment: Segment, item: Item, other: Item, meaning: Meaning) -> bool:
    """Whether a word says no more than what was just proved."""
    if meaning.kind in ("gap", "round", "shy"):
        way = "up" if meaning.side > 0 else "down"
        leads = meaning.side < 0 and level_leads(case, segment, item)
        ours = other.kind == "rel" or (other.kind == "ref" and other.value == meaning.role)
        return _joined(segment, item, other) and (
            ours or (other.kind == "dir" and (other.value == way or leads))
        )
    if meaning.kind == "needed":
        return other.kind in ("ref", "dir", "modal", "rel", "still")
    if meaning.kind in ("past", "move"):
        eve = meaning.span == "24h" and case.quote(other).lower() == "yesterday"
        timed = other.kind in ("span", "ago") and (eve or other.value == meaning.span)
        return timed or (other.kind == "rel" and abs(other.place - item.place) <= 3)
    counted = meaning.role in ("done", "left")
    return counted and (
        other.value == "other:an earlier moment" or other.kind in ("if", "still", "dir")
    )


# --- levels, last -------------------------------------------------------------------------------


def level_last(case: Case, segment: Segment, item: Item) -> bool:
    """Whether a number no other judge took is a level or the price; proves it if so."""
    number = item.number
    if number is None or number.grain <= 0 or number.sign or segment.of("neg"):
        return False
    if item.digits >= _FOUR and item.value == "usd":
        return _level(case, segment, item)
    return item.value == "bare" and item.digits >= _FOUR and _bare_price(case, segment, item)


def _level(case: Case, segment: Segment, item: Item) -> bool:
    """``$63,410 was seen in the last 24 hours``: the day's ends or the record, told as visited."""
    number, known = item.number, case.known
    price = known.level("price")
    assert number is not None  # noqa: S101
    if price is None or number.equals(price) or amount_relation(segment, item.place):
        return False
    words, ways = texts(case, segment.items), {x.value for x in segment.of("dir")}
    past, asked = told_past(case, segment), not segment.of("dir", "topic", "rel")
    for name, level in ((name, known.level(name)) for name in REFS):
        if level is None or not number.equals(level):
            continue
        role = role_of(case, segment, item)
        if role not in ("price", name):
            continue
        if name != "ath" and other_spans(segment):
            continue
        heading = {"high": "down", "low": "up"}.get(name, "")
        told = (name in case.spoken and (asked or past)) or (name != "ath" and past)
        was = texts(case, before(segment, item.place, 1)) & {"was", "were"}
        present = words & cues("present") and role == "price" and not asked and not was
        if told and heading not in ways and not present:
            case.prove(item, LEVELS[name][1], LEVELS[name][0], usd(level))
            return True
    return False


def _bare_price(case: Case, segment: Segment, item: Item) -> bool:
    """The price to the last digit and without a unit: ``L 91,650 | P 93,333 | H 93,900``."""
    number, price = item.amount, case.known.level("price")
    dated = any(not x.done for x in segment.of("ago"))
    alone = (
        not dated
        and not segment.of("topic", "ref", "dir", "label", "fee")
        and all(harmless(x.value) for x in segment.of("word"))
    )
    led = texts(case, before(segment, item.place, 2)) & {"last", "now", "spot", "px", "at"}
    if price is None or (number.grain > 1 and not led) or not number.equals(price) or not alone:
        return False
    case.prove(item, "the price", "price_usd", usd(price))
    return True
