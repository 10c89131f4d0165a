"""The pulse of each part of the service: one row a part, overwritten."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from engine.clock import Clock, iso, parse_iso
from engine.store.database import write_tx


@dataclass(frozen=True)
class Heartbeat:
    """Last sign of life of ``part``. ``boottime`` counts seconds of the boot ``boot_id`` only."""

    part: str
    at: datetime
    boot_id: str
    boottime: float
    pid: int
    detail: dict[str, Any] = field(default_factory=dict)

    def age_s(self, clock: Clock) -> float:
        """Seconds since, by boot time where it is the same boot, else by wall time."""
        if self.boot_id == clock.boot_id():
            return max(0.0, clock.boottime() - self.boottime)
        return max(0.0, (clock.now() - self.at).total_seconds())


def put(db: Database, beat: Heartbeat) -> None:
    with write_tx(db):
        db.conn.execute(
            "INSERT INTO heartbeats (part, at, boot_id, boottime, pid, detail) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (part) DO UPDATE SET at = excluded.at, "
            "boot_id = excluded.boot_id, boottime = excluded.boottime, pid = excluded.pid, "
            "detail = excluded.detail",
            (
                beat.part,
                iso(beat.at),
                beat.boot_id,
                beat.boottime,
                beat.pid,
                json.dumps(beat.detail),
            ),
        )


def get(db: Database, part: str) -> Heartbeat | None:
    row = db.conn.execute(
        "SELECT part, at, boot_id, boottime, pid, detail FROM heartbeats WHERE part = ?", (part,)
    ).fetchone()
    if row is None:
        return None
    name, at, boot_id, boottime, pid, detail = row
    return Heartbeat(name, parse_iso(at), boot_id, boottime, pid, json.loads(detail))
