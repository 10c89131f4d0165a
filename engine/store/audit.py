"""The audit trail: append-only, hash-chained, verified by ``doctor``.

Facts: reliability-and-security §2.1 (append-only by trigger) and §5.4 (hash chain).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from engine.clock import iso
from engine.records import canonical_json
from engine.store.database import write_tx

GENESIS = "0" * 64
_COLUMNS = "id, at, actor, what, subject, before_hash, after_hash, previous, hash"


@dataclass(frozen=True)
class AuditEntry:
    """One row; ``subject`` is a noun and an id such as ``post:12`` or ``setting:posting.min_gap_s``."""

    id: int
    at: str
    actor: str
    what: str
    subject: str
    before_hash: str | None
    after_hash: str | None
    previous: str
    hash: str


def audit(
    db: Database,
    actor: str,
    what: str,
    subject: str,
    before_hash: str | None,
    after_hash: str | None,
    now: datetime,
) -> str:
    """Append one entry, inside the caller's transaction if there is one; answers its hash."""
    at = iso(now)
    with write_tx(db):
        last = db.conn.execute("SELECT hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
        previous = last[0] if last else GENESIS
        digest = _digest(previous, at, actor, what, subject, before_hash, after_hash)
        db.conn.execute(
            "INSERT INTO audit (at, actor, what, subject, before_hash, after_hash, previous, hash) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (at, actor, what, subject, before_hash, after_hash, previous, digest),
        )
    return digest


def verify_chain(db: Database) -> str | None:
    """None if every entry is as it was written, else a sentence naming the first that is not."""
    previous, expected_id = GENESIS, None
    for row in db.conn.execute(f"SELECT {_COLUMNS} FROM audit ORDER BY id"):
        entry = AuditEntry(*row)
        if expected_id is not None and entry.id != expected_id:
            return f"audit entries {expected_id} to {entry.id - 1} are missing"
        digest = _digest(
            entry.previous,
            entry.at,
            entry.actor,
            entry.what,
            entry.subject,
            entry.before_hash,
            entry.after_hash,
        )
        if entry.previous != previous or entry.hash != digest:
            return f"audit entry {entry.id} ({entry.what} of {entry.subject}) was changed"
        previous, expected_id = entry.hash, entry.id + 1
    return None


def entries(
    db: Database, *, subject: str | None = None, before_id: int | None = None, limit: int = 100
) -> list[AuditEntry]:
    """Newest first, one page; ``subject`` limits to one thing."""
    clauses, values = ["1"], []  # type: list[str], list[object]
    if subject is not None:
        clauses.append("subject = ?")
        values.append(subject)
    if before_id is not None:
        clauses.append("id < ?")
        values.append(before_id)
    rows = db.conn.execute(
        f"SELECT {_COLUMNS} FROM audit WHERE {' AND '.join(clauses)} ORDER BY id DESC LIMIT ?",
        (*values, limit),
    ).fetchall()
    return [AuditEntry(*row) for row in rows]


def state_hash(*parts: object) -> str:
    """The hash of what a thing was before or after a change."""
    return hashlib.sha256(canonical_json(list(parts)).encode("utf-8")).hexdigest()


def _digest(*parts: str | None) -> str:
    return hashlib.sha256(canonical_json(list(parts)).encode("utf-8")).hexdigest()
