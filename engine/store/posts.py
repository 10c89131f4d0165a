"""Posts: the record, storing a new one, and reading.

Changes of state live in :mod:`engine.posting.queue`, guarded by triggers of the schema.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from engine.clock import iso
from engine.records import Verdict, canonical_json
from engine.store.database import write_tx


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


COLUMNS = ", ".join(Post.__dataclass_fields__)


def body_hash(text: str) -> str:
    """SHA-256 of the exact text; what an approval binds to."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


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
            "expires_at, created_at, updated_at) "
            "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
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


def record(row: tuple[Any, ...]) -> Post:
    """A :class:`Post` from a row of :data:`COLUMNS`."""
    values = dict(zip(Post.__dataclass_fields__, row, strict=True))
    values["findings"] = tuple(json.loads(values["findings"]))
    values["flags"] = tuple(json.loads(values["flags"]))
    values["is_llm_generated"] = bool(values["is_llm_generated"])
    return Post(**values)
