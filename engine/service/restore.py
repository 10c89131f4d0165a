"""Putting a backup in the place of the database: nothing is thrown away, nothing is posted blindly.

Facts: reliability-and-security §4 ("Corruption handling", "backup") and §3 F29. What was posted
after the backup is unknown to it, so the restored database asks posting to compare with X before
it posts again, and a stop that was in force stays in force.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engine.clock import Clock, iso
from engine.errors import BuzzError, DatabaseUnusable, StoreError
from engine.posting import killswitch
from engine.posting.lock import HostLock
from engine.service.backup import created_at, listing, restoring, sync, verify
from engine.store import service_state
from engine.store.audit import audit
from engine.store.database import opened, write_tx
from engine.store.migrations import migrate

SET_ASIDE = "damaged"


@dataclass(frozen=True)
class Restored:
    """``source``: the backup used; ``kept``: where the former files are; ``rows``: by table."""

    source: Path
    made_at: datetime
    kept: Path | None
    rows: dict[str, int]


def restore(
    path: Path, source: Path | None = None, *, clock: Clock, actor: str = "operator"
) -> Restored:
    """Replace the database by ``source``, or by the newest backup that is sound.

    Raises: LockHeld while a runner works; StoreError where no backup is sound; SchemaTooNew.
    """
    with HostLock(path):
        source = source or _newest_sound(path)
        found = verify(source)
        if found.problems:
            raise StoreError(f"{source} is not sound: {found.problems[0]}. Use another backup.")
        made_at = _made_at(source)
        half = _prepare(path, source, made_at, clock, actor)
        _keep_a_stop(path)
        kept = _set_aside(path, clock.now())
        half.replace(path)
        sync(path.parent)
    return Restored(source, made_at, kept, found.rows)


def _newest_sound(path: Path) -> Path:
    for file in listing(path):
        try:
            if not verify(file).problems:
                return file
        except BuzzError:
            continue
    raise StoreError(f"There is no sound backup of {path}. Name one: `runner.py restore FILE`.")


def _made_at(source: Path) -> datetime:
    try:
        return created_at(source)
    except StoreError:  # a copy under another name
        return datetime.fromtimestamp(source.stat().st_mtime, UTC)


def _prepare(path: Path, source: Path, made_at: datetime, clock: Clock, actor: str) -> Path:
    """The backup as it will go live: migrated, marked for reconciling, on the disk."""
    half = restoring(path)
    for leftover in _files(half):
        leftover.unlink()
    half.touch(mode=0o600)
    try:
        shutil.copyfile(source, half)
        with opened(half) as db:
            migrate(db)
            with write_tx(db):
                now = clock.now()
                why = f"a backup of {iso(made_at)} was restored"
                service_state.put(db, service_state.RECONCILE_REQUIRED, why, now)
                audit(db, actor, "restore", f"database:{source.name}", None, None, now)
        sync(half)
    except BaseException as error:
        for leftover in _files(half):
            leftover.unlink()
        if not isinstance(error, sqlite3.Error | OSError):
            raise
        raise DatabaseUnusable(
            f"{source} could not be put in place ({error}); {path} was not touched. "
            "Check the disk and its free space."
        ) from error
    return half


def _keep_a_stop(path: Path) -> None:
    """The switch's row goes with the old database; the file beside it stays."""
    try:
        with opened(path, "ro") as db:
            stopped = killswitch.is_on(db, path)
    except (BuzzError, sqlite3.Error):
        stopped = path.exists()  # unreadable: let a person decide
    if stopped and not killswitch.stop_file(path).exists():
        killswitch.stop_file(path).write_text("restore: posting was stopped before\n")


def _set_aside(path: Path, now: datetime) -> Path | None:
    """Move the former files, which belong together, into a folder of their own."""
    former = _files(path)
    if not former:
        return None
    folder = path.parent / SET_ASIDE / f"{now:%Y%m%dT%H%M%S}-{os.getpid()}"
    folder.mkdir(parents=True, mode=0o700)
    for file in former:
        file.rename(folder / file.name)
    return folder


def _files(path: Path) -> list[Path]:
    """The database and its journal files, those that exist."""
    names = (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm"))
    return [file for file in names if file.exists()]
