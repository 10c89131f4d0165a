"""Runs of the service's jobs: when, how long, and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from engine.clock import iso
from engine.store.database import write_tx

LONGEST_ERROR = 500


@dataclass(frozen=True)
class JobRun:
    """One run. ``started_at`` ISO-8601 UTC, ``outcome`` ``ok`` or ``error``."""

    job: str
    started_at: str
    seconds: float
    outcome: str
    error: str | None


def record(
    db: Database, job: str, *, now: datetime, seconds: float, error: str | None = None
) -> None:
    """Store a run that ended at ``now`` after ``seconds``."""
    with write_tx(db):
        db.conn.execute(
            "INSERT INTO job_runs (job, started_at, seconds, outcome, error) "
            "VALUES (?, ?, ?, ?, ?)",
            (
                job,
                iso(datetime.fromtimestamp(now.timestamp() - seconds, now.tzinfo)),
                seconds,
                "error" if error else "ok",
                error[:LONGEST_ERROR] if error else None,
            ),
        )


def latest(db: Database, job: str, *, limit: int = 20) -> list[JobRun]:
    """Newest first."""
    rows = db.conn.execute(
        "SELECT job, started_at, seconds, outcome, error FROM job_runs WHERE job = ? "
        "ORDER BY id DESC LIMIT ?",
        (job, limit),
    ).fetchall()
    return [JobRun(*row) for row in rows]


def failing(db: Database, *, in_a_row: int) -> dict[str, str]:
    """Jobs whose last ``in_a_row`` runs all failed, with the last error."""
    names = [row[0] for row in db.conn.execute("SELECT DISTINCT job FROM job_runs").fetchall()]
    bad = {}
    for name in names:
        runs = latest(db, name, limit=in_a_row)
        if len(runs) == in_a_row and all(run.outcome == "error" for run in runs):
            bad[name] = runs[0].error or ""
    return bad


def prune(db: Database, before: datetime) -> int:
    """Forget runs started before that moment; answers how many."""
    with write_tx(db):
        return db.conn.execute("DELETE FROM job_runs WHERE started_at < ?", (iso(before),)).rowcount
