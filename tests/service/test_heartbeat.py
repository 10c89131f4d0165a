"""The runner's pulse, job runs, the word to systemd, and what ``status`` says of them."""

from __future__ import annotations

import socket
from datetime import timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.errors import DatabaseUnusable
from engine.service import health, heartbeat, schedule, watchdog
from engine.store import alerts, breakers, heartbeats, jobs


def test_a_beating_heart_is_alive_and_a_silent_one_is_not(db: Database, clock: FakeClock) -> None:
    assert heartbeat.age_s(db, clock) is None
    assert not heartbeat.is_alive(db, clock)
    heartbeat.beat(db, clock, 100, {"tick": 1})
    clock.advance(30)
    assert heartbeat.is_alive(db, clock)
    clock.advance(1)
    assert not heartbeat.is_alive(db, clock)


def test_age_does_not_move_with_the_wall_clock_but_counts_over_a_reboot(
    db: Database, clock: FakeClock
) -> None:
    heartbeat.beat(db, clock, 100)
    clock.set_wall(clock.now() + timedelta(days=3))
    assert heartbeat.age_s(db, clock) == 0
    clock.reboot("next")
    assert heartbeat.age_s(db, clock) == 3 * 86_400


def test_changes_of_the_process_within_a_minute_are_counted(db: Database, clock: FakeClock) -> None:
    for pid in (1, 1, 2, 1, 2):
        pulse = heartbeat.beat(db, clock, pid)
        clock.advance(5)
    assert heartbeat.recent_changes(pulse, clock) == 3
    clock.advance(60)
    assert heartbeat.recent_changes(pulse, clock) == 0
    assert heartbeats.get(db, "runner") == pulse


def test_status_tells_the_whole_state(db: Database, clock: FakeClock) -> None:
    heartbeat.beat(db, clock, 7)
    schedule.ensure_default_schedule(db, "UTC", clock.now())
    schedule.plan_slots(db, clock.now(), horizon_h=24)
    for _ in range(2):
        breakers.fail(
            db, "ollama:x", limit=1, cooling_s=60, cooling_max_s=600, reason="down", now=clock.now()
        )
    alerts.raise_alert(db, "breaker_open", "ollama:x", "warning", "off", clock.now())
    clock.advance(2)
    found = health.status(db, clock, kill_switch=True).to_dict()
    assert found["alive"] is True
    assert found["heartbeat_age_s"] == 2
    assert found["kill_switch"] is True
    assert found["breaker"] == "open"
    assert found["next_slot"] == "2026-11-22T16:00:00.000Z"
    assert found["counts"] == {}
    assert found["slots"] == {"due": 6}
    assert found["alerts"] == ["breaker_open:ollama:x"]


def test_the_guard_notices_a_replaced_and_a_missing_file(db_path: Path) -> None:
    """F30: asked before each round, so within a tick, and it creates nothing."""
    guard = health.FileGuard(db_path)
    guard.check()
    db_path.rename(db_path.with_name("elsewhere.db"))
    with pytest.raises(DatabaseUnusable, match="is gone"):
        guard.check()
    assert not db_path.exists()
    db_path.write_bytes(b"")
    with pytest.raises(DatabaseUnusable, match="replaced by another file"):
        guard.check()
    db_path.unlink()
    db_path.with_name("elsewhere.db").rename(db_path)
    guard.check()


def test_job_runs_are_kept_counted_and_pruned(db: Database, clock: FakeClock) -> None:
    jobs.record(db, "market", now=clock.now(), seconds=2.0)
    for number in range(3):
        clock.advance(60)
        jobs.record(db, "news", now=clock.now(), seconds=0.1, error=f"failure {number}")
    assert jobs.latest(db, "market")[0].started_at == "2026-11-22T11:59:58.000Z"
    assert jobs.failing(db, in_a_row=3) == {"news": "failure 2"}
    jobs.record(db, "news", now=clock.now(), seconds=0.1)
    assert jobs.failing(db, in_a_row=3) == {}
    assert jobs.prune(db, clock.now()) == 5
    assert [run.outcome for run in jobs.latest(db, "news")] == []


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_hears_us_on_its_socket(tmp_path: Path, abstract: bool) -> None:
    name = "@btcbuzz-test" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name[1:] if abstract else name)
        manager.settimeout(5)
        assert watchdog.notify("READY=1", {"NOTIFY_SOCKET": name})
        assert manager.recv(100) == b"READY=1"


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": "/gone"}, {"NOTIFY_SOCKET": "odd"}])
def test_without_systemd_nothing_happens(environ: dict[str, str]) -> None:
    assert not watchdog.notify("READY=1", environ)
