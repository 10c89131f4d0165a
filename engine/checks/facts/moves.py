"""Moves by value: whether the words let a number be a change over a horizon, or an earlier price."""

from __future__ import annotations

from engine.checks.facts.apart import hedging
from engine.checks.facts.case import Case, after, before, earlier, texts, words_of
from engine.checks.facts.changes import amount_relation
from engine.checks.facts.items import Item, Segment, Sentence
from engine.checks.facts.known import SPANS
from engine.checks.facts.meanings import Meaning
from engine.checks.facts.spans import resolve
from engine.checks.facts.words import cues

_TWO, _THREE, _FOUR = 10, 100, 1_000
_THEN = {"cost", "was", "were", "asked", "fetched", "would"}
_DEARER, _CHEAPER = {"more", "dearer", "higher"}, {"less", "cheaper", "lower"}


def moves(case: Case, sentence: Sentence, segment: Segment, item: Item, meaning: Meaning) -> bool:
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
    told = bool(_directions(case, segment) or words_of(case, segment) & moving)
    told = told or bool(item.number and item.number.sign) or _restated(case, meaning)
    if topics - {"btc", "price", "market"} or not told:
        return False
    if item.value == "pct" and (len(spans) > 1 or segment.of("dir")):
        return False
    worded = bool(item.number and item.number.worded)
    exact = worded or item.digits >= _TWO or bool(amount_relation(segment, item.place))
    return (item.value == "pct" or exact) and _agrees(case, segment, item, meaning)


def _agrees(case: Case, segment: Segment, item: Item, meaning: Meaning) -> bool:
    """Every word of a direction goes the way of the change, and there is one, or none is meant."""
    said = words_of(case, segment) - texts(case, hedging(segment, item))
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
    led = [x for x in earlier(case, segment) if x.kind in ("dir", "emoji")]
    return found or [x for x in led if x.value in ("up", "down")]


def was(case: Case, sentence: Sentence, segment: Segment, item: Item, meaning: Meaning) -> bool:
    """An earlier price, told as one: ``it was $69,022 a day ago``, ``$109,439 (24h ago)``."""
    said = words_of(case, segment) | texts(case, list(sentence.items()))
    spans = {x.value for x in sentence.items() if x.kind in ("span", "ago")} & set(SPANS)
    beside = [x for x in after(segment, item.place, 2) if x.value != "("][:1]
    beside += [x for x in before(segment, item.place, 2) if x.value != ":"][:1]
    apposed = any(x.kind == "ago" and x.value == meaning.span for x in beside)
    bracket = any(x.value == "(" for x in before(segment, item.place, 1))
    if not apposed and any(x.kind == "ago" and not x.done for x in beside):
        return False
    ended = {"finished", "ended", "ends", "closed", "landed", "finishes"}
    if texts(case, before(segment, item.place, 5)) & ended:
        return False
    onto = any(x.value == "to" and x.kind == "rel" for x in before(segment, item.place, 1))
    if (item.number and item.number.sign) or segment.of("ref") or onto:
        return False
    if segment.of("dir") and not bracket and not apposed:
        return False
    if meaning.span not in (spans or {"24h"}) or not (said & cues("before") or sentence.has("ago")):
        return False
    plain = amount_relation(segment, item.place) in ("", "about", "just_above", "just_below")
    exact = item.digits >= (_THREE if apposed else _FOUR)
    return plain and exact and (apposed or not _now(case, segment, item))


def _now(case: Case, segment: Segment, item: Item) -> bool:
    led = texts(case, before(segment, item.place, 3))
    return bool(led & {"now", "currently", "trades"})
