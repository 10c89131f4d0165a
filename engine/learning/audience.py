"""Followers by day: growth over three months with an interval (mission: +15 %)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

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
    steps: list[float] = []
    days = 0
    for (day, count), (next_day, next_count) in zip(counts, counts[1:], strict=False):
        gap = (date.fromisoformat(next_day) - date.fromisoformat(day)).days
        days += gap
        if count > 0 and next_count > 0 and gap > 0:
            steps.append((math.log(next_count) - math.log(count)) / math.sqrt(gap))
    last = counts[-1][1] if counts else 0
    if len(steps) < LEAST_STEPS or not days:
        return Growth(len(steps), last, None, None, None)
    from scipy import stats

    pace = math.log(counts[-1][1] / counts[0][1]) / days
    # each step over g days has g times the variance: scaled by its root, all have one
    scaled = [step - pace for step in steps]
    spread = math.sqrt(sum(value**2 for value in scaled) / (len(scaled) - 1))
    error = spread / math.sqrt(days)
    wide = float(stats.t.ppf(0.975, len(scaled) - 1)) * error
    ends = [math.exp(SPAN_DAYS * value) for value in (pace, pace - wide, pace + wide)]
    return Growth(days, last, *ends)
