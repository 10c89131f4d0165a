"""Running a benchmark: every call of a plan in its order, each committed before the next begins.

Before the planned calls each model is unloaded and asked once, cold; that call also warms it up
and is reported apart. Texts are judged after the last call, so that our checks neither slow nor
warm anything that is being measured. A run whose process died is taken up where it stopped.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlite_utils import Database

from engine.clock import Clock
from engine.config import Config, is_loopback
from engine.errors import ModelCancelled, ModelError, UsageError
from engine.lab import capacity, machine, measure
from engine.lab.plan import Plan
from engine.lab.stage import Stage
from engine.llm.base import Model
from engine.llm.build import build_backend
from engine.store import bench
from engine.store.bench import BenchCall, BenchRun, Kind
from engine.store.database import opened

BuildModel = Callable[[str], Model]
Progress = Callable[[int, int], None]


def start(
    db: Database,
    plan: Plan,
    *,
    actor: str,
    clock: Clock,
    kind: Kind = "bench",
    queued: bool = False,
) -> int:
    """A new run, held by this process for :func:`work`; ``queued`` leaves it to the runner."""
    return bench.create(
        db, kind=kind, plan=plan.to_dict(), plan_sha256=plan.sha256(), planned=plan.planned,
        worker=None if queued else _me(), actor=actor, now=clock.now(),
    )  # fmt: skip


def refuse_too_large(plan: Plan, config: Config) -> None:
    """Ask servers on this machine how large the models are before anything is loaded.

    Raises: UsageError with the figures for one that does not fit.
    """
    import psutil

    urls = {"ollama": config.ollama_url, "openai": config.openai_url}
    for name in plan.models:
        model = build_backend(config, name=name)
        if not is_loopback(urlsplit(urls.get(model.backend, "//localhost")).hostname):
            continue
        with contextlib.suppress(ModelError):  # what cannot be asked will show in the calls
            capacity.refuse_too_large(model.info(), psutil.virtual_memory().total)


def next_waiting(db: Database) -> int | None:
    """The oldest run that waits for the runner, or whose process died."""
    waiting = bench.open_runs(db)
    return next((run.id for run in waiting if not _alive(run.worker)), None)


def unfinished(db: Database, plan: Plan) -> BenchRun | None:
    """The newest run of exactly this plan, if it did not end and no process works on it."""
    run = bench.same_plan(db, plan.sha256())
    if run is None or run.state == "done":
        return None
    return None if _alive(run.worker) else run


def work(
    db_path: Path,
    run_id: int,
    config: Config,
    clock: Clock,
    *,
    build: BuildModel | None = None,
    progress: Progress = lambda done, planned: None,
    stopped: Callable[[], bool] = lambda: False,
) -> BenchRun:
    """Do what is left of a run; answers it as it then stands.

    ``stopped`` true ends after the call in flight and leaves the rest waiting; so does closing a
    model during its call. A request to cancel in the table ends it for good.
    Raises: UsageError when there is no such run or another process works on it.
    """
    with opened(db_path) as db:
        run = bench.get(db, run_id)
        if run is None:
            raise UsageError(f"there is no benchmark run {run_id}. `bench list` shows them.")
        if run.state == "done":
            return run
        taken = run.worker != _me() and _alive(run.worker)
        if taken or not bench.claim(db, run_id, worker=_me(), before=run.worker):
            raise UsageError(f"another process works on run {run_id}. Wait for it, or cancel it.")
        worker = _Work(db, run, config, clock, build, progress, stopped)
        try:
            state = worker.run()
        except KeyboardInterrupt:
            bench.finish(db, run_id, "cancelled", now=clock.now(), error="interrupted")
            raise
        except Exception as error:
            bench.finish(db, run_id, "failed", now=clock.now(), error=str(error))
            raise
        finally:
            worker.close()
        bench.finish(db, run_id, state, now=clock.now())
        found = bench.get(db, run_id)
    assert found is not None  # noqa: S101  read above
    return found


class _Work:
    """One process's share of a run."""

    def __init__(
        self,
        db: Database,
        run: BenchRun,
        config: Config,
        clock: Clock,
        build: BuildModel | None,
        progress: Progress,
        stopped: Callable[[], bool],
    ) -> None:
        self.db, self.run_row, self.config, self.clock = db, run, config, clock
        self.plan = Plan.from_dict(run.plan)
        self.stage = Stage(
            db, self.plan.moments(), cache=self.plan.cache, timeout_s=self.plan.timeout_s
        )
        self.progress, self.stopped = progress, stopped
        self._build = build or self._bare
        self.models: dict[str, Model] = {}
        self._last = ""

    def run(self) -> bench.RunState:
        try:
            state = self._calls()
        except ModelCancelled:
            return "waiting"
        if state != "waiting":
            self._judge()
        return state

    def _calls(self) -> bench.RunState:
        done = bench.places(self.db, self.run_row.id)
        self._prepare_models(done)
        count = sum(place >= 0 for place in done)
        for place in self.plan.places():
            if place.number in done:
                continue
            if self.stopped():
                return "waiting"
            if bench.cancelled(self.db, self.run_row.id):
                return "cancelled"
            self._ready(place.model)
            self._store(measure.ask(self.models[place.model], self.stage.question(place)))
            count += 1
            self.progress(count, self.plan.planned)
        return "done"

    def _bare(self, name: str) -> Model:
        return build_backend(self.config, name=name, settings=self.stage.rules)

    def close(self) -> None:
        for model in self.models.values():
            model.close()

    # -- models ------------------------------------------------------------------------------

    def _prepare_models(self, done: set[int]) -> None:
        """Cold and first call of each model, and what can be told of it."""
        context = self.run_row.context or {"hardware": machine.hardware(), "models": {}}
        first = next(self.plan.places())
        for number, name in enumerate(self.plan.models):
            model = self.models[name] = self._build(name)
            cold = dataclasses.replace(first, number=-1 - number, model=name)
            question = self.stage.question(cold)
            if cold.number in done:  # taken up again: warm it up, count nothing
                measure.ask(model, question, "cold")
                continue
            context["models"][name] = machine.describe(model)
            with contextlib.suppress(ModelError):
                model.unload()
            answer = measure.ask(model, question, "cold")
            self._store(answer)
            if answer.outcome != "error":
                context["models"][name] |= machine.memory(model, self.config)
        context["method"] = _method(self.plan)
        bench.set_context(self.db, self.run_row.id, context)
        self._last = self.plan.models[-1]

    def _ready(self, name: str) -> None:
        """Models take turns: one that its server threw out meanwhile is loaded before it is
        measured, because what is measured here is a warm model."""
        model = self.models[name]
        if name != self._last and model.backend == "ollama" and hasattr(model, "preload"):
            with contextlib.suppress(ModelError):
                if model.health().loaded_bytes is None:
                    model.preload()
        self._last = name

    # -- one call ----------------------------------------------------------------------------

    def _store(self, call: BenchCall) -> None:
        bench.add_call(self.db, self.run_row.id, call, now=self.clock.now())

    # -- verdicts ----------------------------------------------------------------------------

    def _judge(self) -> None:
        """Verdicts for all texts that have none; equal texts on equal facts are judged once."""
        known: dict[tuple[str, int, str], bench.Judgement] = {}
        for batch in _batches(bench.unjudged(self.db, self.run_row.id), 200):
            found = []
            for place, content_type, moment, text in batch:
                key = (content_type, moment, text)
                if key not in known:
                    known[key] = self.stage.judge(content_type, moment, text)
                found.append((place, known[key]))
            bench.set_judgements(self.db, self.run_row.id, found)


