"""Each condition raises its alert, ends it again, and reaches the operator whatever else fails."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.config import Config, Secret
from engine.errors import PermissionDenied, UsageError
from engine.posting.actors import Actor
from engine.records import Facts, Snapshot
from engine.service import alerts as service_alerts
from engine.service import heartbeat, notify, schedule
from engine.service.alerts import CONDITIONS, EVENTS, Unstored, View, acknowledge, evaluate
from engine.service.clockwatch import ClockState
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
    monkeypatch.setattr(service_alerts, "JOURNAL_LIMIT", 1_000)
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


# delivery


class Receiver(BaseHTTPRequestHandler):
    """A web hook; ``server.status`` is what it answers, ``server.got`` what it was sent."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(json.loads(body))  # type: ignore[attr-defined]
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.got, server.status = [], 200  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def config(db_path: Path, hook: HTTPServer) -> Config:
    address = f"json://user:hunter2secret@127.0.0.1:{hook.server_port}/hook"
    return Config(db=db_path, alert_urls=(Secret(address),))


def lines(db_path: Path) -> list[dict[str, str]]:
    file = db_path.with_name("bot.alerts.log")
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_an_alert_and_its_end_reach_file_and_web_hook_once(
    db: Database, db_path: Path, clock: FakeClock, config: Config, hook: Any
) -> None:
    alerts.raise_alert(db, "disk_low", "", "critical", "3 MB are free.", clock.now())
    assert notify.deliver(db_path, config, clock) == 1
    assert notify.deliver(db_path, config, clock) == 0
    alerts.resolve(db, "disk_low", "", clock.now())
    clock.advance(alerts.SETTLE_S)
    assert notify.deliver(db_path, config, clock) == 1
    titles = ["BTCBuzzBot: critical: disk low", "BTCBuzzBot: over: disk low"]
    assert [line["title"] for line in lines(db_path)] == titles
    assert [got["title"] for got in hook.got] == titles
    assert [got["type"] for got in hook.got] == ["failure", "success"]
    assert "3 MB are free." in hook.got[0]["message"]
    assert db_path.with_name("bot.alerts.log").stat().st_mode & 0o777 == 0o600


def test_a_failing_service_is_tried_again_ever_more_slowly_and_the_file_is_told_once(
    db: Database, db_path: Path, clock: FakeClock, config: Config, hook: Any
) -> None:
    hook.status = 500
    alerts.raise_alert(db, "disk_low", "", "critical", "full", clock.now())
    tries = []
    for minute in range(60):
        before = len(hook.got)
        assert notify.deliver(db_path, config, clock) == 0
        if len(hook.got) > before:
            tries.append(minute)
        clock.advance(60)
    assert tries == [0, 1, 2, 4, 8, 16, 32]
    hook.status = 200
    clock.advance(3_600)
    assert notify.deliver(db_path, config, clock) == 1
    assert len(lines(db_path)) == 1


def test_without_addresses_log_and_file_are_enough(
    db: Database, db_path: Path, clock: FakeClock
) -> None:
    alerts.raise_alert(db, "disk_low", "", "critical", "full", clock.now())
    assert notify.deliver(db_path, Config(db=db_path), clock) == 1
    assert len(lines(db_path)) == 1


def test_a_file_that_cannot_be_written_stops_nothing(
    db: Database, db_path: Path, clock: FakeClock, config: Config, hook: Any
) -> None:
    """F37."""
    db_path.with_name("bot.alerts.log").mkdir()
    alerts.raise_alert(db, "disk_low", "", "critical", "full", clock.now())
    assert notify.deliver(db_path, config, clock) == 1
    assert len(hook.got) == 1


def test_the_file_keeps_its_last_megabyte(
    db_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "LARGEST_FILE", 300)
    for _ in range(10):
        notify.send_test(db_path, Config(db=db_path), clock)
    assert 1 <= len(lines(db_path)) < 5
    assert db_path.with_name("bot.alerts.log.1").exists()


def test_the_operator_can_try_every_channel(
    db_path: Path, clock: FakeClock, config: Config, hook: Any
) -> None:
    assert notify.send_test(db_path, config, clock) == {"log": None, "file": None, "apprise": None}
    hook.status = 500
    failed = notify.send_test(db_path, config, clock)
    assert (failed["log"], failed["file"]) == (None, None)
    assert failed["apprise"]
    wrong = Config(db=db_path, alert_urls=(Secret("nonsense-address"),))
    answer = notify.send_test(db_path, wrong, clock)["apprise"]
    assert answer
    assert "address 1" in answer


def test_no_secret_is_in_a_notice_or_in_the_log(
    db: Database,
    db_path: Path,
    clock: FakeClock,
    config: Config,
    hook: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    key = "canary-4711-key"
    with_key = Config(db=db_path, alert_urls=config.alert_urls, x_keys={"X_API_KEY": Secret(key)})
    alerts.raise_alert(db, "job_failing", "x", "warning", f"401 for {key}", clock.now())
    notify.deliver(db_path, with_key, clock)
    notify.tell(db_path, with_key, clock, f"the file is gone, {key}")
    everything = json.dumps([lines(db_path), hook.got, caplog.text])
    assert "401 for ***" in everything
    assert "the file is gone" in everything
    assert key not in everything
    assert "hunter2secret" not in everything


def test_the_job_of_every_minute_looks_and_tells(
    db: Database, db_path: Path, clock: FakeClock, config: Config, hook: Any
) -> None:
    settings.put(db, "service.min_free_mb", 1_000_000, actor="test", now=clock.now())
    for _ in range(5):
        service_alerts.evaluate_and_send(db_path, config, clock, "steady")
        clock.advance(60)
    assert [got["title"] for got in hook.got] == ["BTCBuzzBot: critical: disk low"]
    settings.put(db, "service.min_free_mb", 1, actor="test", now=clock.now())
    for _ in range(7):
        service_alerts.evaluate_and_send(db_path, config, clock, "steady")
        clock.advance(60)
    assert [got["type"] for got in hook.got] == ["failure", "success"]
    clock.advance(service_alerts.KEPT.total_seconds() + 600)
    service_alerts.evaluate_and_send(db_path, config, clock, "steady")
    assert alerts.history(db) == []
