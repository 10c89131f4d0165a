"""F16, F17, F30: of all runners started on a database one works, also while it is paused; and it
stops when the database is taken away.

Real ``runner.py run`` processes. That a paused runner does not send what it was about to send is
shown with the posting protocol; here the lock, the heartbeat and the doctor are.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.clock import SystemClock
from engine.service import backup, heartbeat
from engine.store import heartbeats, settings
from engine.store.database import opened
from tests.faults.rig import environment

ROOT = Path(__file__).resolve().parents[2]

Start = Callable[[], "subprocess.Popen[str]"]


def command(db_path: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(ROOT / "runner.py"), *words],
        env=environment(db_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


@pytest.fixture
def start(db_path: Path) -> Iterator[Start]:
    with opened(db_path) as db:
        settings.put(db, "service.heartbeat_stale_s", 2, actor="test", now=SystemClock().now())
    runners: list[subprocess.Popen[str]] = []

    def begin() -> subprocess.Popen[str]:
        runners.append(command(db_path, "run"))
        return runners[-1]

    yield begin
    for runner in runners:
        if runner.poll() is None:
            runner.kill()
        runner.communicate()


def until(what: Callable[[], bool]) -> None:
    for _ in range(600):
        if what():
            return
        time.sleep(0.05)
    raise AssertionError("waited 30 s in vain")


def beats(db_path: Path, pid: int) -> bool:
    with opened(db_path, "ro") as db:
        pulse = heartbeats.get(db, heartbeat.RUNNER)
        return bool(pulse and pulse.pid == pid and heartbeat.is_alive(db, SystemClock()))


def test_f16_of_three_started_at_once_one_works_and_the_others_say_who(
    db_path: Path, start: Start
) -> None:
    runners = [start() for _ in range(3)]
    until(lambda: sum(runner.poll() is None for runner in runners) == 1)
    (alive,) = [runner for runner in runners if runner.poll() is None]
    until(lambda: beats(db_path, alive.pid))
    for runner in runners:
        if runner is not alive:
            assert runner.returncode == 2
            assert "Another runner works on" in runner.communicate()[1]
    late = start()
    assert f"pid {alive.pid}" in late.communicate(timeout=30)[1]
    alive.terminate()
    assert alive.wait(30) == 0


def test_f17_a_paused_runner_keeps_its_place_and_a_killed_one_leaves_it(
    db_path: Path, start: Start
) -> None:
    first = start()
    until(lambda: beats(db_path, first.pid))
    first.send_signal(signal.SIGSTOP)
    until(lambda: not beats(db_path, first.pid))
    second = start()
    second.communicate(timeout=30)
    assert second.returncode == 2
    doctor = command(db_path, "doctor")
    assert "hangs or was paused" in doctor.communicate(timeout=60)[0]
    first.send_signal(signal.SIGCONT)
    until(lambda: beats(db_path, first.pid))
    first.kill()
    first.wait(30)
    third = start()
    until(lambda: beats(db_path, third.pid))


def test_f30_a_runner_whose_database_was_moved_away_stops_and_says_so(
    db_path: Path, start: Start, tmp_path: Path
) -> None:
    runner = start()
    until(lambda: beats(db_path, runner.pid))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for file in tmp_path.glob("bot.db*"):
        file.replace(elsewhere / file.name)
    said = runner.communicate(timeout=60)[1]
    assert runner.returncode == 2
    assert "while the runner worked on it; the runner stops" in said
    assert "the runner stops" in (tmp_path / "bot.alerts.log").read_text()
    assert backup.verify(elsewhere / "bot.db").problems == ()
