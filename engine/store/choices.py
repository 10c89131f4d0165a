"""Draws of the content mix, what each slot was given by them, and what came of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from engine.clock import iso
from engine.records import canonical_json
from engine.store.database import write_tx


@dataclass(frozen=True)
class MixDraw:
    """One day's draw: weights, the posterior (arm: mean, sd, posts) and seed they come from."""

    id: int
    kind: str
    day: str
    seed: int
    posterior: dict[str, tuple[float, float, int]]
    weights: dict[str, float]


@dataclass(frozen=True)
class Tried:
    """A choice whose post is mature."""

    arm: str
    propensity: float
    content_type: str
    hour: str
    posted_at: str
    engagements: int
    impressions: int


def add_draw(
    db: Database, kind: str, *, seed: int, posterior: dict[str, tuple[float, float, int]],
    weights: dict[str, float], now: datetime,
) -> bool:  # fmt: skip
    """Today's draw; false if today has one."""
    with write_tx(db):
        cursor = db.conn.execute(
            "INSERT INTO mix_draws (kind, day, seed, posterior, weights, drawn_at) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (kind, day) DO NOTHING",
            (
                kind, iso(now)[:10], seed, canonical_json(posterior), canonical_json(weights),
                iso(now),
            ),
        )  # fmt: skip
    return cursor.rowcount == 1


def latest_draw(db: Database, kind: str) -> MixDraw | None:
    row = db.conn.execute(
        "SELECT id, kind, day, seed, posterior, weights FROM mix_draws WHERE kind = ? "
        "ORDER BY id DESC LIMIT 1",
        (kind,),
    ).fetchone()
    if row is None:
        return None
    posterior = {arm: tuple(values) for arm, values in json.loads(row[4]).items()}
    return MixDraw(row[0], row[1], row[2], row[3], posterior, json.loads(row[5]))


def choose(
    db: Database, slot_id: int, kind: str, arm: str, propensity: float, draw_id: int | None,
    now: datetime,
) -> None:  # fmt: skip
    """Write down what a slot was given; the first word stays."""
    with write_tx(db):
        db.conn.execute(
            "INSERT INTO choices (slot_id, kind, arm, propensity, draw_id, chosen_at) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (slot_id, kind) DO NOTHING",
            (slot_id, kind, arm, propensity, draw_id, iso(now)),
        )


def chosen(db: Database, slot_id: int, kind: str) -> tuple[str, float] | None:
    """(arm, propensity) that a slot was given."""
    row = db.conn.execute(
        "SELECT arm, propensity FROM choices WHERE slot_id = ? AND kind = ?", (slot_id, kind)
    ).fetchone()
    return (row[0], row[1]) if row else None


def recent(db: Database, kind: str, limit: int) -> list[str]:
    """What the newest slots were given, newest first."""
    rows = db.conn.execute(
        "SELECT arm FROM choices WHERE kind = ? ORDER BY id DESC LIMIT ?", (kind, limit)
    ).fetchall()
    return [row[0] for row in rows]


def tried(db: Database, kind: str, since: datetime) -> list[Tried]:
    """Choices of posts posted since then that are mature, oldest first."""
    rows = db.conn.execute(
        "SELECT c.arm, c.propensity, p.content_type, substr(s.local_time, 1, 2), p.posted_at, "
        "m.likes + m.reposts + m.replies + m.quotes + m.bookmarks, m.impressions "
        "FROM posts p JOIN slots s ON s.id = p.slot_id "
        "JOIN choices c ON c.slot_id = s.id AND c.kind = ? "
        "JOIN metrics m ON m.post_id = p.id AND m.age_h = "
        "(SELECT min(age_h) FROM metrics WHERE post_id = p.id AND age_h >= 48) "
        "WHERE p.posted_at >= ? ORDER BY p.posted_at, p.id",
        (kind, iso(since)),
    ).fetchall()
    return [Tried(*row) for row in rows]
