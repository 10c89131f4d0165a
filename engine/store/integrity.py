"""Is a database file what it was? Structure, references, chain and every body's hash.

SQLite keeps no checksums: of 300 flipped bits 258 went unseen by ``integrity_check`` (facts:
reliability-and-security §0, finding 9), so the texts are hashed again too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from engine.errors import DatabaseUnusable
from engine.store.audit import verify_chain
from engine.store.database import opened
from engine.store.posts import body_hash

MOST_PROBLEMS = 20


@dataclass(frozen=True)
class Inspection:
    """``problems``: one sentence each, none where all is well; ``rows``: count by table."""

    problems: tuple[str, ...]
    rows: dict[str, int]
    migrations: tuple[str, ...]


def inspect(path: Path) -> Inspection:
    """Read the whole file and judge it; nothing is written.

    Raises: DatabaseUnusable where it cannot be opened at all.
    """
    problems: list[str] = []
    rows: dict[str, int] = {}
    names: tuple[str, ...] = ()
    with opened(path, "ro") as db:
        for check in (_structure, _references, _bodies, _versions, _chain):
            problems += _kept_going(check, db)
        try:
            rows, names = row_counts(db), applied(db)
        except sqlite3.DatabaseError as error:
            problems.append(f"rows cannot be counted: {error}")
    return Inspection(tuple(problems[:MOST_PROBLEMS]), rows, names)


def copy_into(db: Database, target: Path) -> None:
    """An online copy of one consistent moment, as one file without a journal beside it.

    ``target`` must be empty or absent. Raises: sqlite3.Error (a damaged page, a full disk).
    """
    db.conn.execute("VACUUM INTO ?", (str(target),))


def row_counts(db: Database) -> dict[str, int]:
    """Rows of every table of our own."""
    names = [
        row[1]
        for row in db.conn.execute("PRAGMA table_list")
        if row[0] == "main" and row[2] == "table" and not row[1].startswith("sqlite_")
    ]
    return {
        name: db.conn.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
        for name in sorted(names)
    }


def applied(db: Database) -> tuple[str, ...]:
    """Names of the migrations the file has had."""
    if not db["_sqlite_migrations"].exists():
        return ()
    return tuple(
        row[0]
        for row in db.conn.execute(
            "SELECT name FROM _sqlite_migrations WHERE migration_set = 'btcbuzzbot' ORDER BY name"
        )
    )


def _kept_going(check: Callable[[Database], Iterator[str]], db: Database) -> list[str]:
    """A check that dies of the damage it looks for has found it."""
    found: list[str] = []
    try:
        for problem in check(db):
            found.append(problem)
            if len(found) >= MOST_PROBLEMS:
                break
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):  # an older schema lacks later nouns
            found.append(str(error))
    except (sqlite3.DatabaseError, DatabaseUnusable, ValueError) as error:
        found.append(str(error))
    return found


def _structure(db: Database) -> Iterator[str]:
    for (answer,) in db.conn.execute(f"PRAGMA integrity_check({MOST_PROBLEMS})"):
        if answer != "ok":
            yield f"structure: {answer}"


def _references(db: Database) -> Iterator[str]:
    for table, rowid, parent, _ in db.conn.execute("PRAGMA foreign_key_check"):
        yield f"row {rowid} of {table} points to a row of {parent} that is not there"


def _bodies(db: Database) -> Iterator[str]:
    for table, number in (("posts", "id"), ("post_revisions", "post_id")):
        for row, text, digest in db.conn.execute(
            f"SELECT {number}, text, body_sha256 FROM {table}"
        ):
            if body_hash(text) != digest:
                yield f"the text of post {row} in {table} is not the one that was stored"


def _versions(db: Database) -> Iterator[str]:
    for (row,) in db.conn.execute(
        "SELECT p.id FROM posts p WHERE NOT EXISTS (SELECT 1 FROM post_revisions r "
        "WHERE r.post_id = p.id AND r.revision = p.revision AND r.body_sha256 = p.body_sha256)"
    ):
        yield f"post {row} lacks the revision that holds its text"


def _chain(db: Database) -> Iterator[str]:
    problem = verify_chain(db)
    if problem:
        yield problem
