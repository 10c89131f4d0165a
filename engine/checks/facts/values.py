"""Value first: what a number equals, and whether the words around it contradict that.

Every meaning of the number's kind that has its value at the printed precision is taken
(:mod:`meanings`); a meaning falls where the words name another level, side, sign or horizon, and it
needs a cue: the level, a word of distance, of motion or of time. :func:`value_first` comes before the
judges that read a number from its words, :func:`level_last` after them, for levels told as visited
(``$63,410 was seen``) and bare prices.
"""

from __future__ import annotations

from engine.checks.facts.case import Case, after, before
from engine.checks.facts.changes import amount_relation
from engine.checks.facts.closed import harmless
from engine.checks.facts.dates import MONTHS
from engine.checks.facts.distances import fits
from engine.checks.facts.items import Item, Segment, Sentence
from engine.checks.facts.known import LEVELS, SPANS, usd
from engine.checks.facts.levels import REFS
from engine.checks.facts.meanings import Meaning, counts, dollars, percents
from engine.checks.facts.roles import price_place, role_of
from engine.checks.facts.spans import resolve
from engine.checks.facts.words import cues

_TWO, _THREE, _FOUR = 10, 100, 1_000
_LEADING = {"above", "over", "higher", "more", "beyond"}
_BELOW = {"below", "under", "beneath", "underneath"}
_THEN = {"cost", "was", "were", "asked", "fetched", "would"}
_DEARER, _CHEAPER = {"more", "dearer", "higher"}, {"less", "cheaper", "lower"}
_ASCENT = {"ascent", "climb", "rise", "rally", "gain"}
_NEEDS_MORE = {"needs", "needed", "climb", "another", "further", "takes"}
_CHAIN = ("block", "halving", "halved", "blk", "height", "chain", "subsidy", "tip", "counter")
_EPOCH = {210_000: "done", 1_050_000: "height"}


def value_first(case: Case, sentence: Sentence, segment: Segment) -> None:
    """Prove the numbers of a segment that are a known value nobody contradicts."""
    for item in segment.of("num"):
        number = item.number
        if item.done or number is None or number.grain <= 0 or _denied(segment, item):
            continue
        relation = amount_relation(segment, item.place)
        within = "within" in _texts(case, before(segment, item.place, 2))
        for meaning in _meanings(case, sentence, item):
            near = fits(number, meaning.value, relation) or _rounded(item, meaning, relation)
            if within and not relation and meaning.value > number.value * 1.005:
                continue
            if near and _allowed(case, sentence, segment, item, meaning):
                _prove(case, segment, item, meaning)
                break
        else:
            _named_round(case, segment, item)


def _rounded(item: Item, meaning: Meaning, relation: str) -> bool:
    """``a $7,900 rise`` for 7,896: a distance to its last hundred, a thousandth off at most."""
    number = item.number
    assert number is not None  # noqa: S101
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
    number, price = item.number, case.known.level("price")
    assert number is not None  # noqa: S101
    chain = sentence.has("topic", "block", "halving", "fees", "fng", "supply", "diff")
    timed = sentence.has("span") or any("ago" in p.claim for p in case.proofs)
    moved = bool(number.sign) and timed and _digits(item) >= _TWO
    large = number.value >= _FOUR or _digits(item) >= _FOUR
    return bool(price) and (large or moved) and not chain


def _digits(item: Item) -> int:
    assert item.number is not None  # noqa: S101
    return round(item.number.value / item.number.grain)


