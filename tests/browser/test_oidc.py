"""Signing in through an OpenID provider: it proves who someone is, the list says who may enter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import pytest
from playwright.sync_api import expect

from engine.service import users
from engine.service.users import LOCAL, Operator
from engine.store import users as user_rows
from engine.store.database import opened
from tests.browser.conftest import Open, visitor
from tests.browser.provider import Provider, provider
from tests.browser.server import console
from tests.console.worlds import make_database

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def known() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory, known: Provider) -> Path:
    """Ann is on the list; nobody has a password."""
    path = tmp_path_factory.mktemp("oidc") / "bot.db"
    make_database(path)
    now, first = datetime.now(UTC), Operator(LOCAL, "admin")
    with opened(path) as database:
        ann = users.create_user(
            database, name="ann", password=None, role="admin", actor=first, now=now
        )
        acting = Operator("ann", "admin", ann.updated_at)
        users.allow_identity(
            database, issuer=known.url, email="ann@example.org", name="ann", actor=acting, now=now
        )
    return path


@pytest.fixture
def visit(browser: Browser, db: Path, known: Provider) -> Iterator[Open]:
    """A console that nobody has visited yet."""
    with console(db, secrets=known.secrets_toml) as address, visitor(browser, address) as visit:
        yield visit


def enter(page: Page) -> None:
    page.get_by_role("button", name="Sign in with your provider").click()


def test_a_listed_address_gets_in_through_a_deep_link_on_a_fresh_server_and_stays_in(
    visit: Open, known: Provider
) -> None:
    known.email, known.verified = "ann@example.org", True
    page = visit("queue", signed_in=False)
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    expect(page.get_by_text("Stop posting")).to_have_count(0)
    enter(page)
    expect(page.get_by_text(re.compile("ann · admin"))).to_be_visible()
    page.get_by_role("link", name="Queue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Queue")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Queue")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


@pytest.mark.parametrize("email, verified", [("eve@example.org", True), ("ann@example.org", False)])
def test_any_other_account_of_the_provider_is_told_that_it_is_not_on_the_list(
    visit: Open, known: Provider, email: str, verified: bool
) -> None:
    known.email, known.verified = email, verified
    page = visit("history", signed_in=False)
    enter(page)
    expect(page.get_by_text("not on the list of people who may enter")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    expect(page.get_by_text("Stop posting")).to_have_count(0)
    page.goto(urljoin(page.url, "/settings"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_an_identity_that_was_taken_off_the_list_is_out_at_its_next_look(
    visit: Open, known: Provider, db: Path
) -> None:
    known.email, known.verified = "ann@example.org", True
    page = visit("overview", signed_in=False)
    enter(page)
    expect(page.get_by_text(re.compile("ann · admin"))).to_be_visible()
    with opened(db) as database:
        ann = Operator("ann", "admin", user_rows.listing(database)[0].updated_at)
        for identity in user_rows.identities(database):
            users.revoke_identity(database, identity.id, actor=ann, now=datetime.now(UTC))
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    with opened(db) as database:
        users.allow_identity(
            database, issuer=known.url, email="ann@example.org", name="ann", actor=ann,
            now=datetime.now(UTC),
        )  # fmt: skip
