"""Alerts: raised as often as a condition is seen, kept as one open row, told as few notices.

An alert that ends is told as a recovery only after it stayed away for :data:`SETTLE_S`; one that
comes back earlier opens its old row again, so that a flapping condition is one story.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlite_utils import Database

from engine.clock import iso
from engine.store.database import write_tx

AlertSeverity = Literal["info", "warning", "critical"]

SETTLE_S = 300.0


@dataclass(frozen=True)
class Alert:
    """One row of ``alert_events``; times are ISO-8601 texts, UTC."""

    id: int
    kind: str
    key: str
    severity: AlertSeverity
    message: str
    opened_at: str
    last_seen_at: str
    count: int
    last_sent_at: str | None
    tries: int
    retry_at: str | None
    resolved_at: str | None
    recovery_sent_at: str | None

    @property
    def is_recovery(self) -> bool:
        """True where the notice to send says that it is over."""
        return self.resolved_at is not None


_COLUMNS = ", ".join(Alert.__dataclass_fields__)


def raise_alert(
    db: Database, kind: str, key: str, severity: AlertSeverity, message: str, now: datetime
) -> bool:
    """The condition ``kind``/``key`` holds now; true if that is news."""
    at = iso(now)
    with write_tx(db):
        seen = db.conn.execute(
            "UPDATE alert_events SET severity = ?, message = ?, last_seen_at = ?, "
            "count = count + 1 WHERE kind = ? AND key = ? AND resolved_at IS NULL",
            (severity, message, at, kind, key),
        )
        if seen.rowcount:
            return False
        back = db.conn.execute(
            "UPDATE alert_events SET severity = ?, message = ?, last_seen_at = ?, "
            "count = count + 1, resolved_at = NULL WHERE id = (SELECT max(id) FROM alert_events "
            "WHERE kind = ? AND key = ? AND resolved_at > ? AND recovery_sent_at IS NULL)",
            (severity, message, at, kind, key, iso(now - timedelta(seconds=SETTLE_S))),
        )
        if back.rowcount:
            return False
        db.conn.execute(
            "INSERT INTO alert_events (kind, key, severity, message, opened_at, last_seen_at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (kind, key, severity, message, at, at),
        )
        return True


def resolve(db: Database, kind: str, key: str, now: datetime) -> bool:
    """The condition no longer holds; true if it was open."""
    with write_tx(db):
        done = db.conn.execute(
            "UPDATE alert_events SET resolved_at = ?, tries = 0, retry_at = NULL "
            "WHERE kind = ? AND key = ? AND resolved_at IS NULL",
            (iso(now), kind, key),
        )
    return done.rowcount > 0


def get(db: Database, alert_id: int) -> Alert | None:
    row = db.conn.execute(
        f"SELECT {_COLUMNS} FROM alert_events WHERE id = ?", (alert_id,)
    ).fetchone()
    return Alert(*row) if row else None


def open_alerts(db: Database, kind: str | None = None) -> list[Alert]:
    """Alerts that hold now, of one kind or of all, oldest first."""
    where, values = ("AND kind = ?", (kind,)) if kind else ("", ())
    rows = db.conn.execute(
        f"SELECT {_COLUMNS} FROM alert_events WHERE resolved_at IS NULL {where} ORDER BY id",
        values,
    ).fetchall()
    return [Alert(*row) for row in rows]


def history(db: Database, *, limit: int = 100) -> list[Alert]:
    """Newest first, open and resolved."""
    rows = db.conn.execute(
        f"SELECT {_COLUMNS} FROM alert_events ORDER BY id DESC LIMIT ?", (limit,)
    ).fetchall()
    return [Alert(*row) for row in rows]


def due_notices(db: Database, now: datetime, *, repeat_s: float) -> list[Alert]:
    """What must be told now: new alerts, old ones to repeat, and recoveries that settled.

    A condition that ended before anybody was told needs no recovery notice.
    """
    at = iso(now)
    rows = db.conn.execute(
        f"SELECT {_COLUMNS} FROM alert_events WHERE (retry_at IS NULL OR retry_at <= ?) AND ("
        "(resolved_at IS NULL AND (last_sent_at IS NULL OR last_sent_at <= ?)) OR "
        "(resolved_at <= ? AND last_sent_at IS NOT NULL AND recovery_sent_at IS NULL)"
        ") ORDER BY id LIMIT 50",
        (
            at,
            iso(now - timedelta(seconds=repeat_s)),
            iso(now - timedelta(seconds=SETTLE_S)),
        ),
    ).fetchall()
    return [Alert(*row) for row in rows]


def mark_sent(db: Database, alert: Alert, now: datetime) -> None:
    """The notice that ``alert`` stood for reached every channel."""
    column = "recovery_sent_at" if alert.is_recovery else "last_sent_at"
    with write_tx(db):
        db.conn.execute(
            f"UPDATE alert_events SET {column} = ?, tries = 0, retry_at = NULL WHERE id = ?",
            (iso(now), alert.id),
        )


def mark_failed(db: Database, alert: Alert, retry_at: datetime) -> None:
    """The notice did not reach every channel; it is due again at ``retry_at``."""
    with write_tx(db):
        db.conn.execute(
            "UPDATE alert_events SET tries = tries + 1, retry_at = ? WHERE id = ?",
            (iso(retry_at), alert.id),
        )


def prune(db: Database, before: datetime) -> int:
    """Forget alerts resolved before that moment; answers how many."""
    with write_tx(db):
        return db.conn.execute(
            "DELETE FROM alert_events WHERE resolved_at < ?", (iso(before),)
        ).rowcount
