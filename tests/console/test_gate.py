"""Nobody sees anything before signing in, on the warm path and on the cold one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import streamlit as st

from console import data
from engine.clock import FakeClock
from engine.service import users
from engine.service.users import Operator
from engine.store import users as user_rows
from engine.store.database import opened
from tests.console.conftest import PAGES, Launch

NAMES = [name.removesuffix(".py") for name in PAGES]
PASSWORD = "correct horse"
PUBLIC = "192.0.2.7"


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A console whose first user is made from the environment."""
    monkeypatch.setenv("BTCBUZZ_PASSWORD", PASSWORD)


def sign_in(app: object, name: str, password: str) -> None:
    app.text_input(key="auth.name").input(name)  # type: ignore[attr-defined]
    app.text_input(key="auth.password").input(password)  # type: ignore[attr-defined]
    next(b for b in app.button if b.label == "Sign in").click().run()  # type: ignore[attr-defined]


@pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
@pytest.mark.parametrize("page", NAMES)
def test_signed_out_shows_only_the_sign_in(
    launch: Launch, locked: None, page: str, cold: bool
) -> None:
    app = launch(page, cold=cold)
    assert [title.value for title in app.title] == ["Sign in"]
    assert {field.label for field in app.text_input} == {"Name", "Password"}
    assert [button.label for button in app.button] == ["Sign in"]
    assert len(app.sidebar.children) == 0
    assert not app.metric and not app.dataframe and not app.error


def test_the_right_password_opens_the_page_and_stays_through_page_changes(
    launch: Launch, locked: None
) -> None:
    app = launch("queue")
    sign_in(app, "admin", PASSWORD)
    assert app.title[0].value == "Queue"
    assert app.switch_page("pages/history.py").run().title[0].value == "History"


@pytest.mark.parametrize("name, password", [("admin", "wrong"), ("nobody", PASSWORD), ("", "")])
def test_a_wrong_name_and_a_wrong_password_are_answered_alike(
    launch: Launch, locked: None, name: str, password: str
) -> None:
    app = launch("queue")
    sign_in(app, name, password)
    assert app.title[0].value == "Sign in"
    assert app.error[0].value == "The name or the password is wrong."


def test_five_wrong_passwords_close_the_door_for_a_quarter_of_an_hour_in_every_tab(
    launch: Launch, locked: None, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    monkeypatch.setattr(data, "clock", clock)
    for _ in range(5):
        sign_in(launch("queue"), "admin", "wrong")
    app = launch("queue")
    sign_in(app, "admin", PASSWORD)
    assert "Wait 15 minutes" in app.error[0].value
    clock.advance(timedelta(minutes=16).total_seconds())
    sign_in(app, "admin", PASSWORD)
    assert app.title[0].value == "Queue"


def test_a_closed_account_is_out_at_once_in_an_open_tab(
    launch: Launch, locked: None, tmp_path: Path
) -> None:
    app = launch("queue")
    sign_in(app, "admin", PASSWORD)
    with opened(tmp_path / "bot.db") as db:
        admin = Operator("admin", "admin", user_rows.listing(db)[0].updated_at)
        users.create_user(
            db, name="second", password=PASSWORD, role="admin", actor=admin, now=data.now()
        )
        users.disable(db, "admin", True, actor=admin, now=data.now())
    assert app.run().title[0].value == "Sign in"


def test_a_console_without_users_names_the_local_operator(launch: Launch) -> None:
    app = launch("overview")
    assert any("local operator" in caption.value for caption in app.sidebar.caption)


@pytest.mark.parametrize("page", NAMES)
def test_a_public_address_without_users_shows_nothing(
    launch: Launch, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = st.get_option
    monkeypatch.setattr(
        st, "get_option", lambda key: PUBLIC if key == "server.address" else real(key)
    )
    app = launch(page)
    assert [title.value for title in app.title] == ["Sign in"]
    assert "BTCBUZZ_PASSWORD" in app.error[0].value
    assert not app.text_input


def test_a_public_address_that_answers_to_any_name_is_closed(
    launch: Launch, locked: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = st.get_option
    changed = {"server.address": PUBLIC, "server.allowedHosts": []}
    monkeypatch.setattr(st, "get_option", lambda key: changed.get(key, real(key)))
    assert launch("queue").title[0].value == "Closed"
