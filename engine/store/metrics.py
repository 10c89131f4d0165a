"""Engagement as it was read: snapshots at fixed ages, followers by day, posts that are gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from engine.clock import iso
from engine.store.database import write_tx

AGES_H = (1, 6, 24, 48, 168)

LOOK_BACK = timedelta(days=60)
"""Posts older than this are read no more."""


@dataclass(frozen=True)
class Counts:
    """Totals of one post at one moment; private ones are None where X gives none."""

    impressions: int
    likes: int
    reposts: int
    replies: int
    quotes: int
    bookmarks: int
    link_clicks: int | None = None
    profile_clicks: int | None = None


@dataclass(frozen=True)
class Snapshot:
    """One stored row: ``counts`` of a post, read ``age_hours`` after posting for ``age_h``."""

    post_id: int
    age_h: int
    age_hours: float
    taken_at: str
    counts: Counts


@dataclass(frozen=True)
class Unread:
    """A post on X that may be due: which ages it has, and its place among own posts."""

    post_id: int
    x_post_id: str
    posted_at: str
    newest_age_h: int  # 0: none was read


_COUNTS = ", ".join(Counts.__dataclass_fields__)
_COUNTS_OF_M = ", ".join(f"m.{name}" for name in Counts.__dataclass_fields__)


def add(
    db: Database, post_id: int, age_h: int, age_hours: float, counts: Counts, *,
    source: str, now: datetime,
) -> bool:  # fmt: skip
    """Store a snapshot; false if that age is stored already (the first one stays)."""
    marks = ", ".join("?" * len(Counts.__dataclass_fields__))
    with write_tx(db):
        cursor = db.conn.execute(
            f"INSERT INTO metrics (post_id, age_h, age_hours, taken_at, source, {_COUNTS}) "
            f"VALUES (?, ?, ?, ?, ?, {marks}) ON CONFLICT (post_id, age_h) DO NOTHING",
            (post_id, age_h, age_hours, iso(now), source, *vars(counts).values()),
        )
    return cursor.rowcount == 1


def on_x(db: Database, account: str, now: datetime) -> list[Unread]:
    """Posts of the account on X within :data:`LOOK_BACK` that are not gone, newest first."""
    rows = db.conn.execute(
        "SELECT p.id, p.x_post_id, p.posted_at, "
        "COALESCE((SELECT max(age_h) FROM metrics m WHERE m.post_id = p.id), 0) "
        "FROM posts p WHERE p.posted_at > ? AND p.posted_at <= ? AND +p.state = 'posted' "
        "AND p.publisher = 'x' AND p.account = ? AND p.world = 'live' "
        "AND NOT EXISTS (SELECT 1 FROM gone_posts g WHERE g.post_id = p.id) "
        "ORDER BY p.posted_at DESC, p.id DESC",
        (iso(now - LOOK_BACK), iso(now), account),
    ).fetchall()
    return [Unread(*row) for row in rows]


def of_post(db: Database, post_id: int) -> list[Snapshot]:
    """Youngest age first."""
    rows = db.conn.execute(
        f"SELECT post_id, age_h, age_hours, taken_at, {_COUNTS} FROM metrics "
        "WHERE post_id = ? ORDER BY age_h",
        (post_id,),
    ).fetchall()
    return [Snapshot(*(*row[:4], Counts(*row[4:]))) for row in rows]


def mark_gone(db: Database, post_id: int, now: datetime) -> None:
    """X says that it does not have this post."""
    with write_tx(db):
        db.conn.execute(
            "INSERT INTO gone_posts (post_id, noticed_at) VALUES (?, ?) "
            "ON CONFLICT (post_id) DO NOTHING",
            (post_id, iso(now)),
        )


def find_post(db: Database, x_post_id: str) -> tuple[int, str] | None:
    """(id, posted_at) of an own post on X."""
    row = db.conn.execute(
        "SELECT id, posted_at FROM posts WHERE x_post_id = ? AND publisher = 'x'", (x_post_id,)
    ).fetchone()
    return (int(row[0]), row[1]) if row else None


# -- followers -------------------------------------------------------------------------------


def add_followers(db: Database, account: str, followers: int, *, now: datetime) -> bool:
    """Today's count; false if today has one."""
    with write_tx(db):
        cursor = db.conn.execute(
            "INSERT INTO followers (account, day, taken_at, followers) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (account, day) DO NOTHING",
            (account, iso(now)[:10], iso(now), followers),
        )
    return cursor.rowcount == 1


