"""Schedules: which local times of which days, in which zone, want a post."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlite_utils import Database

from engine.clock import iso, parse_iso
from engine.errors import UsageError
from engine.records import CONTENT_TYPES
from engine.store.database import write_tx

EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
MOST_TIMES = 96

_HH_MM = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True)
class Plan:
    """What an operator sets. ``times`` are local ``HH:MM``, ``days`` ISO weekdays (Monday 1);
    ``content_type`` None means: by the setting content.mix."""

    name: str
    zone: str
    times: tuple[str, ...]
    days: tuple[int, ...] = EVERY_DAY
    content_type: str | None = None
    enabled: bool = True


@dataclass(frozen=True)
class Schedule:
    """A stored plan."""

    id: int
    plan: Plan
    created_at: datetime
    updated_at: datetime

    @property
    def zone(self) -> ZoneInfo:
        return zone_of(self.plan.zone)


def zone_of(name: str) -> ZoneInfo:
    """The IANA zone of that name.

    Raises: UsageError.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            f"{name!r} is not a time zone. Use an IANA name such as Europe/Berlin or UTC."
        ) from error


def checked(plan: Plan) -> Plan:
    """``plan`` with times and days sorted and free of repeats.

    Raises: UsageError naming what is wrong.
    """
    zone_of(plan.zone)
    name = plan.name.strip()
    if not 1 <= len(name) <= 60:
        raise UsageError("A schedule needs a name of 1 to 60 characters.")
    wrong = [text for text in plan.times if not _HH_MM.fullmatch(text)]
    if wrong:
        raise UsageError(f"{wrong[0]!r} is not a time of day. Write it as HH:MM, such as 08:30.")
    times, days = tuple(sorted(set(plan.times))), tuple(sorted(set(plan.days)))
    if not 1 <= len(times) <= MOST_TIMES:
        raise UsageError(f"A schedule needs 1 to {MOST_TIMES} times of day.")
    if not days or not set(days) <= set(EVERY_DAY):
        raise UsageError("A schedule needs at least one weekday from 1 (Monday) to 7 (Sunday).")
    if plan.content_type is not None and plan.content_type not in CONTENT_TYPES:
        raise UsageError(f"The content type is one of {', '.join(CONTENT_TYPES)}, or none: mix.")
    return Plan(name, plan.zone, times, days, plan.content_type, plan.enabled)


def insert(db: Database, plan: Plan, *, now: datetime) -> int:
    """Store a new schedule; answers its id.

    Raises: UsageError, also where the name is taken.
    """
    plan = checked(plan)
    with write_tx(db):
        _refuse_taken(db, plan.name, None)
        cursor = db.conn.execute(
            "INSERT INTO schedules (name, zone, times, days, content_type, enabled, created_at, "
            "updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*_values(plan), iso(now), iso(now)),
        )
    return int(cursor.lastrowid or 0)


def update(db: Database, schedule_id: int, plan: Plan, *, now: datetime) -> None:
    """Give the schedule a new plan.

    Raises: UsageError, also where the schedule does not exist or the name is taken.
    """
    plan = checked(plan)
    with write_tx(db):
        _refuse_taken(db, plan.name, schedule_id)
        done = db.conn.execute(
            "UPDATE schedules SET name = ?, zone = ?, times = ?, days = ?, content_type = ?, "
            "enabled = ?, updated_at = ? WHERE id = ?",
            (*_values(plan), iso(now), schedule_id),
        )
        if not done.rowcount:
            raise UsageError(f"There is no schedule {schedule_id}.")


def listing(db: Database) -> list[Schedule]:
    """All schedules, oldest first."""
    rows = db.conn.execute(
        "SELECT id, name, zone, times, days, content_type, enabled, created_at, updated_at "
        "FROM schedules ORDER BY id"
    ).fetchall()
    return [
        Schedule(
            row[0],
            Plan(
                row[1],
                row[2],
                tuple(json.loads(row[3])),
                tuple(json.loads(row[4])),
                row[5],
                bool(row[6]),
            ),
            parse_iso(row[7]),
            parse_iso(row[8]),
        )
        for row in rows
    ]


def _values(plan: Plan) -> tuple[object, ...]:
    return (
        plan.name,
        plan.zone,
        json.dumps(plan.times),
        json.dumps(plan.days),
        plan.content_type,
        int(plan.enabled),
    )


def _refuse_taken(db: Database, name: str, own_id: int | None) -> None:
    row = db.conn.execute("SELECT id FROM schedules WHERE name = ?", (name,)).fetchone()
    if row and row[0] != own_id:
        raise UsageError(f"There is already a schedule named {name!r}. Choose another name.")
