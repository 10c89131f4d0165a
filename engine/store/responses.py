"""Stored model answers, oldest use thrown out first when they grow too large."""

from __future__ import annotations

from datetime import datetime

from sqlite_utils import Database

from engine.clock import iso
from engine.store.database import write_tx


def find(db: Database, key: str, *, now: datetime) -> str | None:
    """The answer under ``key``, marked as used now."""
    row = db.conn.execute("SELECT answer FROM response_cache WHERE key = ?", (key,)).fetchone()
    if row is None:
        return None
    with write_tx(db):
        db.conn.execute("UPDATE response_cache SET used_at = ? WHERE key = ?", (iso(now), key))
    return str(row[0])


def keep(db: Database, key: str, answer: str, *, max_bytes: int, now: datetime) -> None:
    """Store, then drop the longest unused until all answers together hold ``max_bytes``."""
    with write_tx(db):
        db.conn.execute(
            "INSERT OR REPLACE INTO response_cache (key, answer, bytes, used_at) VALUES (?, ?, ?, ?)",
            (key, answer, len(answer.encode()), iso(now)),
        )
        db.conn.execute(
            "DELETE FROM response_cache WHERE key IN (SELECT key FROM (SELECT key, sum(bytes) "
            "OVER (ORDER BY used_at DESC, key) AS held FROM response_cache) WHERE held > ?)",
            (max_bytes,),
        )


def clear(db: Database) -> int:
    """Forget all answers; how many there were."""
    with write_tx(db):
        return int(db.conn.execute("DELETE FROM response_cache").rowcount)
