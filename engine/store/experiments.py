"""Experiments, assignments and what came of them, as rows; rules are in engine/learning."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from engine.clock import iso
from engine.records import canonical_json
from engine.store.database import write_tx


@dataclass(frozen=True)
class Experiment:
    """One row; ``spec`` is frozen. ``seed`` must not be shown while it runs."""

    id: int
    name: str
    kind: str
    spec: dict[str, Any]
    spec_text: str
    spec_hash: str
    seed: str
    seed_hash: str
    state: str
    started_at: str
    started_by: str
    stopped_at: str | None
    stopped_by: str | None
    stop_reason: str | None

    @property
    def arms(self) -> tuple[str, ...]:
        return tuple(arm["name"] for arm in self.spec["arms"])


@dataclass(frozen=True)
class Row:
    """One assignment."""

    id: int
    experiment_id: int
    spec_hash: str
    block_id: str
    position: int
    stratum: str
    unit: str
    slot_id: int | None
    slot_at: str
    arm: str
    propensity: dict[str, float]
    assigned_at: str


_EXPERIMENT = (
    "id, name, kind, spec, spec_hash, seed, seed_hash, state, started_at, started_by, "
    "stopped_at, stopped_by, stop_reason"
)
_ROW = ", ".join(Row.__dataclass_fields__)


def insert(
    db: Database, *, name: str, kind: str, spec: str, spec_hash: str, seed: str, seed_hash: str,
    actor: str, now: datetime,
) -> int:  # fmt: skip
    """A running experiment; answers its id."""
    cursor = db.conn.execute(
        "INSERT INTO experiments (name, kind, spec, spec_hash, seed, seed_hash, started_at, "
        "started_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (name, kind, spec, spec_hash, seed, seed_hash, iso(now), actor),
    )
    return int(cursor.lastrowid or 0)


def end(db: Database, experiment_id: int, *, actor: str, reason: str, now: datetime) -> bool:
    """Stop a running one; false if it did not run."""
    cursor = db.conn.execute(
        "UPDATE experiments SET state = 'stopped', stopped_at = ?, stopped_by = ?, "
        "stop_reason = ? WHERE id = ? AND state = 'running'",
        (iso(now), actor, reason, experiment_id),
    )
    return cursor.rowcount == 1


def get(db: Database, experiment_id: int) -> Experiment | None:
    row = db.conn.execute(
        f"SELECT {_EXPERIMENT} FROM experiments WHERE id = ?", (experiment_id,)
    ).fetchone()
    return _experiment(row) if row else None


def listing(db: Database) -> list[Experiment]:
    """Newest first."""
    rows = db.conn.execute(f"SELECT {_EXPERIMENT} FROM experiments ORDER BY id DESC").fetchall()
    return [_experiment(row) for row in rows]


def running(db: Database) -> list[Experiment]:
    """At most one experiment and one holdout; the holdout first."""
    rows = db.conn.execute(
        f"SELECT {_EXPERIMENT} FROM experiments WHERE state = 'running' "
        "ORDER BY kind <> 'holdout', id"
    ).fetchall()
    return [_experiment(row) for row in rows]


def named(db: Database, name: str) -> bool:
    return bool(db.conn.execute("SELECT 1 FROM experiments WHERE name = ?", (name,)).fetchone())


# -- assignments -----------------------------------------------------------------------------


def assign(db: Database, row: Row, *, now: datetime) -> int:
    """Store one assignment (``row.id`` is ignored); answers its id."""
    with write_tx(db):
        cursor = db.conn.execute(
            f"INSERT INTO assignments ({_ROW}) VALUES (NULL,?,?,?,?,?,?,?,?,?,?,?)",
            (
                row.experiment_id, row.spec_hash, row.block_id, row.position, row.stratum,
                row.unit, row.slot_id, row.slot_at, row.arm, canonical_json(row.propensity),
                iso(now),
            ),
        )  # fmt: skip
    return int(cursor.lastrowid or 0)


def of_slot(db: Database, slot_id: int) -> Row | None:
    """The newest assignment of a slot."""
    row = db.conn.execute(
        f"SELECT {_ROW} FROM assignments WHERE slot_id = ? ORDER BY id DESC LIMIT 1", (slot_id,)
    ).fetchone()
    return _row(row) if row else None


def of_unit(db: Database, experiment_id: int, unit: str) -> Row | None:
    row = db.conn.execute(
        f"SELECT {_ROW} FROM assignments WHERE experiment_id = ? AND unit = ?",
        (experiment_id, unit),
    ).fetchone()
    return _row(row) if row else None


def all_of(db: Database, experiment_id: int) -> list[Row]:
    """In the order they were made."""
    rows = db.conn.execute(
        f"SELECT {_ROW} FROM assignments WHERE experiment_id = ? ORDER BY id", (experiment_id,)
    ).fetchall()
    return [_row(row) for row in rows]


def blocks_of_stratum(db: Database, experiment_id: int, stratum: str) -> list[tuple[str, int, str]]:
    """(block, slots it has, its latest slot_at), oldest block first."""
    return db.conn.execute(
        "SELECT block_id, count(*), max(slot_at) FROM assignments "
        "WHERE experiment_id = ? AND stratum = ? GROUP BY block_id ORDER BY min(id)",
        (experiment_id, stratum),
    ).fetchall()


# -- what came of them -----------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """An assigned slot (or one of an assigned day) with a post of it, as far as there is one.

    Counts are of the first snapshot at 48 h or later; None until then.
    """

    block_id: str
    arm: str
    unit: str
    slot_id: int
    schedule_id: int | None
    slot_at: str
    assigned_at: str
    slot_state: str
    post_id: int | None
    post_state: str | None
    origin: str | None
    model: str | None
    written_at: str | None  # the first model call's end, or the post's own making
    posted_at: str | None
    gone: int
    age_hours: float | None
    impressions: int | None
    likes: int | None
    reposts: int | None
    replies: int | None
    quotes: int | None
    bookmarks: int | None
    rejections: int
    edits: int


_RESULT = (
    "a.block_id, a.arm, a.unit, s.id, s.schedule_id, a.slot_at, a.assigned_at, s.state, p.id, "
    "p.state, p.origin, p.model_name, COALESCE((SELECT min(created_at) FROM generation_params WHERE post_id = p.id), "
    " p.created_at), p.posted_at, g.post_id IS NOT NULL, "
    "m.age_hours, m.impressions, m.likes, m.reposts, m.replies, m.quotes, m.bookmarks, "
    "(SELECT count(*) FROM decisions d WHERE d.post_id = p.id AND d.by_kind = 'operator' "
    " AND d.decision = 'rejected'), "
    "(SELECT count(*) FROM decisions d WHERE d.post_id = p.id AND d.decision = 'edited') "
)
_JOINS = (
    "LEFT JOIN posts p ON p.slot_id = s.id "
    "LEFT JOIN gone_posts g ON g.post_id = p.id "
    "LEFT JOIN metrics m ON m.post_id = p.id AND m.age_h = "
    "(SELECT min(age_h) FROM metrics WHERE post_id = p.id AND age_h >= 48) "
)


def results(db: Database, experiment_id: int) -> list[Result]:
    """Every assigned slot, in the order of assignment; a day brings all its slots whose time has
    come, of every schedule and whatever became of them."""
    rows = db.conn.execute(
        f"SELECT {_RESULT} FROM assignments a JOIN slots s ON s.id = a.slot_id {_JOINS}"
        "WHERE a.experiment_id = ? ORDER BY a.id, p.id",
        (experiment_id,),
    ).fetchall()
    days = db.conn.execute(
        f"SELECT {_RESULT} FROM assignments a JOIN slots s ON s.local_date = a.unit "
        f"AND s.state <> 'due' {_JOINS}"
        "WHERE a.experiment_id = ? AND a.slot_id IS NULL ORDER BY a.id, p.id",
        (experiment_id,),
    ).fetchall()
    return [Result(*row) for row in (*rows, *days)]


def _experiment(row: tuple[Any, ...]) -> Experiment:
    identity, spec = row[:3], row[3]
    return Experiment(*(*identity, json.loads(spec), spec, *row[4:]))


def _row(row: tuple[Any, ...]) -> Row:
    values = list(row)
    values[10] = json.loads(values[10])
    return Row(*values)