def _allowed(
    case: Case, sentence: Sentence, segment: Segment, item: Item, meaning: Meaning
) -> bool:
    number, price = item.number, case.known.level("price")
    assert number is not None  # noqa: S101
    following = after(segment, item.place, 3)
    part_of = item.value == "pct" and any(x.value == "of" for x in following[:1])
    part_of = part_of and not _texts(case, following) & {"price", "value", "worth"}
    if part_of and meaning.kind != "share":
        return False
    if segment.of("swing") or (sentence.has("topic", "asset") and case.content_type == "price"):
        return False
    other_way = number.sign and meaning.side and (number.sign > 0) != (meaning.side > 0)
    if other_way and meaning.kind != "needed":
        return _beside(case, segment, item, meaning)
    if item.value == "usd" and price and meaning.kind != "past" and number.equals(price):
        return False
    dollars = item.value != "pct" and not number.sign and meaning.kind in ("gap", "round", "move")
    if dollars and price_place(case, segment, item):
        return False
    ascent = meaning.kind == "gap" and item.value == "pct" and meaning.side < 0
    if ascent and _said(case, segment) & _ASCENT and not _said(case, segment) & _BELOW:
        return False  # a way up is a share of the price, not of the level
    led = before(segment, item.place, 6)
    must = _texts(case, led) & {"needs", "need", "needed", "must"}
    if must and meaning.kind == "gap" and item.value == "pct":
        return False  # what is needed is a share of the price
    if must and any(x.value == "down" for x in segment.of("dir")):
        return False
    if meaning.kind == "needed":
        needs = bool(_said(case, segment) & cues("needs")) and number.sign >= 0
        return needs and meaning.role in case.spoken and _digits(item) >= _TWO
    if meaning.kind == "count":
        return _counts(case, segment, item, meaning)
    if meaning.kind == "past":
        return _was(case, sentence, segment, item, meaning)
    if meaning.kind == "move":
        return _moves(case, sentence, segment, item, meaning)
    if meaning.kind == "share":
        return part_of and _shares(segment, item, meaning)
    return _apart(case, sentence, segment, item, meaning)


def _said(case: Case, segment: Segment) -> set[str]:
    """Words and senses of a segment; of the one before it, too, where it is a number alone."""
    said = _texts(case, segment.items)
    if all(x.kind in ("num", "sep", "rel") for x in segment.items):
        said |= _texts(case, _earlier(case, segment))
    return said


def _earlier(case: Case, segment: Segment) -> list[Item]:
    """The items of the sentence before a segment."""
    k = next((k for k, x in enumerate(case.sentence.segments) if x is segment), 0)
    return [item for earlier in case.sentence.segments[:k] for item in earlier.items]


def _texts(case: Case, items: list[Item]) -> set[str]:
    said = {word.strip(".,;:!?()") for x in items for word in case.quote(x).lower().split()}
    return said | {x.value for x in items if x.kind in ("rel", "dir")}


# --- distances ----------------------------------------------------------------------------------


def _apart(case: Case, sentence: Sentence, segment: Segment, item: Item, meaning: Meaning) -> bool:
    """A distance from a level that is spoken of."""
    said = _said(case, segment)
    if _other_spans(segment) or not _side_agrees(case, segment, item, meaning):
        return False
    tempered = bool(amount_relation(segment, item.place))
    if meaning.kind == "round":
        must = _texts(case, before(segment, item.place, 6)) & cues("needs")
        if item.value == "pct" and must:
            return meaning.role == "needed"
        if item.value == "pct":  # "To 100k: $3,520 (3.6 %)"
            return bool(case.proofs) and case.proofs[-1].claim == meaning.claim
        cued = bool(said & (cues("over") | cues("under"))) or _digits(item) >= _THREE
        return not segment.of("ref", "ago") and _digits(item) >= _TWO and cued
    if meaning.kind == "shy":
        came = bool(said & {"came", "got", "within", "short"}) and _past(case, segment)
        return came and _digits(item) >= _TWO
    named = {x.value for x in segment.of("ref")} & set(REFS)
    both = meaning.role == "ath" and "high" in named and "ath" in case.spoken
    if named and meaning.role not in named and not both:
        return False
    spoken = case.spoken | {r for r in REFS for p in case.proofs[-3:] if p.fact == LEVELS[r][0]}
    if meaning.role not in spoken or (meaning.value == 0 and item.value == "usd"):
        return False
    cue = said & (cues("over") | cues("under") | cues("apart")) or (
        item.number and item.number.sign
    )
    exact = _digits(item) >= _TWO or tempered
    return bool(cue) and exact and not sentence.has("topic", "volume", "cap")


