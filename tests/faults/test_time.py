"""F22 to F25: clocks that jump, days that are not 24 hours, machines that sleep.

The judge is a calendar made by :mod:`tests.faults.zones`, which knows nothing of our tables.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.records import Verdict
from engine.service import schedule
from engine.service.clockwatch import ClockWatch
from engine.store import posts, settings, slots
from engine.store.database import connect, write_tx
from engine.store.posts import NewPost
from engine.store.schedules import Plan
from engine.store.slots import Slot
from tests.faults.zones import calendar

TIMES = ("00:15", "02:30", "08:00", "12:00", "18:30", "23:45")


@pytest.fixture
def quick(db_path: Path) -> Iterator[Database]:
    """A database that does not wait for the disk: these tests are about time alone."""
    database = connect(db_path)
    database.conn.execute("PRAGMA synchronous=OFF")
    yield database
    database.close()


@dataclass
class Life:
    """A runner's life, minute by minute: it works, fails, crashes, sleeps and is restarted."""

    db: Database
    clock: FakeClock
    rng: random.Random
    crash_p: float = 0.05
    fail_p: float = 0.15
    done: list[tuple[str, datetime]] = field(default_factory=list)
    absences: list[tuple[datetime, datetime]] = field(default_factory=list)

    def minute(self) -> None:
        """One tick, then a minute passes."""
        now = self.clock.now()
        if now.minute % 30 == 0:
            schedule.plan_slots(self.db, now)
        for slot in schedule.due(self.db, now):
            if schedule.claim(self.db, slot.id, now):
                self._work(slot)
        self.clock.advance(60)

    def away(self, seconds: float) -> None:
        """Nobody at work: asleep, stopped or being deployed; then a start."""
        before = self.clock.now()
        self.clock.advance(seconds)
        self.absences.append((before, self.clock.now()))
        self.start()

    def start(self) -> None:
        now = self.clock.now()
        schedule.recover_claimed(self.db, now)
        schedule.plan_slots(self.db, now)

    def _work(self, slot: Slot) -> None:
        now, luck = self.clock.now(), self.rng.random()
        if luck < self.crash_p:  # claimed, nothing else; a restart follows
            self.start()
        elif luck < self.crash_p + self.fail_p:
            schedule.retry_later(self.db, slot.id, now, "the model is busy", rng=self.rng)
        else:
            self.done.append((slot.slot_key, now))
            with write_tx(self.db):
                post = NewPost("joke", "hello", Verdict(), "model", "sample", slot_id=slot.id)
                post_id = posts.insert(self.db, post, actor="test", now=now)
                schedule.finish(self.db, slot.id, "filled", now=now, post_id=post_id)
            if luck > 0.97:  # after the post was stored, before the slot knew: told by recovery
                self.start()


def every_slot(db: Database) -> list[Slot]:
    return slots.between(db, datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("Europe/Berlin", date(2026, 2, 1)),  # gap on 29 March: 02:30 is missing
        ("America/New_York", date(2026, 9, 15)),  # 1 November: 02:30 after the repeat
        ("Antarctica/Troll", date(2026, 9, 1)),  # two hours repeated
        ("Africa/Cairo", date(2026, 4, 1)),  # 24 April has no first hour: 00:15 is missing
    ],
)
def test_f22_to_f25_72_days_of_minutes_with_sleeps_crashes_and_restarts(
    quick: Database, zone: str, first: date
) -> None:
    """Every local day and time is one slot, each ends explained, none is worked on twice, and
    after an absence at most one is made up."""
    start = datetime.combine(first, datetime.min.time(), tzinfo=UTC)
    clock, rng = FakeClock(start), random.Random(f"{zone}{first}")
    life = Life(quick, clock, rng)
    schedule.save_schedule(quick, None, Plan("s", zone, TIMES, content_type="joke"), start)
    end = start + timedelta(days=72)
    while clock.now() < end:
        if rng.random() < 1 / 2_000:
            life.away(rng.choice((40, 200, 600, 3_600, 9 * 3_600, 3 * 86_400)))
        life.minute()
    minutes_simulated = (clock.now() - start) // timedelta(minutes=1)
    assert minutes_simulated >= 72 * 1_440
    assert len(life.absences) >= 20

    settled = clock.now() - timedelta(seconds=1_800)
    expected = {
        key: due
        for key, due in calendar(ZoneInfo(zone), first - timedelta(days=1), 80, TIMES).items()
        if start < due <= settled
    }
    found = {
        (slot.local_date, slot.local_time): slot
        for slot in every_slot(quick)
        if slot.due_at <= settled
    }
    assert {key: slot.due_at for key, slot in found.items()} == expected
    assert {slot.state for slot in found.values()} == {"filled", "missed"}
    assert all(slot.reason for slot in found.values() if slot.state == "missed")
    assert max(Counter(key for key, _ in life.done).values()) == 1
    worked = dict(life.done)
    for slot in found.values():
        if slot.state == "filled":
            assert timedelta() <= worked[slot.slot_key] - slot.due_at <= timedelta(seconds=900)
        else:
            assert slot.slot_key not in worked
    for gone, back in life.absences:
        made_up = [
            slot
            for slot in found.values()
            if slot.state == "filled" and gone < slot.due_at <= back and slot.due_at != back
        ]
        assert len(made_up) <= 1
    lost_awake = [
        slot
        for slot in found.values()
        if slot.state == "missed"
        and not any(
            gone - timedelta(seconds=900) <= slot.due_at <= back for gone, back in life.absences
        )
        and "last try" not in (slot.reason or "")
    ]
    assert lost_awake == []