def has_followers_of(db: Database, account: str, now: datetime) -> bool:
    row = db.conn.execute(
        "SELECT 1 FROM followers WHERE account = ? AND day = ?", (account, iso(now)[:10])
    ).fetchone()
    return row is not None


def followers_since(db: Database, since: datetime) -> list[tuple[str, int]]:
    """(day, followers), oldest first; of the account counted last."""
    return db.conn.execute(
        "SELECT day, followers FROM followers WHERE day >= ? AND account = "
        "(SELECT account FROM followers ORDER BY id DESC LIMIT 1) ORDER BY day",
        (iso(since)[:10],),
    ).fetchall()


# -- for the screens -------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """A post with its newest snapshot of 48 hours or more; ``hour`` local to its schedule."""

    post_id: int
    text: str
    content_type: str
    origin: str
    model: str | None
    hashtags: str  # JSON array
    hour: str
    posted_at: str
    age_hours: float
    counts: Counts


def mature(db: Database, since: datetime, until: datetime, *, most: int = 5_000) -> list[Measured]:
    """Posts posted in that span with their first snapshot at 48 h or later, newest first."""
    rows = db.conn.execute(
        "SELECT p.id, p.text, p.content_type, p.origin, p.model_name, p.hashtags, "
        "COALESCE(substr(s.local_time, 1, 2), substr(p.posted_at, 12, 2)), p.posted_at, "
        f"m.age_hours, {_COUNTS_OF_M} "
        "FROM posts p JOIN metrics m ON m.post_id = p.id AND m.age_h = "
        "(SELECT min(age_h) FROM metrics WHERE post_id = p.id AND age_h >= 48) "
        "LEFT JOIN slots s ON s.id = p.slot_id "
        "WHERE p.posted_at >= ? AND p.posted_at < ? ORDER BY p.posted_at DESC, p.id DESC LIMIT ?",
        (iso(since), iso(until), most),
    ).fetchall()
    return [Measured(*(*row[:9], Counts(*row[9:]))) for row in rows]


def curves(
    db: Database, since: datetime, until: datetime, *, most: int = 5_000
) -> list[tuple[int, int, float, int]]:
    """(post id, age_h, age_hours, impressions) of posts of that span, newest posts first."""
    return db.conn.execute(
        "SELECT m.post_id, m.age_h, m.age_hours, m.impressions FROM "
        "(SELECT id FROM posts WHERE posted_at >= ? AND posted_at < ? "
        "ORDER BY posted_at DESC, id DESC LIMIT ?) p "
        "JOIN metrics m ON m.post_id = p.id ORDER BY m.post_id, m.age_h",
        (iso(since), iso(until), most),
    ).fetchall()


def revision(db: Database) -> str:
    """Moves whenever engagement, followers, assignments or experiments change."""
    row = db.conn.execute(
        "SELECT (SELECT coalesce(max(id), 0) FROM metrics), "
        "(SELECT coalesce(max(id), 0) FROM followers), "
        "(SELECT count(*) FROM gone_posts), "
        "(SELECT coalesce(max(id), 0) FROM assignments), "
        "(SELECT coalesce(max(id), 0) FROM mix_draws), "
        "(SELECT group_concat(id || state) FROM experiments)"
    ).fetchone()
    return "|".join(str(value) for value in row)


def count_on_x(db: Database, since: datetime, until: datetime) -> int:
    """Posts that went to X in that span."""
    row = db.conn.execute(
        "SELECT count(*) FROM posts WHERE posted_at >= ? AND posted_at < ? AND publisher = 'x'",
        (iso(since), iso(until)),
    ).fetchone()
    return int(row[0])
