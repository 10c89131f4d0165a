"""What the benchmark harness costs: calls a second against a server that answers at once, with
every result committed, beside a plain ``requests`` loop in the same run.

``python -m tests.benchmarks.harness [--calls 1000] [--rounds 3]`` prints one JSON object. Both
sides send the same streamed request to the same zero-delay Ollama server, which runs in a process
of its own; sides take turns, and medians over the rounds are reported. ``overhead_ms`` is all
time of a run that is not the model's call (prepare, store, judge), per call.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from engine.clock import SystemClock
from engine.config import Config
from engine.lab import benchmark
from engine.lab.plan import make_plan
from engine.store import bench
from engine.store.database import opened
from engine.store.migrations import migrate
from engine.writing.shipped import ensure_templates

GOAL = 0.70
OVERHEAD_GOAL_MS = 2.0
_MODEL = "llama3:8b"
_SERVER = """
import json, sys
from tests.fakes.ollama_server import OllamaServer, Reply
TEXTS = ["Patience is a strategy. Bitcoin is a long game.", "Bitcoin keeps its own time, quietly.",
         "Quiet charts teach patience better than loud ones. Stay curious about Bitcoin."]
def reply(body):
    return Reply([json.dumps({"text": TEXTS[body["options"]["seed"] % len(TEXTS)]})])
with OllamaServer(reply=reply) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


def requests_loop(url: str, body: dict[str, Any], calls: int) -> float:
    """Calls a second of the plainest client that reads the stream to its end."""
    started = time.perf_counter()
    for _ in range(calls):
        with requests.post(f"{url}/api/generate", json=body, stream=True, timeout=30) as answer:
            for line in answer.iter_lines():
                json.loads(line)
    return calls / (time.perf_counter() - started)


@dataclass(frozen=True)
class Run:
    """One run of the harness. ``committed``: calls a second until the last call was committed;
    ``judged``: until every text had its verdict, too. Milliseconds a call for the rest."""

    committed: float
    judged: float
    overhead_ms: float
    checks_ms: float


def harness_loop(url: str, calls: int, folder: Path) -> Run:
    """A whole run: cold call, planned calls, verdicts."""
    path, clock = folder / "bot.db", SystemClock()
    with opened(path) as db:
        migrate(db)
        ensure_templates(db, now=clock.now())
        plan = make_plan(db, models=[f"ollama:{_MODEL}"], types=["joke"], repeats=calls)
        run_id = benchmark.start(db, plan, actor="harness", clock=clock)
    ticks = []
    started = time.perf_counter()
    run = benchmark.work(
        path, run_id, Config(ollama_url=url), clock,
        progress=lambda *_: ticks.append(time.perf_counter()),
    )  # fmt: skip
    ended = time.perf_counter()
    with opened(path) as db:
        rows = [row for row in bench.calls(db, run_id) if row.place >= 0]
    assert run.done == calls and all(row.verdict for row in rows)
    between = ticks[-1] - ticks[0] - sum(row.wall_s for row in rows[1:])
    return Run(
        committed=calls / (ticks[-1] - started),
        judged=calls / (ended - started),
        overhead_ms=1000 * between / (calls - 1),
        checks_ms=1000 * (ended - ticks[-1]) / calls,
    )


def request_body() -> dict[str, Any]:
    """A streamed request of the size that the harness sends."""
    text = "Write one short, kind joke about Bitcoin. " * 20
    return {"model": _MODEL, "prompt": text, "stream": True, "think": False, "options": {"seed": 1}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    plain: list[float] = []
    ours: list[Run] = []
    try:
        requests_loop(url, request_body(), 20)
        for turn in range(args.rounds):
            for side in ("plain", "ours") if turn % 2 else ("ours", "plain"):
                if side == "plain":
                    plain.append(requests_loop(url, request_body(), args.calls))
                else:
                    with tempfile.TemporaryDirectory() as folder:
                        ours.append(harness_loop(url, args.calls, Path(folder)))
    finally:
        server.communicate()
    print(json.dumps(summary(plain, ours, args.calls)))


def summary(plain: list[float], ours: list[Run], calls: int) -> dict[str, Any]:
    """Medians over the rounds, the share of each round, and whether the goals are met."""
    shares = [run.committed / rate for run, rate in zip(ours, plain, strict=True)]
    share = statistics.median(shares)
    overhead = statistics.median(run.overhead_ms for run in ours)
    return {
        "calls": calls,
        "rounds": len(plain),
        "requests_calls_s": [round(rate, 1) for rate in plain],
        "committed_calls_s": [round(run.committed, 1) for run in ours],
        "judged_calls_s": [round(run.judged, 1) for run in ours],
        "shares": [round(item, 3) for item in shares],
        "share": round(share, 3),
        "goal": GOAL,
        "overhead_ms": round(overhead, 2),
        "overhead_goal_ms": OVERHEAD_GOAL_MS,
        "checks_ms": round(statistics.median(run.checks_ms for run in ours), 2),
        "met": share >= GOAL and overhead <= OVERHEAD_GOAL_MS,
        "cores": os.cpu_count(),
        "load_1m": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    main()
