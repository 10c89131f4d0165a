"""What is measured of a post, and how two arms of a block become one difference.

Facts: experiments §2.4 (maturity) and §2.5 (metric). A difference is of natural logs: its exp
reads "times baseline".
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

MATURE_H = 48.0
LATE_H = 72.0

FEW_ENGAGEMENTS = 5
"""Below this median per post the +0.5 pulls estimates towards 1, and pairs are joined."""

JOINED_TOTAL = 20
"""Engagements over both arms that a joined pair gathers."""

DECIDED_ON = 10
"""Whether to join is decided once, on the first pairs: later data cannot change the analysis."""


@dataclass(frozen=True)
class Outcome:
    """One post's mature value. Counts are totals at ``age_hours`` after posting."""

    block: str
    arm: str
    posted_at: datetime
    age_hours: float
    impressions: int
    likes: int = 0
    reposts: int = 0
    replies: int = 0
    quotes: int = 0
    bookmarks: int = 0

    @property
    def engagements(self) -> int:
        return self.likes + self.reposts + self.replies + self.quotes + self.bookmarks

    @property
    def late(self) -> bool:
        """Read after 72 h: kept, and flagged."""
        return self.age_hours > LATE_H


@dataclass(frozen=True)
class Pair:
    """Totals of two arms, of one block or of several joined ones; ``end`` is its last posting."""

    end: datetime
    engagements: tuple[int, int]
    impressions: tuple[int, int]
    blocks: int = 1

    @property
    def rate_difference(self) -> float:
        """log ratio of engagement rates, arm over baseline."""
        return log_rate(self.engagements[1], self.impressions[1]) - log_rate(
            self.engagements[0], self.impressions[0]
        )

    @property
    def count_difference(self) -> float:
        """The same of engagement counts, log1p."""
        return math.log1p(self.engagements[1]) - math.log1p(self.engagements[0])


def log_rate(engagements: int, impressions: int) -> float:
    """y = log((E + 0.5) / (I + 1)); finite for zeros."""
    return math.log((engagements + 0.5) / (impressions + 1))


def pairs_of(outcomes: Sequence[Outcome], baseline: str, arm: str) -> list[Pair]:
    """Blocks in which both arms are mature, in order of their last posting."""
    blocks: dict[str, dict[str, Outcome]] = {}
    for outcome in outcomes:
        blocks.setdefault(outcome.block, {})[outcome.arm] = outcome
    whole = [
        (members[baseline], members[arm])
        for members in blocks.values()
        if baseline in members and arm in members
    ]
    pairs = [
        Pair(
            max(one.posted_at, other.posted_at),
            (one.engagements, other.engagements),
            (one.impressions, other.impressions),
        )
        for one, other in whole
    ]
    return sorted(pairs, key=lambda pair: pair.end)


def joined(pairs: Sequence[Pair]) -> list[Pair]:
    """``pairs`` as they are tested: joined where an account is too small for single posts.

    Both rules look at sums over the arms only, so flipping all labels of a joined pair stays
    equally likely under no effect. A last pair that has not gathered enough waits.
    """
    first = [count for pair in pairs[:DECIDED_ON] for count in pair.engagements]
    if len(pairs) < DECIDED_ON or statistics.median(first) >= FEW_ENGAGEMENTS:
        return list(pairs)
    result: list[Pair] = []
    held: list[Pair] = []
    for pair in pairs:
        held.append(pair)
        if sum(sum(one.engagements) for one in held) >= JOINED_TOTAL:
            result.append(_sum(held))
            held = []
    return result


def _sum(pairs: Sequence[Pair]) -> Pair:
    def totals(values: Sequence[tuple[int, int]]) -> tuple[int, int]:
        return sum(one for one, _ in values), sum(other for _, other in values)

    return Pair(
        pairs[-1].end,
        totals([pair.engagements for pair in pairs]),
        totals([pair.impressions for pair in pairs]),
        sum(pair.blocks for pair in pairs),
    )
