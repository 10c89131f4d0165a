"""The closed world of price posts: what nobody proved must be known to claim nothing.

A sentence is about the market where it holds a claim, a market word, a word of the world that moves
markets (people, institutions, money, events) or a name. In it every word left over must stand in
``data/fact_plain.json``; a reason (``because``) or a deal without a price is a claim in any case. A
sentence about kettles and cats is free.
"""

from __future__ import annotations

import json
from functools import cache

from engine.checks.facts.case import Case, after, before
from engine.checks.facts.items import Item, Segment, Sentence
from engine.checks.facts.words import forms
from engine.resources import data_path

_MARKET = {
    "num", "dir", "ref", "emoji", "topic", "label", "mult", "ago", "swing", "claim", "super",
}  # fmt: skip
_REFERS = {"it", "it's", "its", "this", "that", "that's", "these", "those", "they", "which"}
_SPEAKER = {
    "i", "i'm", "i've", "i'd", "i'll", "my", "me", "we", "we're", "we've", "our", "you", "you're", "your",
}  # fmt: skip
_CURRENCY = {"dollar", "dollars"}
_PAID = ("usd", "sats", "btc", "feerate", "bare")


@cache
def _listed(group: str) -> frozenset[str]:
    """Words of ``plain.GROUP`` or of a top-level group; verbs with a star in every form."""
    data = json.loads(data_path("fact_plain.json").read_text(encoding="utf-8"))
    lines = data["plain"].get(group) or data[group]
    found: set[str] = set()
    for word in " ".join(lines).split():
        found.update(forms(word[:-1]) if word.endswith("*") else (word,))
    return frozenset(found)


@cache
def _plain() -> frozenset[str]:
    groups = ("grammar", "manner", "things", "doings", "talk")
    return frozenset().union(*(_listed(group) for group in groups))


def harmless(word: str) -> bool:
    """Whether a word claims nothing even beside Bitcoin."""
    if word in _listed("world"):
        return word in _plain()
    stems = (word, word.removesuffix("'s"), word.removesuffix("s"), word.removesuffix("ly"))
    return len(word) == 1 or any(stem in _plain() for stem in stems)


def countable(word: str) -> bool:
    """Whether a small number of these is a manner of speaking: two coffees, three words."""
    told = _thing(word) or word in _listed("counted")
    return told or (word.endswith("s") and _thing(word[:-1]))


def _thing(word: str) -> bool:
    """Whether a word names something of no market, whose own rise and fall is no claim."""
    return word in _listed("things")


def of_a_thing(segment: Segment, i: int) -> bool:
    """``the sun rose``, ``lift a cup``: what moves, or is moved, is of no market."""
    if segment.of("num", "ref") or any(x.kind == "topic" for x in segment.items[:i]):
        return False
    mover = next((x for x in before(segment, i, 4) if _thing(x.value)), None)
    moved = next((x for x in after(segment, i, 3) if _thing(x.value)), None)
    return mover is not None or moved is not None


def closed_world(case: Case, sentence: Sentence) -> None:
    """Reject the first word of a market sentence that nobody knows."""
    if case.content_type != "price" or not _about_market(case, sentence):
        return
    for segment in sentence.segments:
        if _speaks_of_self(segment):
            continue
        for item in segment.items:
            why = _unknown(segment, item)
            if why and not item.done:
                case.reject("claim", item, why)
                return


def _about_market(case: Case, sentence: Sentence) -> bool:
    items = list(sentence.items())
    if any(item.kind in _MARKET or item.value in _listed("world") for item in items):
        return True
    named = any(
        item.kind == "word" and case.text[item.start].isupper() and not harmless(item.value)
        for item in items[1:]
    )
    return named or bool(items and items[0].value in _REFERS)


def _speaks_of_self(segment: Segment) -> bool:
    """``and my third coffee is not helping``: no market in this clause."""
    return segment.items[0].value in _SPEAKER and not any(
        item.kind in _MARKET or item.value in _listed("world") for item in segment.items
    )


def _unknown(segment: Segment, item: Item) -> str:
    """Why a word cannot stand; empty where it can."""
    if item.kind == "conj" and item.value == "and" and item.end - item.start == len("because"):
        return "no fact tells why"
    if item.kind != "word":
        return ""
    if item.value in _listed("deals"):
        priced = any(x.kind == "num" and x.value in _PAID for x in segment.items)
        people = any(
            x.value in _listed("world") - _listed("deals") - _CURRENCY for x in segment.items
        )
        return "" if priced and not people else "the snapshot knows of no deals"
    return "" if harmless(item.value) else "no rule knows what it says of the market"
