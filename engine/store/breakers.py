"""Circuit breakers: one row a model, so that a restart and the console see the same state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlite_utils import Database

from engine.clock import iso, parse_iso
from engine.store.database import write_tx

State = Literal["closed", "open", "half_open"]

_COLUMNS = "name, state, failures, cooling_s, open_until, reason, updated_at"


@dataclass(frozen=True)
class Breaker:
    """``failures``: in a row. ``cooling_s``: the running or last period. ``open_until``: when a
    trial may start; while half open, when the running trial counts as lost."""

    name: str
    state: State
    failures: int = 0
    cooling_s: float = 0.0
    open_until: datetime | None = None
    reason: str | None = None
    updated_at: datetime | None = None


def get(db: Database, name: str) -> Breaker:
    """The breaker of ``name``; closed if it has never failed."""
    row = db.conn.execute(f"SELECT {_COLUMNS} FROM breakers WHERE name = ?", (name,)).fetchone()
    return _record(row) if row else Breaker(name, "closed")


def get_all(db: Database) -> list[Breaker]:
    """Every breaker that ever counted a failure, by name."""
    rows = db.conn.execute(f"SELECT {_COLUMNS} FROM breakers ORDER BY name").fetchall()
    return [_record(row) for row in rows]


def fail(
    db: Database,
    name: str,
    *,
    reason: str,
    limit: int,
    cooling_s: float,
    cooling_max_s: float,
    now: datetime,
) -> Breaker:
    """Count a failure. The ``limit``-th in a row opens for ``cooling_s``; a failed trial opens
    again for twice the last period, at most ``cooling_max_s``. Answers the new state."""
    with write_tx(db):
        before = get(db, name)
        failures = before.failures + 1
        if before.state == "open":  # a call that began before it opened; the period stands
            return before
        if before.state == "half_open":
            period = min(before.cooling_s * 2, cooling_max_s)
        else:
            period = min(cooling_s, cooling_max_s)
        opens = before.state == "half_open" or failures >= limit
        after = Breaker(
            name,
            "open" if opens else "closed",
            failures,
            period if opens else 0.0,
            now + timedelta(seconds=period) if opens else None,
            reason,
            now,
        )
        _put(db, after)
    return after


def succeed(db: Database, name: str, *, now: datetime) -> None:
    """Close and forget the failures. Also what an operator's "try now" does."""
    with write_tx(db):
        _put(db, Breaker(name, "closed", updated_at=now))


def claim_trial(db: Database, name: str, *, lease_s: float, now: datetime) -> bool:
    """True for exactly one caller when the cooling period is over: it may try the model.

    The claim lapses after ``lease_s``, so that a crash in the trial does not keep the model off.
    A row from the future means that the clock was set back: the period then counts as over.
    """
    with write_tx(db):
        cursor = db.conn.execute(
            "UPDATE breakers SET state = 'half_open', open_until = ?, updated_at = ? "
            "WHERE name = ? AND state <> 'closed' AND (open_until <= ? OR updated_at > ?)",
            (iso(now + timedelta(seconds=lease_s)), iso(now), name, iso(now), iso(now)),
        )
        return cursor.rowcount == 1


def give_back_trial(db: Database, name: str, *, now: datetime) -> None:
    """The trial proved nothing: the next caller may try at once."""
    with write_tx(db):
        db.conn.execute(
            "UPDATE breakers SET state = 'open', open_until = ?, updated_at = ? "
            "WHERE name = ? AND state = 'half_open'",
            (iso(now), iso(now), name),
        )


def _put(db: Database, breaker: Breaker) -> None:
    db.conn.execute(
        f"INSERT OR REPLACE INTO breakers ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            breaker.name,
            breaker.state,
            breaker.failures,
            breaker.cooling_s,
            iso(breaker.open_until) if breaker.open_until else None,
            breaker.reason,
            iso(breaker.updated_at) if breaker.updated_at else None,
        ),
    )


def _record(row: tuple[object, ...]) -> Breaker:
    name, state, failures, cooling_s, open_until, reason, updated_at = row
    return Breaker(
        name=str(name),
        state=state,  # type: ignore[arg-type]
        failures=int(str(failures)),
        cooling_s=float(str(cooling_s)),
        open_until=parse_iso(str(open_until)) if open_until else None,
        reason=str(reason) if reason is not None else None,
        updated_at=parse_iso(str(updated_at)),
    )
