"""Rounds of the protocol by dry run: what goes out, what is set aside, what is taken up again."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.posting import queue
from engine.posting.dry_run import DryRunPublisher
from engine.posting.lock import HostLock
from engine.posting.protocol import Poster, Rewritten
from engine.records import Verdict
from engine.store import approvals, attempts, dry_run, posts, settings
from engine.store.approvals import Regeneration
from engine.store.posts import Post
from tests.posting.conftest import Write

Start = Callable[..., Poster]


@pytest.fixture
def start(db_path: Path, clock: FakeClock) -> Iterator[Start]:
    """Begin a runner's life; keyword arguments go to the poster."""
    lock = HostLock(db_path)

    def begin(**more: object) -> Poster:
        lock.release()
        lock.acquire()
        publisher = DryRunPublisher(db_path, clock)
        poster = Poster(db_path, publisher, clock, lock, rng=random.Random(1), **more)  # type: ignore[arg-type]
        poster.recover()
        return poster

    yield begin
    lock.release()


@pytest.fixture
def approved(db: Database, clock: FakeClock, waiting: Write) -> Write:
    def approve(*args: object, **fields: object) -> int:
        post_id = waiting(*args, **fields)
        queue.approve(db, post_id, revision=1, actor="anna", now=clock.now())
        return post_id

    return approve


def test_a_dry_run_goes_the_whole_way(db: Database, start: Start, approved: Write) -> None:
    post_id = approved("Hello.")
    assert start().post_next().kind == "posted"
    post = posts.need(db, post_id)
    assert (post.state, post.x_post_id, post.publisher) == ("posted", "dry-1", "dry_run")
    assert [row[1] for row in dry_run.listing(db, from_number=None, since=None)] == ["Hello."]
    (attempt,) = attempts.of_post(db, post_id)
    assert (attempt.outcome, attempt.body_sha256) == ("posted", post.body_sha256)


def test_the_earliest_goes_first_and_equal_times_in_order(
    db: Database, clock: FakeClock, start: Start, approved: Write
) -> None:
    settings.put(db, "posting.min_gap_s", 0, actor="test", now=clock.now())
    due = clock.now() - timedelta(seconds=60)
    approved("Third.", scheduled_for=due + timedelta(seconds=1))
    approved("First.", scheduled_for=due)
    approved("Second.", scheduled_for=due)
    approved("Not yet.", scheduled_for=clock.now() + timedelta(seconds=60))
    poster = start()
    assert [poster.post_next().kind for _ in range(4)] == ["posted"] * 3 + ["idle"]
    shown = dry_run.listing(db, from_number=None, since=None)
    assert [row[1] for row in reversed(shown)] == ["First.", "Second.", "Third."]


class TestStaleAtSend:
    @pytest.fixture
    def stale(self, approved: Write, snapshot: Callable[[float], int]) -> tuple[int, int]:
        """A post approved at $90,000, and the later snapshot at $95,000."""
        old = snapshot(90_000.0)
        post_id = approved("BTC at $90,000.", content_type="price", snapshot_id=old)
        return post_id, snapshot(95_000.0)

    def test_it_is_written_anew_and_waits_for_approval(
        self, db: Database, clock: FakeClock, start: Start, stale: tuple[int, int]
    ) -> None:
        post_id, newer = stale
        asked: list[str] = []

        def rerender(post: Post, wish: Regeneration) -> Rewritten | None:
            asked.append(wish.note)
            if len(asked) == 1:
                return None  # the model is busy; it is asked again
            return Rewritten("BTC at $95,000.", Verdict(), newer)

        poster = start(rerender=rerender)
        done = poster.post_next()
        assert (done.kind, done.guard, done.post_id) == ("set_aside", "stale", post_id)
        assert poster.renew_waiting() == []
        assert approvals.open_wishes(db)[0].tries == 1
        assert poster.renew_waiting() == [post_id]
        post = posts.need(db, post_id)
        assert (post.state, post.revision, post.text) == (
            "pending_approval", 2, "BTC at $95,000.",
        )  # fmt: skip
        assert asked[0].startswith("the price moved 5.56 %")
        assert poster.post_next().kind == "idle"
        queue.approve(db, post_id, revision=2, actor="anna", now=clock.now())
        assert poster.post_next().kind == "posted"

    def test_or_it_expires_by_the_setting(
        self, db: Database, clock: FakeClock, start: Start, stale: tuple[int, int]
    ) -> None:
        settings.put(db, "posting.on_stale", "expire", actor="test", now=clock.now())
        assert start().post_next().guard == "stale"
        assert posts.need(db, stale[0]).state == "expired"

    def test_a_new_text_that_comes_too_late_is_not_taken(
        self, db: Database, clock: FakeClock, start: Start, stale: tuple[int, int]
    ) -> None:
        """Somebody rejected the post while the model wrote."""

        def rerender(post: Post, wish: Regeneration) -> Rewritten:
            queue.reject(db, post.id, revision=1, reason="no", actor="anna", now=clock.now())
            return Rewritten("BTC at $95,000.", Verdict(), None)

        poster = start(rerender=rerender)
        poster.post_next()
        assert poster.renew_waiting() == []
        assert posts.need(db, stale[0]).state == "rejected"

    def test_staleness_is_no_no_of_an_operator(
        self, db: Database, start: Start, stale: tuple[int, int]
    ) -> None:
        """It does not break the row of approvals that autonomy counts."""
        start().post_next()
        assert approvals.approvals_in_a_row(db, posts.need(db, stale[0])) == 1


def test_a_post_checked_under_another_policy_goes_back_for_approval(
    db: Database, start: Start, approved: Write
) -> None:
    post_id = approved("Hello.", policy_version="1")
    assert start(policy_version="2").post_next().guard == "policy"
    assert posts.need(db, post_id).state == "pending_approval"


def test_an_approved_post_that_expired_is_not_sent(
    db: Database, clock: FakeClock, start: Start, approved: Write
) -> None:
    post_id = approved("Hello.")
    clock.advance(43_201)
    assert start().post_next().guard == "expired"
    assert posts.need(db, post_id).state == "expired"


def test_an_untrusted_clock_stops_posting(start: Start, approved: Write) -> None:
    approved("Hello.")
    poster = start()
    poster.clock_trusted = False
    assert poster.post_next().guard == "clock"
    poster.clock_trusted = True
    assert poster.post_next().kind == "posted"


def test_a_draft_left_by_a_crash_between_writing_and_submitting_is_submitted(
    db: Database, clock: FakeClock, start: Start, draft: Write
) -> None:
    db.conn.execute(
        "INSERT INTO slots (id, slot_key, local_date, local_time, zone, due_at, content_type, "
        "created_at) VALUES (1, 'k', '2026-11-22', '12:00', 'UTC', 'now', 'joke', 'now')"
    )
    db.conn.commit()
    left, kept = draft("Left.", slot_id=1), draft("An operator's own draft.")
    start()
    assert posts.need(db, left).state == "pending_approval"
    assert posts.need(db, kept).state == "draft"


def test_a_broken_publisher_is_no_proof_of_anything(
    db: Database, start: Start, approved: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    post_id = approved("Hello.")
    poster = start()

    def broken(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(DryRunPublisher, "publish", broken)
    assert poster.post_next().kind == "unknown"
    monkeypatch.undo()
    assert [done.kind for done in poster.reconcile()] == ["held"]
    assert posts.need(db, post_id).state == "held"
