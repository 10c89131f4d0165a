"""An experiment in the database, judged: its slots become outcomes, its rules are checked.

Intention to treat: a slot counts in the arm it was given, whatever was posted (experiments §2.3).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from sqlite_utils import Database

from engine.clock import parse_iso
from engine.learning import analyse, several
from engine.learning.analyse import Comparison, Plan, Posted
from engine.learning.assignment import misassigned
from engine.learning.evidence import log_e_path
from engine.learning.intervals import FixedTests, fixed_tests
from engine.learning.measure import Outcome, joined, pairs_of
from engine.learning.spec import hash_of
from engine.learning.srm import WARN_AT, srm_e_value
from engine.store import experiments
from engine.store.experiments import Experiment, Result

SECONDARY = ("likes", "reposts", "replies", "quotes", "bookmarks")
GUARDRAIL_AT = 20.0
"""1 / alpha: guardrails are judged at 5 % each, uncorrected."""
_GUARDED = (
    ("rejected", "operators rejected"),
    ("edited", "operators edited"),
    ("empty", "slots stayed empty"),
)


@dataclass(frozen=True)
class ArmCount:
    """How far an arm's slots came; ``empty`` ones ended without a post."""

    arm: str
    assigned: int
    posted: int
    mature: int
    fallback: int
    rejected: int
    edited: int
    empty: int


@dataclass(frozen=True)
class Secondary:
    """A metric beside the primary one; ``shown`` after e-BH over all of them."""

    metric: str
    e_value: float
    shown: bool


@dataclass(frozen=True)
class Judged:
    """Everything there is to say of an experiment now.

    ``adjusted``: always-valid p of each comparison, by Holm. ``as_generated`` compares by who
    really wrote a post: not causal. ``at_end`` exists only at the registered end.
    """

    experiment: Experiment
    comparisons: tuple[Comparison, ...]
    adjusted: tuple[float, ...]
    arms: tuple[ArmCount, ...]
    guardrails: tuple[str, ...]
    secondary: tuple[Secondary, ...]
    as_generated: Comparison | None
    at_end: FixedTests | None

    @property
    def main(self) -> Comparison:
        return self.comparisons[0]


def judge(db: Database, experiment: Experiment, now: datetime) -> Judged:
    """Look at an experiment; may be done at any time, as often as one likes."""
    results = _of_arms(experiment, experiments.results(db, experiment.id))
    outcomes = outcomes_of(experiment, results)
    arms = experiment.arms
    counts = tuple(_count(arm, results) for arm in arms)
    broken = _broken(db, experiment, results, counts)
    plan = _plan(experiment)
    immature = sum(_waits(result) for result in results)
    comparisons, adjusted = analyse.compare_all(outcomes, arms, plan, Posted(immature, broken))
    over = experiment.state == "stopped" or now - parse_iso(experiment.started_at) >= timedelta(
        days=plan.max_days
    )
    pairs = joined(pairs_of(outcomes, arms[0], arms[1]))
    return Judged(
        experiment,
        tuple(comparisons),
        tuple(adjusted),
        counts,
        _guardrails(counts),
        _secondary(outcomes, arms[0], arms[1]),
        _as_generated(experiment, results, plan),
        fixed_tests(np.array([pair.rate_difference for pair in pairs])) if over else None,
    )


def outcomes_of(experiment: Experiment, results: Sequence[Result]) -> list[Outcome]:
    """Mature outcomes by the arm that was given; days are summed for schedule experiments."""
    if experiment.kind == "schedule":
        return _days(results)
    return [_outcome(result) for result in results if result.impressions is not None]


def _outcome(result: Result) -> Outcome:
    assert result.posted_at is not None and result.age_hours is not None  # noqa: S101  has metrics
    return Outcome(
        result.block_id, result.arm, parse_iso(result.posted_at), result.age_hours,
        result.impressions or 0, result.likes or 0, result.reposts or 0, result.replies or 0,
        result.quotes or 0, result.bookmarks or 0,
    )  # fmt: skip


def _days(results: Sequence[Result]) -> list[Outcome]:
    """A day's totals, once every post of it that is on X is mature."""
    days: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        if result.posted_at is not None and not result.gone:
            days[result.unit].append(result)
    outcomes = []
    for members in days.values():
        if any(member.impressions is None for member in members):
            continue
        outcomes.append(_total([_outcome(member) for member in members]))
    return outcomes


def _total(parts: Sequence[Outcome]) -> Outcome:
    sums = [sum(getattr(part, name) for part in parts) for name in ("impressions", *SECONDARY)]
    return Outcome(
        parts[0].block,
        parts[0].arm,
        max(part.posted_at for part in parts),
        max(part.age_hours for part in parts),
        *sums,
    )


