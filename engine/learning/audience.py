"""Followers by day: growth over three months with an interval (mission: +15 %)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

KPI_GROWTH = 1.15
SPAN_DAYS = 90
LEAST_STEPS = 14


@dataclass(frozen=True)
class Growth:
    """Ratio of followers after :data:`SPAN_DAYS` to those before, at the pace of ``days`` days.

    ``low`` and ``high``: 95 % for the mean daily step, which treats days as a random walk.
    """

    days: int
    followers: int
    ratio: float | None
    low: float | None
    high: float | None

    @property
    def sentence(self) -> str:
        if self.ratio is None or self.low is None or self.high is None:
            return f"Followers: not enough data ({self.days} daily steps, {LEAST_STEPS} needed)."
        shown = "shown" if self.low >= KPI_GROWTH else "not shown"
        return (
            f"Followers: {self.followers:,}; at the pace of {self.days} days {self.ratio:.2f}x in "
            f"{SPAN_DAYS} days (95% {self.low:.2f}x to {self.high:.2f}x). +15%: {shown}."
        )


def growth(counts: Sequence[tuple[str, int]]) -> Growth:
    """From (day, followers), oldest first; missing days are bridged."""
    steps: list[tuple[float, int]] = []
    for (day, count), (next_day, next_count) in pairwise(counts):
        gap = (date.fromisoformat(next_day) - date.fromisoformat(day)).days
        if count > 0 and next_count > 0:
            steps.append((math.log(next_count / count), gap))
    last = counts[-1][1] if counts else 0
    if len(steps) < LEAST_STEPS:
        return Growth(len(steps), last, None, None, None)
    from scipy import stats

    days = sum(gap for _, gap in steps)
    pace = math.fsum(step for step, _ in steps) / days
    # a step over g days has g times the variance of one: divided by its root, all have the same
    squares = math.fsum((step - pace * gap) ** 2 / gap for step, gap in steps)
    error = math.sqrt(squares / (len(steps) - 1) / days)
    wide = float(stats.t.ppf(0.975, len(steps) - 1)) * error
    ends = [math.exp(SPAN_DAYS * value) for value in (pace, pace - wide, pace + wide)]
    return Growth(days, last, *ends)
