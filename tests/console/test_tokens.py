"""Tokens on the screen: made by admins, shown once, ended by one click."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from console import data
from engine.service import tokens
from engine.store import audit
from engine.store import tokens as rows
from engine.store.database import opened
from tests.console.conftest import Launch
from tests.console.test_actions import as_eve, press, submit, told


def tab(launch: Launch) -> AppTest:
    app = launch("settings")
    app.session_state["tab"] = "Tokens"
    return app.run()


def make(app: AppTest, name: str = "grafana", scopes: tuple[str, ...] = ("metrics",)) -> AppTest:
    app.text_input(key="token.name").input(name)
    app.button_group(key="token.scopes").set_value(list(scopes))
    return submit(app, "Create token")


def test_a_token_is_shown_once_and_opens_what_it_may(launch: Launch, own_sample: Path) -> None:
    app = make(tab(launch), scopes=("read", "metrics"))
    (secret,) = [code.value for code in app.code]
    with opened(own_sample, "ro") as db:
        (token,) = rows.listing(db)
        caller, _ = tokens.caller_of(secret, lambda token_id: rows.get(db, token_id), data.now())
        assert audit.entries(db, limit=1)[0].subject == f"token:{token.id}"
    assert caller is not None and caller.scopes == {"read", "metrics"}
    assert token.expires_at is not None and token.created_by == "local operator (console)"
    held = repr(app.session_state)
    assert "token.scopes" in held and secret.rpartition("_")[2] not in held
    assert not app.run().code


def test_a_token_without_a_scope_or_a_name_is_refused_in_a_sentence(
    launch: Launch, own_sample: Path
) -> None:
    assert "scopes are" in told(make(tab(launch), scopes=()))
    assert "needs a name" in told(make(tab(launch), name=" "))
    with opened(own_sample, "ro") as db:
        assert rows.listing(db) == []


def test_a_revoked_token_is_dead_and_has_no_button_left(launch: Launch, own_sample: Path) -> None:
    app = make(tab(launch))
    (secret,) = [code.value for code in app.code]
    with opened(own_sample, "ro") as db:
        (token,) = rows.listing(db)
    app = press(app, f"token.revoke.{token.id}")
    with opened(own_sample, "ro") as db:
        caller, why = tokens.caller_of(secret, lambda i: rows.get(db, i), data.now())
    assert caller is None and "revoked" in why
    assert f"token.revoke.{token.id}" not in {button.key for button in app.button}


def test_only_an_admin_sees_the_form(launch: Launch, own_sample: Path) -> None:
    app = as_eve(launch, own_sample, "settings", "approver")
    app.session_state["tab"] = "Tokens"
    assert "made and revoked by an admin" in told(app.run())
    assert "Create token" not in {button.label for button in app.button}