def _method(plan: Plan) -> dict[str, Any]:
    cache = "defeated: llama.cpp told so, elsewhere a new first line in every prompt"
    return {
        "moments": len(plan.market),
        "repeats": plan.repeats,
        "order": "models take turns within each repeat, starting with another one each round",
        "seeds": f"one a repeat, the same for all models, drawn from {plan.seed}",
        "cache": cache if plan.cache == "defeat" else "kept: prefill rates are of new tokens only",
        "cold": "one call a model after an explicit unload; it is the warm-up of the rest",
        "accepted": "passes every check, repetition apart; judged after the last call",
    }


def _batches(items: list[Any], size: int) -> Iterator[list[Any]]:
    for at in range(0, len(items), size):
        yield items[at : at + size]


def _me() -> str:
    import psutil

    from engine.clock import SystemClock

    pid = os.getpid()
    return f"{SystemClock().boot_id()} {pid} {psutil.Process(pid).create_time()}"


def _alive(worker: str | None) -> bool:
    """Whether the process that claimed a run still is that process."""
    import psutil

    from engine.clock import SystemClock

    if worker is None:
        return False
    boot, pid, began = worker.split(" ")
    try:
        return boot == SystemClock().boot_id() and psutil.Process(int(pid)).create_time() == float(
            began
        )
    except psutil.Error:
        return False