def run_for(life: Life, minutes: int) -> None:
    for _ in range(minutes):
        life.minute()


def steady(db: Database, times: tuple[str, ...], start: datetime) -> Life:
    """A runner that never fails by itself, at work on one schedule since ``start``."""
    life = Life(db, FakeClock(start), random.Random(1), crash_p=0, fail_p=0)
    plan = Plan("s", "UTC", times, content_type="joke")
    schedule.save_schedule(db, None, plan, start)
    life.minute()
    return life


NOON = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)
TEN_AND_FORTY = tuple(f"{hour:02d}:{minute:02d}" for hour in range(12, 16) for minute in (10, 40))


@pytest.mark.parametrize(
    ("away_s", "made_up"),
    [(600, 1), (3_000, 1), (4_500, 1), (9 * 3_600, 0), (3 * 86_400, 0)],
)
def test_f24_f25_after_a_sleep_at_most_one_slot_is_made_up(
    quick: Database, away_s: int, made_up: int
) -> None:
    """F24, F25: ten minutes to three days; the rest is missed and says why."""
    life = steady(quick, TEN_AND_FORTY, NOON)
    life.away(away_s)
    run_for(life, 3)
    asleep = [
        slot
        for slot in every_slot(quick)
        if NOON < slot.due_at <= NOON + timedelta(seconds=away_s + 60)
    ]
    assert sum(slot.state == "filled" for slot in asleep) == made_up
    for slot in asleep:
        assert slot.state in ("filled", "missed")
        if slot.state == "missed":
            assert "nobody at work" in (slot.reason or "")


def test_f24_a_long_grace_makes_no_burst(quick: Database, clock: FakeClock) -> None:
    """Six hours of grace, three hours away, six slots in between: the latest alone is made up."""
    settings.put(quick, "posting.slot_grace_s", 6 * 3_600, actor="test", now=clock.now())
    life = steady(quick, TEN_AND_FORTY, NOON)
    life.away(3 * 3_600)
    run_for(life, 3)
    states = [(slot.local_time, slot.state) for slot in every_slot(quick)[:6]]
    assert states == [(text, "missed") for text in TEN_AND_FORTY[:5]] + [("14:40", "filled")]
    assert "only the latest is made up" in (every_slot(quick)[0].reason or "")


def test_slots_at_the_same_minute_are_all_filled_when_nobody_slept(
    quick: Database, clock: FakeClock
) -> None:
    """The rule against bursts is for absences; three schedules at noon are three slots."""
    life = steady(quick, ("12:10",), NOON)
    for name in ("b", "c"):
        schedule.save_schedule(
            quick, None, Plan(name, "UTC", ("12:10",), content_type="joke"), life.clock.now()
        )
    run_for(life, 15)
    assert [s.state for s in every_slot(quick)[:3]] == ["filled"] * 3


