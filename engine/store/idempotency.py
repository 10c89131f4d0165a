"""Answers of the API's writes, kept so that a repeated request gets the first one's answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from engine.clock import iso
from engine.store.database import write_tx

KEEP = timedelta(hours=24)


@dataclass(frozen=True)
class Kept:
    """One request under a key; ``status`` and ``body`` (JSON) once it is ``done``."""

    fingerprint: str
    run: str
    state: str  # working | done
    status: int | None
    body: str | None


def begin(
    db: Database, token_id: str, key: str, *, fingerprint: str, run: str, now: datetime
) -> Kept | None:
    """None if the key is new and now taken; else what it was used for before."""
    with write_tx(db):
        db.conn.execute("DELETE FROM api_requests WHERE created_at < ?", (iso(now - KEEP),))
        row = db.conn.execute(
            "SELECT fingerprint, run, state, status, body FROM api_requests "
            "WHERE token_id = ? AND key = ?",
            (token_id, key),
        ).fetchone()
        if row is not None:
            return Kept(*row)
        db.conn.execute(
            "INSERT INTO api_requests (token_id, key, fingerprint, run, state, created_at) "
            "VALUES (?, ?, ?, ?, 'working', ?)",
            (token_id, key, fingerprint, run, iso(now)),
        )
    return None


def finish(db: Database, token_id: str, key: str, *, status: int, body: str) -> None:
    """Keep the answer."""
    with write_tx(db):
        db.conn.execute(
            "UPDATE api_requests SET state = 'done', status = ?, body = ? "
            "WHERE token_id = ? AND key = ?",
            (status, body, token_id, key),
        )


def release(db: Database, token_id: str, key: str) -> None:
    """Nothing was done: the key may be used again."""
    with write_tx(db):
        db.conn.execute(
            "DELETE FROM api_requests WHERE token_id = ? AND key = ? AND state = 'working'",
            (token_id, key),
        )
