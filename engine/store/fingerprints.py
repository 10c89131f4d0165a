"""Fingerprints of posts: storing one, and the look-ups of the repetition check.

Ranges go by day and are narrowed by the exact time afterwards, so that the index stays small.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlite_utils import Database

from engine.clock import iso, parse_iso
from engine.store.database import write_tx

NUMBER = "#"
_COUNTED = 2_000


@dataclass(frozen=True)
class Fingerprint:
    """What is kept of one text; hashes are 63-bit integers, 0 where there is nothing to hash.

    ``words``: the different words and numbers, sorted.
    """

    exact: int
    masked: int
    opening: int
    ending: int
    emoji: int
    hashtags: int
    words: tuple[str, ...]
    sentences: tuple[int, ...]


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
        _forget(db, post_id)
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
            "INSERT INTO fingerprint_words VALUES (?,?,?)",
            [(word, day, own) for word in _index_words(mark.words)],
        )


def _forget(db: Database, post_id: int) -> None:
    row = db.conn.execute(
        "SELECT id, at, words FROM fingerprints WHERE post_id = ?", (post_id,)
    ).fetchone()
    if row is None:
        return
    own, day = row[0], _day(parse_iso(row[1]))
    db.conn.executemany(
        "DELETE FROM fingerprint_words WHERE word = ? AND day = ? AND fingerprint_id = ?",
        [(word, day, own) for word in _index_words(row[2].split())],
    )
    db.conn.execute("DELETE FROM fingerprints WHERE id = ?", (own,))


def hashed(*parts: str) -> int:
    """63 bits of BLAKE2b: the same in every version of Python, small enough for SQLite."""
    digest = hashlib.blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def mask(words: Iterable[str]) -> list[str]:
    """The words with every number replaced by one sign."""
    return [NUMBER if word[0].isdigit() else word for word in words]


def _index_words(words: Iterable[str]) -> set[int]:
    return {hashed("word", word) for word in {*words, *mask(words)}}


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


def sharing(
    db: Database, words: frozenset[str], misses: int, since: datetime
) -> Iterable[tuple[int, str]]:
    """(post id, its words) of every post since then that may lack at most ``misses`` of the words.

    Whoever lacks at most ``misses`` has two of any ``misses + 2``; the rarest are asked for, so
    that few others answer too. The words may be masked ones.
    """
    uses = {word: _uses(db, hashed("word", word), since) for word in words}
    asked = sorted(words, key=lambda word: (uses[word], word))[: misses + 2]
    marks = ",".join("?" * len(asked))
    # "+at" keeps SQLite from walking the whole window by time instead of the few answers by id
    return db.conn.execute(
        "SELECT post_id, words FROM fingerprints WHERE +at >= ? AND id IN ("
        f"SELECT fingerprint_id FROM fingerprint_words WHERE word IN ({marks}) AND day >= ? "
        "GROUP BY fingerprint_id HAVING count(*) >= ?)",
        (iso(since), *(hashed("word", word) for word in asked), _day(since), len(asked) - misses),
    )


def _uses(db: Database, word: int, since: datetime) -> int:
    """How many posts since then have the word, counted up to a bound."""
    row = db.conn.execute(
        "SELECT count(*) FROM (SELECT 1 FROM fingerprint_words WHERE word = ? AND day >= ? LIMIT ?)",
        (word, _day(since), _COUNTED),
    ).fetchone()
    return int(row[0])


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
