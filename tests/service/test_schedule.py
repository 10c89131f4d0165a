"""Schedules become slots ahead of time; each slot is worked on once and ends in a named state."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.errors import UsageError
from engine.records import Verdict
from engine.service import schedule
from engine.store import posts, schedules, settings, slots
from engine.store.schedules import Plan
from engine.store.slots import Slot

EIGHT = Plan("eight", "UTC", ("08:00",), content_type="joke")
TWICE = Plan("twice", "UTC", ("08:00", "20:00"), content_type="joke")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def all_slots(db: Database) -> list[Slot]:
    return slots.between(db, at("2000-01-01"), at("2100-01-01"))


def a_post(db: Database, slot_id: int, now: datetime) -> int:
    post = posts.NewPost("joke", "Bitcoin never sleeps.", Verdict(), "model", "sample")
    return posts.insert(
        db, posts.NewPost(**{**post.__dict__, "slot_id": slot_id}), actor="test", now=now
    )


# planning


def test_a_new_database_gets_six_slots_a_day_once(db: Database, clock: FakeClock) -> None:
    for _ in range(2):
        schedule.ensure_default_schedule(db, "UTC", clock.now())
    schedule.plan_slots(db, clock.now(), horizon_h=24)
    assert len(all_slots(db)) == 6


def test_planning_again_changes_nothing(db: Database, clock: FakeClock) -> None:
    schedule.ensure_default_schedule(db, "Europe/Berlin", clock.now())
    assert schedule.plan_slots(db, clock.now()).added == 12
    before = all_slots(db)
    assert schedule.plan_slots(db, clock.now()) == slots.Change()
    assert all_slots(db) == before


def test_slots_lie_after_the_schedule_was_made(db: Database) -> None:
    now = at("2026-11-22 08:00:30")
    schedule.save_schedule(db, None, TWICE, now)
    assert [slot.due_at for slot in all_slots(db)] == [
        at("2026-11-22 20:00"),
        at("2026-11-23 08:00"),
        at("2026-11-23 20:00"),
        at("2026-11-24 08:00"),
    ]


def test_only_the_chosen_weekdays_have_slots(db: Database) -> None:
    now = at("2026-11-22 12:00")  # a Sunday
    schedule.save_schedule(db, None, Plan("w", "UTC", ("08:00",), (2, 4)), now)
    schedule.plan_slots(db, now, horizon_h=24 * 14)
    assert {slot.due_at.isoweekday() for slot in all_slots(db)} == {2, 4}
    assert len(all_slots(db)) == 4


def test_a_disabled_schedule_loses_its_untouched_slots(db: Database, clock: FakeClock) -> None:
    number = schedule.save_schedule(db, None, TWICE, clock.now())
    off = Plan(TWICE.name, TWICE.zone, TWICE.times, enabled=False)
    schedule.save_schedule(db, number, off, clock.now())
    assert all_slots(db) == []


def test_a_change_of_zone_moves_only_what_nobody_touched(db: Database) -> None:
    """08:00 UTC was filled, 20:00 UTC is being retried: both stay; the rest moves to Tokyo."""
    number = schedule.save_schedule(db, None, TWICE, at("2026-11-22 00:00"))
    first, second = (slot.id for slot in all_slots(db)[:2])
    assert schedule.claim(db, first, at("2026-11-22 08:00"))
    schedule.finish(
        db,
        first,
        "filled",
        now=at("2026-11-22 08:01"),
        post_id=a_post(db, first, at("2026-11-22 08:01")),
    )
    assert schedule.claim(db, second, at("2026-11-22 20:00"))
    now = at("2026-11-22 20:01")
    schedule.retry_later(db, second, now, "the model is busy", rng=random.Random(1))
    schedule.save_schedule(db, number, Plan("twice", "Asia/Tokyo", TWICE.times), now)
    kept = [slots.get(db, number) for number in (first, second)]
    assert [slot.zone for slot in kept if slot] == ["UTC", "UTC"]
    assert [(slot.due_at, slot.local_date) for slot in all_slots(db)[2:]] == [
        (at("2026-11-22 23:00"), "2026-11-23"),
        (at("2026-11-23 11:00"), "2026-11-23"),
        (at("2026-11-23 23:00"), "2026-11-24"),
        (at("2026-11-24 11:00"), "2026-11-24"),
    ]


def test_a_zone_further_west_does_not_repeat_the_day(db: Database) -> None:
    """One slot per local day and time: 08:00 of that day is done, whatever the zone says now."""
    number = schedule.save_schedule(db, None, EIGHT, at("2026-11-22 00:00"))
    (slot, _) = all_slots(db)
    schedule.claim(db, slot.id, at("2026-11-22 08:00"))
    schedule.finish(db, slot.id, "skipped", now=at("2026-11-22 08:00"), reason="no snapshot")
    west = Plan("eight", "America/Los_Angeles", ("08:00",))
    schedule.save_schedule(db, number, west, at("2026-11-22 10:00"))
    assert [(slot.local_date, slot.due_at, slot.state) for slot in all_slots(db)] == [
        ("2026-11-22", at("2026-11-22 08:00"), "skipped"),
        ("2026-11-23", at("2026-11-23 16:00"), "due"),
    ]


def test_a_slot_with_a_post_already_written_is_not_moved(db: Database, clock: FakeClock) -> None:
    number = schedule.save_schedule(db, None, EIGHT, clock.now())
    before = all_slots(db)[0]
    a_post(db, before.id, clock.now())
    schedule.save_schedule(db, number, Plan("eight", "Asia/Tokyo", ("08:00",)), clock.now())
    assert slots.get(db, before.id) == before


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (Plan("x", "Mars/Olympus", ("08:00",)), "time zone"),
        (Plan("x", "../../etc/passwd", ("08:00",)), "time zone"),
        (Plan("x", "America", ("08:00",)), "time zone"),
        (Plan("x", "UTC", ("8:00",)), "HH:MM"),
        (Plan("x", "UTC", ("24:00",)), "HH:MM"),
        (Plan("x", "UTC", ()), "times of day"),
        (Plan("x", "UTC", ("08:00",), ()), "weekday"),
        (Plan("x", "UTC", ("08:00",), (0,)), "weekday"),
        (Plan("", "UTC", ("08:00",)), "name"),
        (Plan("x", "UTC", ("08:00",), content_type="poem"), "content type"),
        (Plan("taken", "UTC", ("08:00",)), "already"),
    ],
)
def test_a_bad_plan_is_refused_with_what_is_wrong(
    db: Database, clock: FakeClock, plan: Plan, says: str
) -> None:
    schedule.save_schedule(db, None, Plan("taken", "UTC", ("08:00",)), clock.now())
    with pytest.raises(UsageError, match=says):
        schedule.save_schedule(db, None, plan, clock.now())
    assert len(schedules.listing(db)) == 1


def test_changing_a_schedule_that_does_not_exist_is_refused(db: Database, clock: FakeClock) -> None:
    with pytest.raises(UsageError, match="no schedule 7"):
        schedule.save_schedule(db, 7, EIGHT, clock.now())


# content types

RATIOS = st.dictionaries(
    st.sampled_from(["price", "joke", "motivation", "news"]),
    st.floats(0.1, 50),
    min_size=1,
)


@given(mix=RATIOS, count=st.integers(1, 48), number=st.integers(1, 50), day=st.dates())
def test_each_day_has_every_type_in_its_share_rounded_up_or_down(
    mix: dict[str, float], count: int, number: int, day: date
) -> None:
    drawn = Counter(schedule.draw_types(number, day, count, mix))
    total = sum(mix.values())
    assert sum(drawn.values()) == count
    for name, ratio in mix.items():
        assert abs(drawn[name] - count * ratio / total) < 1 + 1e-6


def test_shares_hold_over_the_weeks_and_types_do_not_stick_to_hours() -> None:
    mix = {"price": 4, "joke": 1, "motivation": 1, "news": 2, "never": 0}
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(72)]
    drawn = [schedule.draw_types(1, day, 6, mix) for day in days]
    totals = Counter(name for types in drawn for name in types)
    assert {name: abs(totals[name] - 432 * mix[name] / 8) <= 2 for name in totals} == dict.fromkeys(
        ("price", "joke", "motivation", "news"), True
    )
    for hour in range(6):
        assert len({types[hour] for types in drawn}) == 4


def test_a_new_mix_changes_only_slots_nobody_touched(db: Database, clock: FakeClock) -> None:
    schedule.save_schedule(db, None, Plan("mixed", "UTC", ("13:00", "18:00")), clock.now())
    first = all_slots(db)[0]
    clock.advance(3600)
    schedule.claim(db, first.id, clock.now())
    settings.put(db, "content.mix", {"motivation": 1}, actor="test", now=clock.now())
    schedule.plan_slots(db, clock.now())
    kept, *changed = (slot.content_type for slot in all_slots(db))
    assert (kept, set(changed)) == (first.content_type, {"motivation"})


# working


@pytest.fixture
def slot(db: Database) -> Slot:
    """One slot, due at 08:00 UTC on 2026-11-22."""
    schedule.save_schedule(db, None, EIGHT, at("2026-11-22 00:00"))
    return all_slots(db)[0]


def test_a_slot_is_due_from_its_minute_to_the_end_of_its_grace(db: Database, slot: Slot) -> None:
    assert schedule.due(db, at("2026-11-22 07:59:59")) == []
    assert [s.id for s in schedule.due(db, at("2026-11-22 08:00:00"))] == [slot.id]
    for minute in range(1, 15):
        assert schedule.due(db, at(f"2026-11-22 08:{minute:02d}:00"))
    assert schedule.due(db, at("2026-11-22 08:15:01")) == []
    ended = slots.get(db, slot.id)
    assert ended
    assert (ended.state, ended.reason) == ("missed", "not started within 900 s")


def test_price_slots_have_their_own_shorter_grace(db: Database) -> None:
    schedule.save_schedule(
        db, None, Plan("p", "UTC", ("08:00",), content_type="price"), at("2026-11-22 00:00")
    )
    schedule.sweep(db, at("2026-11-22 08:00"))
    schedule.sweep(db, at("2026-11-22 08:02"))
    schedule.sweep(db, at("2026-11-22 08:04"))
    assert len(schedule.due(db, at("2026-11-22 08:05"))) == 1
    assert schedule.due(db, at("2026-11-22 08:05:01")) == []


def test_one_claim_wins(db: Database, slot: Slot) -> None:
    assert schedule.claim(db, slot.id, at("2026-11-22 07:59:59")) is None
    mine = schedule.claim(db, slot.id, slot.due_at)
    assert mine
    assert (mine.state, mine.tries) == ("claimed", 1)
    assert schedule.claim(db, slot.id, slot.due_at) is None
    assert schedule.due(db, slot.due_at) == []


def test_an_end_is_final(db: Database, slot: Slot) -> None:
    schedule.claim(db, slot.id, slot.due_at)
    assert schedule.finish(db, slot.id, "skipped", now=slot.due_at, reason="over budget")
    assert not schedule.finish(db, slot.id, "missed", now=slot.due_at, reason="late")
    assert schedule.retry_later(db, slot.id, slot.due_at, "x", rng=random.Random(1)) is None
    with pytest.raises(sqlite3.IntegrityError, match="cannot change to this state"):
        db.conn.execute("UPDATE slots SET state = 'due' WHERE id = ?", (slot.id,))


def test_the_database_refuses_unexplained_ends(db: Database, slot: Slot) -> None:
    with pytest.raises(ValueError, match="reason"):
        schedule.finish(db, slot.id, "missed", now=slot.due_at)
    with pytest.raises(ValueError, match="post"):
        schedule.finish(db, slot.id, "filled", now=slot.due_at)
    for change in ("state = 'missed'", "state = 'skipped', reason = 'x'", "slot_key = 'y'"):
        with pytest.raises(sqlite3.IntegrityError):
            db.conn.execute(f"UPDATE slots SET {change} WHERE id = ?", (slot.id,))
    schedule.claim(db, slot.id, slot.due_at)
    with pytest.raises(sqlite3.IntegrityError, match="planned away"):
        db.conn.execute("DELETE FROM slots WHERE id = ?", (slot.id,))


def test_failures_wait_longer_each_time_and_end_missed_with_the_last_reason(
    db: Database, slot: Slot
) -> None:
    rng, now, waits = random.Random(7), slot.due_at, []
    while True:
        ready = schedule.due(db, now)
        state = slots.get(db, slot.id)
        if state and state.state == "missed":
            break
        if ready:
            assert schedule.claim(db, slot.id, now)
            until = schedule.retry_later(db, slot.id, now, f"try {len(waits) + 1}", rng=rng)
            assert until
            assert schedule.claim(db, slot.id, now) is None  # not before its time
            waits.append((until - now).total_seconds())
        now += timedelta(seconds=10)
    assert 4 <= len(waits) <= 6
    for base, wait in zip((30, 60, 120, 240), waits, strict=False):
        assert 0.8 * base <= wait <= 1.2 * base
    assert state.reason == f"not started within 900 s; last try: try {len(waits)}"


def test_a_crashed_process_leaves_no_slot_behind(db: Database, slot: Slot) -> None:
    """Without a post the slot is due again; with one it is filled, never written twice."""
    schedule.claim(db, slot.id, slot.due_at)
    again = slot.due_at + timedelta(seconds=20)
    assert [s.id for s in schedule.recover_claimed(db, again)] == [slot.id]
    assert [s.id for s in schedule.due(db, again)] == [slot.id]
    schedule.claim(db, slot.id, again)
    post_id = a_post(db, slot.id, again)
    schedule.recover_claimed(db, again)
    ended = slots.get(db, slot.id)
    assert ended
    assert (ended.state, ended.post_id) == ("filled", post_id)
    assert schedule.recover_claimed(db, again) == []


def test_the_next_slot_is_the_soonest_ahead(db: Database, slot: Slot) -> None:
    ahead = schedule.next_slot(db, at("2026-11-22 00:00"))
    assert ahead
    assert ahead.id == slot.id
    assert schedule.next_slot(db, at("2030-01-01")) is None
