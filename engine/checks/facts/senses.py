"""Words of several senses take the one that fits their sentence, before anything is judged."""

from __future__ import annotations

from engine.checks.facts.case import Case
from engine.checks.facts.items import Item, Sentence

_TIMED = ("over", "past", "around", "about", "within", "some", "near", "up to", "roughly")
_EARLIER = {"yesterday": "24h", "last week": "7d"}
_DID = {"did", "was", "stood", "cost"}


def settle(case: Case, sentence: Sentence) -> None:
    """Words of several senses take the one that fits the sentence."""
    fees = sentence.has("topic", "fees") or sentence.has("num", "feerate")
    market = sentence.has("num", "usd", "pct") or sentence.has("topic", "btc")
    listed = case.rates and not market  # the unit stands in another sentence
    for item in sentence.items() if fees or listed else ():
        _rate_of_an_hour(case, item)
    _ends_of_the_day(case, list(sentence.items()))
    _release_time_words(case, list(sentence.items()))
    _earlier_levels(case, list(sentence.items()))
    for item in sentence.items():
        other = next((sense for sense in item.senses[1:] if sense.kind != item.kind), None)
        rated = fees or (listed and not sentence.has("dir", "ref"))
        if other and "fee" in (item.kind, other.kind) and (other.kind == "fee") == rated:
            item.turn_into(other)
        elif item.kind == "fee" and not rated:
            timed = "hour" in case.quote(item).lower() or "min" in case.quote(item).lower()
            whole = timed and item.value == "hour"
            item.kind = "span" if timed else "word"
            item.value = "1h" if whole else "other:part of an hour" if timed else item.value


def _rate_of_an_hour(case: Case, item: Item) -> None:
    """``11 fast, 4 hour``: a rate and its name, no horizon."""
    number = item.number
    several = item.kind == "span" and number and number.unit == "hours" and number.value != 1
    if several and case.quote(item).lower().endswith("hour"):
        item.kind, item.value, item.size = "num", "bare", "hour"


def _ends_of_the_day(case: Case, items: list[Item]) -> None:
    """``the day's best price and its worst``: its high and its low, where both are spoken of."""
    told = case.text.lower()
    if "best" not in told or "worst" not in told:
        return
    for item in items:
        text = case.quote(item).lower().split()[-1]
        if item.kind in ("super", "ref") and text in ("best", "worst"):
            item.kind, item.value = "ref", "high" if text == "best" else "low"


def _earlier_levels(case: Case, items: list[Item]) -> None:
    """``below where it was 24 hours ago`` compares; ``since this time last week`` is one horizon."""
    for i, item in enumerate(items[:-1]):
        following = items[i + 1]
        text = case.quote(following).lower()
        if following.kind == "dir" and text.startswith(("where it", "where we")):
            if item.kind == "rel" and item.value in ("above", "below", "from"):
                named = text != "where it was"
                following.kind, following.value = ("ago", "24h") if named else ("word", "where")
        elif following.kind == "ago" and text.startswith("where") and _still_there(item):
            case.span, following.kind, following.value = following.value, "dir", "flat"
        elif (
            text in _EARLIER
            and following.kind == "span"
            and any(
                _compares(x)
                for x in ([item] if item.value not in _DID else items[max(0, i - 2) : i])
            )
        ):
            following.kind, following.value = "ago", _EARLIER[text]
        elif (
            item.kind == "span"
            and item.value == "other:an earlier moment"
            and following.kind == "ago"
        ):
            item.kind = "word"


def _still_there(item: Item) -> bool:
    """``is exactly where it was a week ago``."""
    return item.kind == "word" and item.value not in ("than", "from", "as", "of")


def _compares(item: Item) -> bool:
    return item.kind == "rel" or item.value in ("than", "from", "since", "vs", "as")


def _release_time_words(case: Case, items: list[Item]) -> None:
    """``over the past 24 hours``: neither ``over`` nor ``past`` relates a price to a level."""
    for i, item in enumerate(items):
        if item.kind != "rel" or case.quote(item).lower() not in _TIMED:
            continue
        for k, other in enumerate(items[i + 1 : i + 5], start=i + 1):
            if other.kind == "span":
                if not any(level.kind == "ref" for level in items[k + 1 : k + 3]):
                    item.kind = "word"
            elif other.value in ("the", "last", "previous", "a", "its", "in", "these") or (
                other.kind == "rel" and other.value == "above"
            ):
                continue
            break
