"""Several questions at once: Holm over arms, e-BH over secondary metrics (experiments §2.8)."""

from __future__ import annotations

from collections.abc import Sequence

from engine.learning.states import ALPHA


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values in the order given (statsmodels)."""
    if len(p_values) < 2:
        return list(p_values)  # nothing to adjust, and statsmodels collects garbage at each call
    from statsmodels.stats.multitest import multipletests

    return [float(p) for p in multipletests(list(p_values), method="holm")[1]]


def e_bh(e_values: Sequence[float], alpha: float = ALPHA) -> list[bool]:
    """Which of m hypotheses fall at false discovery rate ``alpha``, whatever their dependence.

    The largest k with e_(k) >= m / (k alpha); those k. Wang and Ramdas, arXiv 2009.02824.
    """
    m = len(e_values)
    order = sorted(range(m), key=lambda i: -e_values[i])
    k = max((k for k in range(1, m + 1) if e_values[order[k - 1]] >= m / (k * alpha)), default=0)
    chosen = set(order[:k])
    return [i in chosen for i in range(m)]
