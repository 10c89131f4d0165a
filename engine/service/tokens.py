"""Bearer tokens of the API: an id, then 32 random bytes; shown once, stored as SHA-256.

A fast hash is right for a secret of full entropy (facts: reliability-and-security §5.5).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from engine.clock import iso
from engine.errors import UsageError
from engine.store import tokens
from engine.store.audit import audit, state_hash
from engine.store.database import write_tx
from engine.store.tokens import Token

SCOPES: dict[str, str] = {
    "read": "status, models, templates and generation history",
    "generate": "write a post into the queue",
    "templates": "create, change and archive templates",
    "models": "choose the model that writes",
    "metrics": "figures for Prometheus",
}
PREFIX = "btcbuzz"
_SHAPE = re.compile(rf"{PREFIX}_([0-9a-f]{{12}})_([A-Za-z0-9_-]{{43}})\Z")
_NOBODY = hashlib.sha256(b"no token has this hash").hexdigest()


@dataclass(frozen=True)
class Caller:
    """Who calls the API, and what for."""

    token_id: str
    name: str
    scopes: frozenset[str]

    @property
    def actor(self) -> str:
        """The name written to the audit."""
        return f"{self.name} (api)"


def create(
    db: Database,
    *,
    name: str,
    scopes: Iterable[str],
    actor: str,
    now: datetime,
    lifetime: timedelta | None = None,
) -> tuple[Token, str]:
    """A new token and its only sight.

    Raises: UsageError for an unknown scope, an empty name or no lifetime left.
    """
    wanted = set(scopes)
    if "all" in wanted:
        wanted = set(SCOPES)
    if not wanted or wanted - set(SCOPES):
        raise UsageError(f"scopes are {', '.join(SCOPES)}, or all for every one of them.")
    if not 1 <= len(name.strip()) <= 64:
        raise UsageError("a token needs a name of at most 64 characters: who will use it?")
    if lifetime is not None and lifetime <= timedelta(0):
        raise UsageError("a token must live for at least a day.")
    token_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    token = Token(
        token_id, name.strip(), _hash(secret), tuple(sorted(wanted)), iso(now), actor,
        iso(now + lifetime) if lifetime else None, None, None,
    )  # fmt: skip
    with write_tx(db):
        tokens.insert(db, token)
        after = state_hash(token.name, token.scopes, token.expires_at)
        audit(db, actor, "created", f"token:{token_id}", None, after, now)
    return token, f"{PREFIX}_{token_id}_{secret}"


def revoke(db: Database, token_id: str, *, actor: str, now: datetime) -> None:
    """The token stops working at the next request.

    Raises: UsageError for an id that is unknown or revoked already.
    """
    with write_tx(db):
        if not tokens.revoke(db, token_id, now=now):
            raise UsageError(f"there is no live token {token_id}. `token list` shows them all.")
        audit(db, actor, "revoked", f"token:{token_id}", None, None, now)


def caller_of(
    text: str, find: Callable[[str], Token | None], now: datetime
) -> tuple[Caller | None, str]:
    """Who holds this token, and else nobody with the one reason that is told.

    An unknown id takes the same way as a wrong secret, comparison included.
    """
    match = _SHAPE.match(text)
    token_id, secret = match.groups() if match else ("", "")
    token = find(token_id)
    same = hmac.compare_digest(_hash(secret), token.sha256 if token else _NOBODY)
    if token is None or not same or not token.is_live(now):
        return None, "The token is unknown, wrong, expired or revoked."
    return Caller(token.id, token.name, frozenset(token.scopes)), ""


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("ascii")).hexdigest()
