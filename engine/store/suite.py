"""Runs of the prompt suite, their results, and blessed baselines."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlite_utils import Database

from engine.clock import iso
from engine.errors import UsageError
from engine.store.database import write_tx

Outcome = Literal["pass", "fail", "error"]


@dataclass(frozen=True)
class SuiteResult:
    """One case, model, version, recipe and repeat. ``reason`` is empty only for a pass."""

    case_name: str
    content_type: str
    model: str
    version_id: int
    recipe: str
    repeat: int
    outcome: Outcome
    reason: str
    text: str
    seconds: float


@dataclass(frozen=True)
class SuiteRun:
    """One row of ``suite_runs``."""

    id: int
    suite: str
    suite_sha256: str
    state: Literal["running", "done"]
    actor: str
    created_at: str
    finished_at: str | None


@dataclass(frozen=True)
class Baseline:
    """A blessed run."""

    id: int
    suite: str
    label: str
    run_id: int
    reason: str
    actor: str
    created_at: str


_RUN = ", ".join(SuiteRun.__dataclass_fields__)
_RESULT = tuple(field.name for field in dataclasses.fields(SuiteResult))
_BASELINE = ", ".join(Baseline.__dataclass_fields__)


def start(db: Database, suite: str, sha256: str, *, actor: str, now: datetime) -> int:
    """A new run; answers its id."""
    with write_tx(db):
        cursor = db.conn.execute(
            "INSERT INTO suite_runs (suite, suite_sha256, state, actor, created_at) "
            "VALUES (?, ?, 'running', ?, ?)",
            (suite, sha256, actor, iso(now)),
        )
    return int(cursor.lastrowid or 0)


def finish(db: Database, run_id: int, *, now: datetime) -> None:
    with write_tx(db):
        db.conn.execute(
            "UPDATE suite_runs SET state = 'done', finished_at = ? WHERE id = ?",
            (iso(now), run_id),
        )


def get(db: Database, run_id: int) -> SuiteRun | None:
    row = db.conn.execute(f"SELECT {_RUN} FROM suite_runs WHERE id = ?", (run_id,)).fetchone()
    return SuiteRun(*row) if row else None


def listing(db: Database, *, limit: int = 50) -> list[SuiteRun]:
    """Newest first."""
    rows = db.conn.execute(
        f"SELECT {_RUN} FROM suite_runs ORDER BY id DESC LIMIT ?", (limit,)
    ).fetchall()
    return [SuiteRun(*row) for row in rows]


def add(db: Database, run_id: int, result: SuiteResult, *, now: datetime) -> None:
    """Store one result, committed when this returns."""
    values: list[Any] = [getattr(result, name) for name in _RESULT]
    with write_tx(db):
        db.conn.execute(
            f"INSERT INTO suite_results (run_id, created_at, {', '.join(_RESULT)}) "
            f"VALUES ({', '.join('?' * (len(_RESULT) + 2))})",
            [run_id, iso(now), *values],
        )


def results(db: Database, run_id: int) -> list[SuiteResult]:
    """In the order they came."""
    rows = db.conn.execute(
        f"SELECT {', '.join(_RESULT)} FROM suite_results WHERE run_id = ? ORDER BY id", (run_id,)
    ).fetchall()
    return [SuiteResult(*row) for row in rows]


def bless(
    db: Database, run_id: int, label: str, *, reason: str, actor: str, now: datetime
) -> Baseline:
    """Make a finished run the baseline of its suite under ``label``.

    Raises: UsageError for an unknown or unfinished run or an empty reason.
    """
    run = get(db, run_id)
    if run is None or run.state != "done":
        raise UsageError(f"suite run {run_id} does not exist or did not finish. Run it again.")
    if not reason.strip():
        raise UsageError("a blessing needs a reason. Say in a few words why.")
    with write_tx(db):
        db.conn.execute(
            "INSERT INTO suite_baselines (suite, label, run_id, reason, actor, created_at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (run.suite, label, run_id, reason.strip(), actor, iso(now)),
        )
    found = baseline(db, run.suite, label)
    assert found is not None  # noqa: S101  inserted above
    return found


def baseline(db: Database, suite: str, label: str) -> Baseline | None:
    """The baseline in force."""
    row = db.conn.execute(
        f"SELECT {_BASELINE} FROM suite_baselines WHERE suite = ? AND label = ? "
        "ORDER BY id DESC LIMIT 1",
        (suite, label),
    ).fetchone()
    return Baseline(*row) if row else None
