"""From mature posts to one comparison: evidence, intervals, state, sentence.

The estimate is exp of the mean pair difference of log engagement rates, the ratio of typical
(geometric-mean) rates (experiments §2.5). Its interval is the sign-flip confidence sequence; a
mean outside of it, which outliers and the running intersection allow, gives way to the nearer end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from engine.learning import drift, evidence, intervals, report, several, states
from engine.learning.drift import Drift
from engine.learning.measure import Outcome, Pair, joined, pairs_of
from engine.learning.srm import WARN_AT, srm_e_value

PLANNED_PAIRS = 60
"""Where the asymptotic sequence is narrowest, for tables that register no plan."""


@dataclass(frozen=True)
class Plan:
    """What was registered before the start."""

    min_days: int = states.MIN_DAYS
    max_days: int = states.MAX_DAYS
    min_pairs: int = states.MIN_PAIRS
    planned_pairs: int = PLANNED_PAIRS


@dataclass(frozen=True)
class Look:
    """The comparison after one more tested pair. Ratios; None where nothing is excluded yet."""

    at: datetime
    pairs: int
    low: float | None
    high: float | None
    e_value: float


@dataclass(frozen=True)
class Comparison:
    """One arm against the baseline. Every number is finite; what is not known is None."""

    arm: str
    baseline: str
    pairs: int
    tested: int  # fewer than pairs where small ones were joined
    days: int
    late: int
    ratio: float | None
    ci_low: float | None
    ci_high: float | None
    e_value: float
    p_always_valid: float
    srm_e_value: float
    p_better: float | None
    p_at_least_1_40: float | None
    asymptotic: tuple[float, float] | None
    credible: tuple[float, float] | None
    total_ratio: float | None
    top_share: float | None
    novelty: Drift | None
    carry_over: Drift | None
    state: states.State
    lights: states.Lights
    sentence: str
    reasons: tuple[str, ...] = ()
    looks: tuple[Look, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Posted:
    """How many posts each arm has out that are not mature; they change no tested number."""

    immature: int = 0
    broken: tuple[str, ...] = ()


def compare(
    outcomes: Sequence[Outcome],
    baseline: str,
    arm: str,
    plan: Plan = Plan(),
    posted: Posted = Posted(),
) -> Comparison:
    """Judge ``arm`` against ``baseline`` on mature posts alone."""
    own = [outcome for outcome in outcomes if outcome.arm in (baseline, arm)]
    pairs = pairs_of(own, baseline, arm)
    tested = joined(pairs)
    d = np.array([pair.rate_difference for pair in tested])
    log_e = evidence.log_e_path(d)
    sequence = evidence.confidence_sequence(d)
    looks = _looks(tested, log_e, sequence)
    low, high = (looks[-1].low, looks[-1].high) if looks else (None, None)
    srm = srm_e_value([sum(o.arm == name for o in own) for name in (baseline, arm)])
    if srm >= WARN_AT:
        lost = f"arms lose posts unequally (SRM e-value {srm:.0f})"
        posted = replace(posted, broken=(*posted.broken, lost))
    days, weekends = _span(pairs, own)
    standing = states.Standing(
        len(pairs), posted.immature, days, weekends, low, high,
        contradicted=sequence.contradicted,
        opposed=_opposed(tested, low, high),
        min_days=plan.min_days, max_days=plan.max_days, min_pairs=plan.min_pairs,
        broken=posted.broken,
    )  # fmt: skip
    state, lights = states.state_of(standing), states.lights_of(standing)
    shown = _shown(d, standing, plan, own, pairs) if standing.presentable else _NOTHING
    return Comparison(
        arm=arm,
        baseline=baseline,
        pairs=len(pairs),
        tested=len(tested),
        days=days,
        late=sum(outcome.late for outcome in own),
        e_value=_exp(log_e[-1]) if d.size else 1.0,
        p_always_valid=float(evidence.p_path(log_e)[-1]) if d.size else 1.0,
        srm_e_value=srm,
        novelty=drift.novelty(d),
        carry_over=drift.carry_over(own, baseline, arm),
        state=state,
        lights=lights,
        sentence=report.sentence(
            arm=arm, baseline=baseline, pairs=len(pairs), days=days, ratio=shown["ratio"],
            low=low, high=high, p_kpi=shown["p_at_least_1_40"], lights=lights, state=state,
            reasons=posted.broken,
        ),
        reasons=posted.broken,
        looks=looks,
        **shown,
    )  # fmt: skip


def compare_all(
    outcomes: Sequence[Outcome],
    arms: Sequence[str],
    plan: Plan = Plan(),
    posted: Posted = Posted(),
) -> tuple[list[Comparison], list[float]]:
    """Every arm against the first, and their always-valid p adjusted by Holm."""
    results = [compare(outcomes, arms[0], arm, plan, posted) for arm in arms[1:]]
    return results, several.holm([result.p_always_valid for result in results])


_NOTHING: dict[str, Any] = dict.fromkeys(
    (
        "ratio", "ci_low", "ci_high", "p_better", "p_at_least_1_40", "asymptotic", "credible",
        "total_ratio", "top_share",
    )
)  # fmt: skip


def _shown(
    d: evidence.Array, at: states.Standing, plan: Plan, own: Sequence[Outcome],
    pairs: Sequence[Pair],
) -> dict[str, Any]:  # fmt: skip
    """The fields of a comparison that exist only beside an interval."""
    belief = intervals.posterior(d)
    return {
        "ratio": _ratio(d, at.low, at.high),
        "ci_low": at.low,
        "ci_high": at.high,
        "p_better": belief.above(1.0) if belief else None,
        "p_at_least_1_40": belief.above(states.KPI) if belief else None,
        "asymptotic": _asymptotic(d, plan.planned_pairs),
        "credible": _ratios(belief.credible()) if belief else None,
        "total_ratio": _total_ratio(pairs),
        "top_share": _top_share(own),
    }


# -- parts -----------------------------------------------------------------------------------


def _looks(
    tested: Sequence[Pair], log_e: evidence.Array, sequence: evidence.Sequence
) -> tuple[Look, ...]:
    low, high = np.exp(sequence.low), np.exp(sequence.high)
    blocks = np.cumsum([pair.blocks for pair in tested])
    return tuple(
        Look(pair.end, int(blocks[i]), _end(low[i]), _end(high[i]), _exp(log_e[i]))
        for i, pair in enumerate(tested)
    )


def _ratio(d: evidence.Array, low: float | None, high: float | None) -> float:
    return min(max(math.exp(d.mean()), low or 0.0), high or math.inf)


def _end(value: float) -> float | None:
    return float(value) if math.isfinite(value) and value > 0 else None


def _exp(log_value: float) -> float:
    return math.exp(min(float(log_value), 709.0))


def _span(pairs: Sequence[Pair], own: Sequence[Outcome]) -> tuple[int, int]:
    """Days begun from the first mature post to the last pair's end; weekends among them."""
    if not pairs:
        return 0, 0
    first = min(outcome.posted_at for outcome in own).astimezone(UTC)
    last = max(pair.end for pair in pairs).astimezone(UTC)
    dates = (first.date() + timedelta(days=i) for i in range((last.date() - first.date()).days + 1))
    weekends = {day.isocalendar()[:2] for day in dates if day.isoweekday() >= 6}
    days = max((last - first).days + 1, 1)
    return days, len(weekends)


