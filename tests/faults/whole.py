"""The crash campaign's whole form: real ``runner.py run`` processes, killed while they work.

Slots, market (its sample: the sources do not answer), writing by the scripted model, approval by
an operator between two lives, posting to the loopback X.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.crash import QUIET_S, Report, answers
from tests.faults.judge import judge
from tests.faults.life import ROOT
from tests.faults.operator import Operator, fresh_database
from tests.faults.rig import environment, on_x, scratch
from tests.faults.x_server import Act, XServer

PATIENCE = 20
LIFE_S = 8.0
LONGEST_START_S = 30.0


class Runner:
    """Starts ``runner.py run`` on one database."""

    def __init__(self, db_path: Path, x: XServer, errors: Path) -> None:
        self._errors = errors
        self._environment = environment(db_path, **on_x(x.url))

    def start(self) -> subprocess.Popen[bytes]:
        with self._errors.open("ab") as errors:
            return subprocess.Popen(
                [sys.executable, "runner.py", "run"],
                cwd=ROOT,
                env=self._environment,
                stdout=errors,
                stderr=errors,
            )


def run_whole(cycles: int, seed: int) -> Report:
    """That many lives, each killed at a random instant; then peace until everything has its end."""
    report, rng = Report("whole", seed), random.Random(seed)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=scratch()) as name, XServer(Path(name) / "x.jsonl") as x:
        folder = Path(name)
        path = folder / "bot.db"
        # no lead: a post written ahead for a slot of the calendar would wait for it, campaign too
        hurried = {"posting.attempt_timeout_s": 0.5, "content.lead_s": 0}
        fresh_database(path, quiet_s=QUIET_S, reads=2, **hurried)
        operator, runner = Operator(path, x), Runner(path, x, folder / "runner.log")
        kinds = list(answers().values())
        x.choose = lambda: Act() if rng.random() < 0.5 else rng.choice(kinds)
        for _ in range(cycles):
            operator.work()
            for _ in range(rng.choice((0, 1, 1, 2))):
                operator.add_slot()
            report.cycles += 1
            report.killed += _one_life(runner, operator, x, rng)
        x.choose, x.hook = Act, lambda stage: None
        operator.settle(lambda: _peaceful_life(runner, operator), PATIENCE)
        report.verdict = judge(path, x)
        if not report.kept:
            sys.stderr.write((folder / "runner.log").read_text("utf-8")[-4_000:])
    report.seconds = round(time.monotonic() - began, 1)
    return report


def _one_life(runner: Runner, operator: Operator, x: XServer, rng: random.Random) -> bool:
    """True if it was killed; a third of the lives die inside X's handling of their call.

    Four of five have taken their turn before their time runs: on a slow machine a life would
    otherwise end before it began, and the campaign would prove nothing.
    """
    before = operator.epoch()
    process = runner.start()
    stage = rng.choice(("received", "accepted", "replied")) if rng.random() < 1 / 3 else ""
    x.hook = lambda at: process.kill() if at == stage else None
    until = time.monotonic() + (LONGEST_START_S if rng.random() < 0.8 else 0)
    while operator.epoch() == before and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    try:
        process.wait(rng.uniform(0.2, 3.5))
    except subprocess.TimeoutExpired:
        process.kill()
    return process.wait() == -signal.SIGKILL


def _peaceful_life(runner: Runner, operator: Operator) -> None:
    process = runner.start()
    until = time.monotonic() + LIFE_S
    while time.monotonic() < until and operator.left():
        time.sleep(0.2)
    process.terminate()
    process.wait(40)