def _side_agrees(case: Case, segment: Segment, item: Item, meaning: Meaning) -> bool:
    """No word beside the number puts the price on the other side."""
    near = segment.items[max(0, item.place - 5) : item.place + 6]
    hedges = [item, *_hedges(segment, item)]
    near = [x for x in near if not any(x is y for y in hedges)]
    said = _texts(case, near)
    ways = {"up": "higher", "down": "lower"}
    said |= {ways[x.value] for x in near if x.kind == "dir" and x.value in ways}
    ups, downs = said & cues("over"), (said & cues("under")) - cues("either")
    if meaning.side > 0:
        leads = downs <= _BELOW and _level_leads(case, segment, item)
        return not downs or bool(ups) or leads
    if not ups or downs or said & _NEEDS_MORE:
        return True
    return ups <= _LEADING and _level_leads(case, segment, item)


def _hedges(segment: Segment, item: Item) -> list[Item]:
    """The words that temper the number itself: ``more than $500 below``."""
    led = before(segment, item.place, 3) if amount_relation(segment, item.place) else []
    return [x for x in led if x.kind == "rel"]


def _level_leads(case: Case, segment: Segment, item: Item) -> bool:
    """``the record is a quarter above``: the level is the subject, not the price."""
    led = segment.items[: item.place]
    bare = not segment.of("ref", "topic") and not _texts(case, segment.items) & cues("pronouns")
    led = _earlier(case, segment) + led if bare else led
    led = led[: next((k for k, x in enumerate(led) if x.kind == "rel"), len(led))]
    return any(x.kind == "ref" for x in led) and not any(x.kind == "topic" for x in led)


def _beside(case: Case, segment: Segment, item: Item, meaning: Meaning) -> bool:
    """``High $82,415 (+$415)``: from the price to the level in front."""
    level = case.known.level(meaning.role) if meaning.kind == "gap" else None
    led = [x for x in before(segment, item.place, 3) if x.kind == "num"]
    bracket = any(x.value == "(" for x in before(segment, item.place, 1))
    return bool(level and bracket and led and led[0].number and led[0].number.equals(level))


def _other_spans(segment: Segment) -> bool:
    spans = [x.value.removeprefix("other:") for x in segment.of("span") if x.number is None]
    return any(span not in MONTHS and span != "24h" for span in spans)


def _named_round(case: Case, segment: Segment, item: Item) -> None:
    """A level the text measures from: ``$100K? It still needs $6,129``."""
    number, price = item.number, case.known.level("price")
    digits = {"five": 1e4, "six": 1e5, "seven": 1e6}.get(case.quote(item).lower())
    if number is None or not price or (digits or number.value) not in case.measured or number.sign:
        return
    led = _texts(case, before(segment, item.place, 1)) & {"needs", "need", "now", "currently"}
    rels = [x.value for x in after(segment, item.place, 2) if x.kind in ("rel", "dir")]
    leads = any(x.kind == "num" for x in after(segment, item.place, 4)) and rels[:1] != ["to"]
    if segment.of("ref", "ago") or led or (rels and leads) or price_place(case, segment, item):
        return
    relation = amount_relation(segment, item.place)
    above, below = relation.endswith("above"), relation.endswith("below")
    if (above and price <= number.value) or (below and price >= number.value):
        return
    case.prove(item, "a named level", "price_usd", usd(price))


# --- moves and earlier prices -------------------------------------------------------------------


