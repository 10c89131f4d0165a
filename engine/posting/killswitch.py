"""The kill switch: a row in the database and a file beside it; either one stops posting.

``bot.db`` has ``bot.stop``: ``touch`` works when nothing else does. Read in the claim and again
as the last thing before a post leaves, so a stop takes effect within a second.
"""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database

from engine.clock import SystemClock
from engine.errors import StoreError, UsageError
from engine.posting.actors import Who, acting
from engine.store import alerts, posting
from engine.store.audit import audit, state_hash
from engine.store.database import opened, write_tx
from engine.store.posting import Switch

CONFIRM = "resume"


def stop_file(path: Path) -> Path:
    """The file that stops posting while it exists."""
    return path.with_suffix(".stop")


def is_on(db: Database, path: Path) -> bool:
    """Whether posting is stopped."""
    return stop_file(path).exists() or posting.switch(db).stopped


def status(db: Database, path: Path) -> Switch:
    """The switch as people see it; a file without a row says so."""
    row = posting.switch(db)
    if not row.stopped and stop_file(path).exists():
        return Switch(True, f"the file {stop_file(path).name} exists", "file", None)
    return row


def stop(path: Path, *, actor: Who, reason: str, now: datetime | None = None) -> None:
    """Stop posting, in the file first: it works while the database is busy, full or damaged.

    Raises: PermissionDenied; StoreError where the database could not note it, and says whether
    posting is stopped all the same.
    """
    name = acting(actor, "editor")
    file = stop_file(path)
    with contextlib.suppress(OSError):  # on a full disk it stays empty, which stops as well
        file.write_text(f"{name}: {reason}\n", encoding="utf-8")
    try:
        with opened(path) as db:
            record(db, actor=name, reason=reason, now=now or SystemClock().now())
    except (StoreError, sqlite3.Error) as error:
        if not file.exists():
            raise StoreError(
                f"Posting is NOT stopped: neither {file.name} nor the database can be written "
                f"({error}). End the runner's process."
            ) from error
        raise StoreError(
            f"Posting is stopped by {file.name}, but the database could not note it ({error}). "
            "See `runner.py doctor`."
        ) from error


def record(db: Database, *, actor: str, reason: str, now: datetime) -> None:
    """Write the stop into the database, inside the caller's transaction if there is one."""
    with write_tx(db):
        before = posting.switch(db)
        if before.stopped:
            return
        posting.set_switch(db, True, reason, actor, now=now)
        audit(db, actor, "stop", "kill_switch", _seen(before), state_hash(True, reason), now)
        message = f"Posting is stopped: {reason}. `runner.py resume` lets it go on."
        alerts.raise_alert(db, "kill_switch", "", "critical", message, now)


def resume(path: Path, *, actor: Who, confirm: str, now: datetime | None = None) -> None:
    """Let posting go on; ``confirm`` must be the word ``resume``.

    Raises: UsageError without the word; PermissionDenied.
    """
    name = acting(actor, "approver")
    if confirm != CONFIRM:
        raise UsageError(f"Posting stays stopped: confirm with the word {CONFIRM!r}.")
    moment = now or SystemClock().now()
    with opened(path) as db, write_tx(db):
        before = posting.switch(db)
        posting.set_switch(db, False, "", name, now=moment)
        audit(db, name, "resume", "kill_switch", _seen(before), state_hash(False, ""), moment)
        alerts.resolve(db, "kill_switch", "", moment)
    try:
        stop_file(path).unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(
            f"{stop_file(path)} cannot be removed ({error}). Remove it by hand."
        ) from error


def _seen(switch: Switch) -> str:
    return state_hash(switch.stopped, switch.reason)
