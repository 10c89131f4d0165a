"""Alerts on the screen: a dead runner is noticed, what happened is acknowledged by a person."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console import data, pulse
from engine.clock import FakeClock
from engine.service import heartbeat
from engine.store import alerts, audit
from engine.store.database import opened
from tests.console.conftest import Launch
from tests.console.test_actions import press, told
from tests.console.worlds import make_database


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> Path:
    monkeypatch.setattr(data, "clock", clock)
    make_database(tmp_path / "bot.db")
    return tmp_path / "bot.db"


def open_kinds(path: Path) -> list[str]:
    with opened(path, "ro") as db:
        return [alert.kind for alert in alerts.open_alerts(db)]


def test_a_runner_that_fell_silent_is_told_while_only_the_console_lives(
    path: Path, clock: FakeClock
) -> None:
    with opened(path) as db:
        heartbeat.beat(db, clock, pid=1)
    pulse.look()
    assert open_kinds(path) == []
    clock.advance(3_600)
    pulse.look()
    assert open_kinds(path) == ["runner_silent"]
    told = [json.loads(line) for line in path.with_name("bot.alerts.log").read_text().splitlines()]
    assert "silent for 3600 s" in told[0]["body"]


def test_it_is_over_when_the_runner_is_back(path: Path, clock: FakeClock) -> None:
    with opened(path) as db:
        heartbeat.beat(db, clock, pid=1)
        clock.advance(3_600)
        pulse.look()
        heartbeat.beat(db, clock, pid=2)
    pulse.look()
    assert open_kinds(path) == []


def test_a_runner_that_never_ran_is_no_alert(path: Path) -> None:
    pulse.look()
    assert open_kinds(path) == []


@pytest.mark.parametrize("page, where", [("overview", "overview"), ("settings", "settings")])
def test_a_double_post_stays_until_somebody_acknowledges_it(
    launch: Launch, own_sample: Path, page: str, where: str
) -> None:
    with opened(own_sample) as db:
        alerts.raise_alert(db, "double_post", "7", "critical", "Two of one on X.", data.now())
        alerts.raise_alert(db, "disk_low", "", "critical", "Little space.", data.now())
        ids = {alert.kind: alert.id for alert in alerts.open_alerts(db)}
    app = launch(page)
    assert f"{where}.acknowledge.{ids['disk_low']}" not in {button.key for button in app.button}
    app = press(app, f"{where}.acknowledge.{ids['double_post']}")
    assert "The alert of double post is over" in told(app)
    assert open_kinds(own_sample) == ["disk_low"]
    with opened(own_sample, "ro") as db:
        entry = audit.entries(db, limit=1)[0]
    assert (entry.what, entry.actor) == ("acknowledged", "local operator (console)")
