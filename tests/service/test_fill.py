"""Filling slots: what is written when, and what happens to a slot that nothing came of."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.config import load_config
from engine.errors import ModelUnreachable
from engine.learning import spec
from engine.learning.assignment import FIRST_DAY
from engine.learning.judge import judge
from engine.learning.spec import Arm, Design
from engine.llm.base import GenerationRequest
from engine.llm.scripted import Answer, ScriptedModel
from engine.market.replay import sample_snapshot
from engine.posting import queue
from engine.records import Facts, Snapshot, Verdict
from engine.service import schedule
from engine.service.desk import Footing, MarketDesk
from engine.service.fill import Filler
from engine.store import (
    experiments,
    market_events,
    news,
    posts,
    schedules,
    settings,
    slots,
    snapshots,
    spend,
)
from engine.store.database import write_tx
from engine.store.market_events import MarketEvent
from engine.store.posts import NewPost
from engine.store.schedules import Plan
from engine.store.slots import Slot
from engine.writing.generate import Writer
from engine.writing.shipped import ensure_templates


class Desk(MarketDesk):
    """The market as the test says it is; everything else is real."""

    def __init__(self, db_path: Path, clock: FakeClock, snapshot: Snapshot | None) -> None:
        super().__init__(db_path, load_config({}), clock)
        self.snapshot = snapshot

    def footing(self) -> Footing:
        reason = "" if self.snapshot else "sources differ by 3.00 %"
        return Footing(self.snapshot, reason)


@pytest.fixture
def make(db: Database, db_path: Path, clock: FakeClock) -> Callable[..., tuple[Filler, Desk]]:
    ensure_templates(db, now=clock.now())
    snapshot = snapshots.insert(db, sample_snapshot(clock.now()), now=clock.now())

    def build(model: ScriptedModel | None = None, held: bool = False) -> tuple[Filler, Desk]:
        desk = Desk(db_path, clock, None if held else snapshot)
        rng = random.Random(3)
        writer = Writer(db_path, model or ScriptedModel(), clock, rng)
        return Filler(db_path, writer, desk, clock, rng, "dry_run"), desk

    return build


def plan(db: Database, clock: FakeClock, content_type: str | None, minutes: int = 10) -> Slot:
    """One slot so many minutes from now."""
    at = clock.now() + timedelta(minutes=minutes)
    schedules.insert(
        db, Plan("test", "UTC", (f"{at:%H:%M}",), content_type=content_type), now=clock.now()
    )
    schedule.plan_slots(db, clock.now())
    return slots.upcoming(db, clock.now())[0]


def test_whoever_is_told_to_stop_leaves_the_next_slot_due(
    db: Database, clock: FakeClock, make: Callable[..., tuple[Filler, Desk]]
) -> None:
    times = tuple(f"{clock.now() + timedelta(minutes=n):%H:%M}" for n in (10, 12))
    schedules.insert(db, Plan("test", "UTC", times, content_type="joke"), now=clock.now())
    schedule.plan_slots(db, clock.now())
    told = iter([False, True])
    assert make()[0].fill_due(lambda: next(told)) == 1
    soon = slots.between(db, clock.now(), clock.now() + timedelta(minutes=15))
    assert [slot.state for slot in soon] == ["filled", "due"]


def test_a_slot_for_approval_is_written_ahead_and_sent_at_its_time(
    db: Database, clock: FakeClock, make: Callable[..., tuple[Filler, Desk]]
) -> None:
    slot = plan(db, clock, "joke", minutes=20)
    assert make()[0].fill_due() == 1
    (post,) = posts.listing(db)
    assert post.state == "pending_approval"
    assert post.scheduled_for is not None
    assert post.scheduled_for.startswith(f"{slot.due_at:%Y-%m-%dT%H:%M}")
    assert (done := slots.get(db, slot.id)) is not None
    assert (done.state, done.post_id) == ("filled", post.id)


def test_what_goes_out_by_itself_is_written_at_its_time(
    db: Database, clock: FakeClock, make: Callable[..., tuple[Filler, Desk]]
) -> None:
    settings.put(db, "autonomy.joke", "auto", actor="test", now=clock.now())
    plan(db, clock, "joke", minutes=20)
    filler, _ = make()
    assert filler.fill_due() == 0
    clock.advance(20 * 60)
    assert filler.fill_due() == 1


def test_a_slot_whose_work_was_cut_short_is_filled_at_the_next_look(
    db: Database, clock: FakeClock, make: Callable[..., tuple[Filler, Desk]]
) -> None:
    """As after a full disk: the slot could be claimed, but neither filled nor given back."""
    slot = plan(db, clock, "joke")
    assert schedule.claim(db, slot.id, clock.now(), timedelta(minutes=30)) is not None
    assert make()[0].fill_due() == 1
    done = slots.get(db, slot.id)
    assert done is not None
    assert (done.state, done.tries) == ("filled", 2)


def test_a_draft_that_never_reached_the_queue_is_submitted_after_a_minute(
    db: Database, clock: FakeClock, make: Callable[..., tuple[Filler, Desk]]
) -> None:
    """As after a full disk: the text could be stored, but not handed over. One that a person
    edited or sent back is left alone."""
    new = NewPost(
        content_type="joke", text="A block walks into a bar.", verdict=Verdict(), origin="model",
        world="sample",
    )  # fmt: skip
    left = posts.insert(db, new, actor="writer", now=clock.now())
    other = posts.insert(db, replace(new, text="Another."), actor="writer", now=clock.now())
    queue.request_regeneration(db, other, revision=1, reason="dull", actor="anna", now=clock.now())
    filler, _ = make()
    filler.fill_due()
    assert posts.need(db, left).state == "draft"
    clock.advance(61)
    filler.fill_due()
    assert posts.need(db, left).state == "pending_approval"
    assert posts.need(db, other).state == "draft"


def test_without_a_snapshot_the_slot_says_why_it_was_skipped(
    db: Database, clock: FakeClock, make: Callable[..., tuple[Filler, Desk]]
) -> None:
    slot = plan(db, clock, "price")
    make(held=True)[0].fill_due()
    done = slots.get(db, slot.id)
    assert done is not None
    assert done.state == "skipped"
    assert "sources differ" in (done.reason or "")


def test_a_news_slot_without_a_headline_is_skipped_and_a_mixed_one_speaks_of_the_price(
    db: Database,
    clock: FakeClock,
    make: Callable[..., tuple[Filler, Desk]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    filler, desk = make()
    monkeypatch.setattr(desk, "read_sample_news", lambda: None)
    slot = plan(db, clock, "news")
    filler.fill_due()
    assert (done := slots.get(db, slot.id)) is not None
    assert (done.state, done.reason) == ("skipped", "no fresh unused headline")
    settings.put(db, "content.mix", {"news": 1}, actor="test", now=clock.now())
    schedules.insert(
        db, Plan("mixed", "UTC", (f"{clock.now() + timedelta(minutes=15):%H:%M}",)), now=clock.now()
    )
    schedule.plan_slots(db, clock.now())
    filler.fill_due()
    assert [post.content_type for post in posts.listing(db)] == ["price"]


def test_a_headline_is_used_once(
    db: Database, clock: FakeClock, make: Callable[..., tuple[Filler, Desk]]
) -> None:
    filler, _ = make()
    used = [filler.write_now("news") for _ in range(6)]
    written = [item.draft.text.split("\n")[0] for item in used if item.draft and item.draft.post_id]
    assert len(written) == len(set(written))
    assert used[-1].reason == "no fresh, relevant, unused headline"
    assert all(item.claimed_at for item in news.listing(db) if item.relevance >= 0.6)


def test_a_bug_gives_the_slot_back_for_a_later_try(
    db: Database, clock: FakeClock, make: Callable[..., tuple[Filler, Desk]]
) -> None:
    def broken(request: GenerationRequest) -> Answer:
        raise ZeroDivisionError("a bug")

    slot = plan(db, clock, "joke")
    filler, _ = make(ScriptedModel(broken))
    with pytest.raises(ZeroDivisionError):
        filler.fill_due()
    left = slots.get(db, slot.id)
    assert left is not None
    assert (left.state, left.reason) == ("due", "a bug")
    assert left.retry_at is not None
    assert left.retry_at > clock.now()


def no_money(db: Database, clock: FakeClock, usd: float = 0.01) -> None:
    settings.put(db, "posting.monthly_budget_usd", usd, actor="test", now=clock.now())


def test_over_budget_the_slot_is_skipped_before_the_model_is_asked(
    db: Database, clock: FakeClock, make: Callable[..., tuple[Filler, Desk]]
) -> None:
    model = ScriptedModel()
    slot = plan(db, clock, "joke")
    no_money(db, clock)
    make(model)[0].fill_due()
    assert (done := slots.get(db, slot.id)) is not None
    assert done.state == "skipped"
    assert (done.reason or "").startswith("budget: 0.000 of 0.01 USD are spent this month")
    assert posts.listing(db) == []
    assert model.requests == []


def test_on_a_nearly_full_disk_the_slot_is_skipped_before_the_model_is_asked(
    db: Database, clock: FakeClock, make: Callable[..., tuple[Filler, Desk]]
) -> None:
    model = ScriptedModel()
    slot = plan(db, clock, "joke")
    settings.put(db, "service.min_free_mb", 1_000_000, actor="test", now=clock.now())
    make(model)[0].fill_due()
    assert (done := slots.get(db, slot.id)) is not None
    assert done.state == "skipped"
    assert (done.reason or "").startswith("disk: ")
    assert model.requests == []


def test_a_day_without_money_is_lost_by_the_arm_it_was_given(
    db: Database, clock: FakeClock, make: Callable[..., tuple[Filler, Desk]]
) -> None:
    """Four days of two schedules that take turns; the money ends after the first post."""
    settings.put(db, "content.lead_s", 0, actor="test", now=clock.now())
    no_money(db, clock, 0.02)
    arms = []
    for name, times in (("few", ("08:00",)), ("many", ("07:00", "12:00", "19:00"))):
        row = schedules.insert(db, Plan(name, "UTC", times, content_type="joke"), now=clock.now())
        arms.append(Arm(name, schedules=(row,)))
    design = Design("turns", "schedule", tuple(arms))
    experiment = spec.start(db, design, seed="secret", actor="anna", now=clock.now())
    filler, spent = make()[0], False
    clock.set_wall(datetime.combine(clock.now() + FIRST_DAY, time(), UTC))
    for _ in range(4 * 24):
        schedule.plan_slots(db, clock.now())
        clock.advance(3600)
        if filler.fill_due() and len(posts.listing(db)) == 1 and not spent:
            with write_tx(db):
                spend.insert(
                    db, publisher="dry_run", kind="post", quantity=1, usd_micros=15_000,
                    now=clock.now(),
                )  # fmt: skip
            spent = True
    given = Counter(row.arm for row in experiments.all_of(db, experiment.id))
    assert given.total() == 4
    counts = {arm.arm: arm for arm in judge(db, experiment, clock.now()).arms}
    assert counts["few"].assigned == given["few"]
    assert counts["many"].assigned == 3 * given["many"]
    assert counts["few"].empty + counts["many"].empty == given["few"] + 3 * given["many"] - 1


def test_a_slot_of_next_month_is_paid_from_next_months_budget(
    db: Database, clock: FakeClock, make: Callable[..., tuple[Filler, Desk]]
) -> None:
    """Written ten minutes before midnight, due five minutes after it."""
    clock.set_wall(datetime(2026, 11, 30, 23, 50, tzinfo=UTC))
    filler, _ = make()
    slot = plan(db, clock, "joke", minutes=15)
    no_money(db, clock, 0.02)
    with write_tx(db):
        spend.insert(
            db, publisher="dry_run", kind="post", quantity=1, usd_micros=15_000, now=clock.now()
        )
    filler.fill_due()
    assert (done := slots.get(db, slot.id)) is not None
    assert done.state == "filled"


def test_over_budget_no_event_is_taken_up(
    db: Database, clock: FakeClock, make: Callable[..., tuple[Filler, Desk]]
) -> None:
    filler, desk = make()
    take_place(db, desk, 90)
    no_money(db, clock)
    assert filler.write_events() == 0
    no_money(db, clock, 1)
    assert filler.write_events() == 1


def test_a_model_that_is_down_costs_no_slot(
    db: Database, clock: FakeClock, make: Callable[..., tuple[Filler, Desk]]
) -> None:
    slot = plan(db, clock, "motivation")
    make(ScriptedModel([ModelUnreachable("refused")] * 9))[0].fill_due()
    assert (done := slots.get(db, slot.id)) is not None
    assert done.state == "filled"
    assert posts.listing(db)[0].origin == "backup"


def take_place(db: Database, desk: Desk, priority: int, sentence: str = "") -> str:
    """An event in the desk's market, by default a true one; answers its sentence."""
    snapshot = desk.snapshot
    assert snapshot is not None
    sentence = sentence or f"The price is ${snapshot.facts.price_usd:,.0f}."
    happened = MarketEvent(
        "level_1k", "level:1", snapshot.facts.as_of or FakeClock, "sample", priority,  # type: ignore[arg-type]
        sentence, "price", ("price_usd",), {}, "up",
    )  # fmt: skip
    market_events.insert(db, [happened], previous=snapshot, current=snapshot)
    return sentence