def _moves(case: Case, sentence: Sentence, segment: Segment, item: Item, meaning: Meaning) -> bool:
    """A change over the horizon that is said, else of one proved before, 24 hours where none is."""
    spans = {x.value for x in segment.of("span", "ago")} or {
        x.value for x in sentence.items() if x.kind in ("span", "ago")
    }
    proved = {span for span, key in SPANS.items() if any(key in p.fact for p in case.proofs[-6:])}
    spans = spans or ({case.span} if case.span else (proved if item.value != "pct" else set()))
    spans = spans or {"24h"}
    bracket = any(x.value == "(" for x in before(segment, item.place, 1))
    if bracket and case.proofs and meaning.fact in case.proofs[-1].fact:
        spans = {meaning.span}  # "-$6.2k (-8.3 %)"
    if item.value == "pct" and len(spans) > 1:
        spans = {resolve(segment, item, case.span)}
    if meaning.span not in spans or segment.of("ref") or segment.of("mult"):
        return False
    named = [x for x in segment.of("topic") if case.quote(x).lower() != "asset"]
    topics = {x.value for x in named} or {"btc" if segment.of("topic") else case.subject}
    moving = cues("over") | cues("under") | cues("moved")
    told = bool(_directions(case, segment) or _said(case, segment) & moving)
    told = told or bool(item.number and item.number.sign) or _restated(case, meaning)
    if topics - {"btc", "price", "market"} or not told:
        return False
    if item.value == "pct" and (len(spans) > 1 or segment.of("dir")):
        return False
    worded = bool(item.number and item.number.worded)
    exact = worded or _digits(item) >= _TWO or bool(amount_relation(segment, item.place))
    return (item.value == "pct" or exact) and _agrees(case, segment, item, meaning)


def _agrees(case: Case, segment: Segment, item: Item, meaning: Meaning) -> bool:
    """Every word of a direction goes the way of the change, and there is one, or none is meant."""
    said = _said(case, segment) - _texts(case, _hedges(segment, item))
    ways = {1 if x.value == "up" else -1 for x in _directions(case, segment)}
    ways |= {1} if said & cues("gained") else set()
    ways |= {-1} if said & cues("lost") else set()
    then = any(x.place < item.place for x in segment.of("ago")) and said & _THEN
    if then and len(said & (_DEARER | _CHEAPER)) == 1 and not _directions(case, segment):
        return meaning.side == (-1 if said & _DEARER else 1)  # "a week ago it cost $1,900 more"
    signed = bool(item.number and item.number.sign)
    free = signed or _restated(case, meaning) or bool(said & cues("unsigned"))
    return ways == {meaning.side} or (not ways and free)


def _restated(case: Case, meaning: Meaning) -> bool:
    """Whether the same change was just proved as a percentage: ``7d +1.25 %, roughly $1,012``."""
    return any(SPANS[meaning.span] == p.fact for p in case.proofs[-3:])


def _directions(case: Case, segment: Segment) -> list[Item]:
    """Words of a direction in the segment, else in the sentence before it."""
    found = [x for x in segment.of("dir", "emoji") if x.value in ("up", "down")]
    led = [x for x in _earlier(case, segment) if x.kind in ("dir", "emoji")]
    return found or [x for x in led if x.value in ("up", "down")]


def _was(case: Case, sentence: Sentence, segment: Segment, item: Item, meaning: Meaning) -> bool:
    """An earlier price, told as one: ``it was $69,022 a day ago``, ``$109,439 (24h ago)``."""
    said = _said(case, segment) | _texts(case, list(sentence.items()))
    spans = {x.value for x in sentence.items() if x.kind in ("span", "ago")} & set(SPANS)
    beside = [x for x in after(segment, item.place, 2) if x.value != "("][:1]
    beside += [x for x in before(segment, item.place, 2) if x.value != ":"][:1]
    apposed = any(x.kind == "ago" and x.value == meaning.span for x in beside)
    bracket = any(x.value == "(" for x in before(segment, item.place, 1))
    if not apposed and any(x.kind == "ago" and not x.done for x in beside):
        return False
    ended = {"finished", "ended", "ends", "closed", "landed", "finishes"}
    if _texts(case, before(segment, item.place, 5)) & ended:
        return False
    onto = any(x.value == "to" and x.kind == "rel" for x in before(segment, item.place, 1))
    if (item.number and item.number.sign) or segment.of("ref") or onto:
        return False
    if segment.of("dir") and not bracket and not apposed:
        return False
    if meaning.span not in (spans or {"24h"}) or not (said & cues("before") or sentence.has("ago")):
        return False
    plain = amount_relation(segment, item.place) in ("", "about", "just_above", "just_below")
    exact = _digits(item) >= (_THREE if apposed else _FOUR)
    return plain and exact and (apposed or not _now(case, segment, item))


