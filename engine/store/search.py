"""Finding posts: full text over every text they ever had, and plain filters; newest first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from engine.clock import iso
from engine.store import posts
from engine.store.database import write_tx
from engine.store.posts import Post

PAGE = 25
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Filters:
    """What to look for; empty means anything. ``start``/``end`` bound the time of writing."""

    text: str = ""
    states: tuple[str, ...] = ()
    content_type: str | None = None
    origin: str | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class Found:
    """One page; pass ``cursor`` for the next one, None where there is none."""

    posts: list[Post]
    cursor: int | None


def catch_up(db: Database, limit: int = 20_000) -> int:
    """Index texts that are not indexed yet, at most ``limit``; answers how many it did.

    Revisions are never changed or deleted, so the highest indexed id is all there is to know.
    """
    with write_tx(db):
        seen = db.conn.execute("SELECT coalesce(max(id), 0) FROM posts_search_docsize").fetchone()[
            0
        ]
        return db.conn.execute(
            "INSERT INTO posts_search (rowid, text) SELECT id, text FROM post_revisions "
            "WHERE id > ? ORDER BY id LIMIT ?",
            (seen, limit),
        ).rowcount


def is_behind(db: Database) -> bool:
    """True while some text is not indexed yet."""
    row = db.conn.execute(
        "SELECT (SELECT coalesce(max(id), 0) FROM posts_search_docsize) "
        "< (SELECT coalesce(max(id), 0) FROM post_revisions)"
    ).fetchone()
    return bool(row[0])


def find(db: Database, filters: Filters, *, cursor: int | None = None, limit: int = PAGE) -> Found:
    """One page of posts, newest first; a text search finds beginnings of words, all of them."""
    where, bound = _where(filters)
    values: list[str | int] = list(bound)
    words = _WORD.findall(filters.text)
    if filters.text.strip() and not words:
        return Found([], None)
    if words:
        return _by_text(db, words, where, values, cursor, limit)
    if cursor is not None:
        where, values = [*where, "p.id < ?"], [*values, cursor]
    rows = db.conn.execute(
        f"SELECT {_columns()} FROM posts p WHERE {' AND '.join(where)} ORDER BY p.id DESC LIMIT ?",
        (*values, limit),
    ).fetchall()
    found = [posts.record(row) for row in rows]
    return Found(found, found[-1].id if len(found) == limit else None)


def _by_text(
    db: Database, words: list[str], where: list[str], values: list[str | int],
    cursor: int | None, limit: int,
) -> Found:  # fmt: skip
    query = " AND ".join(f'"{word}"*' for word in words)
    # CROSS JOIN keeps the index in front: it streams newest first and stops at the limit
    rows = db.conn.execute(
        f"SELECT s.rowid, {_columns()} FROM posts_search s "
        "CROSS JOIN post_revisions r ON r.id = s.rowid CROSS JOIN posts p ON p.id = r.post_id "
        f"WHERE s.posts_search MATCH ? AND s.rowid < ? AND {' AND '.join(where)} "
        "ORDER BY s.rowid DESC LIMIT ?",
        (query, cursor if cursor is not None else 2**62, *values, limit),
    ).fetchall()
    unique = {row[1]: posts.record(row[1:]) for row in reversed(rows)}
    found = list(reversed(unique.values()))
    return Found(found, rows[-1][0] if len(rows) == limit else None)


def _where(filters: Filters) -> tuple[list[str], list[str]]:
    where, values = ["1"], []  # type: list[str], list[str]
    if filters.states:
        where.append(f"p.state IN ({', '.join('?' for _ in filters.states)})")
        values += filters.states
    for column, value in (("content_type", filters.content_type), ("origin", filters.origin)):
        if value is not None:
            where.append(f"p.{column} = ?")
            values.append(value)
    if filters.start is not None:
        where.append("p.created_at >= ?")
        values.append(iso(filters.start))
    if filters.end is not None:
        where.append("p.created_at < ?")
        values.append(iso(filters.end))
    return where, values


def _columns() -> str:
    return ", ".join(f"p.{name}" for name in posts.Post.__dataclass_fields__)
