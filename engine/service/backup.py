"""Copies of the database: made while it is in use, checked before they count, restored with care.

Facts: reliability-and-security §4. A restored database has forgotten what was posted since, so
restoring asks posting to compare with X first (``service_state``: ``reconcile_required``).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import sqlite3
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlite_utils import Database

from engine.clock import Clock
from engine.errors import BuzzError, DatabaseUnusable, StoreError
from engine.posting import killswitch
from engine.store import integrity, settings
from engine.store.database import connect, opened
from engine.store.integrity import Inspection
from engine.store.migrations import migrate, pending, refuse_newer

FOLDER = "backups"
GROWING = ("posts", "post_revisions", "attempts", "audit")
"""Tables whose rows are never deleted: a copy has at least as many."""

DAILY = timedelta(hours=24)
_STALE_PART_S = 3_600.0
_STAMP = "%Y%m%dT%H%M%S"
_NAME = re.compile(r".+-(?P<label>[a-z]+)-(?P<stamp>\d{8}T\d{6})(?P<ms>\d{3})Z\.db")


@dataclass(frozen=True)
class BackupInfo:
    """A checked copy. ``rows``: count by table, where it was made just now; ``seconds`` it took."""

    path: Path
    label: str
    created_at: datetime
    bytes: int
    sha256: str
    rows: dict[str, int]
    seconds: float


def backup(path: Path, *, now: datetime, label: str = "manual") -> BackupInfo:
    """Copy the database while others work on it, check the copy, and keep the newest N.

    N is the setting backup.keep, for each ``label`` (``manual``, ``daily``, ``migration``).

    Raises: DatabaseUnusable where the database or its copy is damaged; StoreError for no room.
    """
    started = time.monotonic()
    folder = path.parent / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    final = folder / f"{path.stem}-{label}-{now:{_STAMP}}{now.microsecond // 1000:03d}Z.db"
    part = final.with_suffix(f".{os.getpid()}.part")
    _drop_stale_parts(folder)
    with opened(path) as db:
        keep = _setting(db, "backup.keep")
        before = integrity.row_counts(db)
        _refuse_without_room(path, folder, _setting(db, "service.min_free_mb"))
        try:
            part.touch(mode=0o600)
            integrity.copy_into(db, part)
        except (sqlite3.Error, OSError) as error:
            part.unlink(missing_ok=True)
            raise _failed(path, error) from error
    try:
        found = integrity.inspect(part)
        problems = [*found.problems, *_lost(before, found.rows)]
        if problems:
            raise DatabaseUnusable(
                f"The copy of {path} is not sound: {problems[0]}. Stop posting, then run "
                "`runner.py verify` and restore the newest good backup."
            )
        digest = _digest(part)
        sidecar = _sidecar(final)
        _write_durably(sidecar, f"{digest}  {final.name}\n")
        sync(part)
        part.replace(final)
        sync(folder)
    except OSError as error:
        raise _failed(path, error) from error
    finally:
        part.unlink(missing_ok=True)
    _keep_newest(path, label, keep)
    return BackupInfo(
        final,
        label,
        now,
        final.stat().st_size,
        digest,
        found.rows,
        time.monotonic() - started,
    )


def daily(path: Path, clock: Clock) -> BackupInfo | None:
    """A backup if the newest daily one is a day old; None if it was not time.

    Making it reads and judges the whole database: damage stops posting (fault F28).

    Raises: as :func:`backup`.
    """
    now = clock.now()
    newest = next(iter(listing(path, "daily")), None)
    if newest is not None and abs(now - created_at(newest)) < DAILY:
        return None
    try:
        return backup(path, now=now, label="daily")
    except DatabaseUnusable as error:
        with contextlib.suppress(BuzzError, sqlite3.Error, OSError):
            killswitch.stop(
                path, actor="runner", reason=f"the database is damaged: {error}", now=now
            )
        raise


def listing(path: Path, label: str | None = None) -> list[Path]:
    """Backups of this database, newest first."""
    found = [
        file
        for file in (path.parent / FOLDER).glob(f"{path.stem}-*.db")
        if (match := _NAME.fullmatch(file.name)) and label in (None, match["label"])
    ]
    return sorted(found, key=created_at, reverse=True)


def created_at(file: Path) -> datetime:
    """When a backup was made, by its name.

    Raises: StoreError for a file that is not named like one.
    """
    match = _NAME.fullmatch(file.name)
    if match is None:
        raise StoreError(f"{file.name} is not named like a backup.")
    moment = datetime.strptime(match["stamp"], _STAMP).replace(tzinfo=UTC)
    return moment + timedelta(milliseconds=int(match["ms"]))


def verify(path: Path) -> Inspection:
    """Judge a database or a backup: structure, references, bodies, chain, and its own SHA-256.

    Raises: DatabaseUnusable where there is no readable database.
    """
    if not path.exists():
        raise DatabaseUnusable(f"{path} does not exist. Check the path.")
    sidecar = _sidecar(path)
    if sidecar.exists() and sidecar.read_text(encoding="utf-8").split()[:1] != [_digest(path)]:
        return Inspection(
            (f"{path.name} does not match its SHA-256 in {sidecar.name}: use another backup",),
            {},
            (),
        )
    return integrity.inspect(path)


def migrate_with_backup(path: Path, *, clock: Clock) -> tuple[list[str], BackupInfo | None]:
    """Bring the schema up to date; a database that already has one is copied first.

    Answers the names of the migrations applied, and the copy.

    Raises: DatabaseUnusable, SchemaTooNew, StoreError; then nothing was changed.
    """
    half = restoring(path)
    if half.exists():
        raise DatabaseUnusable(
            f"A restore of {path} was interrupted ({half.name} is there). "
            "Run `runner.py restore` again."
        )
    db = connect(path)
    try:
        refuse_newer(db)
        copy = None
        if pending(db) and integrity.applied(db):
            copy = backup(path, now=clock.now(), label="migration")
        return migrate(db), copy
    except sqlite3.Error as error:
        raise StoreError(
            f"{path} could not be migrated ({error}); nothing was changed. "
            "Run `runner.py verify`, and restore the newest backup if it finds damage."
        ) from error
    finally:
        db.close()


def restoring(path: Path) -> Path:
    """The file a restore prepares; while it is there, the restore is not done."""
    return path.with_name(path.name + ".restoring")


def _lost(before: dict[str, int], copied: dict[str, int]) -> list[str]:
    return [
        f"{table} had {before[table]} rows, the copy has {copied.get(table, 0)}"
        for table in GROWING
        if copied.get(table, 0) < before.get(table, 0)
    ]


def _setting(db: Database, key: str) -> int:
    try:
        return int(settings.get(db, key))
    except sqlite3.OperationalError:  # no settings yet
        return int(settings.SETTINGS[key].default)


def _refuse_without_room(path: Path, folder: Path, least_mb: int) -> None:
    free, size = shutil.disk_usage(folder).free, path.stat().st_size
    if free - size < least_mb * 1_000_000:
        raise StoreError(
            f"No room for a backup of {path} ({size / 1e6:.0f} MB; {free / 1e6:.0f} MB free, "
            f"{least_mb} MB must stay). Free some disk space."
        )


def _failed(path: Path, error: Exception) -> StoreError:
    if isinstance(error, sqlite3.DatabaseError) and "malformed" in str(error):
        return DatabaseUnusable(
            f"{path} is damaged ({error}): it cannot be copied. Stop the runner and run "
            "`runner.py restore`."
        )
    return StoreError(f"The backup of {path} failed ({error}). Check the disk and its free space.")


def _keep_newest(path: Path, label: str, keep: int) -> None:
    for old in listing(path, label)[keep:]:
        old.unlink(missing_ok=True)
        _sidecar(old).unlink(missing_ok=True)


def _drop_stale_parts(folder: Path) -> None:
    for part in folder.glob("*.part"):
        if time.time() - part.stat().st_mtime > _STALE_PART_S:
            part.unlink(missing_ok=True)


def _sidecar(file: Path) -> Path:
    return file.with_name(file.name + ".sha256")


def _digest(file: Path) -> str:
    """SHA-256 of a copy; never call it on a live database (facts: §0, finding 7)."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write_durably(file: Path, text: str) -> None:
    with os.fdopen(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def sync(place: Path) -> None:
    """fsync of a file or a folder."""
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
