"""From a key in the browser to a post on X: the console, a real runner, a loopback X."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from engine.store import posts, settings
from engine.store.database import opened
from tests.browser.conftest import PASSWORD, press, visitor
from tests.browser.server import console
from tests.console.worlds import fill_sample
from tests.faults.whole import Runner
from tests.faults.x_server import KEYS, XServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

PATIENCE_S = 60.0


@pytest.fixture
def x(tmp_path: Path) -> Iterator[XServer]:
    with XServer(tmp_path / "x.jsonl") as server:
        yield server


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "bot.db"
    fill_sample(path, days=1)
    with opened(path) as database:
        settings.put(database, "posting.min_gap_s", 0, actor="test", now=datetime.now(UTC))
    return path


def the_post(db: Path, post_id: int) -> posts.Post:
    with opened(db, "ro") as database:
        return posts.need(database, post_id)


def until_posted(db: Path, post_id: int, log: Path) -> posts.Post:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        post = the_post(db, post_id)
        if post.state == "posted":
            return post
        time.sleep(0.2)
    raise AssertionError(f"still {post.state} ({post.state_reason}): {log.read_text()[-2_000:]}")


def test_a_text_approved_by_key_is_posted_by_the_runner_and_shown_as_posted(
    browser: Browser, db: Path, x: XServer, tmp_path: Path
) -> None:
    with opened(db, "ro") as database:
        first = min(posts.listing(database, state="pending_approval"), key=lambda post: post.id)
    on_x = {"BTCBUZZ_PUBLISHER": "x", "BTCBUZZ_X_URL": x.url, "BTCBUZZ_PASSWORD": PASSWORD}
    log = tmp_path / "runner.log"
    with console(db, {**on_x, **KEYS}) as address, visitor(browser, address) as visit:
        page = visit("queue")
        expect(page.get_by_role("button", name=re.compile("Approve"))).to_be_visible()
        press(page, "a")
        expect(page.get_by_text(f"Post {first.id} is approved").first).to_be_visible()
        assert x.posts == [] and the_post(db, first.id).approved_by == "admin (console)"
        runner = Runner(db, x, log).start()
        try:
            done = until_posted(db, first.id, log)
            expect(page.get_by_text(re.compile("runner alive"))).to_be_visible()
        finally:
            runner.terminate()
            assert runner.wait(timeout=40) == 0
        assert [(stored.id, stored.text) for stored in x.posts] == [(done.x_post_id, first.text)]
        page.get_by_role("link", name="History").click()
        row = page.get_by_test_id("stVerticalBlock").filter(has_text=f"post {first.id} ·").last
        expect(row.get_by_text("posted", exact=False).first).to_be_visible()
