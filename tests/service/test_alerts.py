"""Each condition raises its alert and ends it again; what happened waits for a person."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.errors import PermissionDenied, UsageError
from engine.posting.actors import Actor
from engine.records import Facts, Snapshot
from engine.service import alerts as service_alerts
from engine.service import conditions, heartbeat, schedule
from engine.service.alerts import EVENTS, Unstored, acknowledge, evaluate
from engine.service.clockwatch import ClockState
from engine.service.conditions import CONDITIONS, View
from engine.store import alerts, audit, breakers, generations, jobs, settings, snapshots, spend
from engine.store.schedules import Plan

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def look(db: Database, db_path: Path, clock: FakeClock) -> Callable[..., dict[str, str]]:
    """Judge all conditions now; answers the open alerts as ``{kind or kind:key: severity}``."""

    def judge(clock_state: ClockState | None = "steady") -> dict[str, str]:
        evaluate(View(db, db_path, "x", clock, clock_state, settings.get_all(db)))
        return {
            f"{row.kind}:{row.key}" if row.key else row.kind: row.severity
            for row in alerts.open_alerts(db)
        }

    return judge


Look = Callable[..., dict[str, str]]


def test_a_fresh_database_has_nothing_to_say(look: Look) -> None:
    assert look() == {}


def test_overdue_and_missed_slots(db: Database, clock: FakeClock, look: Look) -> None:
    schedule.save_schedule(db, None, Plan("s", "UTC", ("12:30",), content_type="joke"), clock.now())
    clock.advance(31 * 60)
    assert look() == {}
    clock.advance(120)
    assert look() == {"slots_overdue": "warning"}
    schedule.sweep(db, clock.now())
    clock.advance(900)
    schedule.sweep(db, clock.now())
    assert look() == {"slots_overdue": "warning"}
    assert "1 were missed" in alerts.open_alerts(db)[0].message
    clock.advance(3_600)
    assert look() == {}


def test_an_open_breaker_by_model(db: Database, clock: FakeClock, look: Look) -> None:
    breakers.fail(
        db, "ollama:x", limit=1, cooling_s=60, cooling_max_s=600, reason="down", now=clock.now()
    )
    assert look() == {"breaker_open:ollama:x": "warning"}
    breakers.succeed(db, "ollama:x", now=clock.now())
    assert look() == {}


def test_spend_at_the_warning_and_at_the_limit(db: Database, clock: FakeClock, look: Look) -> None:
    for usd_micros, said in ((3_990_000, {}), (10_000, {"spend_high": "warning"})):
        spend.insert(
            db,
            publisher="x",
            kind="post",
            quantity=1,
            usd_micros=usd_micros,
            attempt_id=None,
            now=clock.now(),
        )
        assert look() == said
    settings.put(db, "posting.monthly_budget_usd", 4, actor="test", now=clock.now())
    assert look() == {"spend_high": "critical"}
    clock.advance(10 * 86_400)  # December
    assert look() == {}


def test_slow_model_answers_by_their_median(db: Database, clock: FakeClock, look: Look) -> None:
    def answered(seconds: float) -> None:
        generations.insert(
            db,
            generations.Call(
                model_name="m",
                backend="ollama",
                raw_prompt="p",
                raw_text="t",
                completion_time=seconds,
                draft_key="d",
                purpose="post",
                outcome="ok",
                options={},
            ),
            now=clock.now(),
        )

    for seconds in (1, 2, 60):
        answered(seconds)
    assert look() == {}
    for seconds in (11, 12):
        answered(seconds)
    assert look() == {"slow_responses": "warning"}
    clock.advance(3_601)
    assert look() == {}


def test_little_disk_space(db: Database, clock: FakeClock, look: Look) -> None:
    settings.put(db, "service.min_free_mb", 1_000_000, actor="test", now=clock.now())
    assert look() == {"disk_low": "critical"}


def test_a_clock_not_to_be_trusted(look: Look) -> None:
    assert look("untrusted") == {"clock_untrusted": "critical"}
    assert look(None) == {"clock_untrusted": "critical"}  # not judged: not ended either
    assert look("stepped") == {}


def test_a_market_without_a_good_snapshot(db: Database, clock: FakeClock, look: Look) -> None:
    facts = Facts(as_of=clock.now(), price_usd=90_000.0)
    snapshots.insert(db, Snapshot(facts, "live"), now=clock.now())
    clock.advance(3_600)
    assert look() == {}
    clock.advance(1)
    assert look() == {"market_silent": "warning"}


def test_a_wal_that_a_long_reader_keeps_growing(
    db: Database, clock: FakeClock, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F27."""
    assert look() == {}
    monkeypatch.setattr(conditions, "JOURNAL_LIMIT", 1_000)
    settings.put(db, "posting.daily_cap", 3, actor="test", now=clock.now())
    assert look() == {"wal_large": "warning"}


