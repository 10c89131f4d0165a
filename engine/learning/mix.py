"""Thompson sampling with a floor, and what may be said of its data (experiments §2.9).

Pure functions; the runner needs no numpy for them. A bandit shifts what is written; it proves
nothing: naive means of its data are biased, so only Hájek estimates are shown, and a "+x %" comes
from a paired experiment alone.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PRIOR_SD = 0.3
DISCOUNT = 0.98
FLOOR = 0.1
DRAWS = 2000
FALLBACK_SD = 0.77
"""Post SD of y where an account's own cannot be told yet (experiments §5)."""


@dataclass(frozen=True)
class Seen:
    """One mature post: which arm, in which stratum, y = log engagement rate, how many days ago."""

    arm: str
    stratum: str
    y: float
    days_ago: float
    propensity: float = 1.0


@dataclass(frozen=True)
class Belief:
    """Gaussian posterior of an arm's effect on y, and on how many posts it stands."""

    mean: float
    sd: float
    posts: int


def beliefs(seen: Sequence[Seen], arms: Sequence[str]) -> dict[str, Belief]:
    """Posterior of each arm from y centred in its stratum; old posts count less."""
    centred = _centred(seen)
    noise = _residual_variance(seen, centred)
    result = {}
    for arm in arms:
        own = [(post, value) for post, value in zip(seen, centred, strict=True) if post.arm == arm]
        weights = [DISCOUNT ** max(post.days_ago, 0) for post, _ in own]
        precision = 1 / PRIOR_SD**2 + math.fsum(weights) / noise
        total = math.fsum(weight * value for weight, (_, value) in zip(weights, own, strict=True))
        result[arm] = Belief(total / noise / precision, precision**-0.5, len(own))
    return result


def weights(held: Mapping[str, Belief], rng: random.Random) -> dict[str, float]:
    """Chance of each arm to be drawn: how often it looks best, above a floor; they sum to 1."""
    arms = sorted(held)
    wins = dict.fromkeys(arms, 0)
    for _ in range(DRAWS):
        wins[max(arms, key=lambda arm: rng.gauss(held[arm].mean, held[arm].sd))] += 1
    least = floor_for(len(arms))
    return {arm: least + (1 - len(arms) * least) * wins[arm] / DRAWS for arm in arms}


def floor_for(arms: int) -> float:
    """0.1 for up to four arms, 0.4 shared out among more."""
    return min(FLOOR, 0.4 / arms)


@dataclass(frozen=True)
class Estimate:
    """Hájek's mean of y under an arm, its standard error, on how many posts."""

    mean: float
    error: float
    posts: int


def hajek(seen: Sequence[Seen], arms: Sequence[str]) -> dict[str, Estimate | None]:
    """Inverse-propensity means, normalised; None for an arm with fewer than two posts."""
    result: dict[str, Estimate | None] = {}
    for arm in arms:
        own = [post for post in seen if post.arm == arm]
        if len(own) < 2:
            result[arm] = None
            continue
        shares = [1 / post.propensity for post in own]
        total = math.fsum(shares)
        mean = math.fsum(share * post.y for share, post in zip(shares, own, strict=True)) / total
        spread = math.fsum(
            (share * (post.y - mean)) ** 2 for share, post in zip(shares, own, strict=True)
        )
        result[arm] = Estimate(mean, math.sqrt(spread) / total, len(own))
    return result


def _centred(seen: Sequence[Seen]) -> list[float]:
    groups: dict[str, list[float]] = defaultdict(list)
    for post in seen:
        groups[post.stratum].append(post.y)
    means = {stratum: math.fsum(values) / len(values) for stratum, values in groups.items()}
    return [post.y - means[post.stratum] for post in seen]


def _residual_variance(seen: Sequence[Seen], centred: Sequence[float]) -> float:
    free = len(seen) - len({post.stratum for post in seen})
    if free < 10:
        return FALLBACK_SD**2
    return max(math.fsum(value**2 for value in centred) / free, 1e-6)
