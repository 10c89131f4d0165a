"""Money and pace: what is charged, what is refused, and until when."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.posting import queue, spend
from engine.posting.dry_run import DryRunPublisher
from engine.posting.lock import HostLock
from engine.posting.protocol import Poster, Round
from engine.settings import SETTINGS
from engine.store import posts, schedules, settings, slots
from engine.store.schedules import Plan
from engine.store.slots import Wanted
from tests.posting.conftest import Write

Out = Callable[..., Round]


@pytest.fixture
def put(db: Database, clock: FakeClock) -> Callable[[str, object], None]:
    def change(key: str, value: object) -> None:
        settings.put(db, key, value, actor="test", now=clock.now())

    return change


@pytest.fixture
def out(db: Database, db_path: Path, clock: FakeClock, waiting: Write) -> Iterator[Out]:
    """Approve a new text and run one round of the protocol; dry run, same protocol."""
    lock = HostLock(db_path)
    lock.acquire()
    poster = Poster(db_path, DryRunPublisher(db_path, clock), clock, lock, rng=random.Random(1))
    poster.recover()

    def send(text: str | None = None, **fields: object) -> Round:
        if text is not None:
            post_id = waiting(text, **fields)
            queue.approve(db, post_id, revision=1, actor="anna", now=clock.now())
        return poster.post_next()

    yield send
    lock.release()


def texts() -> Callable[[], str]:
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    return lambda: f"Text {next(letters)}."


class TestPace:
    def test_the_minimum_gap_holds(self, out: Out, clock: FakeClock) -> None:
        text = texts()
        assert out(text()).kind == "posted"
        clock.advance(899)
        refused = out(text())
        assert (refused.kind, refused.guard) == ("waiting", "min_gap")
        assert refused.until == clock.now() + timedelta(seconds=1)
        clock.advance(1)
        assert out().kind == "posted"

    @pytest.mark.parametrize(
        ("key", "window_s"), [("posting.hourly_cap", 3_600), ("posting.daily_cap", 86_400)]
    )
    def test_a_cap_holds_in_any_window(
        self,
        out: Out,
        clock: FakeClock,
        put: Callable[[str, object], None],
        key: str,
        window_s: int,
    ) -> None:
        put("posting.min_gap_s", 0)
        put("posting.hourly_cap", 100)
        put("posting.draft_ttl_s", 10 * 86_400)
        put(key, 2)
        text = texts()
        began = clock.now()
        out(text())
        clock.advance(100)
        out(text())
        refused = out(text())
        assert (refused.kind, refused.guard) == ("waiting", key.partition(".")[2])
        assert refused.until == began + timedelta(seconds=window_s)
        clock.advance(window_s - 101)
        assert out().kind == "waiting"
        clock.advance(1)
        assert out().kind == "posted"

    @pytest.mark.parametrize("key", ["posting.hourly_cap", "posting.daily_cap"])
    def test_a_cap_of_zero_lets_nothing_out(
        self, out: Out, put: Callable[[str, object], None], key: str
    ) -> None:
        put(key, 0)
        assert out("Never.").guard == key.partition(".")[2]


class TestBudget:
    def test_a_post_over_budget_expires_and_says_so(
        self, db: Database, out: Out, clock: FakeClock, put: Callable[[str, object], None]
    ) -> None:
        put("posting.min_gap_s", 0)
        put("posting.monthly_budget_usd", 0.03)
        text = texts()
        assert [out(text()).kind for _ in range(2)] == ["posted", "posted"]
        assert spend.room_for_another(db, clock.now(), "dry_run") is not None
        refused = out(text())
        assert (refused.kind, refused.guard) == ("set_aside", "budget")
        post = posts.listing(db, limit=1)[0]
        assert post.state == "expired"
        assert (post.state_reason or "").startswith("budget: 0.030 of 0.03 USD")

    def test_the_next_month_begins_at_zero(
        self, db: Database, out: Out, clock: FakeClock, put: Callable[[str, object], None]
    ) -> None:
        put("posting.monthly_budget_usd", 0.015)
        out("In November.")
        clock.set_wall(datetime(2026, 12, 1, 0, 0, 0, tzinfo=UTC))
        assert spend.month_to_date(db, clock.now()) == 0
        assert out("In December.").kind == "posted"

    def test_a_link_costs_its_own_price(self, db: Database, out: Out, clock: FakeClock) -> None:
        out("Read bitcoin.org today.")
        assert spend.month_to_date(db, clock.now()) == pytest.approx(0.20)

    def test_publishers_have_separate_accounts(
        self, db: Database, out: Out, clock: FakeClock
    ) -> None:
        out("Dry.")
        assert spend.month_to_date(db, clock.now(), "dry_run") == pytest.approx(0.015)
        assert spend.month_to_date(db, clock.now(), "x") == 0

    @given(st.lists(st.floats(0.001, 5), max_size=50))
    def test_sums_are_exact(self, amounts: list[float]) -> None:
        micros = [round(amount * spend.MICRO) for amount in amounts]
        assert sum(micros) / spend.MICRO == pytest.approx(sum(m / spend.MICRO for m in micros))

    @pytest.mark.parametrize(
        ("now", "start", "end"),
        [
            ("2026-11-30T23:59:59.999", "2026-11-01", "2026-12-01"),
            ("2026-12-31T12:00:00", "2026-12-01", "2027-01-01"),
            ("2028-02-29T00:00:00", "2028-02-01", "2028-03-01"),
        ],
    )
    def test_a_month_is_a_calendar_month_in_utc(self, now: str, start: str, end: str) -> None:
        moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
        bounds = [datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (start, end)]
        assert list(spend.month_of(moment)) == bounds


class TestTheSlotOfAPostOverBudget:
    """Money is judged when a post is about to be sent; its slot says so from then on."""

    @pytest.fixture
    def slot_id(self, db: Database, clock: FakeClock) -> int:
        """A slot that is being filled."""
        wanted = Wanted("2026-11-22", "12:00", "UTC", clock.now(), "joke")
        schedules.insert(db, Plan("s", "UTC", ("12:00",)), now=clock.now())
        start = clock.now() - timedelta(hours=1)
        slots.align(db, 1, [wanted], after=start, until=clock.now(), now=start)
        (slot,) = slots.waiting(db, clock.now())
        assert slots.claim(db, slot.id, clock.now())
        return slot.id

    @pytest.mark.parametrize("filled", ["before", "after"])
    def test_is_skipped_with_the_posts_reason(
        self,
        db: Database,
        out: Out,
        clock: FakeClock,
        put: Callable[[str, object], None],
        waiting: Write,
        slot_id: int,
        filled: str,
    ) -> None:
        """Also where the post is sent before its writer has finished the slot (``auto``)."""
        put("posting.monthly_budget_usd", 0.01)
        post_id = waiting("Nobody pays for me.", slot_id=slot_id)
        queue.approve(db, post_id, revision=1, actor="anna", now=clock.now())
        if filled == "before":
            slots.end(db, slot_id, "filled", now=clock.now(), post_id=post_id)
        assert out().guard == "budget"
        if filled == "after":
            assert not slots.end(db, slot_id, "filled", now=clock.now(), post_id=post_id)
        slot = slots.get(db, slot_id)
        assert slot is not None
        assert (slot.state, slot.post_id) == ("skipped", post_id)
        assert (slot.reason or "").startswith("budget: 0.000 of 0.01 USD are spent this month")
        assert slot.reason == posts.need(db, post_id).state_reason

    def test_nothing_else_unfills_a_slot(
        self, db: Database, clock: FakeClock, waiting: Write, slot_id: int
    ) -> None:
        post_id = waiting("I am here to stay.", slot_id=slot_id)
        slots.end(db, slot_id, "filled", now=clock.now(), post_id=post_id)
        for reason in ("budget: by hand", "bored"):
            with pytest.raises(sqlite3.IntegrityError, match="a slot cannot change"):
                db.conn.execute(
                    "UPDATE slots SET state = 'skipped', reason = ? WHERE id = ?", (reason, slot_id)
                )


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("https://mempool.space/tx", True),
        ("see www.x", True),
        ("bitcoin.org", True),
        ("1.5M.Now is the time", True),
        ("BTC at $67,000.50, up 1.2 %", False),
        ("v1.2 is out. Yes.", False),
        ("U.S. stocks", False),
        ("", False),
    ],
)
def test_links_are_seen_as_x_would_bill_them(text: str, linked: bool) -> None:
    assert spend.has_link(text) is linked


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("$BTC and $ETH", ["$BTC", "$ETH"]),
        ("$67,000", []),
        ("US$BTC", []),
        ("($BTC)", ["$BTC"]),
        ("$BRK.A up", ["$BRK.A"]),
        ("$TOOLONGTAG", []),
    ],
)
def test_cashtags(text: str, tags: list[str]) -> None:
    assert spend.cashtags(text) == tags


def test_two_cashtags_never_leave(db: Database, out: Out) -> None:
    assert out("$BTC beats $ETH").guard == "not_fit"
    assert posts.listing(db, limit=1)[0].state == "rejected"


def test_every_price_is_a_setting() -> None:
    rules = {key: setting.default for key, setting in SETTINGS.items()}
    assert spend.cost_of_post("plain", rules) == 0.015
    assert spend.cost_of_post("bitcoin.org", rules) == 0.20