def test_two_runners_or_a_crash_loop(db: Database, clock: FakeClock, look: Look) -> None:
    for pid in (1, 2, 1, 2):
        heartbeat.beat(db, clock, pid)
    assert look() == {"runner_changes": "critical"}


def test_a_job_that_fails_again_and_again(db: Database, clock: FakeClock, look: Look) -> None:
    """F32: counted and told; the loop itself lives on (tests of the loop)."""
    for _ in range(3):
        assert look() == {}
        jobs.record(db, "market", now=clock.now(), seconds=1, error="boom")
    assert look() == {"job_failing:market": "warning"}


def test_a_backup_that_fails_is_told_at_once(db: Database, clock: FakeClock, look: Look) -> None:
    jobs.record(db, "backup", now=clock.now(), seconds=1, error="page 7 is damaged")
    assert look() == {"job_failing:backup": "critical"}
    jobs.record(db, "backup", now=clock.now(), seconds=1)
    assert look() == {}


def test_a_silent_runner_is_seen_from_outside(db: Database, clock: FakeClock) -> None:
    heartbeat.beat(db, clock, 1)
    assert service_alerts.watch_heartbeat(db, clock)
    clock.advance(31)
    assert not service_alerts.watch_heartbeat(db, clock)
    assert [row.kind for row in alerts.open_alerts(db)] == ["runner_silent"]
    heartbeat.beat(db, clock, 1)
    assert service_alerts.watch_heartbeat(db, clock)
    assert alerts.open_alerts(db) == []


@pytest.mark.parametrize("kind", sorted(EVENTS))
def test_what_happened_is_told_until_a_person_has_dealt_with_it(
    db: Database, clock: FakeClock, look: Look, kind: str
) -> None:
    alerts.raise_alert(db, kind, "7", "critical", "X shows it twice.", clock.now())
    clock.advance(86_400)
    assert look() == {f"{kind}:7": "critical"}
    (alert,) = alerts.open_alerts(db)
    acknowledge(db, alert.id, Actor("anna", "approver", "console"), clock.now())
    assert look() == {}
    (entry,) = audit.entries(db, subject=f"alert:{alert.id}")
    assert (entry.actor, entry.what) == ("anna (console)", "acknowledged")
    with pytest.raises(UsageError, match=f"{kind}. is over since"):
        acknowledge(db, alert.id, "anna", clock.now())


def test_an_acknowledged_event_that_happens_again_is_told_again(
    db: Database, clock: FakeClock
) -> None:
    alerts.raise_alert(db, "double_post", "7", "critical", "twice", clock.now())
    acknowledge(db, alerts.open_alerts(db)[0].id, "anna", clock.now())
    clock.advance(3_600)
    assert alerts.raise_alert(db, "double_post", "7", "critical", "thrice", clock.now())


def test_only_an_approver_acknowledges_and_only_what_does_not_end_by_itself(
    db: Database, clock: FakeClock
) -> None:
    for kind in ("double_post", "disk_low"):
        alerts.raise_alert(db, kind, "", "critical", "see there", clock.now())
    event, condition = alerts.open_alerts(db)
    with pytest.raises(PermissionDenied):
        acknowledge(db, event.id, Actor("ed", "editor"), clock.now())
    with pytest.raises(UsageError, match="ends by itself"):
        acknowledge(db, condition.id, "anna", clock.now())
    with pytest.raises(UsageError, match="no alert 99"):
        acknowledge(db, 99, "anna", clock.now())
    assert len(alerts.open_alerts(db)) == 2
    assert audit.entries(db) == []


def test_that_nothing_can_be_stored_is_told_after_a_minute_then_hourly(clock: FakeClock) -> None:
    unstored, told = Unstored(clock), []
    for _ in range(2 * 60):
        told.append(unstored.failed())
        clock.advance(60)
    assert [minute for minute, now in enumerate(told) if now] == [1, 61]
    assert unstored.lasts
    unstored.stored()
    assert not unstored.lasts
    assert not unstored.failed()


def test_one_failing_look_stops_no_other(
    db: Database, clock: FakeClock, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(view: View) -> None:
        raise RuntimeError("boom")

    monkeypatch.setitem(CONDITIONS, "slots_overdue", broken)
    settings.put(db, "service.min_free_mb", 1_000_000, actor="test", now=clock.now())
    assert look() == {"disk_low": "critical"}


def test_every_kind_has_its_page_for_the_operator() -> None:
    pages = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    raised = {
        kind
        for file in (ROOT / "engine").rglob("*.py")
        for kind in re.findall(r'raise_alert\(\s*db,\s*"(\w+)"', file.read_text(encoding="utf-8"))
    }
    assert {"kill_switch", "held_attempt"} <= raised
    for kind in {*CONDITIONS, *raised, "runner_silent"}:
        assert f"\n### `{kind}`" in pages
