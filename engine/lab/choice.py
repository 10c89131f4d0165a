"""Which model and recipe to run: the one that needs the least time per accepted post, if the
evidence tells it apart from the next; else there is no clear choice, and that is said."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from engine.lab.statistics import Interval, Rate, bootstrap
from engine.store.bench import BenchCall

LEAST = 20
"""Calls an option needs before it can be chosen."""


@dataclass(frozen=True)
class Option:
    """A model with a recipe, over all content types of its runs.

    ``seconds_per_accepted`` None: nothing was accepted. ``missing``: types without one accepted
    post.
    """

    model: str
    recipe: str
    acceptance: Rate
    seconds_per_accepted: float | None
    interval: Interval | None
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """``option`` None: no clear choice. ``reason`` is a sentence for people."""

    option: Option | None
    reason: str
    options: tuple[Option, ...]


def choose(calls: Sequence[BenchCall]) -> Choice:
    """From the warm calls of one or several runs."""
    groups: dict[tuple[str, str], list[BenchCall]] = {}
    for call in calls:
        if call.phase == "warm":
            groups.setdefault((call.model, call.recipe_used), []).append(call)
    options = sorted((_option(key, group) for key, group in groups.items()), key=_rank)
    usable = [item for item in options if item.interval and not item.missing]
    if not usable:
        reason = "no option wrote an accepted post of every kind in at least 20 calls"
        return Choice(None, reason, tuple(options))
    best = usable[0]
    told = (
        f"{best.model} with recipe {best.recipe} needs {best.seconds_per_accepted:.2f} s per "
        f"accepted post"
    )
    if len(usable) == 1:
        return Choice(best, f"{told}; no other option did every kind of post", tuple(options))
    next_best = usable[1]
    assert best.interval and next_best.interval  # noqa: S101  usable means so
    if best.interval.high < next_best.interval.low:
        reason = (
            f"{told}, and its interval ends ({best.interval.high:.2f} s) before the next one's, "
            f"{next_best.model} with {next_best.recipe}, begins ({next_best.interval.low:.2f} s)"
        )
        return Choice(best, reason, tuple(options))
    return Choice(None, _undecided(usable), tuple(options))


def _undecided(usable: Sequence[Option]) -> str:
    """Who cannot be told apart, and from whom they can."""
    ends = [item.interval for item in usable if item.interval]
    level = [item for item, own in zip(usable, ends, strict=True) if own.low <= ends[0].high]
    names = " and ".join(f"{item.model} with {item.recipe}" for item in level)
    reason = f"the intervals of {names} overlap; more repeats may tell them apart"
    if len(level) < len(usable):
        rest = min(own.low for own in ends if own.low > ends[0].high)
        reason += (
            f". The others are told apart from the first: their intervals begin at {rest:.2f} s"
        )
    return reason


def _option(key: tuple[str, str], calls: list[BenchCall]) -> Option:
    kinds = {call.content_type for call in calls}
    done = {call.content_type for call in calls if call.verdict == "pass"}
    accepted = sum(call.verdict == "pass" for call in calls)
    interval = None
    if accepted and len(calls) >= LEAST:
        interval = bootstrap(calls, _seconds_each, random.Random(1))
    return Option(
        key[0],
        key[1],
        Rate(accepted, len(calls)),
        _seconds_each(calls) if accepted else None,
        interval,
        tuple(sorted(kinds - done)),
    )


def _seconds_each(calls: Sequence[BenchCall]) -> float:
    """All time spent over accepted posts; no accepted post costs for ever."""
    accepted = sum(call.verdict == "pass" for call in calls)
    return sum(call.wall_s for call in calls) / accepted if accepted else float("inf")


def _rank(option: Option) -> tuple[bool, float]:
    seconds = option.seconds_per_accepted
    return seconds is None, seconds or 0.0
