"""An alert reaches the operator by every channel there is, whatever else fails."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.config import Config, Secret
from engine.service import alerts as service_alerts
from engine.service import notify
from engine.store import alerts, settings


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
