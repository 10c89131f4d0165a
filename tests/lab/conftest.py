"""A database with shipped templates, and benchmarks against loopback servers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.clock import SystemClock
from engine.config import Config
from engine.lab import benchmark, export, figures
from engine.lab.plan import Plan, make_plan
from engine.store import bench
from engine.store.bench import BenchCall, BenchRun
from engine.store.database import opened
from engine.writing.shipped import ensure_templates


@dataclass(frozen=True)
class Ran:
    """A finished run with everything read of it."""

    run: BenchRun
    calls: list[BenchCall]
    answer: dict[str, Any]

    def cell(self, model: str, content_type: str = "joke") -> dict[str, Any]:
        wanted = {"model": model, "content_type": content_type}
        found = [c for c in self.answer["cells"] if wanted.items() <= c.items()]
        assert len(found) == 1
        return found[0]

    def warm(self, model: str) -> list[BenchCall]:
        return [call for call in self.calls if call.phase == "warm" and call.model == model]


@pytest.fixture
def lab(db_path: Path) -> Path:
    """The database with production templates."""
    with opened(db_path) as db:
        ensure_templates(db, now=SystemClock().now())
    return db_path


@pytest.fixture
def bench_on(lab: Path) -> Callable[..., Ran]:
    """Run a benchmark: keyword arguments are those of ``make_plan``, ``config`` apart."""

    def go(config: Config, build: Any = None, **plan: Any) -> Ran:
        asked = {"types": ["joke"], "repeats": 3, **plan}
        with opened(lab) as db:
            run_id = benchmark.start(db, make_plan(db, **asked), actor="test", clock=SystemClock())
        run = benchmark.work(lab, run_id, config, SystemClock(), build=build)
        return read(lab, run)

    return go


def read(path: Path, run: BenchRun) -> Ran:
    with opened(path) as db:
        calls = bench.calls(db, run.id)
    cells = figures.cells(Plan.from_dict(run.plan), calls)
    return Ran(run, calls, export.run_json(run, cells))
