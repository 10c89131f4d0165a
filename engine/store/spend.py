"""Money spent at X, in millionths of a US dollar so that sums are exact."""

from __future__ import annotations

from datetime import datetime

from sqlite_utils import Database

from engine.clock import iso


def insert(
    db: Database,
    *,
    publisher: str,
    kind: str,
    quantity: int,
    usd_micros: int,
    now: datetime,
    attempt_id: int | None = None,
) -> None:
    """One billed call."""
    db.conn.execute(
        "INSERT INTO spend (at, publisher, kind, quantity, usd_micros, attempt_id) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (iso(now), publisher, kind, quantity, usd_micros, attempt_id),
    )


def of_attempt(db: Database, attempt_id: int) -> tuple[str, int] | None:
    """(publisher, what is still charged for sending this attempt)."""
    row = db.conn.execute(
        "SELECT min(publisher), sum(usd_micros) FROM spend WHERE attempt_id = ? "
        "AND kind IN ('post', 'post_url', 'returned')",
        (attempt_id,),
    ).fetchone()
    return (row[0], int(row[1])) if row[0] is not None else None


def total(db: Database, since: datetime, until: datetime, publisher: str | None) -> int:
    """Millionths of a dollar in ``since <= at < until``; ``None``: all publishers."""
    where, values = ("AND publisher = ?", (publisher,)) if publisher else ("", ())
    row = db.conn.execute(
        f"SELECT COALESCE(sum(usd_micros), 0) FROM spend WHERE at >= ? AND at < ? {where}",
        (iso(since), iso(until), *values),
    ).fetchone()
    return int(row[0])
