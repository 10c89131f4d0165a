"""Attempts to publish: the intent before sending, the outcome after it, looks at the timeline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from engine.clock import iso
from engine.store.posts import Post


@dataclass(frozen=True)
class Attempt:
    """One row of ``attempts``; times are ISO-8601 texts, boot times seconds of ``boot_id``."""

    id: int
    uuid: str
    post_id: int
    revision: int
    body_sha256: str
    publisher: str
    account: str
    epoch: int
    boot_id: str
    started_at: str
    started_boottime: float
    deadline_boottime: float
    newest_known_id: str | None
    outcome: str | None
    reason: str | None
    duplicate: bool
    x_post_id: str | None
    finished_at: str | None
    unknown_at: str | None
    resolved_at: str | None
    skew_s: float | None


@dataclass(frozen=True)
class Intent:
    """What is written down before anything is sent."""

    uuid: str
    publisher: str
    account: str
    epoch: int
    boot_id: str
    started_boottime: float
    deadline_boottime: float


@dataclass(frozen=True)
class Look:
    """One look at the timeline for an attempt."""

    at: str
    boot_id: str
    boottime: float
    complete: bool


_COLUMNS = ", ".join(Attempt.__dataclass_fields__)


def insert(db: Database, post: Post, intent: Intent, *, now: datetime) -> Attempt:
    """Open an attempt for an approved post."""
    cursor = db.conn.execute(
        "INSERT INTO attempts (uuid, post_id, revision, body_sha256, publisher, account, epoch, "
        "boot_id, started_at, started_boottime, deadline_boottime, newest_known_id) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            intent.uuid,
            post.id,
            post.revision,
            post.body_sha256,
            intent.publisher,
            intent.account,
            intent.epoch,
            intent.boot_id,
            iso(now),
            intent.started_boottime,
            intent.deadline_boottime,
            newest_id(db, intent.account),
        ),
    )
    return _one(db, "id = ?", cursor.lastrowid)


def get(db: Database, attempt_id: int) -> Attempt | None:
    rows = _select(db, "WHERE id = ?", attempt_id)
    return rows[0] if rows else None


def by_uuid(db: Database, uuid: str) -> Attempt | None:
    rows = _select(db, "WHERE uuid = ?", uuid)
    return rows[0] if rows else None


def of_post(db: Database, post_id: int) -> list[Attempt]:
    """Oldest first."""
    return _select(db, "WHERE post_id = ? ORDER BY id", post_id)


def open_ones(db: Database) -> list[Attempt]:
    """Attempts whose sending has no outcome yet."""
    return _select(db, "WHERE finished_at IS NULL ORDER BY id")


def unsolved(db: Database, outcome: str = "unknown") -> list[Attempt]:
    """Attempts that are ``unknown`` (reconciliation works on them) or ``held`` (the operator)."""
    return _select(db, "WHERE outcome = ? ORDER BY id", outcome)


def finish(
    db: Database,
    attempt: Attempt,
    outcome: str,
    *,
    now: datetime,
    reason: str | None = None,
    x_post_id: str | None = None,
    skew_s: float | None = None,
    duplicate: bool = False,
) -> Attempt:
    """Write the outcome; the schema refuses what the last one does not allow."""
    at = iso(now)
    db.conn.execute(
        "UPDATE attempts SET outcome = ?, reason = ?, x_post_id = ?, skew_s = ?, "
        "duplicate = max(duplicate, ?), "
        "finished_at = COALESCE(finished_at, ?), "
        "unknown_at = COALESCE(unknown_at, CASE WHEN ? = 'unknown' THEN ? END), "
        "resolved_at = CASE WHEN unknown_at IS NOT NULL AND ? <> 'held' THEN ? END WHERE id = ?",
        (
            outcome,
            reason,
            x_post_id,
            skew_s,
            int(duplicate),
            at,
            outcome,
            at,
            outcome,
            at,
            attempt.id,
        ),
    )
    return _one(db, "id = ?", attempt.id)


def is_linked(db: Database, x_post_id: str) -> bool:
    """Whether this id on X already belongs to a post."""
    return bool(
        db.conn.execute("SELECT 1 FROM attempts WHERE x_post_id = ?", (x_post_id,)).fetchone()
    )


def newest_id(db: Database, account: str) -> str | None:
    """The newest id of the account on X that is known here."""
    row = db.conn.execute(
        "SELECT x_post_id FROM (SELECT x_post_id FROM attempts WHERE account = ? "
        "AND x_post_id IS NOT NULL ORDER BY id DESC LIMIT 100) "
        "ORDER BY length(x_post_id) DESC, x_post_id DESC LIMIT 1",
        (account,),
    ).fetchone()
    return str(row[0]) if row else None


def nth_sent(db: Database, account: str, n: int, since: datetime) -> str | None:
    """Start of the n-th newest attempt after ``since`` that reached X or may have; n from 1."""
    row = db.conn.execute(
        "SELECT started_at FROM attempts WHERE account = ? AND started_at > ? "
        "AND COALESCE(outcome, 'open') NOT IN ('not_sent', 'refused', 'absent') "
        "ORDER BY started_at DESC LIMIT 1 OFFSET ?",
        (account, iso(since), n - 1),
    ).fetchone()
    return str(row[0]) if row else None


def count_not_sent(db: Database, post_id: int) -> int:
    """How often sending the post failed before anything left."""
    return int(
        db.conn.execute(
            "SELECT count(*) FROM attempts WHERE post_id = ? AND outcome = 'not_sent'", (post_id,)
        ).fetchone()[0]
    )


def count_unknown(db: Database, account: str, since: datetime) -> int:
    """How many attempts became unknown since then, whatever came of them."""
    return int(
        db.conn.execute(
            "SELECT count(*) FROM attempts WHERE account = ? AND unknown_at > ?",
            (account, iso(since)),
        ).fetchone()[0]
    )


def add_look(db: Database, attempt: Attempt, look: Look, *, resources: int, note: str) -> None:
    """Write down a look at the timeline."""
    db.conn.execute(
        "INSERT INTO reconcile_reads (attempt_id, at, boot_id, boottime, complete, resources, "
        "note) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            attempt.id,
            look.at,
            look.boot_id,
            look.boottime,
            int(look.complete),
            resources,
            note,
        ),
    )


def looks(db: Database, attempt_id: int) -> list[Look]:
    """Oldest first."""
    rows = db.conn.execute(
        "SELECT at, boot_id, boottime, complete FROM reconcile_reads WHERE attempt_id = ? "
        "ORDER BY id",
        (attempt_id,),
    ).fetchall()
    return [Look(row[0], row[1], row[2], bool(row[3])) for row in rows]


def add_foreign(
    db: Database, x_post_id: str, text_key: str, *, created_at: datetime, now: datetime
) -> None:
    """Remember a post of the account that nobody here sent."""
    db.conn.execute(
        "INSERT INTO foreign_posts (x_post_id, text_key, created_at, seen_at) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (x_post_id) DO NOTHING",
        (x_post_id, text_key, iso(created_at), iso(now)),
    )


def _select(db: Database, tail: str, *values: object) -> list[Attempt]:
    rows = db.conn.execute(f"SELECT {_COLUMNS} FROM attempts {tail}", values).fetchall()
    return [Attempt(*row) for row in rows]


def _one(db: Database, where: str, *values: object) -> Attempt:
    return _select(db, f"WHERE {where}", *values)[0]
