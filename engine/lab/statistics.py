"""Statistics that stay honest at small n: intervals with every rate, no percentile from few runs.

Wilson 1927 for shares; order statistics for a median (Conover, Practical Nonparametric
Statistics, 3.2); percentile bootstrap (Efron 1979). All 95 % unless told otherwise.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

Z95 = 1.959963984540054
P95_FROM = 20
T = TypeVar("T")


@dataclass(frozen=True)
class Interval:
    """Ends of a 95 % interval, both included."""

    low: float
    high: float


@dataclass(frozen=True)
class Rate:
    """``hits`` of ``n``. ``share`` is None for n = 0; the interval is then 0 to 1."""

    hits: int
    n: int

    @property
    def share(self) -> float | None:
        return self.hits / self.n if self.n else None

    @property
    def interval(self) -> Interval:
        return wilson(self.hits, self.n)


@dataclass(frozen=True)
class Spread:
    """Seconds (or any unit) of n runs: median with its interval, extremes, p95 from n >= 20."""

    n: int
    median: float | None
    low: float | None
    high: float | None
    p95: float | None
    interval: Interval | None


def wilson(hits: int, n: int, z: float = Z95) -> Interval:
    """Wilson's interval of a share."""
    if n == 0:
        return Interval(0.0, 1.0)
    z2 = z * z
    centre = (hits + z2 / 2) / (n + z2)
    half = z * math.sqrt(hits * (n - hits) / n + z2 / 4) / (n + z2)
    # the ends at 0 and n are exact in theory, not in floating point
    low = 0.0 if hits == 0 else max(0.0, centre - half)
    high = 1.0 if hits == n else min(1.0, centre + half)
    return Interval(low, high)


def spread(values: Sequence[float]) -> Spread:
    """Of no values: all None."""
    if not values:
        return Spread(0, None, None, None, None, None)
    ordered = sorted(values)
    return Spread(
        n=len(ordered),
        median=statistics.median(ordered),
        low=ordered[0],
        high=ordered[-1],
        p95=percentile(ordered, 0.95) if len(ordered) >= P95_FROM else None,
        interval=median_interval(ordered),
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The nearest-rank percentile of sorted values: always a value that was measured."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median_interval(ordered: Sequence[float], level: float = 0.95) -> Interval | None:
    """The median's distribution-free interval from order statistics; None below n = 6, where no
    pair of values covers it with 95 %."""
    n = len(ordered)
    tail, below = 0.0, -1
    for k in range(n // 2):
        tail += math.comb(n, k) / 2**n
        if tail > (1 - level) / 2:
            break
        below = k
    if below < 0:
        return None
    return Interval(ordered[below], ordered[n - 1 - below])


def bootstrap(
    items: Sequence[T],
    figure: Callable[[Sequence[T]], float],
    rng: random.Random,
    *,
    draws: int = 1000,
) -> Interval:
    """The percentile bootstrap of ``figure`` over ``items``.

    Raises: ValueError for no items.
    """
    if not items:
        raise ValueError("a bootstrap needs items")
    found = sorted(figure(rng.choices(items, k=len(items))) for _ in range(draws))
    return Interval(percentile(found, 0.025), percentile(found, 0.975))


def fisher_less(hits: int, n: int, base_hits: int, base_n: int) -> float:
    """One-sided Fisher exact p-value that ``hits`` of ``n`` is worse than ``base_hits`` of
    ``base_n`` (hypergeometric lower tail)."""
    total_hits, total = hits + base_hits, n + base_n
    whole = math.comb(total, total_hits)
    least = max(0, total_hits - base_n)
    ways = sum(math.comb(n, k) * math.comb(base_n, total_hits - k) for k in range(least, hits + 1))
    return min(1.0, ways / whole)
