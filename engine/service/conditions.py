"""What can be wrong, each kind with its own sentence for the operator.

A condition answers what it found, or None where its data is missing: then it neither raises nor
ends an alert.
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlite_utils import Database

from engine.clock import Clock, parse_iso
from engine.posting import spend
from engine.service import heartbeat
from engine.service.clockwatch import ClockState
from engine.store import breakers, generations, heartbeats, jobs, slots, snapshots
from engine.store.alerts import AlertSeverity
from engine.store.database import JOURNAL_LIMIT

RECENT = timedelta(hours=1)
OVERDUE_S = 120.0
FAILURES_IN_A_ROW = 3
CHANGES_ALLOWED = 2

BACKUP = "backup"
"""The job whose first failure is told: it may have found damage."""


class Found(NamedTuple):
    """One thing that is wrong now; ``key`` tells things of one kind apart."""

    key: str
    severity: AlertSeverity
    message: str


@dataclass(frozen=True)
class View:
    """What the conditions may look at."""

    db: Database
    db_path: Path
    publisher: str
    clock: Clock
    clock_state: ClockState | None
    settings: Mapping[str, Any]
    model: str = ""  # in force, backend:name


def _slots_overdue(view: View) -> list[Found]:
    now = view.clock.now()
    late = now - timedelta(seconds=OVERDUE_S)
    waiting = [slot for slot in slots.waiting(view.db, now) if slot.due_at < late]
    missed = slots.ended_since(view.db, now - RECENT, "missed")
    if not waiting and not missed:
        return []
    last = (missed or waiting)[-1]
    return [
        Found(
            "",
            "warning",
            f"{len(waiting)} slots wait past their time and {len(missed)} were missed within the "
            f"last hour (latest: {last.local_date} {last.local_time} {last.zone}"
            f"{', ' + last.reason if last.reason else ''}).",
        )
    ]


def _breaker_open(view: View) -> list[Found]:
    return [
        Found(
            row.name,
            "warning",
            f"The model {row.name} is off after {row.failures} failures in a row "
            f"({row.reason or 'no reason given'}); posts come from templates.",
        )
        for row in breakers.get_all(view.db)
        if row.state != "closed"
    ]


def _spend_high(view: View) -> list[Found]:
    budget = float(view.settings["posting.monthly_budget_usd"])
    spent = spend.month_to_date(view.db, view.clock.now(), view.publisher)
    share = 100 * spent / budget if budget else 0.0
    if share < view.settings["alerts.spend_pct"]:
        return []
    return [
        Found(
            "",
            "critical" if share >= 100 else "warning",
            f"{spent:.2f} of {budget:.2f} USD ({share:.0f} %) of this month's budget are spent. "
            "Posts over budget are skipped; posting.monthly_budget_usd sets the budget.",
        )
    ]


def _slow_responses(view: View) -> list[Found]:
    since = view.clock.now() - RECENT
    seconds = [
        call.completion_time
        for call in generations.listing(view.db, purpose="post", limit=5)
        if not call.from_cache and parse_iso(call.created_at) >= since
    ]
    limit = float(view.settings["alerts.slow_response_s"])
    if not seconds or statistics.median(seconds) <= limit:
        return []
    return [
        Found(
            "",
            "warning",
            f"The last {len(seconds)} model answers took {statistics.median(seconds):.1f} s at "
            f"the median (alerts.slow_response_s is {limit:g} s).",
        )
    ]


def _disk_low(view: View) -> list[Found]:
    free = shutil.disk_usage(view.db_path.parent).free / 1e6
    least = int(view.settings["service.min_free_mb"])
    if free >= least:
        return []
    return [
        Found(
            "",
            "critical",
            f"{free:.0f} MB are free beside the database; below {least} MB slots are skipped. "
            "Free some space, or remove old files in backups/.",
        )
    ]


def _clock_untrusted(view: View) -> list[Found] | None:
    if view.clock_state is None:
        return None
    if view.clock_state != "untrusted":
        return []
    return [
        Found(
            "",
            "critical",
            f"The clock says {view.clock.now():%Y-%m-%d %H:%M} UTC, which it cannot have reached: "
            "posting is stopped. Correct the clock, or confirm it with `runner.py resume`.",
        )
    ]


def _market_silent(view: View) -> list[Found] | None:
    newest = snapshots.latest(view.db)
    if newest is None or newest.facts.as_of is None or newest.world != "live":
        return None
    age = (view.clock.now() - newest.facts.as_of).total_seconds()
    if age <= float(view.settings["posting.max_snapshot_age_s"]):
        return []
    return [
        Found(
            "",
            "warning",
            f"No market snapshot has been good enough for {age / 60:.0f} min; posts with prices "
            "are skipped. The market page says which source failed and why.",
        )
    ]


def _wal_large(view: View) -> list[Found]:
    wal = view.db_path.with_name(view.db_path.name + "-wal")
    size = wal.stat().st_size if wal.exists() else 0
    if size <= JOURNAL_LIMIT:
        return []
    return [
        Found(
            "",
            "warning",
            f"{wal.name} has grown to {size / 1e6:.0f} MB: some process keeps a read open. "
            "Close other programs on the database, or restart the console.",
        )
    ]


def _runner_changes(view: View) -> list[Found] | None:
    pulse = heartbeats.get(view.db, heartbeat.RUNNER)
    if pulse is None:
        return None
    changes = heartbeat.recent_changes(pulse, view.clock)
    if changes <= CHANGES_ALLOWED:
        return []
    return [
        Found(
            "",
            "critical",
            f"The runner's process changed {changes} times within a minute: it crashes at once, "
            "or two run on this database. Read its log; stop all but one.",
        )
    ]


def _job_failing(view: View) -> list[Found]:
    failing = jobs.failing(view.db, in_a_row=FAILURES_IN_A_ROW)
    found = [
        Found(name, "warning", f"The job {name!r} fails again and again: {error}")
        for name, error in failing.items()
        if name != BACKUP
    ]
    once = jobs.failing(view.db, in_a_row=1)
    if BACKUP in once:
        found.append(Found(BACKUP, "critical", f"The last backup failed: {once[BACKUP]}"))
    return found


def _model_drift(view: View) -> list[Found]:
    from engine.lab import drift

    return [Found(item.what, "warning", item.sentence) for item in drift.drifts(view.db)]


def _forecast(view: View) -> list[Found] | None:
    from engine.service import lab

    if not view.model:
        return None
    now = view.clock.now()
    coming = lab.outlook(view.db, view.db_path, view.publisher, view.model, now)
    return [
        Found(item.what, "warning", f"{item.sentence} ({item.basis})")
        for item in coming
        if item.bites_soon(now)
    ]


CONDITIONS: dict[str, Callable[[View], list[Found] | None]] = {
    "slots_overdue": _slots_overdue,
    "breaker_open": _breaker_open,
    "spend_high": _spend_high,
    "slow_responses": _slow_responses,
    "disk_low": _disk_low,
    "clock_untrusted": _clock_untrusted,
    "market_silent": _market_silent,
    "wal_large": _wal_large,
    "runner_changes": _runner_changes,
    "job_failing": _job_failing,
    "model_drift": _model_drift,
    "forecast": _forecast,
}