def _opposed(tested: Sequence[Pair], low: float | None, high: float | None) -> bool:
    """The co-primary metric, log1p of counts, is shown to go the other way."""
    rate = 1 if low is not None and low > 1 else -1 if high is not None and high < 1 else 0
    if rate == 0:
        return False
    d = np.array([pair.count_difference for pair in tested])
    shown = evidence.p_path(evidence.log_e_path(d))[-1] <= states.ALPHA
    return bool(shown and np.sign(np.tanh(d).sum()) == -rate)


def _asymptotic(d: evidence.Array, planned: int) -> tuple[float, float] | None:
    low, high = intervals.asymptotic_sequence(d, planned)[:, -1]
    return (math.exp(low), math.exp(high)) if math.isfinite(low) else None


def _ratios(interval: intervals.Interval) -> tuple[float, float]:
    return math.exp(interval.low), math.exp(interval.high)


def _total_ratio(pairs: Sequence[Pair]) -> float | None:
    """Ratio of summed rates; descriptive: one viral post can decide it."""
    one = sum(pair.engagements[0] for pair in pairs), sum(pair.impressions[0] for pair in pairs)
    two = sum(pair.engagements[1] for pair in pairs), sum(pair.impressions[1] for pair in pairs)
    if not (one[0] and one[1] and two[1]):
        return None
    return (two[0] / two[1]) / (one[0] / one[1])


def _top_share(own: Sequence[Outcome]) -> float | None:
    """Share of all engagements that the best post has."""
    total = sum(outcome.engagements for outcome in own)
    return max(outcome.engagements for outcome in own) / total if total else None
