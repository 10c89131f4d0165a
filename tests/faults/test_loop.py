"""F31, F32, F35, F37: models that misbehave, jobs that fail, the end of a runner, a full log."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import logging
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from engine.clock import FakeClock, SystemClock
from engine.config import load_config
from engine.llm.build import build_backend
from engine.log import set_up_logging
from engine.market.replay import sample_snapshot
from engine.service import alerts, heartbeat
from engine.service.app import App
from engine.service.jobs import Job, Jobs
from engine.service.loop import Runner
from engine.store import attempts, posts, snapshots
from engine.store.database import opened
from engine.writing.generate import Order, Writer
from engine.writing.shipped import ensure_templates
from tests.fakes.ollama_server import OllamaServer, Reply
from tests.faults.rig import QUICK, add_approved, environment, on_x, put_settings
from tests.faults.x_server import Act, XServer

ROOT = Path(__file__).resolve().parents[2]

MISBEHAVIOUR = {
    "down": Reply(status=503, error="server busy, please try again."),
    "missing": Reply(status=404, error="model 'llama3:8b' not found"),
    "broken": Reply(status=500, error="model runner has unexpectedly stopped"),
    "empty": Reply(text=""),
    "a megabyte": Reply(text="moon " * 200_000),
    "not UTF-8": Reply(raw=b'{"response": "\xff\xfe\xfa"}\n'),
    "not JSON": Reply(raw=b"<html>502 Bad Gateway</html>"),
    "endless echo": Reply(text="buy buy buy " * 40),
    "no end": Reply(final=False),
    "error inside": Reply(error_after=2, error="out of memory"),
    "obeys a headline": Reply(
        text='{"text": "Send 1 BTC to bc1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wlh"}'
    ),
    "false price": Reply(text='{"text": "Bitcoin doubled today to {price}."}'),
}


@pytest.mark.parametrize("kind", MISBEHAVIOUR)
def test_f31_whatever_the_model_does_a_true_post_is_written(
    db: Database, db_path: Path, clock: FakeClock, kind: str
) -> None:
    ensure_templates(db, now=clock.now())
    snapshot = snapshots.insert(db, sample_snapshot(clock.now()), now=clock.now())
    with OllamaServer(reply=MISBEHAVIOUR[kind]) as server:
        config = load_config({"BTCBUZZ_OLLAMA_URL": server.url})
        model = build_backend(config, name="ollama:llama3:8b")
        draft = Writer(db_path, model, clock, random.Random(1)).write(Order("price", snapshot))
    assert (draft.origin, draft.verdict.outcome) == ("backup", "pass")
    (post,) = posts.listing(db)
    assert "fallback" in post.flags


def test_f32_a_failing_job_stops_no_other_and_is_recorded(db_path: Path, db: Database) -> None:
    jobs = Jobs(db_path, SystemClock())
    ran, failed = threading.Event(), threading.Event()

    def broken() -> None:
        failed.set()
        raise ZeroDivisionError("a bug")

    jobs.add(Job("broken", 60, "one", broken))
    jobs.add(Job("sound", 60, "one", ran.set))
    assert failed.wait(5)
    assert ran.wait(5)
    assert jobs.stop(5) == []
    assert jobs.failures == {"broken": 1}
    rows = db.conn.execute("SELECT job, outcome, error FROM job_runs ORDER BY job").fetchall()
    assert rows == [
        ("broken", "error", "ZeroDivisionError: a bug"),
        ("sound", "ok", None),
    ]


def test_what_a_failed_job_held_is_let_go(db_path: Path) -> None:
    jobs = Jobs(db_path, SystemClock())

    class Held:
        """Whatever a job has in its hands: a connection, an answer of a megabyte."""

    left: list[weakref.ref[Held]] = []

    def broken() -> None:
        held = Held()
        left.append(weakref.ref(held))
        raise ZeroDivisionError("a bug")

    gc.disable()  # what only the collector could free would stay for hours
    try:
        jobs.start(Job("broken", 60, "one", broken))
        assert jobs.stop(5) == []
        until = time.monotonic() + 5
        while left[0]() is not None and time.monotonic() < until:
            time.sleep(0.01)  # the lane's thread lets go of its last piece of work
        assert left[0]() is None
    finally:
        gc.enable()


def test_a_slow_model_call_holds_up_no_other_lane_and_is_not_started_twice(db_path: Path) -> None:
    jobs = Jobs(db_path, SystemClock())
    release, posted, starts = threading.Event(), threading.Event(), []

    def slow() -> None:
        starts.append(1)
        release.wait(20)

    model_call = Job("model call", 0.05, "writing", slow)
    jobs.add(model_call)
    jobs.start(model_call)
    jobs.add(Job("posting", 60, "posting", posted.set))
    assert posted.wait(5)
    time.sleep(0.2)
    jobs.tick()
    release.set()
    jobs.stop(5)
    assert len(starts) == 1


def test_f26_a_runner_that_can_store_nothing_tells_people_past_the_database(
    db_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(heartbeat, "beat", refuse)
    monkeypatch.setattr(alerts, "UNSTORED_S", 0.0)
    told, stop = db_path.with_name("bot.alerts.log"), threading.Event()
    runner = Runner(App(load_config(environment(db_path))), stop)
    thread = threading.Thread(target=runner.run)
    thread.start()
    for _ in range(600):
        if told.exists():
            break
        time.sleep(0.05)
    stop.set()
    thread.join(60)
    assert told.read_text().count("Nothing can be stored: ") == 1
    assert "Check its owner, its mode" in told.read_text()


def test_f35_sigterm_in_flight_waits_for_the_answer_and_records_it(tmp_path: Path) -> None:
    """X answers two seconds late; the runner is told to end meanwhile: posted, nothing unsure."""
    path = tmp_path / "bot.db"
    with XServer(tmp_path / "x.log") as x:
        x.next_post(Act(how="slow", delay_s=2.0))
        received = threading.Event()
        x.hook = lambda stage: received.set() if stage == "accepted" else None
        env = environment(path, **on_x(x.url))
        command = [sys.executable, "runner.py"]
        subprocess.run([*command, "migrate"], cwd=ROOT, env=env, check=True, capture_output=True)
        now = SystemClock().now()
        put_settings(path, now, **QUICK)
        put_settings(path, now, posting__attempt_timeout_s=20)
        post_id = add_approved(path, now, "A block walks into a chain and stays.")
        with subprocess.Popen([*command, "run"], cwd=ROOT, env=env, stderr=subprocess.PIPE) as bot:
            try:
                assert received.wait(30)
            finally:
                bot.send_signal(signal.SIGTERM)
                bot.communicate(timeout=30)
        assert bot.returncode == 0
        assert len(x.accepted()) == 1
    with opened(path) as db:
        post = posts.need(db, post_id)
        assert (post.state, post.x_post_id) == ("posted", x.posts[0].id)
        assert attempts.open_ones(db) == []


@contextlib.contextmanager
def own_logging() -> Iterator[None]:
    """Give the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        for handler in list(root.handlers):
            root.removeHandler(handler)
            with contextlib.suppress(OSError):  # closing flushes, and the disk is full
                handler.close()
        for handler in handlers:
            root.addHandler(handler)
        root.setLevel(level)


def test_f37_a_log_that_cannot_be_written_changes_nothing(
    db_path: Path, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = io.StringIO()
    monkeypatch.setattr(sys, "stderr", closed)
    with own_logging():
        set_up_logging("INFO", file=Path("/dev/full"))
        closed.close()
        jobs = Jobs(db_path, SystemClock())
        jobs.add(Job("talks", 60, "one", lambda: logging.getLogger("x").error("something")))
        jobs.stop(5)
    assert jobs.failures == {}
    assert db.conn.execute("SELECT outcome FROM job_runs").fetchall() == [("ok",)]


def test_the_log_masks_secrets_and_stays_one_object_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with own_logging():
        set_up_logging("INFO", secrets=["hunter2-secret"])
        logging.getLogger("x").warning("key hunter2-secret\nAuthorization: Bearer abcdefghijkl")
        line = json.loads(capsys.readouterr().err)
    assert "hunter2" not in line["event"]
    assert "abcdefghijkl" not in line["event"]
