"""What an experiment can show and when, from the account's own history (experiments §2.7).

Pairs' differences of log engagement rate are taken as normal with one SD. Table: x/÷ factors of
intervals, and the lift that a fixed-horizon paired t-test finds with 80 % power.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlite_utils import Database

from engine.learning.intervals import asymptotic_halfwidth
from engine.learning.measure import log_rate
from engine.learning.states import ALPHA
from engine.store import metrics

TYPICAL_PAIR_SD = 0.98
"""Of the simulated account (experiments §5), where an account has no history."""

OWN_FROM_PAIRS = 20
POWER = 0.8


@dataclass(frozen=True)
class PairNoise:
    """SD of a pair's difference; ``pairs`` 0: the simulated account's, not measured here."""

    sd: float
    pairs: int


@dataclass(frozen=True)
class Resolution:
    """What so many days can tell: intervals are ratio x/÷ factor, ``mde`` a ratio."""

    days: int
    pairs: int
    fixed: float
    always_valid: float
    mde: float


def own_noise(db: Database, now: datetime, window: timedelta = timedelta(days=90)) -> PairNoise:
    """From consecutive mature posts of one content type and hour: pairs as an experiment's are."""
    strata: dict[tuple[str, str], list[float]] = defaultdict(list)
    for post in metrics.mature(db, now - window, now):
        engagements = sum(
            (post.counts.likes, post.counts.reposts, post.counts.replies, post.counts.quotes,
             post.counts.bookmarks)
        )  # fmt: skip
        key = (post.content_type, f"{int(post.hour) // 6}")
        strata[key].append(log_rate(engagements, post.counts.impressions))
    d = [
        values[i + 1] - values[i]
        for values in strata.values()
        for i in range(0, len(values) - 1, 2)
    ]
    if len(d) < OWN_FROM_PAIRS:
        return PairNoise(TYPICAL_PAIR_SD, 0)
    # the mean of differences is 0 by symmetry, so n is the divisor
    return PairNoise(math.sqrt(sum(value**2 for value in d) / len(d)), len(d))


def resolution(
    sd: float, posts_per_day: float, days: Sequence[int] = (14, 28, 56), planned: int | None = None
) -> list[Resolution]:
    """One row per run time; the always-valid interval is planned for ``planned`` pairs (default:
    those of the last row)."""
    from scipy import stats
    from statsmodels.stats.power import TTestPower

    counts = [max(int(posts_per_day * length / 2), 2) for length in days]
    rows = []
    for length, pairs in zip(days, counts, strict=True):
        fixed = float(stats.t.ppf(1 - ALPHA / 2, pairs - 1)) * sd / math.sqrt(pairs)
        half = asymptotic_halfwidth(np.array(sd**2), np.array(float(pairs)), planned or counts[-1])
        effect = float(TTestPower().solve_power(None, nobs=pairs, alpha=ALPHA, power=POWER))
        rows.append(
            Resolution(length, pairs, math.exp(fixed), math.exp(float(half)), math.exp(effect * sd))
        )
    return rows


def pairs_to_show(sd: float, lift: float, planned: int = 112, most: int = 100_000) -> int | None:
    """Pairs after which the always-valid interval around a true ``lift`` leaves out 1; None if
    never within ``most``."""
    n = np.arange(2, most + 1, dtype=float)
    half = asymptotic_halfwidth(np.full(n.shape, sd**2), n, planned)
    reached = np.flatnonzero(half < abs(math.log(lift)))
    return int(n[reached[0]]) if reached.size else None
