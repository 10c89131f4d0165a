"""API tokens: hashes, scopes, expiry. The token itself is never stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from engine.clock import iso
from engine.store.database import write_tx


@dataclass(frozen=True)
class Token:
    """One row of ``api_tokens``; ``sha256`` is the hash of the secret part, hexadecimal."""

    id: str
    name: str
    sha256: str
    scopes: tuple[str, ...]
    created_at: str
    created_by: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None

    def is_live(self, now: datetime) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or iso(now) < self.expires_at)


_TOKEN = ", ".join(Token.__dataclass_fields__)


def insert(db: Database, token: Token) -> None:
    with write_tx(db):
        db.conn.execute(
            f"INSERT INTO api_tokens ({_TOKEN}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                token.id, token.name, token.sha256, " ".join(token.scopes), token.created_at,
                token.created_by, token.expires_at, token.revoked_at, token.last_used_at,
            ),
        )  # fmt: skip


def get(db: Database, token_id: str) -> Token | None:
    row = db.conn.execute(f"SELECT {_TOKEN} FROM api_tokens WHERE id = ?", (token_id,)).fetchone()
    return _record(row) if row else None


def listing(db: Database) -> list[Token]:
    """All tokens, oldest first, revoked ones too."""
    rows = db.conn.execute(f"SELECT {_TOKEN} FROM api_tokens ORDER BY created_at, id").fetchall()
    return [_record(row) for row in rows]


def any_live(db: Database, now: datetime) -> bool:
    return any(token.is_live(now) for token in listing(db))


def revoke(db: Database, token_id: str, *, now: datetime) -> bool:
    """True if it was live until now."""
    with write_tx(db):
        done = db.conn.execute(
            "UPDATE api_tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
            (iso(now), token_id),
        )
    return done.rowcount == 1


def touch(db: Database, token_id: str, *, now: datetime) -> None:
    """Note that a token was used."""
    with write_tx(db):
        db.conn.execute("UPDATE api_tokens SET last_used_at = ? WHERE id = ?", (iso(now), token_id))


def _record(row: tuple[str, ...]) -> Token:
    return Token(row[0], row[1], row[2], tuple(row[3].split()), *row[4:])