def _now(case: Case, segment: Segment, item: Item) -> bool:
    led = _texts(case, before(segment, item.place, 3))
    return bool(led & {"now", "currently", "trades"})


# --- shares and counts --------------------------------------------------------------------------


def _shares(segment: Segment, item: Item, meaning: Meaning) -> bool:
    """``97 % of its record``."""
    following = after(segment, item.place, 4)
    exact = item.number is not None and item.number.equals(meaning.value)
    return exact and any(x.kind == "ref" and x.value == meaning.role for x in following)


def _counts(case: Case, segment: Segment, item: Item, meaning: Meaning) -> bool:
    said, text = _said(case, segment) | {segment.intro}, case.text.lower()
    if meaning.role == "sats":
        dollar = "dollar" in text or "$" in text or "usd" in text
        return "sat" in text and dollar and _digits(item) >= _TWO and not segment.of("ago")
    chain = any(word in text for word in _CHAIN)
    if _digits(item) < _THREE or not chain:
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
    return _digits(item) >= _FOUR and not onward and not segment.of("dir", "ago")


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
        leads = meaning.side < 0 and _level_leads(case, segment, item)
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
    if _digits(item) >= _FOUR and item.value == "usd":
        return _level(case, segment, item)
    return item.value == "bare" and _digits(item) >= _FOUR and _bare_price(case, segment, item)


def _past(case: Case, segment: Segment) -> bool:
    """Whether the segment tells of the day behind: a verb in the past, or the day itself."""
    words = _texts(case, segment.items)
    day = any(x.value == "24h" for x in segment.of("span"))
    return day or any(word in cues("visited") or word.endswith("ed") for word in words)


def _level(case: Case, segment: Segment, item: Item) -> bool:
    """``$63,410 was seen in the last 24 hours``: the day's ends or the record, told as visited."""
    number, known = item.number, case.known
    price = known.level("price")
    assert number is not None  # noqa: S101
    if price is None or number.equals(price) or amount_relation(segment, item.place):
        return False
    words, ways = _texts(case, segment.items), {x.value for x in segment.of("dir")}
    past, asked = _past(case, segment), not segment.of("dir", "topic", "rel")
    for name, level in ((name, known.level(name)) for name in REFS):
        if level is None or not number.equals(level):
            continue
        role = role_of(case, segment, item)
        if role not in ("price", name):
            continue
        if name != "ath" and _other_spans(segment):
            continue
        heading = {"high": "down", "low": "up"}.get(name, "")
        told = (name in case.spoken and (asked or past)) or (name != "ath" and past)
        was = _texts(case, before(segment, item.place, 1)) & {"was", "were"}
        present = words & cues("present") and role == "price" and not asked and not was
        if told and heading not in ways and not present:
            case.prove(item, LEVELS[name][1], LEVELS[name][0], usd(level))
            return True
    return False


def _bare_price(case: Case, segment: Segment, item: Item) -> bool:
    """The price to the last digit and without a unit: ``L 91,650 | P 93,333 | H 93,900``."""
    number, price = item.number, case.known.level("price")
    assert number is not None  # noqa: S101
    dated = any(not x.done for x in segment.of("ago"))
    alone = (
        not dated
        and not segment.of("topic", "ref", "dir", "label", "fee")
        and all(harmless(x.value) for x in segment.of("word"))
    )
    led = _texts(case, before(segment, item.place, 2)) & {"last", "now", "spot", "px", "at"}
    if price is None or (number.grain > 1 and not led) or not number.equals(price) or not alone:
        return False
    case.prove(item, "the price", "price_usd", usd(price))
    return True
