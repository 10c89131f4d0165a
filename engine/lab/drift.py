"""Drift watch: the same few calls on the same moments, again and again, with the production model.

An alert needs more than noise: acceptance worse than all earlier runs together by Fisher's exact
test, a median time whose 95 % interval lies above theirs, or weights with another digest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlite_utils import Database

from engine.clock import parse_iso
from engine.lab.plan import Plan, make_plan
from engine.lab.statistics import Rate, fisher_less, spread
from engine.records import CONTENT_TYPES
from engine.store import bench
from engine.store.bench import BenchCall, BenchRun

REPEATS = 5
HISTORY = 10
ALPHA = 0.01
"""Of a single look; a daily look for a year then errs about four times."""

What = Literal["acceptance", "latency", "digest"]


@dataclass(frozen=True)
class Drift:
    """One thing that changed, with the figures it rests on."""

    what: What
    model: str
    sentence: str


def plan(db: Database, model: str) -> Plan:
    """The fixed suite: every content type, five moments, seeds that never change."""
    return make_plan(db, models=[model], types=list(CONTENT_TYPES), repeats=REPEATS, seed=7)


def due(db: Database, now: datetime, every: timedelta) -> bool:
    """Whether the next run is due; the first one ``every`` after the bot's first own call."""
    last = bench.listing(db, kind="drift", limit=1)
    at = last[0].created_at if last else bench.first_production_call(db)
    return at is not None and now - parse_iso(at) >= every


def drifts(db: Database) -> list[Drift]:
    """What the newest finished run shows against the earlier ones of its model."""
    runs = bench.listing(db, kind="drift", state="done", limit=HISTORY + 1)
    if not runs:
        return []
    name = runs[0].plan["models"][0]
    runs = [run for run in runs if run.plan["models"] == [name]]
    if len(runs) < 2:
        return []
    now, *before = [[c for c in bench.calls(db, run.id) if c.phase == "warm"] for run in runs]
    earlier = [call for calls in before for call in calls]
    found = [_acceptance(name, now, earlier), _latency(name, now, earlier), _digest(name, runs)]
    return [item for item in found if item is not None]


def _acceptance(name: str, now: Sequence[BenchCall], earlier: Sequence[BenchCall]) -> Drift | None:
    new, old = _accepted(now), _accepted(earlier)
    p_value = fisher_less(new.hits, new.n, old.hits, old.n)
    if p_value >= ALPHA:
        return None
    return Drift(
        "acceptance",
        name,
        f"{name} now has {new.hits} of {new.n} texts accepted, {old.hits} of {old.n} before "
        f"(p = {p_value:.2g}).",
    )


def _latency(name: str, now: Sequence[BenchCall], earlier: Sequence[BenchCall]) -> Drift | None:
    new = spread([call.wall_s for call in now if call.outcome == "ok"])
    old = spread([call.wall_s for call in earlier if call.outcome == "ok"])
    if new.interval is None or old.interval is None or new.interval.low <= old.interval.high:
        return None
    return Drift(
        "latency",
        name,
        f"{name} now takes {new.median:.2f} s at the median (at least {new.interval.low:.2f}), "
        f"{old.median:.2f} before (at most {old.interval.high:.2f}).",
    )


def _digest(name: str, runs: Sequence[BenchRun]) -> Drift | None:
    known = [run.context.get("models", {}).get(name, {}).get("digest") for run in runs[:2]]
    if None in known or known[0] == known[1]:
        return None
    return Drift(
        "digest",
        name,
        f"{name} has other weights: digest {known[0][:12]}, {known[1][:12]} before. Run its "
        "benchmark again before trusting older figures.",
    )


def _accepted(calls: Sequence[BenchCall]) -> Rate:
    return Rate(sum(call.verdict == "pass" for call in calls), len(calls))