def test_an_event_takes_over_a_mixed_slot_and_opens_its_post(
    db: Database, clock: FakeClock, make: Callable[..., tuple[Filler, Desk]]
) -> None:
    filler, desk = make()
    sentence = take_place(db, desk, 30)
    settings.put(db, "content.mix", {"joke": 1}, actor="test", now=clock.now())
    plan(db, clock, None)
    filler.fill_due()
    (post,) = posts.listing(db)
    assert post.content_type == "price"
    assert post.text.startswith(sentence)


@pytest.mark.parametrize(("priority", "written"), [(79, 0), (80, 1)])
def test_only_a_big_event_gets_a_post_of_its_own_and_only_once(
    db: Database,
    clock: FakeClock,
    make: Callable[..., tuple[Filler, Desk]],
    priority: int,
    written: int,
) -> None:
    filler, desk = make()
    take_place(db, desk, priority)
    assert [filler.write_events(), filler.write_events()] == [written, 0]
    assert len(posts.listing(db)) == written


def test_an_event_that_the_market_took_back_is_not_told(
    db: Database, clock: FakeClock, make: Callable[..., tuple[Filler, Desk]]
) -> None:
    filler, desk = make()
    take_place(db, desk, 95, "The price crossed above $1,000,000.")
    assert filler.write_events() == 0


def test_facts_from_the_operator_can_never_become_public(
    db: Database, clock: FakeClock, make: Callable[..., tuple[Filler, Desk]]
) -> None:
    facts = Facts(price_usd=67_432.18, change_24h_pct=-2.31)
    written = make()[0].write_now("price", replace(facts, as_of=clock.now()))
    assert written.state == "pending_approval"
    assert {post.world for post in posts.listing(db)} == {"replay"}
