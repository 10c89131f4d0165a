"""Token buckets: how many requests a caller may still make, kept across restarts."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlite_utils import Database

from engine.clock import iso, parse_iso
from engine.store.database import write_tx

IDLE = timedelta(hours=1)
"""A bucket nobody drew from for so long is full again, hence forgotten."""


def draw(
    db: Database, name: str, *, capacity: float, want: int, now: datetime
) -> tuple[int, float]:
    """Take up to ``want`` permits from a bucket of ``capacity`` that fills up in a minute.

    Answers (permits, seconds until the next one where there are none).
    """
    per_second = capacity / 60
    with write_tx(db):
        row = db.conn.execute(
            "SELECT level, at FROM api_buckets WHERE name = ?", (name,)
        ).fetchone()
        level = capacity
        if row is not None:
            # a clock that was set back must not empty the bucket
            passed = max(0.0, (now - parse_iso(row[1])).total_seconds())
            level = min(capacity, row[0] + passed * per_second)
        permits = min(want, int(level))
        db.conn.execute(
            "INSERT INTO api_buckets (name, level, at) VALUES (?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET level = excluded.level, at = excluded.at",
            (name, level - permits, iso(now)),
        )
        db.conn.execute("DELETE FROM api_buckets WHERE at < ?", (iso(now - IDLE),))
    return permits, 0.0 if permits else (1 - level) / per_second
