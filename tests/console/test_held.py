"""Held attempts on the screen: nobody knows whether X took the post, a person says what is so."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from console import data
from engine.posting import queue
from engine.posting.dry_run import DryRunPublisher
from engine.posting.lock import HostLock
from engine.posting.protocol import Poster
from engine.store import alerts, attempts, audit, posts, settings
from engine.store.attempts import Attempt
from engine.store.database import opened
from tests.console.conftest import Launch
from tests.console.test_actions import as_eve, press, told, waiting


@pytest.fixture
def held(own_sample: Path, monkeypatch: pytest.MonkeyPatch) -> Attempt:
    """A post that was sent while the line broke, and is not on the timeline."""
    post = waiting(own_sample)[0]
    with opened(own_sample) as db:
        settings.put(db, "posting.min_gap_s", 0, actor="test", now=data.now())
        queue.approve(db, post.id, revision=post.revision, actor="ann", now=data.now())

    def broken(*args: object, **kwargs: object) -> None:
        raise ConnectionError("the line broke")

    with HostLock(own_sample) as lock, monkeypatch.context() as patched:
        patched.setattr(DryRunPublisher, "publish", broken)
        publisher = DryRunPublisher(own_sample, data.clock)
        poster = Poster(own_sample, publisher, data.clock, lock, rng=random.Random(1))
        poster.recover()
        assert poster.post_next().kind == "unknown"
        patched.undo()
        assert [done.kind for done in poster.reconcile()] == ["held"]
    with opened(own_sample, "ro") as db:
        return attempts.of_post(db, post.id)[-1]


def state(path: Path, attempt: Attempt) -> tuple[str, str | None, list[str]]:
    """State of the post, outcome of the attempt, kinds of open alerts."""
    with opened(path, "ro") as db:
        now = attempts.get(db, attempt.id)
        assert now is not None
        kinds = [alert.kind for alert in alerts.open_alerts(db)]
        return posts.need(db, attempt.post_id).state, now.outcome, kinds


def who_last(path: Path) -> str:
    with opened(path, "ro") as db:
        return audit.entries(db, limit=1)[0].actor


def banner(app: AppTest) -> str:
    return " ".join(warning.value for warning in app.warning)


def test_it_stands_above_the_queue_and_on_every_page(
    launch: Launch, own_sample: Path, held: Attempt
) -> None:
    assert state(own_sample, held) == ("held", "held", ["held_attempt"])
    assert "1 post may or may not have reached X" in banner(launch("calendar"))
    app = launch("queue")
    assert any(f"Did post {held.post_id} reach X?" in text.value for text in app.markdown)


def test_link_it_makes_it_posted_under_the_id_that_was_seen(
    launch: Launch, own_sample: Path, held: Attempt
) -> None:
    app = launch("queue")
    app.text_input(key=f"held.{held.id}.id").input("dry-987654")
    app = press(app, f"held.{held.id}.link")
    assert state(own_sample, held) == ("posted", "posted", [])
    with opened(own_sample, "ro") as db:
        assert posts.need(db, held.post_id).x_post_id == "dry-987654"
    assert who_last(own_sample) == "local operator (console)"
    assert "may or may not" not in banner(app)


@pytest.mark.parametrize("typed", ["", "no digits", "https://x.com/BTCBuzzBot/status/1234567890"])
def test_linking_needs_an_id_of_where_it_went(
    launch: Launch, own_sample: Path, held: Attempt, typed: str
) -> None:
    app = launch("queue")
    app.text_input(key=f"held.{held.id}.id").input(typed)
    app = press(app, f"held.{held.id}.link")
    assert "needs its id in the dry run" in told(app)
    assert state(own_sample, held)[0] == "held"


def test_an_id_that_belongs_to_another_post_is_refused(
    launch: Launch, own_sample: Path, held: Attempt
) -> None:
    with opened(own_sample, "ro") as db:
        taken = posts.listing(db, state="posted")[0].x_post_id
    app = launch("queue")
    app.text_input(key=f"held.{held.id}.id").input(str(taken))
    assert "already belongs to another post" in told(press(app, f"held.{held.id}.link"))
    assert state(own_sample, held)[0] == "held"


def test_confirm_absent_lets_the_approved_text_go_out_again(
    launch: Launch, own_sample: Path, held: Attempt
) -> None:
    press(launch("queue"), f"held.{held.id}.absent")
    assert state(own_sample, held)[0] == "approved"


def test_abandon_leaves_it_for_good(launch: Launch, own_sample: Path, held: Attempt) -> None:
    app = press(launch("queue"), f"held.{held.id}.abandon")
    assert state(own_sample, held) == ("abandoned", "abandoned", [])
    assert "is settled" in told(app)


def test_whoever_comes_second_is_told_and_changes_nothing(
    launch: Launch, own_sample: Path, held: Attempt
) -> None:
    first, second = launch("queue"), launch("queue")
    press(first, f"held.{held.id}.abandon")
    app = press(second, f"held.{held.id}.absent")
    assert "already abandoned by local operator (console)" in told(app)
    assert state(own_sample, held)[0] == "abandoned"


def test_an_editor_may_look_and_not_decide(launch: Launch, own_sample: Path, held: Attempt) -> None:
    app = as_eve(launch, own_sample, "queue", "editor")
    assert all(
        app.button(key=f"held.{held.id}.{action}").disabled
        for action in ("link", "absent", "abandon")
    )
