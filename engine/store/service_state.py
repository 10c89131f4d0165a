"""Small facts of the running service that must outlive a restart.

Keys in use: ``reconcile_required`` (why posting first compares with X, a clause),
``clock_trusted`` (last trusted reading of both clocks: :mod:`engine.service.clockwatch`).
"""

from __future__ import annotations

from datetime import datetime

from sqlite_utils import Database

from engine.clock import iso
from engine.store.database import write_tx

RECONCILE_REQUIRED = "reconcile_required"
CLOCK_TRUSTED = "clock_trusted"


def get(db: Database, key: str) -> str | None:
    """The stored text, or None where nothing was stored."""
    row = db.conn.execute("SELECT value FROM service_state WHERE key = ?", (key,)).fetchone()
    return str(row[0]) if row else None


def put(db: Database, key: str, value: str, now: datetime) -> None:
    with write_tx(db):
        db.conn.execute(
            "INSERT INTO service_state (key, value, at) VALUES (?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value, at = excluded.at",
            (key, value, iso(now)),
        )


def drop(db: Database, key: str) -> bool:
    """Forget the key; true if it was there."""
    with write_tx(db):
        return db.conn.execute("DELETE FROM service_state WHERE key = ?", (key,)).rowcount > 0
