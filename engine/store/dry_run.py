"""The append-only table a dry run "posts" to."""

from __future__ import annotations

from datetime import datetime

from sqlite_utils import Database

from engine.clock import iso
from engine.store.database import write_tx


def append(db: Database, text: str, *, now: datetime) -> int:
    """Store a text; answers its number."""
    with write_tx(db):
        cursor = db.conn.execute(
            "INSERT INTO dry_run_posts (text, created_at) VALUES (?, ?)", (text, iso(now))
        )
    return int(cursor.lastrowid or 0)


def listing(
    db: Database, *, from_number: int | None, since: datetime | None
) -> list[tuple[int, str, str]]:
    """(number, text, created_at) from that number or moment on, newest first, at most 1,000."""
    everything = from_number is None and since is None
    return [
        (int(row[0]), row[1], row[2])
        for row in db.conn.execute(
            "SELECT id, text, created_at FROM dry_run_posts "
            "WHERE ? OR id >= ? OR created_at >= ? ORDER BY id DESC LIMIT 1000",
            (everything, from_number, iso(since) if since else None),
        )
    ]
