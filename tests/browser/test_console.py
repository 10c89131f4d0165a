"""The console as a person meets it: real server, real Chromium, keyboard first."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from engine.clock import SystemClock
from engine.posting import queue
from engine.posting.dry_run import DryRunPublisher
from engine.posting.lock import HostLock
from engine.posting.protocol import Poster
from engine.records import Verdict
from engine.store import console_reads, posts, settings
from engine.store.database import opened
from tests.browser.conftest import Open, press

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

NAMES = (
    "Ada", "Bo", "Cleo", "Dan", "Eli", "Fay", "Gus", "Hana", "Ivo", "June", "Kai", "Lena",
)  # fmt: skip
HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=alert(1)> ![i](https://evil.example/a.png) "
    "[free](https://evil.example) https://evil.example www.evil.example **b** :red[r] $x^2$ :smile:\n# head"
)


def add(db_path: Path, text: str, flags: tuple[str, ...] = ()) -> int:
    """One more post that waits, newest in the queue."""
    with opened(db_path) as db:
        now = datetime.now(UTC)
        new = posts.NewPost("motivation", text, Verdict(), "model", "sample", flags=flags)
        post_id = posts.insert(db, new, actor="test", now=now)
        assert queue.submit(db, post_id, actor="test", now=now) == "pending_approval"
    return post_id


def state(db_path: Path, post_id: int) -> str:
    with opened(db_path, "ro") as db:
        return posts.need(db, post_id).state


def waiting(db_path: Path) -> list[posts.Post]:
    with opened(db_path, "ro") as db:
        return sorted(
            posts.listing(db, state="pending_approval"),
            key=lambda post: (post.scheduled_for or post.created_at, post.id),
        )


def test_a_deep_link_on_a_fresh_server_shows_only_the_sign_in(visit: Open) -> None:
    page = visit("queue", signed_in=False)
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    expect(page.get_by_text("Page not found")).to_have_count(0)
    expect(page.get_by_text("Stop posting")).to_have_count(0)


def test_sign_in_approve_by_keyboard_and_the_runner_posts_it(visit: Open, db: Path) -> None:
    first = waiting(db)[0]
    page = visit("queue")
    expect(page.get_by_role("button", name=re.compile("Approve"))).to_be_visible()
    press(page, "a")
    expect(page.get_by_text(f"Post {first.id} is approved").first).to_be_visible()
    assert state(db, first.id) == "approved"
    with opened(db) as database:
        settings.put(database, "posting.min_gap_s", 0, actor="test", now=datetime.now(UTC))
    clock = SystemClock()
    with HostLock(db) as lock:
        poster = Poster(db, DryRunPublisher(db, clock), clock, lock, rng=random.Random(1))
        poster.recover()
        poster.post_next()
    assert state(db, first.id) == "posted"
    page.get_by_role("link", name="History").click()
    row = page.get_by_test_id("stVerticalBlock").filter(has_text=f"post {first.id} ·").last
    expect(row.get_by_text("posted", exact=False).first).to_be_visible()


def test_keys_step_through_the_list_and_undo_takes_an_approval_back(visit: Open, db: Path) -> None:
    one, two = waiting(db)[:2]
    page = visit("queue")
    press(page, "j")
    expect(page.get_by_text(re.compile(r"waiting · 2 of \d"))).to_be_visible()
    press(page, "a")
    expect(page.get_by_text(f"Post {two.id} is approved").first).to_be_visible()
    press(page, "u")
    expect(page.get_by_text("1 approval taken back").first).to_be_visible()
    assert (state(db, one.id), state(db, two.id)) == ("pending_approval", "pending_approval")


def test_letters_typed_into_an_edit_do_not_act(visit: Open, db: Path) -> None:
    page = visit("queue")
    before = [post.id for post in waiting(db)]
    expect(page.get_by_role("button", name=re.compile("Approve"))).to_be_visible()
    press(page, "e")
    field = page.get_by_label("Your text")
    field.click()
    page.keyboard.type(" axghbj")
    page.wait_for_timeout(500)
    assert [post.id for post in waiting(db)] == before
    expect(field).to_be_visible()
    expect(field).to_have_value(re.compile("axghbj"))


def test_two_tabs_cannot_approve_twice_and_the_second_hears_of_it(visit: Open, db: Path) -> None:
    first, second = visit("queue"), visit("queue")
    post = waiting(db)[0]
    for page in (first, second):
        expect(page.get_by_role("button", name=re.compile("Approve"))).to_be_visible()
    with opened(db) as database:
        queue.approve(
            database, post.id, revision=post.revision, actor="somebody else", now=datetime.now(UTC)
        )
    # both tabs notice by themselves, within the watch's three seconds
    for page in (first, second):
        expect(page.get_by_text(f"somebody else: post {post.id} approved")).to_be_visible()
    with opened(db) as database:
        queue.unapprove(
            database, post.id, revision=post.revision, actor="somebody else", now=datetime.now(UTC)
        )


def test_two_tabs_that_act_in_the_same_moment_approve_once(visit: Open, db: Path) -> None:
    post = waiting(db)[0]
    tabs = visit("queue"), visit("queue")
    for page in tabs:
        expect(page.get_by_role("button", name=re.compile("Approve"))).to_be_visible()
    for page in tabs:
        page.keyboard.press("a")
    for page in tabs:
        expect(
            page.get_by_text(re.compile(rf"Post {post.id} is (already )?approved")).first
        ).to_be_visible()
    with opened(db, "ro") as database:
        said = [row.decision for row in console_reads.decisions(database, post.id)]
    assert said.count("approved") - said.count("withdrawn") == 1
    with opened(db) as database:
        queue.unapprove(
            database, post.id, revision=post.revision, actor="test", now=datetime.now(UTC)
        )


@pytest.mark.parametrize("name", ["queue", "overview", "history"])
def test_a_hostile_post_is_shown_as_the_text_it_is(visit: Open, db: Path, name: str) -> None:
    if not any(post.text == HOSTILE for post in waiting(db)):
        add(db, HOSTILE)
    page = visit(name)
    if name == "queue":
        for _ in range(len(waiting(db)) - 1):
            press(page, "j")
    expect(page.get_by_text("document.title='owned'", exact=False).first).to_be_visible()
    assert "owned" not in page.title()
    main = page.get_by_test_id("stMain")
    expect(main.locator("a[href*=evil], img[src*=evil], img[src=x], script, .katex")).to_have_count(
        0
    )


@pytest.mark.parametrize(
    "theme, ground", [("dark", "rgb(14, 17, 22)"), ("light", "rgb(255, 255, 255)")]
)
def test_both_themes_are_ours(visit: Open, theme: str, ground: str) -> None:
    page = visit("overview", theme=theme)
    colour = page.evaluate(
        "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
    )
    assert colour == ground


@pytest.mark.parametrize("name", ["overview", "queue", "calendar", "history", "settings"])
def test_a_phone_scrolls_down_and_never_sideways(visit: Open, name: str) -> None:
    page = visit(name, width=390)
    page.wait_for_timeout(1_000)
    wide = page.evaluate(
        "(() => { const m = document.querySelector('[data-testid=stMain]'); return m.scrollWidth - m.clientWidth })()"
    )
    assert wide <= 0


def test_the_playground_streams_and_judges(visit: Open) -> None:
    page = visit("playground")
    page.get_by_role("button", name=re.compile("^.*Write")).first.click()
    expect(page.get_by_text(re.compile("checks passed|rejected by checks")).first).to_be_visible()
    expect(page.get_by_text("Send to the queue").first).to_be_visible()


def test_a_search_lives_in_the_address(visit: Open) -> None:
    page = visit("history?q=bitcoin&became=posted")
    expect(page.get_by_label("Search all texts", exact=True)).to_have_value("bitcoin")
    expect(page.get_by_text("Nothing found")).to_have_count(0)


def test_stop_posting_is_one_click_from_any_page(visit: Open, db: Path) -> None:
    page = visit("calendar")
    page.get_by_role("button", name="Stop posting").click()
    expect(page.get_by_text("Posting is stopped").first).to_be_visible()
    page.get_by_role("button", name="Resume posting").click()
    page.get_by_role("button", name="Yes, resume posting").click()
    expect(page.get_by_text("Posting goes on").first).to_be_visible()


def test_twenty_green_posts_are_cleared_by_two_keys(visit: Open, db: Path) -> None:
    for number in range(20):
        add(
            db,
            f"Patience, lesson {['one', 'two', 'three', 'four', 'five'][number % 5]} of shelf {number}.",
        )
    green = [
        p.id for p in waiting(db) if p.verdict == "pass" and not p.flags and p.origin == "model"
    ]
    assert len(green) >= 20
    page = visit("queue")
    expect(page.get_by_role("button", name=re.compile("All green"))).to_be_visible()
    press(page, "b")
    expect(page.get_by_text("passed every check")).to_be_visible()
    press(page, "a")
    expect(page.get_by_text(re.compile(r"\d+ posts approved")).first).to_be_visible()
    fresh = [post_id for post_id in green if state(db, post_id) == "approved"]
    assert len(fresh) >= 20


def test_twenty_mixed_posts_are_cleared_by_thirteen_keys(visit: Open, db: Path) -> None:
    """As docs/console.md counts them: 12 green, 5 that fit after a look, 3 that do not."""
    for post in waiting(db):
        with opened(db) as database:
            queue.reject(
                database, post.id, revision=post.revision, reason="dull", actor="test",
                now=datetime.now(UTC),
            )  # fmt: skip
    green = [add(db, f"Calm is a habit, {name}.") for name in NAMES[:12]]
    fit = [add(db, f"Tea first, {name}.", ("trial",)) for name in NAMES[:5]]
    unfit = [add(db, f"Noise, {name}.", ("trial",)) for name in NAMES[5:8]]
    keys = ["b", "a", *["a"] * len(fit), *["x", "2"] * len(unfit)]
    page = visit("queue")
    expect(page.get_by_text("20 waiting")).to_be_visible()
    for key in keys:
        press(page, key)
    expect(page.get_by_text("Nothing waits for you")).to_be_visible()
    assert len(keys) == 13
    assert {state(db, post_id) for post_id in [*green, *fit]} == {"approved"}
    assert {state(db, post_id) for post_id in unfit} == {"rejected"}


def test_posting_is_stopped_and_resumed_without_a_mouse(visit: Open) -> None:
    page = visit("queue")
    for label in ("Stop posting", "Resume posting", "Yes, resume posting"):
        button = page.get_by_role("button", name=label)
        expect(button).to_be_visible()
        steps_to(page, label)
        page.keyboard.press("Enter")
    expect(page.get_by_text("Posting goes on").first).to_be_visible()


def steps_to(page: Page, label: str, most: int = 50) -> None:
    """Press Tab until the button of that label has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if label in page.evaluate("document.activeElement.closest('button')?.innerText || ''"):
            return
    raise AssertionError(f"{label!r} is not within {most} stops")
