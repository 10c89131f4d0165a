"""Which horizon a direction or a percentage speaks of."""

from __future__ import annotations

from engine.checks.facts.items import Item, Segment, Sentence


def free_spans(segment: Segment) -> list[Item]:
    """The horizons of a segment, ``a day ago`` among them."""
    return segment.of("span", "ago")


def resolve(segment: Segment, item: Item, inherited: str) -> str:
    """``1h``, ``24h``, ``7d`` or ``other:…`` for a claim; 24 h where nothing is said."""
    spans = free_spans(segment)
    if not spans:
        return inherited or "24h"
    place = segment.index(item)
    following = segment.items[place + 1 : place + 2]
    if item.kind in ("emoji", "dir") and any(other.value == "pct" for other in following):
        place += 1
    led = segment.items[max(0, place - 2) : place]
    if len(led) == 2 and led[1].value == ":" and led[0] in spans:
        led[0].done = True
        return led[0].value
    claims = [segment.index(other) for other in segment.of("num", "dir")]
    places = [segment.index(span) for span in spans]
    lead = min(places) < min(claims, default=place)
    best = min(
        range(len(spans)), key=lambda k: (abs(places[k] - place), (places[k] > place) == lead)
    )
    spans[best].done = True
    return spans[best].value


def claims_something(segment: Segment) -> bool:
    return any(
        item.kind in ("dir", "num", "emoji", "label", "mult") and item.value != "date"
        for item in segment.items
    )


def trailing(sentence: Sentence, k: int) -> str:
    """The horizon of a claimless segment right after segment ``k``: ``up 4 %, on the week``."""
    if k + 1 >= len(sentence.segments):
        return ""
    following = sentence.segments[k + 1]
    if claims_something(following):
        return ""
    spans = free_spans(following)
    return spans[0].value if spans else ""