def _of_arms(experiment: Experiment, results: Sequence[Result]) -> list[Result]:
    """One row a slot: its post on X if it has one; of days, the slots of the arm's schedules."""
    schedules = {arm["name"]: set(arm["schedules"]) for arm in experiment.spec["arms"]}
    best: dict[int, Result] = {}
    for result in results:
        if experiment.kind == "schedule" and result.schedule_id not in schedules[result.arm]:
            continue
        held = best.get(result.slot_id)
        if held is None or (held.post_state != "posted" and result.post_id is not None):
            best[result.slot_id] = result
    return list(best.values())


def _waits(result: Result) -> bool:
    return result.post_state == "posted" and result.impressions is None and not result.gone


def _count(arm: str, results: Sequence[Result]) -> ArmCount:
    own = [result for result in results if result.arm == arm]
    return ArmCount(
        arm,
        assigned=len(own),
        posted=sum(result.post_state == "posted" for result in own),
        mature=sum(result.impressions is not None for result in own),
        fallback=sum(result.origin == "backup" for result in own),
        rejected=sum(result.rejections > 0 for result in own),
        edited=sum(result.edits > 0 for result in own),
        empty=sum(result.slot_state in ("skipped", "missed") for result in own),
    )


def _broken(
    db: Database, experiment: Experiment, results: Sequence[Result], counts: Sequence[ArmCount]
) -> tuple[str, ...]:
    """Why the experiment cannot be trusted; empty where it can."""
    reasons = []
    if hash_of(experiment.spec_text) != experiment.spec_hash:
        reasons.append("its specification was changed")
    wrong = misassigned(experiment, experiments.all_of(db, experiment.id))
    if wrong:
        reasons.append(f"{len(wrong)} assignments do not follow from the seed")
    early = sum(
        result.written_at is not None and result.written_at < result.assigned_at
        for result in results
    )
    if early:
        reasons.append(f"{early} posts were written before their arm was drawn")
    models = {arm["name"]: arm["model"] for arm in experiment.spec["arms"]}
    other = {
        result.model
        for result in results
        if result.origin == "model" and models[result.arm] not in (None, result.model)
    }
    if other:
        reasons.append(f"posts were written by {', '.join(sorted(map(str, other)))} instead")
    srm = srm_e_value([count.posted for count in counts])
    if srm >= WARN_AT and experiment.kind != "schedule":
        reasons.append(f"arms reach X unequally (SRM e-value {srm:.0f})")
    return tuple(reasons)


def _plan(experiment: Experiment) -> Plan:
    spec = experiment.spec
    return Plan(spec["min_days"], spec["max_days"], spec["min_pairs"], spec["planned_pairs"])


def _guardrails(counts: Sequence[ArmCount]) -> tuple[str, ...]:
    """Rejections, edits and empty slots that lie with one arm more than its share explains."""
    total = sum(count.assigned for count in counts)
    if not total or not all(count.assigned for count in counts):
        return ()
    shares = [count.assigned / total for count in counts]
    said = []
    for name, what in _GUARDED:
        numbers = [getattr(count, name) for count in counts]
        e_value = srm_e_value(numbers, shares)
        if e_value >= GUARDRAIL_AT:
            parts = ", ".join(
                f"{count.arm} {number} of {count.assigned}"
                for count, number in zip(counts, numbers, strict=True)
            )
            said.append(f"{what} unequally: {parts} (e-value {e_value:.0f})")
    return tuple(said)


def _secondary(outcomes: Sequence[Outcome], baseline: str, arm: str) -> tuple[Secondary, ...]:
    values: dict[tuple[str, str], Outcome] = {(o.block, o.arm): o for o in outcomes}
    ordered = [
        (one, values[one.block, baseline])
        for one in sorted(outcomes, key=lambda outcome: outcome.posted_at)
        if one.arm == arm and (one.block, baseline) in values
    ]
    e_values = []
    for metric in SECONDARY:
        d = np.array(
            [
                np.log1p(getattr(one, metric)) - np.log1p(getattr(two, metric))
                for one, two in ordered
            ]
        )
        e_values.append(float(np.exp(min(log_e_path(d)[-1], 709.0))) if d.size else 1.0)
    shown = several.e_bh(e_values)
    return tuple(
        Secondary(metric, e_value, is_shown)
        for metric, e_value, is_shown in zip(SECONDARY, e_values, shown, strict=True)
    )


def _as_generated(
    experiment: Experiment, results: Sequence[Result], plan: Plan
) -> Comparison | None:
    """By who wrote: only where one arm asks for the model and the other does not."""
    uses = {arm["name"]: arm["use_model"] for arm in experiment.spec["arms"]}
    if len(uses) != 2 or len(set(uses.values())) != 2:
        return None
    name = {used: arm for arm, used in uses.items()}
    moved = [
        replace(_outcome(result), arm=name[result.origin == "model"])
        for result in results
        if result.impressions is not None
    ]
    return analyse.compare(moved, experiment.arms[0], experiment.arms[1], plan)
