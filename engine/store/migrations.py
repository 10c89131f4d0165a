"""The schema's history: numbered SQL files in ``schema/``, applied in order, never edited.

Each file is one migration of sqlite-utils' own ``Migrations``; all pending ones run inside one
BEGIN IMMEDIATE, so that two processes starting at once cannot both apply one (facts:
reliability-and-security §4).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlite_utils import Database, Migrations

from engine.errors import DatabaseUnusable, SchemaTooNew
from engine.store.database import write_tx

SCHEMA = Path(__file__).with_name("schema")


def statements(sql: str) -> Iterator[str]:
    """Single statements of a script; ``executescript`` would commit behind our back."""
    pending = ""
    for line in sql.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if any(line.strip() and not line.strip().startswith("--") for line in pending.splitlines()):
        raise ValueError("the last statement of a migration has no semicolon")


def migrations() -> Migrations:
    """All migrations, oldest first."""
    series = Migrations("btcbuzzbot")
    for file in sorted(SCHEMA.glob("[0-9]*.sql")):
        series(name=file.stem)(_apply(file))
    return series


def _apply(file: Path) -> Callable[[Database], None]:
    def step(db: Database) -> None:
        for statement in statements(file.read_text(encoding="utf-8")):
            db.conn.execute(statement)

    step.__name__ = f"m{file.stem}"
    return step


def pending(db: Database) -> list[str]:
    """Names of the migrations this database still lacks."""
    return [step.name for step in migrations().pending(db)]


def migrate(db: Database) -> list[str]:
    """Bring the schema up to date; answers the names applied now.

    Raises: SchemaTooNew, DatabaseUnusable.
    """
    refuse_newer(db)
    with write_tx(db):
        names = pending(db)
        if names:
            migrations().apply(db)
            broken = db.conn.execute("PRAGMA foreign_key_check").fetchone()
            if broken:
                raise DatabaseUnusable(
                    f"after migrating, a row of {broken[0]} points nowhere; nothing was changed. "
                    "Run `runner.py verify` and restore a backup."
                )
    return names


def refuse_newer(db: Database) -> None:
    """Raises SchemaTooNew if a newer version migrated this database."""
    if not db["_sqlite_migrations"].exists():
        return
    known = {file.stem for file in SCHEMA.glob("[0-9]*.sql")}
    applied = [
        row[0]
        for row in db.conn.execute(
            "SELECT name FROM _sqlite_migrations WHERE migration_set = 'btcbuzzbot'"
        )
    ]
    newer = sorted(set(applied) - known)
    if newer:
        raise SchemaTooNew(
            f"This database was written by a newer BTCBuzzBot (it has {', '.join(newer)}). "
            "Start that version, or restore a backup made before the upgrade."
        )
