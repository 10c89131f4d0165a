"""Slots: one row for each local day and time of a schedule, from ``due`` to a named end.

``due`` -> ``claimed`` -> ``filled`` | ``missed`` | ``skipped``; a claim may be given back, and a
filled slot becomes skipped where its post did not fit the budget. Triggers (``061_slots.sql``,
``062_slots_over_budget.sql``) hold every caller to that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlite_utils import Database

from engine.clock import iso, parse_iso
from engine.store.database import write_tx

SlotEnd = Literal["filled", "missed", "skipped"]


@dataclass(frozen=True)
class Slot:
    """One row of ``slots``; moments are UTC."""

    id: int
    slot_key: str
    schedule_id: int | None
    local_date: str
    local_time: str
    zone: str
    due_at: datetime
    content_type: str
    state: str
    reason: str | None
    post_id: int | None
    tries: int
    retry_at: datetime | None
    claimed_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True)
class Wanted:
    """A slot that a schedule asks for."""

    local_date: str
    local_time: str
    zone: str
    due_at: datetime
    content_type: str

    def key(self, schedule_id: int) -> str:
        """No offset and no fold in it: a repeated hour is one slot."""
        return f"{schedule_id}|{self.local_date}|{self.local_time}"


@dataclass(frozen=True)
class Change:
    """What planning did: numbers of slots."""

    added: int = 0
    changed: int = 0
    removed: int = 0


_COLUMNS = ", ".join(Slot.__dataclass_fields__)
_MOMENTS = ("due_at", "retry_at", "claimed_at", "finished_at")
_UNTOUCHED = (
    "state = 'due' AND tries = 0 AND NOT EXISTS (SELECT 1 FROM posts WHERE slot_id = slots.id)"
)


def align(
    db: Database,
    schedule_id: int,
    wanted: Sequence[Wanted],
    *,
    after: datetime,
    until: datetime,
    now: datetime,
) -> Change:
    """Add the wanted slots; move or remove untouched ones of ``after`` to ``until`` to match.

    Slots that are past, claimed, tried, ended or already have a post stay as they are.
    """
    by_key = {slot.key(schedule_id): slot for slot in wanted}
    added = changed = removed = 0
    with write_tx(db):
        future = db.conn.execute(
            "SELECT id, slot_key, due_at, zone, content_type FROM slots "
            f"WHERE schedule_id = ? AND due_at > ? AND {_UNTOUCHED}",
            (schedule_id, iso(max(after, now))),
        ).fetchall()
        for slot_id, key, due_at, *rest in future:
            want = by_key.get(key)
            if want is None:
                if due_at <= iso(until):
                    db.conn.execute("DELETE FROM slots WHERE id = ?", (slot_id,))
                    removed += 1
            elif [due_at, *rest] != [iso(want.due_at), want.zone, want.content_type]:
                db.conn.execute(
                    "UPDATE slots SET due_at = ?, zone = ?, content_type = ? WHERE id = ?",
                    (iso(want.due_at), want.zone, want.content_type, slot_id),
                )
                changed += 1
        for key, want in by_key.items():
            added += db.conn.execute(
                "INSERT INTO slots (slot_key, schedule_id, local_date, local_time, zone, due_at, "
                "content_type, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (slot_key) DO NOTHING",
                (
                    key,
                    schedule_id,
                    want.local_date,
                    want.local_time,
                    want.zone,
                    iso(want.due_at),
                    want.content_type,
                    iso(now),
                ),
            ).rowcount
    return Change(added, changed, removed)


def get(db: Database, slot_id: int) -> Slot | None:
    rows = _select(db, "WHERE id = ?", slot_id)
    return rows[0] if rows else None


def waiting(db: Database, now: datetime) -> list[Slot]:
    """Slots whose time has come and that nobody has claimed, oldest first."""
    return _select(db, "WHERE state = 'due' AND due_at <= ? ORDER BY due_at, id", iso(now))


def claimed(db: Database) -> list[Slot]:
    """Slots somebody is working on, oldest first."""
    return _select(db, "WHERE state = 'claimed' ORDER BY due_at, id")


def upcoming(db: Database, now: datetime, *, limit: int = 20) -> list[Slot]:
    """Slots still to come, soonest first."""
    return _select(
        db, "WHERE state = 'due' AND due_at > ? ORDER BY due_at, id LIMIT ?", iso(now), limit
    )


def ended_since(db: Database, since: datetime, state: SlotEnd) -> list[Slot]:
    """Slots due after ``since`` that ended so, oldest first, at most 1,000."""
    return _select(
        db, "WHERE state = ? AND due_at > ? ORDER BY due_at, id LIMIT 1000", state, iso(since)
    )


def between(db: Database, start: datetime, end: datetime) -> list[Slot]:
    """Slots with ``start <= due_at < end``, oldest first, at most 10,000."""
    return _select(
        db,
        "WHERE due_at >= ? AND due_at < ? ORDER BY due_at, id LIMIT 10000",
        iso(start),
        iso(end),
    )


def counts(db: Database) -> dict[str, int]:
    """Numbers of slots by state."""
    return dict(db.conn.execute("SELECT state, count(*) FROM slots GROUP BY state").fetchall())


def claim(db: Database, slot_id: int, now: datetime, *, ahead: timedelta = timedelta(0)) -> bool:
    """Take a slot whose time has come, or comes within ``ahead``; false if somebody was first."""
    with write_tx(db):
        done = db.conn.execute(
            "UPDATE slots SET state = 'claimed', claimed_at = ?, retry_at = NULL, "
            "tries = tries + 1 WHERE id = ? AND state = 'due' AND due_at <= ? "
            "AND (retry_at IS NULL OR retry_at <= ?)",
            (iso(now), slot_id, iso(now + ahead), iso(now)),
        )
    return done.rowcount == 1


def give_back(db: Database, slot_id: int, reason: str, *, retry_at: datetime | None) -> bool:
    """Make a claimed slot due again; false if it is not claimed."""
    with write_tx(db):
        done = db.conn.execute(
            "UPDATE slots SET state = 'due', reason = ?, retry_at = ?, claimed_at = NULL "
            "WHERE id = ? AND state = 'claimed'",
            (reason, iso(retry_at) if retry_at else None, slot_id),
        )
    return done.rowcount == 1


def end(
    db: Database,
    slot_id: int,
    state: SlotEnd,
    *,
    now: datetime,
    reason: str | None = None,
    post_id: int | None = None,
) -> bool:
    """Give an open slot its end; false if it already has one."""
    with write_tx(db):
        done = db.conn.execute(
            "UPDATE slots SET state = ?, reason = ?, post_id = ?, finished_at = ?, "
            "retry_at = NULL WHERE id = ? AND state IN ('due', 'claimed')",
            (state, reason, post_id, iso(now), slot_id),
        )
    return done.rowcount == 1


def end_over_budget(db: Database, post_id: int, reason: str, *, now: datetime) -> bool:
    """The expired post did not fit the budget: its slot, filled or not yet, is skipped with that
    ``reason`` (``budget: …``); false for a post without a slot, or one that ended otherwise."""
    with write_tx(db):
        done = db.conn.execute(
            "UPDATE slots SET state = 'skipped', reason = ?, post_id = ?, finished_at = ?, "
            "retry_at = NULL WHERE id = (SELECT slot_id FROM posts WHERE id = ?) "
            "AND (state IN ('due', 'claimed') OR (state = 'filled' AND post_id = ?))",
            (reason, post_id, iso(now), post_id, post_id),
        )
    return done.rowcount == 1


def post_of(db: Database, slot_id: int) -> int | None:
    """The newest post written for the slot that may still go out or did."""
    row = db.conn.execute(
        "SELECT max(id) FROM posts WHERE slot_id = ? "
        "AND state NOT IN ('rejected', 'expired', 'failed', 'abandoned')",
        (slot_id,),
    ).fetchone()
    return int(row[0]) if row[0] is not None else None


def mark(db: Database, name: str) -> datetime | None:
    """How far ``name`` has come; a high-water mark never moves back."""
    row = db.conn.execute("SELECT at FROM high_water_marks WHERE name = ?", (name,)).fetchone()
    return parse_iso(row[0]) if row else None


def raise_mark(db: Database, name: str, at: datetime) -> None:
    """Move the mark forward; a lower value changes nothing."""
    with write_tx(db):
        db.conn.execute(
            "INSERT INTO high_water_marks (name, at) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET at = excluded.at WHERE excluded.at > at",
            (name, iso(at)),
        )


def _select(db: Database, tail: str, *values: Any) -> list[Slot]:
    rows = db.conn.execute(f"SELECT {_COLUMNS} FROM slots {tail}", values).fetchall()
    return [_record(row) for row in rows]


def _record(row: tuple[Any, ...]) -> Slot:
    fields = dict(zip(Slot.__dataclass_fields__, row, strict=True))
    for name in _MOMENTS:
        fields[name] = parse_iso(fields[name]) if fields[name] else None
    return Slot(**fields)
