"""Blind votes: pairs to judge, and what was judged. Contenders are model and recipe."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlite_utils import Database

from engine.clock import iso
from engine.store.database import write_tx

VoteChoice = Literal["left", "right", "tie"]


@dataclass(frozen=True)
class Pair:
    """Two accepted texts on one moment. Whoever shows them must not show the contenders."""

    run_id: int
    content_type: str
    moment: int
    first_place: int
    first_text: str
    second_place: int
    second_text: str


@dataclass(frozen=True)
class Vote:
    """One judgement with the contenders it was about."""

    left: str
    right: str
    content_type: str
    choice: VoteChoice
    voter: str
    created_at: str


_NAME = "{0}.model || ' · ' || {0}.recipe_used"
_PAIRS = f"""
FROM bench_calls a
JOIN bench_calls b ON b.run_id = a.run_id AND b.content_type = a.content_type
    AND b.repeat = a.repeat AND b.moment = a.moment AND b.place > a.place
WHERE a.phase = 'warm' AND b.phase = 'warm' AND a.verdict = 'pass' AND b.verdict = 'pass'
    AND a.text <> b.text AND {_NAME.format("a")} <> {_NAME.format("b")}
    AND NOT EXISTS (
        SELECT 1 FROM arena_votes v WHERE v.voter = ? AND v.run_id = a.run_id
        AND min(v.left_place, v.right_place) = a.place
        AND max(v.left_place, v.right_place) = b.place)
"""


def open_pairs(db: Database, voter: str) -> int:
    """How many pairs ``voter`` has not judged."""
    return int(db.conn.execute(f"SELECT count(*) {_PAIRS}", (voter,)).fetchone()[0])


def open_pair(db: Database, voter: str, number: int) -> Pair | None:
    """The pair with that number (from 0) among those ``voter`` has not judged."""
    row = db.conn.execute(
        "SELECT a.run_id, a.content_type, a.moment, a.place, a.text, b.place, b.text "
        f"{_PAIRS} ORDER BY a.run_id, a.place, b.place LIMIT 1 OFFSET ?",
        (voter, number),
    ).fetchone()
    return Pair(*row) if row else None


def vote(
    db: Database,
    *,
    run_id: int,
    left_place: int,
    right_place: int,
    choice: VoteChoice,
    voter: str,
    now: datetime,
) -> bool:
    """Store a vote; false if this voter has judged the pair already."""
    with write_tx(db):
        done = db.conn.execute(
            "INSERT OR IGNORE INTO arena_votes (run_id, left_place, right_place, choice, voter, "
            "created_at) VALUES (?, ?, ?, ?, ?, ?)",
            (run_id, left_place, right_place, choice, voter, iso(now)),
        )
    return done.rowcount == 1


def votes(db: Database) -> list[Vote]:
    """All votes, oldest first."""
    rows = db.conn.execute(
        f"SELECT {_NAME.format('l')}, {_NAME.format('r')}, l.content_type, v.choice, v.voter, "
        "v.created_at FROM arena_votes v "
        "JOIN bench_calls l ON l.run_id = v.run_id AND l.place = v.left_place "
        "JOIN bench_calls r ON r.run_id = v.run_id AND r.place = v.right_place ORDER BY v.id"
    ).fetchall()
    return [Vote(*row) for row in rows]