def test_f22_a_clock_set_back_repeats_nothing(quick: Database) -> None:
    """F22: six hours back. Slots already worked on stay ended, the mark does not fall, and the
    day goes on when the clock gets there again."""
    life = steady(quick, TEN_AND_FORTY, NOON)
    watch = ClockWatch(life.clock)
    watch.check()
    run_for(life, 60)
    before = every_slot(quick)
    mark = slots.mark(quick, "swept")
    life.clock.set_wall(life.clock.now() - timedelta(hours=6))
    assert watch.check() == "stepped"
    run_for(life, 6 * 60)
    assert every_slot(quick)[:2] == before[:2]
    assert slots.mark(quick, "swept") == mark
    run_for(life, 4 * 60)
    worked = Counter(key for key, _ in life.done)
    assert max(worked.values()) == 1
    today = [slot for slot in every_slot(quick) if slot.local_date == "2026-11-22"]
    assert len(today) == len(TEN_AND_FORTY)
    assert {slot.state for slot in today} == {"filled"}


def test_f22_a_clock_a_day_ahead_touches_no_slot(quick: Database) -> None:
    """F22: not trusted, so nothing is planned, swept or posted; right again, the day goes on."""
    life = steady(quick, TEN_AND_FORTY, NOON)
    watch = ClockWatch(life.clock)
    watch.check()
    before = every_slot(quick)
    life.clock.set_wall(life.clock.now() + timedelta(days=1))
    for _ in range(5):
        if watch.check() != "untrusted":
            life.minute()
        else:
            life.clock.advance(60)
    assert every_slot(quick) == before
    life.clock.set_wall(life.clock.now() - timedelta(days=1))
    assert watch.check() == "stepped"
    run_for(life, 4 * 60)
    assert {slot.state for slot in every_slot(quick) if slot.local_date == "2026-11-22"} == {
        "filled"
    }


@pytest.mark.parametrize("seconds", [30, -30, 1, -1])
def test_f22_a_small_step_loses_and_repeats_nothing(quick: Database, seconds: int) -> None:
    """F22: what time synchronisation and leap seconds do."""
    life = steady(quick, TEN_AND_FORTY, NOON)
    for _ in range(4 * 60):
        life.minute()
        if life.clock.now().minute in (10, 40):
            life.clock.set_wall(life.clock.now() + timedelta(seconds=seconds))
    today = [slot for slot in every_slot(quick) if slot.local_date == "2026-11-22"]
    assert {slot.state for slot in today} == {"filled"}
    assert max(Counter(key for key, _ in life.done).values()) == 1


def test_f25_the_high_water_mark_cannot_fall(quick: Database) -> None:
    """F25: not even by hand."""
    slots.raise_mark(quick, "swept", NOON)
    slots.raise_mark(quick, "swept", NOON - timedelta(days=1))
    assert slots.mark(quick, "swept") == NOON
    with pytest.raises(Exception, match="never moves back"), write_tx(quick):
        quick.conn.execute("UPDATE high_water_marks SET at = '2020'")


def test_f25_a_restart_loop_works_each_slot_once(quick: Database) -> None:
    """F25: a new process every two minutes."""
    life = steady(quick, TEN_AND_FORTY, NOON)
    for _ in range(120):
        life.away(40)
        life.minute()
        life.minute()
    today = [s for s in every_slot(quick) if s.due_at < life.clock.now() - timedelta(minutes=15)]
    assert len(today) == len(TEN_AND_FORTY)
    assert {slot.state for slot in today} == {"filled"}
    assert max(Counter(key for key, _ in life.done).values()) == 1


def test_f23_zones_changed_in_the_console_keep_one_slot_a_local_day_and_time(
    quick: Database,
) -> None:
    """F23: a new zone every few hours for three weeks."""
    rng = random.Random(23)
    zones = ("UTC", "Asia/Tokyo", "America/Los_Angeles", "Pacific/Kiritimati", "Europe/Berlin")
    life = steady(quick, ("02:30", "12:00", "18:30"), NOON)
    (number,) = {slot.schedule_id for slot in every_slot(quick)}
    for _ in range(21 * 4):
        run_for(life, rng.randrange(200, 500))
        plan = Plan("s", rng.choice(zones), ("02:30", "12:00", "18:30"), content_type="joke")
        schedule.save_schedule(quick, number, plan, life.clock.now())
    past = [slot for slot in every_slot(quick) if slot.due_at <= life.clock.now()]
    assert max(Counter((slot.local_date, slot.local_time) for slot in past).values()) == 1
    assert {slot.state for slot in past} == {"filled"}
    assert len(past) >= 40
