"""Posts: the record, storing a new one, and reading.

Changes of state are decided in :mod:`engine.posting.queue`; every one of them goes through
:func:`move` or :func:`rewrite`, which compare-and-swap, and is guarded by the schema's triggers.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from engine.clock import iso
from engine.errors import QueueConflict
from engine.records import Verdict, canonical_json
from engine.store.audit import audit, entries, state_hash
from engine.store.database import write_tx

UNTIL_RELEASED = "9999-12-31T00:00:00.000Z"
"""``not_before`` of a post that somebody keeps back without a time (engine/posting/hold.py)."""


@dataclass(frozen=True)
class NewPost:
    """What writing hands to the queue."""

    content_type: str
    text: str
    verdict: Verdict
    origin: str  # model | backup | operator
    world: str
    snapshot_id: int | None = None
    slot_id: int | None = None
    news_item_id: int | None = None
    prompt_template_id: int | None = None
    template_version_id: int | None = None
    model_name: str | None = None
    recipe: str | None = None
    generation_time: float | None = None
    generation_attempts: int = 1
    flags: tuple[str, ...] = ()
    voice_score: float | None = None
    policy_version: str | None = None
    hashtags: tuple[str, ...] = ()
    scheduled_for: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Post:
    """One row of ``posts``; times are ISO-8601 texts, UTC."""

    id: int
    slot_id: int | None
    content_type: str
    text: str
    body_sha256: str
    revision: int
    state: str
    state_reason: str | None
    snapshot_id: int | None
    news_item_id: int | None
    world: str
    verdict: str
    findings: tuple[dict[str, Any], ...]
    origin: str
    is_llm_generated: bool
    prompt_template_id: int | None
    template_version_id: int | None
    model_name: str | None
    recipe: str | None
    generation_time: float | None
    generation_attempts: int
    flags: tuple[str, ...]
    voice_score: float | None
    scheduled_for: str | None
    expires_at: str | None
    not_before: str | None
    approved_by: str | None
    approved_at: str | None
    publisher: str | None
    x_post_id: str | None
    posted_at: str | None
    created_at: str
    updated_at: str
    policy_version: str | None
    account: str | None
    text_key: str


COLUMNS = ", ".join(Post.__dataclass_fields__)


def body_hash(text: str) -> str:
    """SHA-256 of the exact text; what an approval binds to."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def text_key(text: str) -> str:
    """Equal for texts a reader would call the same: case, spaces and invisible marks aside."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    seen = "".join(char for char in folded if unicodedata.category(char) not in ("Cf", "Cc", "Zs"))
    return hashlib.sha256(seen.encode("utf-8")).hexdigest()


def insert(db: Database, post: NewPost, *, actor: str, now: datetime) -> int:
    """Store a new draft, revision 1; answers its id."""
    at, digest = iso(now), body_hash(post.text)
    findings = canonical_json(post.verdict.to_dict()["findings"])
    with write_tx(db):
        cursor = db.conn.execute(
            "INSERT INTO posts (slot_id, content_type, text, body_sha256, snapshot_id, "
            "news_item_id, world, verdict, findings, origin, is_llm_generated, "
            "prompt_template_id, template_version_id, model_name, recipe, generation_time, "
            "generation_attempts, flags, voice_score, policy_version, hashtags, scheduled_for, "
            "expires_at, created_at, updated_at, text_key) "
            "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                post.slot_id,
                post.content_type,
                post.text,
                digest,
                post.snapshot_id,
                post.news_item_id,
                post.world,
                post.verdict.outcome,
                findings,
                post.origin,
                int(post.origin == "model"),
                post.prompt_template_id,
                post.template_version_id,
                post.model_name,
                post.recipe,
                post.generation_time,
                post.generation_attempts,
                canonical_json(list(post.flags)),
                post.voice_score,
                post.policy_version,
                canonical_json(list(post.hashtags)),
                iso(post.scheduled_for) if post.scheduled_for else None,
                iso(post.expires_at) if post.expires_at else None,
                at,
                at,
                text_key(post.text),
            ),
        )
        post_id = int(cursor.lastrowid or 0)
        db.conn.execute(
            "INSERT INTO post_revisions (post_id, revision, text, body_sha256, snapshot_id, "
            "verdict, findings, actor, created_at) VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?)",
            (
                post_id,
                post.text,
                digest,
                post.snapshot_id,
                post.verdict.outcome,
                findings,
                actor,
                at,
            ),
        )
    return post_id


def get(db: Database, post_id: int) -> Post | None:
    row = db.conn.execute(f"SELECT {COLUMNS} FROM posts WHERE id = ?", (post_id,)).fetchone()
    return record(row) if row else None


def need(db: Database, post_id: int) -> Post:
    """:func:`get`. Raises: QueueConflict where there is no such post."""
    post = get(db, post_id)
    if post is None:
        raise QueueConflict(f"There is no post {post_id}. `queue list` shows them.", "absent")
    return post


def unsubmitted(db: Database, before: datetime, *, most: int = 20) -> list[int]:
    """Ids of posts written before that moment that nobody has judged, edited or sent back since:
    drafts that never reached the queue."""
    rows = db.conn.execute(
        "SELECT id FROM posts p WHERE state = 'draft' AND state_reason IS NULL AND revision = 1 "
        "AND created_at < ? AND NOT EXISTS (SELECT 1 FROM regenerations WHERE post_id = p.id) "
        "ORDER BY id LIMIT ?",
        (iso(before), most),
    ).fetchall()
    return [row[0] for row in rows]


def move(
    db: Database,
    post: Post,
    state: str,
    *,
    actor: str,
    now: datetime,
    reason: str | None = None,
    what: str | None = None,
    **columns: str | int | None,
) -> Post:
    """Change the state of ``post`` as it was read; ``columns`` change with it. Audited, by the
    name of the new state or as ``what``.

    Raises: QueueConflict if the post is no longer in that state and revision;
    sqlite3.IntegrityError where the schema forbids the change.
    """
    values = {"state": state, "state_reason": reason, "updated_at": iso(now), **columns}
    return _swap(db, post, values, actor=actor, what=what or state, now=now)


def rewrite(
    db: Database,
    post: Post,
    text: str,
    verdict: Verdict,
    *,
    actor: str,
    now: datetime,
    snapshot_id: int | None,
    policy_version: str | None,
    origin: str,
) -> Post:
    """Give ``post`` a new text as its next revision, a draft again. Audited.

    Raises: as :func:`move`.
    """
    digest, at = body_hash(text), iso(now)
    findings = canonical_json(verdict.to_dict()["findings"])
    values: dict[str, str | int | None] = {
        "state": "draft",
        "state_reason": None,
        "text": text,
        "body_sha256": digest,
        "text_key": text_key(text),
        "revision": post.revision + 1,
        "verdict": verdict.outcome,
        "findings": findings,
        "snapshot_id": snapshot_id,
        "policy_version": policy_version,
        "origin": origin,
        "is_llm_generated": int(origin == "model"),
        "approved_by": None,
        "approved_at": None,
        "updated_at": at,
    }
    with write_tx(db):
        _swap(db, post, values, actor=actor, what="edited", now=now)
        new = need(db, post.id)
        db.conn.execute(
            "INSERT INTO post_revisions (post_id, revision, text, body_sha256, snapshot_id, "
            "verdict, findings, actor, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                post.id,
                new.revision,
                text,
                digest,
                snapshot_id,
                verdict.outcome,
                findings,
                actor,
                at,
            ),
        )
    return new


def conflict(db: Database, post_id: int) -> QueueConflict:
    """What to tell a caller who came too late: the state now, and who brought it there."""
    post = need(db, post_id)
    last = next(iter(entries(db, subject=f"post:{post_id}", limit=1)), None)
    by = f" by {last.actor} at {last.at}" if last else ""
    word = post.state.replace("_", " ")
    return QueueConflict(
        f"Post {post_id} is already {word}{by} (revision {post.revision}). "
        "Look at it again before deciding.",
        post.state,
    )


def _swap(
    db: Database,
    post: Post,
    values: dict[str, str | int | None],
    *,
    actor: str,
    what: str,
    now: datetime,
) -> Post:
    names = ", ".join(f"{name} = ?" for name in values)
    with write_tx(db):
        cursor = db.conn.execute(
            f"UPDATE posts SET {names} WHERE id = ? AND state = ? AND revision = ? "
            "AND body_sha256 = ?",
            (*values.values(), post.id, post.state, post.revision, post.body_sha256),
        )
        if cursor.rowcount != 1:
            raise conflict(db, post.id)
        new = dataclasses.replace(post, **values)  # type: ignore[arg-type]
        audit(db, actor, what, f"post:{post.id}", _seen(post), _seen(new), now)
    return new


def _seen(post: Post) -> str:
    return state_hash(post.state, post.revision, post.body_sha256, post.x_post_id)


def listing(
    db: Database, *, state: str | None = None, before_id: int | None = None, limit: int = 100
) -> list[Post]:
    """Newest first, one page: pass the last id seen as ``before_id`` for the next."""
    clauses, values = ["1"], []  # type: list[str], list[Any]
    if state is not None:
        clauses.append("state = ?")
        values.append(state)
    if before_id is not None:
        clauses.append("id < ?")
        values.append(before_id)
    rows = db.conn.execute(
        f"SELECT {COLUMNS} FROM posts WHERE {' AND '.join(clauses)} ORDER BY id DESC LIMIT ?",
        (*values, limit),
    ).fetchall()
    return [record(row) for row in rows]


def of_slot(db: Database, slot_id: int) -> list[Post]:
    """Every post written for a slot, newest first."""
    rows = db.conn.execute(
        f"SELECT {COLUMNS} FROM posts WHERE slot_id = ? ORDER BY id DESC", (slot_id,)
    ).fetchall()
    return [record(row) for row in rows]


def record(row: tuple[Any, ...]) -> Post:
    """A :class:`Post` from a row of :data:`COLUMNS`."""
    values = dict(zip(Post.__dataclass_fields__, row, strict=True))
    values["findings"] = tuple(json.loads(values["findings"]))
    values["flags"] = tuple(json.loads(values["flags"]))
    values["is_llm_generated"] = bool(values["is_llm_generated"])
    return Post(**values)
