"""News items: cleaned headlines, each used at most once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils import Database

from engine.clock import iso
from engine.records import World, canonical_json
from engine.store.database import write_tx


@dataclass(frozen=True)
class NewItem:
    """What :mod:`engine.market.news` hands to the store; ``title`` is already clean."""

    link_sha256: str
    world: World
    title: str
    source: str
    url: str | None
    published_at: datetime
    relevance: float
    sentiment_lexicon: float
    flags: tuple[str, ...] = ()
    duplicate_of: int | None = None


@dataclass(frozen=True)
class NewsItem:
    """A row. Relevance 0..1; sentiments -1..1, the model's None until a model was asked.

    Times are ISO-8601 texts; ``claimed_at`` is None while the item is free.
    """

    id: int
    world: World
    title: str
    source: str
    url: str | None
    published_at: str
    relevance: float
    sentiment_lexicon: float
    sentiment_model: float | None
    flags: tuple[str, ...]
    duplicate_of: int | None
    claimed_at: str | None


_COLUMNS = ", ".join(NewsItem.__dataclass_fields__)

_LOOKED_AT = 30

# What a post may be in while its headline still counts as used.
_DEAD_POSTS = "('rejected', 'expired', 'failed', 'abandoned')"


def insert(db: Database, item: NewItem, *, now: datetime) -> int | None:
    """Store; answers the id, or None if the link was stored before."""
    with write_tx(db):
        cursor = db.conn.execute(
            "INSERT INTO news_items (link_sha256, world, title, source, url, published_at, "
            "seen_at, relevance, sentiment_lexicon, flags, duplicate_of) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (link_sha256) DO NOTHING",
            (
                item.link_sha256,
                item.world,
                item.title,
                item.source,
                item.url,
                iso(item.published_at),
                iso(now),
                item.relevance,
                item.sentiment_lexicon,
                canonical_json(list(item.flags)),
                item.duplicate_of,
            ),
        )
    return cursor.lastrowid if cursor.rowcount else None


def known_links(db: Database, hashes: list[str]) -> set[str]:
    """Which of these links are stored."""
    rows = db.conn.execute(
        f"SELECT link_sha256 FROM news_items WHERE link_sha256 IN ({', '.join('?' * len(hashes))})",
        hashes,
    ).fetchall()
    return {row[0] for row in rows}


def recent_titles(db: Database, since: datetime, *, world: World) -> list[tuple[int, str]]:
    """Ids and titles to compare a new title with: originals without flags, newest first."""
    return db.conn.execute(
        "SELECT id, title FROM news_items WHERE world = ? AND published_at >= ? "
        "AND duplicate_of IS NULL AND flags = '[]' ORDER BY published_at DESC LIMIT 1000",
        (world, iso(since)),
    ).fetchall()


def get(db: Database, item_id: int) -> NewsItem | None:
    row = db.conn.execute(f"SELECT {_COLUMNS} FROM news_items WHERE id = ?", (item_id,)).fetchone()
    return _record(row) if row else None


def next_item(
    db: Database,
    now: datetime,
    max_age_h: float = 24,
    *,
    world: World = "live",
    min_relevance: float = 0.6,
    include_flagged: bool = False,
    fits: Callable[[NewsItem], bool] = lambda item: True,
) -> NewsItem | None:
    """The free item to write about next: the most relevant, then the newest, of the first
    :data:`_LOOKED_AT` that ``fits``. Claims nothing."""
    rows = db.conn.execute(
        f"SELECT {_COLUMNS} FROM news_items WHERE world = ? AND published_at BETWEEN ? AND ? "
        "AND claimed_at IS NULL AND duplicate_of IS NULL AND relevance >= ? "
        f"{'' if include_flagged else 'AND flags = ' + repr('[]')} "
        "ORDER BY flags <> '[]', relevance DESC, published_at DESC, id LIMIT ?",
        (world, iso(now - timedelta(hours=max_age_h)), iso(now), min_relevance, _LOOKED_AT),
    ).fetchall()
    return next((item for item in map(_record, rows) if fits(item)), None)


def claim_item(db: Database, item_id: int, now: datetime) -> bool:
    """True for exactly one caller: this item is theirs to write about."""
    with write_tx(db):
        cursor = db.conn.execute(
            "UPDATE news_items SET claimed_at = ? WHERE id = ? AND claimed_at IS NULL",
            (iso(now), item_id),
        )
    return cursor.rowcount == 1


def release_item(db: Database, item_id: int) -> bool:
    """Free a claimed item; false if it is not claimed or a living post is about it."""
    with write_tx(db):
        cursor = db.conn.execute(
            "UPDATE news_items SET claimed_at = NULL WHERE id = ? AND claimed_at IS NOT NULL "
            "AND NOT EXISTS (SELECT 1 FROM posts WHERE posts.news_item_id = news_items.id "
            f"AND posts.state NOT IN {_DEAD_POSTS})",
            (item_id,),
        )
    return cursor.rowcount == 1


def set_model_sentiment(db: Database, item_id: int, sentiment: float) -> None:
    """What a model made of the title, -1..1, beside the lexicon's answer."""
    with write_tx(db):
        db.conn.execute(
            "UPDATE news_items SET sentiment_model = ? WHERE id = ?", (sentiment, item_id)
        )


def listing(db: Database, *, world: World | None = None, limit: int = 100) -> list[NewsItem]:
    """Newest first, duplicates and used ones too."""
    where, values = ("WHERE world = ?", (world,)) if world else ("", ())
    rows = db.conn.execute(
        f"SELECT {_COLUMNS} FROM news_items {where} ORDER BY published_at DESC, id DESC LIMIT ?",
        (*values, limit),
    ).fetchall()
    return [_record(row) for row in rows]


def prune(db: Database, before: datetime, *, most: int = 2_000) -> int:
    """Forget headlines published before that moment that no post is about, oldest first, and
    originals after their duplicates; answers how many."""
    ids = db.conn.execute(
        "SELECT id FROM news_items n WHERE published_at < ? "
        "AND NOT EXISTS (SELECT 1 FROM posts WHERE news_item_id = n.id) "
        "AND NOT EXISTS (SELECT 1 FROM news_items WHERE duplicate_of = n.id) "
        "ORDER BY id LIMIT ?",
        (iso(before), most),
    ).fetchall()
    if ids:
        with write_tx(db):
            db.conn.executemany("DELETE FROM news_items WHERE id = ?", ids)
    return len(ids)


def _record(row: tuple[Any, ...]) -> NewsItem:
    values = dict(zip(NewsItem.__dataclass_fields__, row, strict=True))
    values["flags"] = tuple(json.loads(values["flags"]))
    return NewsItem(**values)
