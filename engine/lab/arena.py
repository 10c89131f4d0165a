"""Blind votes and the ranking they support: Bradley–Terry with bootstrap intervals.

Order-free, unlike Elo. A tie counts half a win for each side; a prior of half a win and half a
loss against an average contender keeps small samples finite (facts:
ollama-and-prompt-testing §3). Fitted by Hunter's MM algorithm (Annals of Statistics 32, 2004).
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from engine.lab.statistics import Interval, percentile
from engine.store import arena
from engine.store.arena import Pair, Vote

LEAST = 20
"""Votes a contender needs before its rank is told (15 of 20 is what p < .05 takes)."""
PRIOR = 0.5
_DRAWS = 400


@dataclass(frozen=True)
class Shown:
    """A pair as it is shown: sides drawn at random, contenders unknown."""

    run_id: int
    content_type: str
    left_place: int
    left_text: str
    right_place: int
    right_text: str


@dataclass(frozen=True)
class Standing:
    """One contender. ``strength``: log of its Bradley–Terry strength, mean of all 0."""

    name: str
    votes: int
    wins: int
    ties: int
    strength: float
    interval: Interval


@dataclass(frozen=True)
class Ranking:
    """Best first. ``verdict`` says who leads, or why nobody can be said to."""

    standings: tuple[Standing, ...]
    votes: int
    verdict: str


def next_pair(db: Database, voter: str, rng: random.Random) -> Shown | None:
    """A random pair this voter has not judged, sides at random; None when all are judged."""
    count = arena.open_pairs(db, voter)
    pair = arena.open_pair(db, voter, rng.randrange(count)) if count else None
    return _sides(pair, rng) if pair else None


def rank(votes: Sequence[Vote], rng: random.Random, *, draws: int = _DRAWS) -> Ranking:
    """The ranking that ``votes`` support."""
    if not votes:
        return Ranking((), 0, "not enough votes: there are none")
    names = sorted({vote.left for vote in votes} | {vote.right for vote in votes})
    strengths = fit(votes, names)
    drawn = [fit(rng.choices(votes, k=len(votes)), names) for _ in range(draws)]
    standings = sorted(
        (_standing(name, votes, strengths[name], [d[name] for d in drawn]) for name in names),
        key=lambda item: -item.strength,
    )
    return Ranking(tuple(standings), len(votes), _verdict(standings, votes))


def fit(
    votes: Sequence[Vote], names: Sequence[str], prior: float = PRIOR, *, steps: int = 200
) -> dict[str, float]:
    """Log strengths with mean 0."""
    wins = dict.fromkeys(names, prior)
    games: dict[str, dict[str, int]] = {name: {} for name in names}
    for vote in votes:
        for name, other, side in (
            (vote.left, vote.right, "left"),
            (vote.right, vote.left, "right"),
        ):
            wins[name] += 1.0 if vote.choice == side else 0.5 if vote.choice == "tie" else 0.0
            games[name][other] = games[name].get(other, 0) + 1
    strength = dict.fromkeys(names, 1.0)
    for _ in range(steps):
        new = {}
        for name in names:
            met = sum(n / (strength[name] + strength[o]) for o, n in games[name].items())
            met += 2 * prior / (strength[name] + 1.0)  # the average contender
            new[name] = wins[name] / met if met else 1.0
        moved = max(abs(math.log(new[name] / strength[name])) for name in names)
        strength = new
        if moved < 1e-9:
            break
    logs = {name: math.log(value) for name, value in strength.items()}
    mean = sum(logs.values()) / len(logs)
    return {name: value - mean for name, value in logs.items()}


def _standing(name: str, votes: Sequence[Vote], strength: float, drawn: list[float]) -> Standing:
    mine = [vote for vote in votes if name in (vote.left, vote.right)]
    ordered = sorted(drawn)
    return Standing(
        name=name,
        votes=len(mine),
        wins=sum((v.left == name) == (v.choice == "left") for v in mine if v.choice != "tie"),
        ties=sum(vote.choice == "tie" for vote in mine),
        strength=strength,
        interval=Interval(percentile(ordered, 0.025), percentile(ordered, 0.975)),
    )


def _verdict(standings: Sequence[Standing], votes: Sequence[Vote]) -> str:
    least = min(item.votes for item in standings)
    if least < LEAST:
        return f"not enough votes: the least judged contender has {least} of {LEAST}"
    if not _connected([item.name for item in standings], votes):
        return "not enough votes: some contenders never met, not even by way of others"
    first, second = standings[0], standings[1]
    if first.interval.low > second.interval.high:
        return f"{first.name} leads"
    return f"no leader: the intervals of {first.name} and {second.name} overlap"


def _connected(names: Sequence[str], votes: Sequence[Vote]) -> bool:
    reached, edge = {names[0]}, [names[0]]
    while edge:
        name = edge.pop()
        for vote in votes:
            for one, other in ((vote.left, vote.right), (vote.right, vote.left)):
                if one == name and other not in reached:
                    reached.add(other)
                    edge.append(other)
    return len(reached) == len(names)


def _sides(pair: Pair, rng: random.Random) -> Shown:
    sides = [(pair.first_place, pair.first_text), (pair.second_place, pair.second_text)]
    rng.shuffle(sides)
    (left_place, left_text), (right_place, right_text) = sides
    return Shown(pair.run_id, pair.content_type, left_place, left_text, right_place, right_text)
