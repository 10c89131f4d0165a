"""The runner's worker: takes what waits, and lets go within a call when it must end."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from engine.clock import FakeClock
from engine.config import Config
from engine.lab import benchmark
from engine.lab.plan import make_plan
from engine.service.app import App
from engine.service.lab import LabWorker
from engine.store import bench, generations, settings
from engine.store.database import opened
from tests.fakes.ollama_server import OllamaServer, Reply
from tests.lab.test_outlook import call

GOOD = json.dumps({"text": "Patience is a strategy. Bitcoin is a long game."})


def queue(app: App, models: list[str], repeats: int = 3) -> int:
    with opened(app.db_path) as db:
        plan = make_plan(db, models=models, types=["joke"], repeats=repeats)
        return benchmark.start(db, plan, actor="editor", clock=app.clock, queued=True)


def state(app: App, run_id: int) -> tuple[str, int]:
    with opened(app.db_path) as db:
        run = bench.get(db, run_id)
    assert run is not None
    return run.state, run.done


def test_runs_that_wait_are_done_in_their_order(lab: Path, clock: FakeClock) -> None:
    app = App(Config(db=lab, llm="scripted", model="scripted"), clock=clock)
    worker = LabWorker(app)
    worker.work()  # nothing waits, nothing happens
    first, second = (queue(app, ["scripted:scripted"]) for _ in range(2))
    worker.work()
    assert (state(app, first), state(app, second)) == (("done", 3), ("waiting", 0))
    worker.work()
    assert state(app, second) == ("done", 3)
    worker.close()


def test_closing_ends_the_call_in_flight_and_the_rest_waits(lab: Path, clock: FakeClock) -> None:
    """A model that would write for a minute does not hold up the runner's end."""
    with OllamaServer(reply=Reply(GOOD)) as server:
        app = App(Config(db=lab, ollama_url=server.url), clock=clock)
        worker = LabWorker(app)
        run_id = queue(app, ["ollama:llama3:8b"])
        asked = threading.Event()

        def endless(body: dict[str, Any]) -> Reply:
            if len(server.requests()) < 3:
                return Reply(GOOD)
            asked.set()
            return Reply(GOOD, first_token_s=30)

        server.reply = endless
        thread = threading.Thread(target=worker.work)
        thread.start()
        assert asked.wait(20)
        worker.close()
        thread.join(20)
        assert not thread.is_alive()
        assert state(app, run_id) == ("waiting", 1)
        server.reply = Reply(GOOD)
        LabWorker(app).work()
    assert state(app, run_id) == ("done", 3)


def test_the_drift_watch_queues_a_run_a_day_and_can_be_switched_off(
    lab: Path, clock: FakeClock
) -> None:
    app = App(Config(db=lab, llm="scripted", model="scripted"), clock=clock)
    worker = LabWorker(app)
    with opened(lab) as db:
        generations.insert(db, replace(call(1.0, "pass")), now=clock.now())
    clock.advance(timedelta(hours=25).total_seconds())
    for _ in range(3):
        worker.watch()
    with opened(lab) as db:
        assert [run.kind for run in bench.open_runs(db)] == ["drift"]
        settings.put(db, "lab.drift_every_h", 0, actor="me", now=clock.now())
    clock.advance(timedelta(hours=99).total_seconds())
    worker.watch()
    with opened(lab) as db:
        assert len(bench.open_runs(db)) == 1
