"""The verb after the market: a word nobody knows may claim anything, so it is not let through."""

from __future__ import annotations

from engine.checks.facts.case import Case
from engine.checks.facts.items import Item, Segment
from engine.checks.facts.words import plain_predicates

_LIGHT = {
    "is", "was", "has", "have", "had", "just", "now", "also", "currently", "been", "being", "got", "gets", "getting",
    "its", "are", "were", "really", "clearly", "still", "already", "quietly", "looks", "looking", "seems", "feels",
}  # fmt: skip
_AUXILIARY = {"has", "have", "had"}
_MOVED_TO = 3


def unknown_predicates(case: Case, segment: Segment) -> None:
    """Reject ``Bitcoin frobs to $67,432``: an unknown word in the place of the market's verb."""
    if case.content_type != "price":
        return
    items = segment.items
    for i, item in enumerate(items):
        aux = (
            item.kind in ("dir", "ref") and i + 1 < len(items) and items[i + 1].value in _AUXILIARY
        )
        if not aux and (item.kind != "topic" or item.value != "btc"):
            continue
        for k, other in enumerate(items[i + 1 : i + 4], start=i + 1):
            if other.kind == "word" and other.value in _LIGHT:
                continue
            if other.kind == "word" and _unknown(other, items[k + 1 : k + 1 + _MOVED_TO]):
                case.reject("claim", other, "no rule knows what it says of the market")
            break


def _unknown(word: Item, following: list[Item]) -> bool:
    text = word.value
    if len(text) <= 3 or text in plain_predicates():
        return False
    inflected = text.endswith(("s", "ed", "ing")) and not text.endswith(("ss", "us"))
    led = bool(following) and (
        (following[0].kind == "rel" and following[0].value in ("to", "from", "above", "below"))
        or (following[0].kind == "num" and following[0].value in ("pct", "usd"))
        or following[0].value == "by"
    )
    return inflected or led
