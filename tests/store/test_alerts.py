"""An alert is one open row, told once, repeated rarely, and its end is told when it is sure."""

from __future__ import annotations

from datetime import timedelta

from sqlite_utils import Database

from engine.clock import FakeClock
from engine.store import alerts

REPEAT_S = 3600.0


def _raise(db: Database, clock: FakeClock, message: str = "the disk is nearly full") -> bool:
    return alerts.raise_alert(db, "disk_low", "", "critical", message, clock.now())


def test_a_condition_seen_many_times_is_one_row_and_one_notice(
    db: Database, clock: FakeClock
) -> None:
    assert _raise(db, clock)
    for _ in range(9):
        clock.advance(60)
        assert not _raise(db, clock, "still nearly full")
    (notice,) = alerts.due_notices(db, clock.now(), repeat_s=REPEAT_S)
    assert (notice.count, notice.message, notice.is_recovery) == (10, "still nearly full", False)
    alerts.mark_sent(db, notice, clock.now())
    assert alerts.due_notices(db, clock.now(), repeat_s=REPEAT_S) == []


def test_it_is_repeated_after_the_repeat_time(db: Database, clock: FakeClock) -> None:
    _raise(db, clock)
    (notice,) = alerts.due_notices(db, clock.now(), repeat_s=REPEAT_S)
    alerts.mark_sent(db, notice, clock.now())
    clock.advance(REPEAT_S - 1)
    assert alerts.due_notices(db, clock.now(), repeat_s=REPEAT_S) == []
    clock.advance(1)
    assert len(alerts.due_notices(db, clock.now(), repeat_s=REPEAT_S)) == 1


def test_a_recovery_is_told_once_it_has_settled(db: Database, clock: FakeClock) -> None:
    _raise(db, clock)
    alerts.mark_sent(db, alerts.open_alerts(db)[0], clock.now())
    assert alerts.resolve(db, "disk_low", "", clock.now())
    assert not alerts.resolve(db, "disk_low", "", clock.now())
    assert alerts.due_notices(db, clock.now(), repeat_s=REPEAT_S) == []
    clock.advance(alerts.SETTLE_S)
    (notice,) = alerts.due_notices(db, clock.now(), repeat_s=REPEAT_S)
    assert notice.is_recovery
    alerts.mark_sent(db, notice, clock.now())
    clock.advance(10 * REPEAT_S)
    assert alerts.due_notices(db, clock.now(), repeat_s=REPEAT_S) == []


def test_a_flapping_condition_stays_one_story(db: Database, clock: FakeClock) -> None:
    _raise(db, clock)
    alerts.mark_sent(db, alerts.open_alerts(db)[0], clock.now())
    for _ in range(20):
        clock.advance(60)
        alerts.resolve(db, "disk_low", "", clock.now())
        clock.advance(60)
        assert not _raise(db, clock)
        assert alerts.due_notices(db, clock.now(), repeat_s=REPEAT_S) == []
    assert len(alerts.history(db)) == 1


def test_one_that_ended_before_anybody_was_told_needs_no_recovery(
    db: Database, clock: FakeClock
) -> None:
    _raise(db, clock)
    alerts.resolve(db, "disk_low", "", clock.now())
    clock.advance(REPEAT_S)
    assert alerts.due_notices(db, clock.now(), repeat_s=REPEAT_S) == []


def test_after_it_settled_the_same_condition_is_a_new_alert(db: Database, clock: FakeClock) -> None:
    _raise(db, clock)
    alerts.resolve(db, "disk_low", "", clock.now())
    clock.advance(alerts.SETTLE_S + 1)
    assert _raise(db, clock)
    assert [alert.resolved_at is None for alert in alerts.history(db)] == [True, False]


def test_a_failed_delivery_is_due_again_at_its_retry_time(db: Database, clock: FakeClock) -> None:
    _raise(db, clock)
    (notice,) = alerts.due_notices(db, clock.now(), repeat_s=REPEAT_S)
    alerts.mark_failed(db, notice, clock.now() + timedelta(seconds=30))
    assert alerts.due_notices(db, clock.now(), repeat_s=REPEAT_S) == []
    clock.advance(30)
    (again,) = alerts.due_notices(db, clock.now(), repeat_s=REPEAT_S)
    assert again.tries == 1


def test_kinds_and_keys_are_kept_apart(db: Database, clock: FakeClock) -> None:
    for key in ("ollama:a", "ollama:b"):
        alerts.raise_alert(db, "breaker_open", key, "warning", "off", clock.now())
    _raise(db, clock)
    alerts.resolve(db, "breaker_open", "ollama:a", clock.now())
    assert [alert.key for alert in alerts.open_alerts(db, "breaker_open")] == ["ollama:b"]
    assert len(alerts.open_alerts(db)) == 2


def test_old_resolved_alerts_are_pruned_and_open_ones_stay(db: Database, clock: FakeClock) -> None:
    _raise(db, clock)
    alerts.raise_alert(db, "breaker_open", "m", "warning", "off", clock.now())
    alerts.resolve(db, "breaker_open", "m", clock.now())
    clock.advance(100 * 86_400)
    assert alerts.prune(db, clock.now() - timedelta(days=90)) == 1
    assert [alert.kind for alert in alerts.history(db)] == ["disk_low"]
