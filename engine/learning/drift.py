"""Two looks at whether one number can stand for the whole: novelty and carry-over.

Facts: experiments §2.8. Both are shown and flagged; neither adjusts anything.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from engine.learning.evidence import Array
from engine.learning.measure import Outcome, log_rate

FLAG_Z = 2.6
LEAST = 5


@dataclass(frozen=True)
class Drift:
    """Mean log ratio of two groups of pairs, and how many standard errors they are apart."""

    one: float
    other: float
    z: float

    @property
    def flagged(self) -> bool:
        return abs(self.z) > FLAG_Z


def novelty(differences: Array) -> Drift | None:
    """First half of the pairs against the second; None while either is too small."""
    middle = differences.size // 2
    return _apart(differences[:middle], differences[middle:])


def carry_over(outcomes: Sequence[Outcome], baseline: str, arm: str) -> Drift | None:
    """Pairs whose treated post came after a treated post, against the others."""
    ordered = sorted(outcomes, key=lambda outcome: outcome.posted_at)
    before = {
        outcome.block: previous.arm for previous, outcome in pairwise(ordered) if outcome.arm == arm
    }
    values = {(outcome.block, outcome.arm): _y(outcome) for outcome in outcomes}
    groups: dict[bool, list[float]] = {True: [], False: []}
    for block, previous_arm in before.items():
        if (block, baseline) in values:
            difference = values[block, arm] - values[block, baseline]
            groups[previous_arm == arm].append(difference)
    return _apart(np.array(groups[True]), np.array(groups[False]))


def _y(outcome: Outcome) -> float:
    return log_rate(outcome.engagements, outcome.impressions)


def _apart(one: Array, other: Array) -> Drift | None:
    if min(one.size, other.size) < LEAST:
        return None
    noise = math.sqrt(one.var(ddof=1) / one.size + other.var(ddof=1) / other.size)
    if noise == 0:
        return None
    return Drift(float(one.mean()), float(other.mean()), float((other.mean() - one.mean()) / noise))
