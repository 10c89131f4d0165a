"""The clock is trusted until it jumps; a jump is noticed, an impossible one stops posting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.clock import FakeClock
from engine.service.clockwatch import ClockWatch, confirm


def step(clock: FakeClock, seconds: float) -> None:
    clock.set_wall(clock.now() + timedelta(seconds=seconds))


def test_a_clock_that_runs_on_is_steady_through_suspend_and_slow_drift(clock: FakeClock) -> None:
    watch = ClockWatch(clock)
    for seconds in (1, 60, 600, 9 * 3600, 3 * 86_400):  # boot time counts suspend
        clock.advance(seconds)
        step(clock, 0.4)
        assert watch.check() == "steady"


def test_a_small_step_either_way_is_noted_once(clock: FakeClock) -> None:
    watch = ClockWatch(clock)
    watch.check()
    for seconds in (30, -30, 3_000):
        step(clock, seconds)
        assert watch.check() == "stepped"
        clock.advance(1)
        assert watch.check() == "steady"


def test_an_hour_forward_without_suspend_is_not_trusted_until_it_is_back(clock: FakeClock) -> None:
    watch = ClockWatch(clock)
    watch.check()
    step(clock, 86_400)
    for _ in range(3):
        clock.advance(60)
        assert watch.check() == "untrusted"
    step(clock, -86_400)
    assert watch.check() == "stepped"
    clock.advance(1)
    assert watch.check() == "steady"


def test_a_wrong_step_back_may_be_undone(clock: FakeClock) -> None:
    """Six hours back, then right again: the way back is no jump into the unknown."""
    watch = ClockWatch(clock)
    watch.check()
    step(clock, -6 * 3600)
    assert watch.check() == "stepped"
    clock.advance(600)
    assert watch.check() == "steady"
    step(clock, 6 * 3600)
    assert watch.check() == "stepped"


def test_a_year_before_this_program_was_built_is_not_trusted() -> None:
    clock = FakeClock(datetime(1970, 1, 1, tzinfo=UTC))
    watch = ClockWatch(clock)
    assert watch.check() == "untrusted"
    clock.set_wall(datetime(2026, 11, 22, tzinfo=UTC))  # time synchronisation arrives
    assert watch.check() == "stepped"
    clock.advance(1)
    assert watch.check() == "steady"


def test_a_restart_of_the_process_does_not_launder_a_wrong_clock(
    db_path: Path, clock: FakeClock
) -> None:
    ClockWatch(clock, db_path).check()
    step(clock, 86_400)
    assert ClockWatch(clock, db_path).check() == "untrusted"


def test_the_operator_may_vouch_for_the_clock_of_a_running_watch(
    db_path: Path, clock: FakeClock
) -> None:
    watch = ClockWatch(clock, db_path)
    watch.check()
    step(clock, 5 * 86_400)
    assert watch.check() == "untrusted"
    confirm(db_path, clock)
    clock.advance(1)
    assert watch.check() == "steady"
    assert ClockWatch(clock, db_path).check() == "steady"


def test_a_new_boot_starts_without_a_past(db_path: Path, clock: FakeClock) -> None:
    ClockWatch(clock, db_path).check()
    clock.reboot("next-boot")
    step(clock, 90 * 86_400)
    assert ClockWatch(clock, db_path).check() == "steady"


def test_a_full_or_missing_database_does_not_stop_the_watch(
    tmp_path: Path, clock: FakeClock
) -> None:
    watch = ClockWatch(clock, tmp_path)  # a folder: cannot be opened
    assert watch.check() == "steady"
    step(clock, 86_400)
    assert watch.check() == "untrusted"
