"""SIGTERM ends a loop, whatever the loop is doing when it comes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.config import SOURCE_HOSTS
from engine.service.signals import stop_on_signals

WAITS_AGAIN_AND_AGAIN = """
import os, signal, threading
from engine.service.signals import stop_on_signals
for _ in range(200):
    with stop_on_signals() as stop:
        threading.Timer(0.002, os.kill, (os.getpid(), signal.SIGTERM)).start()
        while not stop.is_set():
            stop.wait(0)
print("ended")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_event_is_set_and_the_old_handler_comes_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stop_on_signals() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        assert stop.wait(10)
    assert signal.getsignal(number) == before
    assert "signals" not in {thread.name for thread in threading.enumerate()}


def test_a_signal_in_the_middle_of_a_wait_does_not_lock_the_loop() -> None:
    """The wait holds the event's lock most of the time here; a handler must not need it."""
    done = subprocess.run(
        [sys.executable, "-c", WAITS_AGAIN_AND_AGAIN], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "ended\n"


def test_a_second_signal_ends_the_process_at_once() -> None:
    done = subprocess.run(
        [
            sys.executable, "-c",
            "import os, signal, time\n"
            "from engine.service.signals import stop_on_signals\n"
            "with stop_on_signals() as stop:\n"
            "    os.kill(os.getpid(), signal.SIGTERM)\n"
            "    stop.wait(10)\n"
            "    os.kill(os.getpid(), signal.SIGTERM)\n"
            "    time.sleep(30)\n",
        ],
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 128 + signal.SIGTERM


def test_a_job_that_hangs_for_ever_does_not_keep_the_runner_alive(tmp_path: Path) -> None:
    """What it leaves is settled by the next start, as after a crash."""
    script = (
        "import sys, threading\n"
        "from engine.service import cli, loop\n"
        "loop.STOP_WITHIN_S = 0.2\n"
        "loop.MarketDesk.poll = lambda desk: threading.Event().wait()\n"
        "sys.exit(cli.main(['run']))\n"
    )
    nobody = {f"BTCBUZZ_{name}_URL": "http://127.0.0.1:9" for name in SOURCE_HOSTS}
    environ = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}, **nobody,
        "BTCBUZZ_DB": str(tmp_path / "bot.db"), "BTCBUZZ_FEEDS": "http://127.0.0.1:9/",
        "BTCBUZZ_LLM": "scripted",
    }  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", script], env=environ, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        heard = ""
        while "runner started" not in heard:
            line = process.stderr.readline()
            assert line, f"it ended before it was told to: {heard}"
            heard += line
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "jobs still at work at the end" in rest
