"""Decisions on texts, requests to write anew, and the queries the queue decides by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlite_utils import Database

from engine.clock import iso
from engine.store.database import write_tx
from engine.store.posts import COLUMNS, Post, record

DecisionKind = Literal["approved", "rejected", "edited", "withdrawn"]

LIVE = ("validated", "pending_approval", "approved", "publishing", "unknown", "held")
"""States in which a post may still reach X."""


@dataclass(frozen=True)
class Regeneration:
    """An open wish for a new text of one revision; ``cause`` is ``operator`` or ``stale``."""

    id: int
    post_id: int
    revision: int
    cause: str
    note: str
    actor: str
    tries: int
    created_at: str


def decide(
    db: Database,
    post: Post,
    decision: DecisionKind,
    *,
    actor: str,
    now: datetime,
    reason: str | None = None,
    by_autonomy: bool = False,
) -> None:
    """Write down what was decided about the exact text of ``post``."""
    db.conn.execute(
        "INSERT INTO decisions (post_id, revision, body_sha256, decision, by_kind, actor, reason, "
        "created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            post.id,
            post.revision,
            post.body_sha256,
            decision,
            "autonomy" if by_autonomy else "operator",
            actor,
            reason,
            iso(now),
        ),
    )


def approved_text(db: Database, post_id: int) -> tuple[int, str] | None:
    """(revision, body hash) that the newest decision approved; None if it was not an approval."""
    row = db.conn.execute(
        "SELECT decision, revision, body_sha256 FROM decisions WHERE post_id = ? "
        "ORDER BY id DESC LIMIT 1",
        (post_id,),
    ).fetchone()
    return (row[1], row[2]) if row and row[0] == "approved" else None


def approvals_in_a_row(db: Database, post: Post) -> int:
    """Posts of the same type, model and template version that operators approved since they last
    rejected, edited or took one back. Approvals by autonomy count neither way."""
    rows = db.conn.execute(
        "SELECT d.decision FROM decisions d JOIN posts p ON p.id = d.post_id "
        "WHERE d.by_kind = 'operator' AND p.content_type = ? AND p.model_name IS ? "
        "AND p.template_version_id IS ? AND p.origin = 'model' AND d.id = "
        "(SELECT max(id) FROM decisions WHERE post_id = d.post_id AND by_kind = 'operator') "
        "ORDER BY d.id DESC LIMIT 100",
        (post.content_type, post.model_name, post.template_version_id),
    )
    streak = 0
    for (decision,) in rows:
        if decision != "approved":
            break
        streak += 1
    return streak


def twin(db: Database, post: Post, *, since: datetime, states: Iterable[str]) -> Post | None:
    """Another post with the same text for a reader, in one of ``states`` or posted since then."""
    names = tuple(states)
    marks = ", ".join("?" * len(names))
    row = db.conn.execute(
        f"SELECT {COLUMNS} FROM posts WHERE text_key = ? AND id <> ? AND (state IN ({marks}) "
        "OR (state = 'posted' AND posted_at >= ?)) ORDER BY id LIMIT 1",
        (post.text_key, post.id, *names, iso(since)),
    ).fetchone()
    return record(row) if row else None


def live_with_text(db: Database, text_key: str) -> list[Post]:
    """Posts with this text that may still reach X, oldest first."""
    marks = ", ".join("?" * len(LIVE))
    rows = db.conn.execute(
        f"SELECT {COLUMNS} FROM posts WHERE text_key = ? AND state IN ({marks}) ORDER BY id",
        (text_key, *LIVE),
    ).fetchall()
    return [record(row) for row in rows]


def foreign_twin(db: Database, post: Post, *, since: datetime) -> str | None:
    """Id on X of a post with this text that no attempt of this database made."""
    row = db.conn.execute(
        "SELECT x_post_id FROM foreign_posts WHERE text_key = ? AND created_at >= ? LIMIT 1",
        (post.text_key, iso(since)),
    ).fetchone()
    return str(row[0]) if row else None


def next_due(db: Database, now: datetime) -> Post | None:
    """The approved post whose time has come, earliest first."""
    at = iso(now)
    row = db.conn.execute(
        f"SELECT {COLUMNS} FROM posts WHERE state = 'approved' "
        "AND COALESCE(scheduled_for, '') <= ? AND COALESCE(not_before, '') <= ? "
        "ORDER BY COALESCE(not_before, scheduled_for, approved_at), id LIMIT 1",
        (at, at),
    ).fetchone()
    return record(row) if row else None


def expired(db: Database, now: datetime) -> list[Post]:
    """Posts that waited past their time, at most 500."""
    rows = db.conn.execute(
        f"SELECT {COLUMNS} FROM posts WHERE expires_at <= ? AND state IN "
        "('draft', 'validated', 'pending_approval', 'approved') ORDER BY id LIMIT 500",
        (iso(now),),
    ).fetchall()
    return [record(row) for row in rows]


def drafts_left(db: Database) -> list[Post]:
    """Drafts written for a slot by a runner that did not live to submit them, oldest first."""
    rows = db.conn.execute(
        f"SELECT {COLUMNS} FROM posts WHERE state = 'draft' AND slot_id IS NOT NULL "
        "AND revision = 1 AND NOT EXISTS (SELECT 1 FROM audit WHERE subject = 'post:' || posts.id) "
        "ORDER BY id"
    ).fetchall()
    return [record(row) for row in rows]


def counts(db: Database) -> dict[str, int]:
    """Numbers of posts by state."""
    return dict(db.conn.execute("SELECT state, count(*) FROM posts GROUP BY state").fetchall())


def ask_anew(db: Database, post: Post, cause: str, note: str, *, actor: str, now: datetime) -> None:
    """Wish for a new text of ``post``; an open wish is replaced."""
    with write_tx(db):
        close_wishes(db, post.id, now=now)
        db.conn.execute(
            "INSERT INTO regenerations (post_id, revision, cause, note, actor, created_at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (post.id, post.revision, cause, note, actor, iso(now)),
        )


def open_wishes(db: Database) -> list[Regeneration]:
    """Wishes nobody has fulfilled, oldest first, of posts that still are drafts."""
    rows = db.conn.execute(
        "SELECT r.id, r.post_id, r.revision, r.cause, r.note, r.actor, r.tries, r.created_at "
        "FROM regenerations r JOIN posts p ON p.id = r.post_id AND p.state = 'draft' "
        "WHERE r.finished_at IS NULL ORDER BY r.id LIMIT 100"
    ).fetchall()
    return [Regeneration(*row) for row in rows]


def count_try(db: Database, wish_id: int) -> None:
    """A wish was tried in vain."""
    with write_tx(db):
        db.conn.execute("UPDATE regenerations SET tries = tries + 1 WHERE id = ?", (wish_id,))


def close_wishes(db: Database, post_id: int, *, now: datetime) -> None:
    """The post has a new text, or will not get one."""
    db.conn.execute(
        "UPDATE regenerations SET finished_at = ? WHERE post_id = ? AND finished_at IS NULL",
        (iso(now), post_id),
    )
