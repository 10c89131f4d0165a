"""Distances by value: whether the words let a number be what parts the price from a level."""

from __future__ import annotations

from engine.checks.facts.case import Case, after, before, earlier, texts, told_past, words_of
from engine.checks.facts.changes import amount_relation
from engine.checks.facts.dates import MONTHS
from engine.checks.facts.items import Item, Segment, Sentence
from engine.checks.facts.known import LEVELS, usd
from engine.checks.facts.levels import REFS
from engine.checks.facts.meanings import Meaning
from engine.checks.facts.roles import price_place
from engine.checks.facts.words import cues

_TWO, _THREE = 10, 100
_LEADING = {"above", "over", "higher", "more", "beyond"}
BELOW = {"below", "under", "beneath", "underneath"}
_NEEDS_MORE = {"needs", "needed", "climb", "another", "further", "takes"}


def apart(case: Case, sentence: Sentence, segment: Segment, item: Item, meaning: Meaning) -> bool:
    """A distance from a level that is spoken of."""
    said = words_of(case, segment)
    if other_spans(segment) or not _side_agrees(case, segment, item, meaning):
        return False
    tempered = bool(amount_relation(segment, item.place))
    if meaning.kind == "round":
        must = texts(case, before(segment, item.place, 6)) & cues("needs")
        if item.value == "pct" and must:
            return meaning.role == "needed"
        if item.value == "pct":  # "To 100k: $3,520 (3.6 %)"
            return bool(case.proofs) and case.proofs[-1].claim == meaning.claim
        cued = bool(said & (cues("over") | cues("under"))) or item.digits >= _THREE
        return not segment.of("ref", "ago") and item.digits >= _TWO and cued
    if meaning.kind == "shy":
        came = bool(said & {"came", "got", "within", "short"}) and told_past(case, segment)
        return came and item.digits >= _TWO
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
    exact = item.digits >= _TWO or tempered
    return bool(cue) and exact and not sentence.has("topic", "volume", "cap")


def _side_agrees(case: Case, segment: Segment, item: Item, meaning: Meaning) -> bool:
    """No word beside the number puts the price on the other side."""
    near = segment.items[max(0, item.place - 5) : item.place + 6]
    hedges = [item, *hedging(segment, item)]
    near = [x for x in near if not any(x is y for y in hedges)]
    said = texts(case, near)
    ways = {"up": "higher", "down": "lower"}
    said |= {ways[x.value] for x in near if x.kind == "dir" and x.value in ways}
    ups, downs = said & cues("over"), (said & cues("under")) - cues("either")
    if meaning.side > 0:
        leads = downs <= BELOW and level_leads(case, segment, item)
        return not downs or bool(ups) or leads
    if not ups or downs or said & _NEEDS_MORE:
        return True
    return ups <= _LEADING and level_leads(case, segment, item)


def hedging(segment: Segment, item: Item) -> list[Item]:
    """The words that temper the number itself: ``more than $500 below``."""
    led = before(segment, item.place, 3) if amount_relation(segment, item.place) else []
    return [x for x in led if x.kind == "rel"]


def level_leads(case: Case, segment: Segment, item: Item) -> bool:
    """``the record is a quarter above``: the level is the subject, not the price."""
    led = segment.items[: item.place]
    bare = not segment.of("ref", "topic") and not texts(case, segment.items) & cues("pronouns")
    led = earlier(case, segment) + led if bare else led
    led = led[: next((k for k, x in enumerate(led) if x.kind == "rel"), len(led))]
    return any(x.kind == "ref" for x in led) and not any(x.kind == "topic" for x in led)


def beside_level(case: Case, segment: Segment, item: Item, meaning: Meaning) -> bool:
    """``High $82,415 (+$415)``: from the price to the level in front."""
    level = case.known.level(meaning.role) if meaning.kind == "gap" else None
    led = [x for x in before(segment, item.place, 3) if x.kind == "num"]
    bracket = any(x.value == "(" for x in before(segment, item.place, 1))
    return bool(level and bracket and led and led[0].number and led[0].number.equals(level))


def other_spans(segment: Segment) -> bool:
    spans = [x.value.removeprefix("other:") for x in segment.of("span") if x.number is None]
    return any(span not in MONTHS and span != "24h" for span in spans)


def named_round(case: Case, segment: Segment, item: Item) -> None:
    """A level the text measures from: ``$100K? It still needs $6,129``."""
    number, price = item.number, case.known.level("price")
    digits = {"five": 1e4, "six": 1e5, "seven": 1e6}.get(case.quote(item).lower())
    if number is None or not price or (digits or number.value) not in case.measured or number.sign:
        return
    led = texts(case, before(segment, item.place, 1)) & {"needs", "need", "now", "currently"}
    rels = [x.value for x in after(segment, item.place, 2) if x.kind in ("rel", "dir")]
    leads = any(x.kind == "num" for x in after(segment, item.place, 4)) and rels[:1] != ["to"]
    if segment.of("ref", "ago") or led or (rels and leads) or price_place(case, segment, item):
        return
    relation = amount_relation(segment, item.place)
    above, below = relation.endswith("above"), relation.endswith("below")
    if (above and price <= number.value) or (below and price >= number.value):
        return
    case.prove(item, "a named level", "price_usd", usd(price))
