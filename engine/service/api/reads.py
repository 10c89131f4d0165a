"""Reads that are remembered exactly as long as they are true."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeVar

from sqlite_utils import Database

from engine.clock import Clock
from engine.store.database import connect

T = TypeVar("T")

MOST = 512


class Reads:
    """One read-only connection of the event loop, and answers kept until any commit.

    SQLite's ``data_version`` changes with every commit of another connection, so an answer is
    never older than the database. Used from one thread alone.
    """

    def __init__(self, db_path: Path, clock: Clock) -> None:
        self._db_path, self._clock = db_path, clock
        self._db: Database | None = None
        self._version = -1
        self._kept: dict[Hashable, Any] = {}

    def get(self, key: Hashable, compute: Callable[[Database], T]) -> T:
        """``compute``'s answer of now.

        Raises: StoreError, sqlite3.Error.
        """
        db = self._opened()
        version = db.conn.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version or len(self._kept) > MOST:
            self._kept.clear()
            self._version = version
        if key not in self._kept:
            self._kept[key] = compute(db)
        answer: T = self._kept[key]
        return answer

    def recent(self, key: Hashable, compute: Callable[[Database], T]) -> T:
        """As :meth:`get`, for what changes with time alone: remembered within one second."""
        return self.get((key, int(self._clock.boottime())), compute)

    def _opened(self) -> Database:
        if self._db is None:
            self._db = connect(self._db_path, "ro")
        return self._db

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None
