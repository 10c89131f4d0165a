"""Where an outcome goes when the database cannot take it: a small file, reserved in advance.

``bot.db`` has ``bot.spool``. Its blocks are written once at start, so that a line fits even on a
full disk (facts: reliability-and-security §2.2 step 5). Posting stays stopped while a line waits.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from engine.clock import iso, parse_iso
from engine.errors import DatabaseUnusable
from engine.posting.publisher import Answer

SIZE = 4096
_BLANK = b" " * (SIZE - 1) + b"\n"


@dataclass(frozen=True)
class Spooled:
    """One outcome that waits for the database."""

    uuid: str
    answer: Answer
    at: datetime


def path_of(db_path: Path) -> Path:
    return db_path.with_suffix(".spool")


def reserve(db_path: Path) -> None:
    """Make room for one line, unless one waits.

    Raises: DatabaseUnusable where there is none: without it an outcome could be lost.
    """
    file = path_of(db_path)
    try:
        if not file.exists() or file.stat().st_size < SIZE:
            _write(file, _BLANK)
    except OSError as error:
        raise DatabaseUnusable(
            f"{file} cannot be written ({error.strerror}). Free some space beside the database, "
            "or correct the file's owner, then start again."
        ) from error


def write(db_path: Path, spooled: Spooled) -> None:
    """Keep one outcome; only one attempt can be open, so one line is enough."""
    answer = asdict(spooled.answer)
    answer["retry_at"] = iso(spooled.answer.retry_at) if spooled.answer.retry_at else None
    answer["reason"] = spooled.answer.reason[:500]
    line = {"uuid": spooled.uuid, "answer": answer, "at": iso(spooled.at)}
    _write(path_of(db_path), json.dumps(line).encode().ljust(SIZE - 1) + b"\n")


def read(db_path: Path) -> Spooled | None:
    """The outcome that waits, if any; a torn line counts as none and is reconciled instead."""
    try:
        text = path_of(db_path).read_text(encoding="utf-8").strip()
        if not text:
            return None
        line = json.loads(text)
        answer = line["answer"]
        answer["retry_at"] = parse_iso(answer["retry_at"]) if answer["retry_at"] else None
        return Spooled(line["uuid"], Answer(**answer), parse_iso(line["at"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def clear(db_path: Path) -> None:
    """The database has it now."""
    _write(path_of(db_path), _BLANK)


def _write(file: Path, content: bytes) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(handle, content, 0)
        os.fsync(handle)
    finally:
        os.close(handle)
