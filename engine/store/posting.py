"""Switches of posting: the kill switch's row, the runner's epoch, what X told an account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from engine.clock import iso


@dataclass(frozen=True)
class Switch:
    """The kill switch's row."""

    stopped: bool
    reason: str
    actor: str
    changed_at: str | None


@dataclass(frozen=True)
class Runner:
    """Who took the host lock last; the epoch grows with every taking."""

    epoch: int
    holder: str
    taken_at: str | None


def switch(db: Database) -> Switch:
    row = db.conn.execute(
        "SELECT stopped, reason, actor, changed_at FROM kill_switch WHERE id = 1"
    ).fetchone()
    return Switch(bool(row[0]), row[1], row[2], row[3])


def set_switch(db: Database, stopped: bool, reason: str, actor: str, *, now: datetime) -> None:
    db.conn.execute(
        "UPDATE kill_switch SET stopped = ?, reason = ?, actor = ?, changed_at = ? WHERE id = 1",
        (int(stopped), reason, actor, iso(now)),
    )


def runner(db: Database) -> Runner:
    row = db.conn.execute("SELECT epoch, holder, taken_at FROM runner WHERE id = 1").fetchone()
    return Runner(*row)


def take_epoch(db: Database, epoch: int, holder: str, *, now: datetime) -> None:
    """Write the new epoch; the schema refuses one that does not grow."""
    db.conn.execute(
        "UPDATE runner SET epoch = ?, holder = ?, taken_at = ? WHERE id = 1",
        (epoch, holder, iso(now)),
    )


def blocked_until(db: Database, account: str, *, reads: bool = False) -> tuple[str, str] | None:
    """(until, reason) that X told the account to wait, for posts or for reads."""
    column = "reads_blocked_until" if reads else "blocked_until"
    row = db.conn.execute(
        f"SELECT {column}, COALESCE(blocked_reason, '') FROM accounts WHERE account = ?",
        (account,),
    ).fetchone()
    return (row[0], row[1]) if row and row[0] else None


def block(db: Database, account: str, until: datetime, reason: str, *, reads: bool = False) -> None:
    """X told the account to wait."""
    column = "reads_blocked_until" if reads else "blocked_until"
    db.conn.execute(
        f"INSERT INTO accounts (account, {column}, blocked_reason) VALUES (?, ?, ?) "
        f"ON CONFLICT (account) DO UPDATE SET {column} = excluded.{column}, "
        "blocked_reason = excluded.blocked_reason",
        (account, iso(until), reason),
    )
