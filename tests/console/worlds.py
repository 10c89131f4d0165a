"""Databases of any size, filled past the triggers in seconds; only tests and benchmarks do this."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlite_utils import Database

from engine.clock import iso
from engine.market.replay import sample_snapshot
from engine.posting import queue
from engine.service import sample
from engine.service.schedule import ensure_default_schedule, plan_slots
from engine.store import posts, search, snapshots
from engine.store.database import opened, write_tx
from engine.store.migrations import migrate
from engine.store.posts import body_hash
from engine.writing.shipped import ensure_templates

WORDS = [
    "bitcoin",
    "block",
    "patience",
    "market",
    "quiet",
    "steady",
    "node",
    "tea",
    "chart",
    "hash",
    "calm",
    "ledger",
    "fee",
]
WAITING = 60


def fill_sample(path: Path, *, days: int = 3) -> None:
    """The sample week, shorter. Drafts of the last slot are decided: near the hour's end a price
    among them would go stale while a test looks at it."""
    now = datetime.now(UTC)
    sample.fill(path, now=now, days=days)
    with opened(path) as db:
        for post in posts.listing(db, state="pending_approval"):
            if post.scheduled_for:
                queue.reject(
                    db, post.id, revision=post.revision, reason="dull", actor="test", now=now
                )


def make_database(path: Path) -> None:
    with opened(path) as db:
        migrate(db)


def fill_many(db: Database, *, posts: int, now: datetime, years: int = 3) -> None:
    """Posts spread evenly over the years, each with a revision, a call and a slot; the newest
    :data:`WAITING` wait for approval. Tables, indexes and the search index are the real ones."""
    ensure_templates(db, now=now)
    ensure_default_schedule(db, "UTC", now)
    for hours in range(48, -1, -1):
        snapshot = snapshots.insert(db, sample_snapshot(now - timedelta(hours=hours)), now=now)
    with write_tx(db):
        triggers = db.conn.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for name, _ in triggers:
            db.conn.execute(f"DROP TRIGGER {name}")
        rows = list(_rows(posts, now, years, snapshot.id or 1))
        db.conn.executemany(
            "INSERT INTO posts (id, content_type, text, body_sha256, text_key, state, snapshot_id, "
            "world, verdict, origin, is_llm_generated, prompt_template_id, model_name, recipe, "
            "approved_by, publisher, x_post_id, posted_at, scheduled_for, created_at, updated_at) "
            "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            rows,
        )
        db.conn.execute(
            "INSERT INTO post_revisions (id, post_id, revision, text, body_sha256, verdict, findings, "
            "actor, created_at) SELECT id, id, 1, text, body_sha256, verdict, '[]', 'writer', "
            "created_at FROM posts"
        )
        db.conn.execute(
            "INSERT INTO generation_params (post_id, model_name, raw_prompt, completion_time, "
            "created_at, draft_key, purpose, backend, options, outcome, raw_text, text, verdict) "
            "SELECT id, 'ollama:llama3:8b', 'prompt', 0.8, created_at, id, 'post', 'ollama', '{}', "
            "'ok', text, text, verdict FROM posts"
        )
        db.conn.execute(
            "INSERT INTO slots (slot_key, local_date, local_time, zone, due_at, content_type, state, "
            "post_id, finished_at, created_at) SELECT 'old|' || id, substr(created_at, 1, 10), "
            "substr(created_at, 12, 5), 'UTC', created_at, content_type, 'filled', id, created_at, "
            "created_at FROM posts"
        )
        for _, sql in triggers:
            db.conn.execute(sql)
    plan_slots(db, now)
    while search.catch_up(db, 200_000):
        continue


def fill_metrics(db: Database, rows: int) -> None:
    """About that many engagement rows: five ages for each of the newest posts that went out."""
    with write_tx(db):
        triggers = db.conn.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'metrics'"
        ).fetchall()
        for name, _ in triggers:
            db.conn.execute(f"DROP TRIGGER {name}")
        db.conn.execute(
            "INSERT INTO metrics (post_id, age_h, age_hours, taken_at, impressions, likes, reposts, "
            "replies, quotes, bookmarks, source) SELECT p.id, a.column1, a.column1 + 0.1, "
            "p.posted_at, 200 + (p.id * 7919) % 900 + a.column1, (p.id * 31) % 40, p.id % 9, "
            "p.id % 5, p.id % 3, p.id % 7, 'x' FROM "
            "(SELECT id, posted_at FROM posts WHERE state = 'posted' ORDER BY id DESC LIMIT ?) p "
            "CROSS JOIN (VALUES (1), (6), (24), (48), (168)) a",
            (rows // 5,),
        )
        for _, sql in triggers:
            db.conn.execute(sql)


def _rows(posts: int, now: datetime, years: int, snapshot_id: int) -> Iterator[tuple[object, ...]]:
    rng = random.Random(3)
    step = timedelta(days=365 * years) / posts
    for number in range(1, posts + 1):
        at = iso(now - step * (posts - number))
        text = " ".join(rng.choices(WORDS, k=14)) + f" number {number}"
        waits = number > posts - WAITING
        yield (
            number, rng.choice(("price", "joke", "motivation", "news")), text, body_hash(text), text,
            "pending_approval" if waits else "posted", snapshot_id, "sample", "pass", "model", 1,
            1 + number % 4, "ollama:llama3:8b", "slots", None if waits else "operator",
            None if waits else "x", None if waits else f"x{number}", None if waits else at, at, at, at,
        )  # fmt: skip
