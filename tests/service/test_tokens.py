"""Tokens: 256 random bits, shown once, kept as a hash, with scopes and an end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.errors import UsageError
from engine.service import tokens
from engine.store import tokens as rows


def test_the_database_holds_nothing_that_opens_the_door(db: Database, clock: FakeClock) -> None:
    _, text = tokens.create(db, name="a", scopes=["all"], actor="t", now=clock.now())
    dump = "\n".join(db.conn.iterdump())
    assert text not in dump
    assert text.split("_", 2)[2] not in dump
    assert len(text.split("_", 2)[2]) == 43  # 32 bytes, base64


def test_a_token_opens_exactly_while_it_lives(db: Database, clock: FakeClock) -> None:
    token, text = tokens.create(
        db, name="a", scopes=["read"], actor="t", now=clock.now(), lifetime=timedelta(days=1)
    )

    def caller() -> tokens.Caller | None:
        return tokens.caller_of(text, lambda wanted: rows.get(db, wanted), clock.now())[0]

    found = caller()
    assert found is not None
    assert found.scopes == {"read"}
    clock.advance(86_399)
    assert caller() is not None
    clock.advance(1)
    assert caller() is None
    assert not rows.any_live(db, clock.now())
    assert tokens.caller_of(text[:-1] + "A", lambda wanted: token, clock.now())[0] is None


@pytest.mark.parametrize("text", ["", "x", "btcbuzz_", "btcbuzz_é_" + "A" * 43, "a" * 100_000])
def test_anything_else_is_nobody(db: Database, clock: FakeClock, text: str) -> None:
    assert tokens.caller_of(text, lambda wanted: rows.get(db, wanted), clock.now())[0] is None


def test_only_a_live_token_is_revoked(db: Database, clock: FakeClock) -> None:
    token, _ = tokens.create(db, name="a", scopes=["read"], actor="t", now=clock.now())
    tokens.revoke(db, token.id, actor="t", now=clock.now())
    with pytest.raises(UsageError, match="token list"):
        tokens.revoke(db, token.id, actor="t", now=clock.now())


@pytest.mark.parametrize("scopes", [[], ["everything"], ["read", "root"]])
def test_unknown_scopes_are_refused_by_name(
    db: Database, clock: FakeClock, scopes: list[str]
) -> None:
    with pytest.raises(UsageError, match="generate"):
        tokens.create(db, name="a", scopes=scopes, actor="t", now=clock.now())
