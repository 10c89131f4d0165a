"""People of the console: their rows, OIDC's allow-list, and the sign-ins that feed the throttle."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils import Database

from engine.clock import iso
from engine.errors import UsageError
from engine.store.database import write_tx

KEEP_SIGN_INS = timedelta(days=30)


@dataclass(frozen=True)
class User:
    """One row of ``users``, without the hash."""

    id: int
    name: str
    role: str
    disabled_at: str | None
    created_at: str
    created_by: str
    updated_at: str
    has_password: bool


@dataclass(frozen=True)
class Identity:
    """An OIDC identity that may enter, and as whom."""

    id: int
    issuer: str
    email: str
    user: str
    created_at: str
    created_by: str


_USER = "id, name, role, disabled_at, created_at, created_by, updated_at, password_hash IS NOT NULL"


def insert(
    db: Database, *, name: str, password_hash: str | None, role: str, actor: str, now: datetime
) -> User:
    """Raises: UsageError when the name is taken."""
    try:
        with write_tx(db):
            db.conn.execute(
                "INSERT INTO users (name, password_hash, role, created_at, created_by, updated_at) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (name, password_hash, role, iso(now), actor, iso(now)),
            )
    except sqlite3.IntegrityError as error:
        raise UsageError(f"a user {name!r} exists, or the name is not allowed.") from error
    user = by_name(db, name)
    assert user is not None  # noqa: S101  inserted above
    return user


def by_name(db: Database, name: str) -> User | None:
    row = db.conn.execute(f"SELECT {_USER} FROM users WHERE name = ?", (name,)).fetchone()
    return _record(row) if row else None


def listing(db: Database) -> list[User]:
    return [_record(row) for row in db.conn.execute(f"SELECT {_USER} FROM users ORDER BY name")]


def password_hash(db: Database, name: str) -> str | None:
    """The hash of an enabled user; None where there is none to check against."""
    row = db.conn.execute(
        "SELECT password_hash FROM users WHERE name = ? AND disabled_at IS NULL", (name,)
    ).fetchone()
    return row[0] if row else None


def any_enabled(db: Database) -> bool:
    row = db.conn.execute("SELECT 1 FROM users WHERE disabled_at IS NULL LIMIT 1").fetchone()
    return row is not None


def enabled_admins(db: Database) -> int:
    """How many could still manage users."""
    return int(
        db.conn.execute(
            "SELECT count(*) FROM users WHERE role = 'admin' AND disabled_at IS NULL"
        ).fetchone()[0]
    )


def set_password_hash(db: Database, user_id: int, digest: str, *, now: datetime) -> None:
    _change(db, "password_hash = ?", digest, user_id, now)


def set_role(db: Database, user_id: int, role: str, *, now: datetime) -> None:
    _change(db, "role = ?", role, user_id, now)


def set_disabled(db: Database, user_id: int, disabled: bool, *, now: datetime) -> None:
    _change(db, "disabled_at = ?", iso(now) if disabled else None, user_id, now)


def reserve_sign_in(db: Database, name: str, *, now: datetime, limits: tuple[int, int]) -> int:
    """Count an attempt before it is checked, so that a parallel burst cannot slip past.

    ``limits``: wrong attempts within 15 minutes allowed for one name, and for all names.
    Answers the attempt's id, or 0 when the throttle refuses.
    """
    since = iso(now - timedelta(minutes=15))
    with write_tx(db):
        db.conn.execute("DELETE FROM sign_ins WHERE at < ?", (iso(now - KEEP_SIGN_INS),))
        mine = db.conn.execute(
            "SELECT count(*) FROM sign_ins WHERE name = ? AND outcome = 'wrong' AND at > ? "
            "AND id > (SELECT coalesce(max(id), 0) FROM sign_ins WHERE name = ? "
            "AND outcome = 'ok')",
            (name, since, name),
        ).fetchone()[0]
        everyone = db.conn.execute(
            "SELECT count(*) FROM sign_ins WHERE outcome = 'wrong' AND at > ?", (since,)
        ).fetchone()[0]
        refused = mine >= limits[0] or everyone >= limits[1]
        cursor = db.conn.execute(
            "INSERT INTO sign_ins (name, outcome, at) VALUES (?, ?, ?)",
            (name, "throttled" if refused else "wrong", iso(now)),
        )
    return 0 if refused else int(cursor.lastrowid or 0)


def confirm_sign_in(db: Database, attempt_id: int) -> None:
    """The reserved attempt was right."""
    with write_tx(db):
        db.conn.execute("UPDATE sign_ins SET outcome = 'ok' WHERE id = ?", (attempt_id,))


def allow_identity(
    db: Database, *, issuer: str, email: str, user_id: int, actor: str, now: datetime
) -> None:
    """Raises: UsageError when the identity is on the list already."""
    try:
        with write_tx(db):
            db.conn.execute(
                "INSERT INTO allowed_identities (issuer, email, user_id, created_at, created_by) "
                "VALUES (?, ?, ?, ?, ?)",
                (issuer, email, user_id, iso(now), actor),
            )
    except sqlite3.IntegrityError as error:
        raise UsageError(f"{email} of {issuer} is on the list already.") from error


def revoke_identity(db: Database, identity_id: int) -> None:
    with write_tx(db):
        db.conn.execute("DELETE FROM allowed_identities WHERE id = ?", (identity_id,))


def identities(db: Database) -> list[Identity]:
    rows = db.conn.execute(
        "SELECT a.id, a.issuer, a.email, u.name, a.created_at, a.created_by "
        "FROM allowed_identities a JOIN users u ON u.id = a.user_id ORDER BY a.email"
    )
    return [Identity(*row) for row in rows]


def by_identity(db: Database, issuer: str, email: str) -> User | None:
    """The enabled user behind an allowed identity."""
    row = db.conn.execute(
        f"SELECT {_USER} FROM users WHERE disabled_at IS NULL AND id = (SELECT user_id "
        "FROM allowed_identities WHERE issuer = ? AND email = ?)",
        (issuer, email),
    ).fetchone()
    return _record(row) if row else None


def _change(db: Database, assignment: str, value: str | None, user_id: int, now: datetime) -> None:
    with write_tx(db):
        db.conn.execute(
            f"UPDATE users SET {assignment}, updated_at = ? WHERE id = ?",
            (value, iso(now), user_id),
        )


def _record(row: tuple[Any, ...]) -> User:
    values = dict(zip(User.__dataclass_fields__, row, strict=True))
    return User(**{**values, "has_password": bool(values["has_password"])})
