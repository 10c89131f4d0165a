"""Opening the database so that its promises hold, and the one way to write to it.

Facts: reliability-and-security §4. A connection belongs to one thread and one piece of work:
open, use, close. Nothing else may ever open the database file (finding 7 there).
"""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Literal

from sqlite_utils import Database

from engine.errors import DatabaseUnusable

BUSY_TIMEOUT_MS = 10_000
JOURNAL_LIMIT = 64 * 1024 * 1024

_PRAGMAS: tuple[tuple[str, str, object], ...] = (
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),
    ("foreign_keys", "ON", 1),
    ("busy_timeout", str(BUSY_TIMEOUT_MS), BUSY_TIMEOUT_MS),
    ("trusted_schema", "OFF", 0),
    ("cell_size_check", "ON", 1),
    ("journal_size_limit", str(JOURNAL_LIMIT), JOURNAL_LIMIT),
    ("recursive_triggers", "ON", 1),
)

_OCTAL = re.compile(r"\\([0-7]{3})")  # how the table of mounts writes a space
_NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "ceph", "afs"}


def connect(path: Path, mode: Literal["rw", "ro"] = "rw") -> Database:
    """A connection with every pragma set and read back.

    ``ro`` opens read-only and refuses writes. The caller closes it.

    Raises: DatabaseUnusable with what to do next.
    """
    try:
        if mode == "rw":
            _prepare_folder(path)
        uri = f"{path.resolve().as_uri()}?mode={'rwc' if mode == 'rw' else 'ro'}"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_MS / 1000)
    except (sqlite3.Error, OSError) as error:
        raise DatabaseUnusable(explain(path, error)) from error
    try:
        _apply_pragmas(connection, mode)
    except (sqlite3.Error, DatabaseUnusable) as error:
        connection.close()
        if isinstance(error, DatabaseUnusable):
            raise
        raise DatabaseUnusable(explain(path, error)) from error
    return Database(connection, strict=True)


@contextmanager
def opened(path: Path, mode: Literal["rw", "ro"] = "rw") -> Iterator[Database]:
    """:func:`connect` for the length of a ``with`` block."""
    db = connect(path, mode)
    try:
        yield db
    finally:
        db.close()


@contextmanager
def write_tx(db: Database) -> Iterator[Database]:
    """One transaction, BEGIN IMMEDIATE to COMMIT; any exception rolls all of it back.

    Nested use joins the outer transaction. Never call a network or a model inside.
    """
    if db.conn.in_transaction:
        yield db
        return
    db.conn.execute("BEGIN IMMEDIATE")
    try:
        yield db
        db.conn.execute("COMMIT")
    except BaseException:
        if db.conn.in_transaction:
            db.conn.execute("ROLLBACK")
        raise


def quick_check(db: Database) -> str | None:
    """None if the file's structure is sound, else SQLite's first complaint."""
    try:
        answer = db.conn.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if answer == "ok" else str(answer)


def file_system_of(path: Path, table: Path = Path("/proc/mounts")) -> str:
    """The type of the file system that holds ``path``, or ``unknown``."""
    try:
        rows = [line.split(" ")[1:3] for line in table.read_text().splitlines()]
    except OSError:
        return "unknown"
    place, best, kind = path.resolve(), -1, "unknown"
    for name, type_here in rows:
        folder = Path(_OCTAL.sub(lambda code: chr(int(code[1], 8)), name))
        # a later mount on the same folder covers the earlier one
        if place.is_relative_to(folder) and len(folder.parts) >= best:
            best, kind = len(folder.parts), type_here
    return kind


def identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of the file, by which a replaced one is told from the old; None: no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def refuse_read_only(db: Database, path: Path) -> None:
    """Raises: DatabaseUnusable where nothing can be written; SQLite opens such a file in silence."""
    try:
        version = db.conn.execute("PRAGMA user_version").fetchone()[0]
        db.conn.execute("BEGIN IMMEDIATE")
        db.conn.execute(f"PRAGMA user_version={version}")  # a write that changes nothing
        db.conn.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise DatabaseUnusable(explain(path, error)) from error


def explain(path: Path, error: Exception) -> str:
    """What SQLite or the file system said of the database, as a sentence with what to do."""
    text = str(error)
    if "not a database" in text or "malformed" in text:
        return (
            f"{path} is not a sound SQLite database ({text}). Keep the file, then run "
            "`runner.py restore` with the newest good backup."
        )
    if "readonly" in text or "read-only" in text or isinstance(error, PermissionError):
        return f"{path} cannot be written ({text}). Check its owner, its mode and its folder's."
    if "full" in text:
        return f"{path} cannot grow ({text}). Free some space, then try again."
    if "locked" in text:
        return f"{path} is busy: some process writes and does not end. Close it, then try again."
    if "unable to open" in text and os.access(path, os.F_OK):
        return (
            f"{path} cannot be opened ({text}): SQLite writes beside it. Check the owner and mode "
            "of its folder, and that the disk is not mounted read-only."
        )
    if "unable to open" in text:
        return f"{path} cannot be opened. Run `runner.py migrate` to create it, or check the path."
    return f"{path} cannot be used ({text}). Run `runner.py doctor` for details."


def _prepare_folder(path: Path) -> None:
    if path.is_dir():
        raise DatabaseUnusable(f"{path} is a folder. Point BTCBUZZ_DB at a file in it.")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _refuse_network(path.parent)
    if not path.exists():
        # created by us, so that nobody else on the machine can read it
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


@lru_cache(maxsize=16)  # asked at every opening; a folder does not change its disk under us
def _refuse_network(folder: Path) -> None:
    kind = file_system_of(folder)
    if kind in _NETWORK_FILE_SYSTEMS:
        raise DatabaseUnusable(
            f"{folder} lies on a network file system ({kind}), where SQLite's WAL loses data. "
            "Point BTCBUZZ_DB at a local disk."
        )


def _apply_pragmas(connection: sqlite3.Connection, mode: str) -> None:
    if mode == "ro":
        connection.execute("PRAGMA query_only=ON")
    for name, value, expected in _PRAGMAS:
        if mode == "ro" and name in ("journal_mode", "journal_size_limit"):
            continue
        _set_pragma(connection, name, value)
        actual = connection.execute(f"PRAGMA {name}").fetchone()[0]
        if actual != expected:
            raise DatabaseUnusable(
                f"SQLite would not set {name}={value} (it says {actual!r}). "
                "Check the disk and the SQLite version with `runner.py doctor`."
            )


def _set_pragma(connection: sqlite3.Connection, name: str, value: str) -> None:
    # the first switch to WAL needs a moment alone and does not wait on the busy timeout
    for attempt in range(50):
        try:
            connection.execute(f"PRAGMA {name}={value}").fetchone()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or attempt == 49:
                raise
            time.sleep(0.02)
