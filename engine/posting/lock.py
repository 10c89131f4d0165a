"""One runner for each database: a file lock for life, and a growing epoch in the database.

``flock`` stays held by a stopped process and is free at once after a kill (facts:
reliability-and-security §2.2), so a paused runner cannot be overtaken and wake up to post. The
lock file also remembers the newest epoch: a database that shows an older one is an old copy.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from engine.clock import Clock, iso
from engine.errors import DatabaseUnusable, LockHeld
from engine.store import posting, service_state
from engine.store.database import opened, write_tx


@dataclass(frozen=True)
class Epoch:
    """A new epoch; ``dead`` is the one before, if its holder has ended for certain because it held
    this very file (0: none)."""

    number: int
    dead: int


class HostLock:
    """The lock beside the database (``bot.db`` has ``bot.lock``)."""

    def __init__(self, db_path: Path) -> None:
        self._db_path = db_path
        self.path = db_path.with_suffix(".lock")
        self._file: int | None = None
        self.epoch = 0

    @property
    def held(self) -> bool:
        return self._file is not None

    def __enter__(self) -> HostLock:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def acquire(self) -> None:
        """Take the lock or say who holds it.

        Raises: LockHeld; DatabaseUnusable where no file can be made beside the database.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DatabaseUnusable(
                f"The lock {self.path} cannot be taken ({error.strerror}). Check BTCBUZZ_DB, and "
                "who may write into its folder."
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(file)
            raise LockHeld(
                f"Another runner works on {self._db_path}: {holder(self.path)}. "
                "Stop it first, or point BTCBUZZ_DB at another database."
            ) from error
        self._file = file

    def probe(self) -> None:
        """Raises LockHeld if somebody holds the lock now; takes nothing."""
        with self:
            pass

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def take_epoch(self, clock: Clock) -> Epoch:
        """Begin a new epoch in the database and in the lock file.

        A database that has fallen behind the lock file is a copy put back by hand: it is marked to
        be compared with X, before the lock file forgets.
        """
        assert self._file is not None  # noqa: S101  the caller holds the lock
        remembered = int(str(_read(self.path).get("epoch", 0)))
        name = f"pid {os.getpid()} on {socket.gethostname()}"
        with opened(self._db_path) as db, write_tx(db):
            stored = posting.runner(db).epoch
            self.epoch = max(stored, remembered) + 1
            posting.take_epoch(db, self.epoch, name, now=clock.now())
            if stored < remembered:
                why = "the database is older than its last runner"
                service_state.put(db, service_state.RECONCILE_REQUIRED, why, clock.now())
        note = {"epoch": self.epoch, "holder": name, "since": iso(clock.now())}
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, json.dumps(note).encode(), 0)
        os.fsync(self._file)
        return Epoch(self.epoch, stored if stored == remembered else 0)


def holder(path: Path) -> str:
    """Who holds the lock, as far as its file tells."""
    note = _read(path)
    if "holder" not in note:
        return "a process that has just started"
    return f"{note['holder']}, since {note.get('since', 'an unknown time')}"


def _read(path: Path) -> dict[str, object]:
    try:
        note = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}
