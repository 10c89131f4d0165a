"""Fingerprints of posts: storing one, and the look-ups of the repetition check.

Ranges go by day and are narrowed by the exact time afterwards, so that the index stays small.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlite_utils import Database

from engine.clock import iso
from engine.store.database import write_tx


@dataclass(frozen=True)
class Fingerprint:
    """What is kept of one text; hashes are 63-bit integers, 0 where there is nothing to hash.

    ``keys`` are the index words of the near-duplicate search: (hash, size of their set).
    """

    exact: int
    masked: int
    opening: int
    ending: int
    emoji: int
    hashtags: int
    words: tuple[str, ...]
    sentences: tuple[int, ...]
    keys: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Form:
    """How a recent post looked: hashes of opening, ending, emoji and hashtags."""

    opening: int
    ending: int
    emoji: int
    hashtags: int


def _day(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp() // 86_400)


def save(db: Database, post_id: int, mark: Fingerprint, now: datetime) -> None:
    """Store or replace the fingerprint of a post."""
    with write_tx(db):
        db.conn.execute("DELETE FROM fingerprints WHERE post_id = ?", (post_id,))
        cursor = db.conn.execute(
            "INSERT INTO fingerprints (post_id, at, exact, masked, opening, ending, emoji, "
            "hashtags, words) VALUES (?,?,?,?,?,?,?,?,?)",
            (
                post_id,
                iso(now),
                mark.exact,
                mark.masked,
                mark.opening,
                mark.ending,
                mark.emoji,
                mark.hashtags,
                " ".join(mark.words),
            ),
        )
        own, day = cursor.lastrowid, _day(now)
        db.conn.executemany(
            "INSERT OR IGNORE INTO fingerprint_sentences VALUES (?,?,?)",
            [(sentence, day, own) for sentence in mark.sentences],
        )
        db.conn.executemany(
            "INSERT OR IGNORE INTO fingerprint_words VALUES (?,?,?,?)",
            [(word, day, own, size) for word, size in mark.keys],
        )


def same(
    db: Database,
    column: Literal["exact", "masked"],
    value: int,
    since: datetime,
    exclude: int | None,
) -> int | None:
    """The newest post since then with this hash, or None."""
    row = db.conn.execute(
        f"SELECT post_id FROM fingerprints WHERE {column} = ? AND at >= ? "
        "AND post_id IS NOT ? ORDER BY at DESC LIMIT 1",
        (value, iso(since), exclude),
    ).fetchone()
    return row[0] if row else None


def sentence_user(db: Database, sentence: int, since: datetime, exclude: int | None) -> int | None:
    """A post since then that has this sentence, or None."""
    row = db.conn.execute(
        "SELECT f.post_id FROM fingerprint_sentences s JOIN fingerprints f "
        "ON f.id = s.fingerprint_id WHERE s.sentence = ? AND s.day >= ? AND f.at >= ? "
        "AND f.post_id IS NOT ? LIMIT 1",
        (sentence, _day(since), iso(since), exclude),
    ).fetchone()
    return row[0] if row else None


def candidates(
    db: Database, words: Sequence[int], sizes: tuple[int, int], since: datetime
) -> Iterable[tuple[int, str]]:
    """(post id, words) of every post since then that shares an index word and has a fitting size."""
    marks = ",".join("?" * len(words))
    return db.conn.execute(
        "SELECT post_id, words FROM fingerprints WHERE at >= ? AND id IN ("
        f"SELECT fingerprint_id FROM fingerprint_words WHERE word IN ({marks}) "
        "AND day >= ? AND size BETWEEN ? AND ?)",
        (iso(since), *words, _day(since), *sizes),
    )


def recent(db: Database, limit: int, exclude: int | None) -> list[Form]:
    """The forms of the last ``limit`` posts, newest first."""
    rows = db.conn.execute(
        "SELECT opening, ending, emoji, hashtags FROM fingerprints WHERE post_id IS NOT ? "
        "ORDER BY at DESC, id DESC LIMIT ?",
        (exclude, limit),
    ).fetchall()
    return [Form(*row) for row in rows]


def texts(db: Database, since: datetime, until: datetime) -> list[tuple[str, str]]:
    """(time, text) of remembered posts, oldest first."""
    rows = db.conn.execute(
        "SELECT f.at, p.text FROM fingerprints f JOIN posts p ON p.id = f.post_id "
        "WHERE f.at >= ? AND f.at <= ? ORDER BY f.at, f.id",
        (iso(since), iso(until)),
    ).fetchall()
    return [(row[0], row[1]) for row in rows]
