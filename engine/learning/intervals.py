"""The second, third and fourth opinion beside the e-process; none of them decides.

Facts: experiments §2.6. Asymptotic confidence sequence: Waudby-Smith et al., arXiv 2103.06476v7,
equations 9 and 161, as gbstats has it. Anytime-valid t: Lindon et al., arXiv 2210.08589. Both and
the fixed-horizon tests take pair differences of logs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.learning.evidence import Array
from engine.learning.states import ALPHA

PRIOR_SD = 0.3
PHI = 20.0


@dataclass(frozen=True)
class Interval:
    """Ends on the log scale."""

    low: float
    high: float


def running_moments(differences: Array) -> tuple[Array, Array]:
    """Mean and sample variance (n - 1) after each pair; the first variance is NaN."""
    d = np.asarray(differences, dtype=float)
    n = np.arange(1, d.shape[-1] + 1)
    center = d.mean(axis=-1, keepdims=True)  # sums of squares of centred values lose no digits
    sums = np.cumsum(d - center, axis=-1)
    squares = np.cumsum((d - center) ** 2, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.maximum(squares - sums**2 / n, 0) / (n - 1)
    return sums / n + center, variance


def asymptotic_halfwidth(variance: Array, n: Array, planned: float, alpha: float = ALPHA) -> Array:
    """Half-width of the asymptotic confidence sequence after ``n`` pairs; narrowest near
    ``planned``."""
    log_term = -2 * math.log(alpha)
    rho2 = (log_term + math.log(log_term + 1)) / planned
    grown = n * rho2 + 1
    return np.sqrt(variance) * np.sqrt(2 * grown * np.log(np.sqrt(grown) / alpha) / (n**2 * rho2))


def asymptotic_sequence(differences: Array, planned: float, alpha: float = ALPHA) -> Array:
    """(2, n): lower and upper ends after each pair; NaN after the first."""
    mean, variance = running_moments(differences)
    n = np.arange(1, mean.shape[-1] + 1, dtype=float)
    half = asymptotic_halfwidth(variance, n, planned, alpha)
    return np.stack([mean - half, mean + half])


def anytime_t_log_e(differences: Array, phi: float = PHI) -> Array:
    """log of the anytime-valid t-test's Bayes factor after each pair; 0 after the first."""
    mean, variance = running_moments(differences)
    n = np.arange(1, mean.shape[-1] + 1, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        t2 = mean**2 * n / variance
        free = n - 1
        shrunk = (1 + phi / (phi + n) * t2 / free) / (1 + t2 / free)
        log_e = 0.5 * np.log(phi / (phi + n)) - n / 2 * np.log(shrunk)
    finite: Array = np.nan_to_num(log_e, nan=0.0, posinf=np.inf)
    return finite


@dataclass(frozen=True)
class Posterior:
    """Normal posterior of the log ratio under a N(0, 0.3^2) prior. Shown, never a stop rule."""

    mean: float
    sd: float

    def above(self, ratio: float) -> float:
        """P(ratio of arm to baseline > ``ratio``)."""
        return 0.5 * math.erfc((math.log(ratio) - self.mean) / (self.sd * math.sqrt(2)))

    def credible(self) -> Interval:
        """Central 95 %."""
        return Interval(self.mean - 1.959964 * self.sd, self.mean + 1.959964 * self.sd)


def posterior(differences: Array) -> Posterior | None:
    """None for fewer than two pairs, or pairs that are all alike: there is no noise to weigh."""
    d = np.asarray(differences, dtype=float)
    if d.size < 2:
        return None
    noise = float(d.var(ddof=1)) / d.size
    if noise <= 0:
        return None
    precision = 1 / PRIOR_SD**2 + 1 / noise
    return Posterior(float(d.mean()) / noise / precision, precision**-0.5)


@dataclass(frozen=True)
class FixedTests:
    """Valid only if never used to stop: for the registered end alone."""

    t_p: float
    wilcoxon_p: float
    interval: Interval


def fixed_tests(differences: Array) -> FixedTests | None:
    """Paired t and Wilcoxon by scipy; None where they have no answer."""
    from scipy import stats

    d = np.asarray(differences, dtype=float)
    if d.size < 2 or np.ptp(d) == 0:
        return None
    t = stats.ttest_1samp(d, 0.0)
    ends = t.confidence_interval(1 - ALPHA)
    return FixedTests(
        float(t.pvalue),
        float(stats.wilcoxon(d).pvalue),
        Interval(float(ends.low), float(ends.high)),
    )
