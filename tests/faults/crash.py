"""Crash campaign: a runner is killed again and again; X's log tells whether it kept its word.

``python -m tests.faults.crash --cycles 1000 [--seed 7]``  the protocol in a child process, killed
at random instants, at random SQL statements and inside X's handling of the call.
``--points`` kills at every statement of one life, for every kind of answer.
``--whole`` kills real ``runner.py run`` processes.
``--mutant naive`` ("post, then mark") and ``--mutant impatient`` ("not seen, so again") must fail.

Prints one JSON object; exit status 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.faults.judge import Verdict, judge
from tests.faults.life import Nursery, Plan, kill
from tests.faults.operator import Operator, fresh_database
from tests.faults.rig import scratch
from tests.faults.x_server import DUPLICATE, Act, XServer, problem

LONGEST_LIFE_S = 1.5
QUIET_S = 0.08
LAG_S = 0.03
PATIENCE = 60
"""Lives in peace that may end nothing more before the rest is called unexplained."""


def answers() -> dict[str, Act]:
    """Every kind of answer, taken and not taken where both can be."""
    both = {
        "drop": Act(how="drop"),
        "stall": Act(how="stall"),
        "truncate": Act(how="truncate"),
        "garbage": Act(body=b"<html>"),
        "no id": Act(body={"data": {}}),
        "500": Act(status=500, body={}),
        "503": Act(status=503, body={}),
    }
    kinds = {"201": Act()}
    for name, act in both.items():
        kinds[f"{name}, taken"] = act
        kinds[f"{name}, not taken"] = Act(False, act.how, act.status, act.body)
    kinds["400"] = problem(400, "Invalid Request", "invalid")
    kinds["401"] = problem(401, "Unauthorized", "Unauthorized")
    kinds["402"] = problem(402, "Payment Required", "no credits")
    kinds["403"] = problem(403, "Forbidden", "Your account is suspended")
    kinds["403 duplicate"] = DUPLICATE
    kinds["429"] = problem(429, "Too Many Requests", "Too Many Requests", x_rate_limit_reset="1")
    return kinds


@dataclass
class Report:
    """What a campaign did and found."""

    form: str
    seed: int
    cycles: int = 0
    killed: int = 0
    seconds: float = 0.0
    verdict: Verdict = field(default_factory=Verdict)

    @property
    def kept(self) -> bool:
        return self.verdict.kept


class Campaign:
    """One database, one X, many short lives."""

    def __init__(self, folder: Path, x: XServer, nursery: Nursery, seed: int, mutant: str) -> None:
        self.x, self.nursery, self.mutant = x, nursery, mutant
        self.rng = random.Random(seed)
        self.db_path = folder / "bot.db"
        impatient = mutant == "impatient"
        fresh_database(
            self.db_path, quiet_s=0.0 if impatient else QUIET_S, reads=1 if impatient else 2
        )
        x.lag_s = 0.15 if impatient else LAG_S
        self.operator = Operator(self.db_path, x)
        self.kinds = list(answers().values())
        self._stage, self._pid = "", 0
        self._told = threading.Event()
        x.hook = self._on_stage

    def cycle(self) -> bool:
        """An operator's look, a life, a kill; true if the life was killed."""
        rng = self.rng
        self.operator.work()
        for _ in range(rng.choice((0, 1, 1, 2))):
            self.operator.add_slot()
        self.x.choose = self._answer
        way = rng.choice(("instant", "statement", "stage", "none"))
        plan = Plan(
            str(self.db_path), self.x.url, LONGEST_LIFE_S,
            kill_at=rng.randint(1, 260) if way == "statement" else 0,
            naive=self.mutant == "naive",
        )  # fmt: skip
        self._stage = rng.choice(("received", "accepted", "replied")) if way == "stage" else ""
        self._told.clear()
        self._pid = self.nursery.start(plan)
        self._told.set()
        if way == "instant":
            time.sleep(rng.uniform(0, 0.15))
            kill(self._pid)
        return self.nursery.ended() != 0

    def point(self, act: Act, statement: int) -> bool:
        """A new post, one answer, a kill at one statement, then lives in peace."""
        self.operator.add_slot()
        self.life()  # writes the draft
        self.operator.work()
        self.x.choose = Act
        self.x.next_post(act)
        plan = Plan(str(self.db_path), self.x.url, LONGEST_LIFE_S, kill_at=statement)
        self.nursery.start(plan)
        killed = self.nursery.ended() != 0
        self.x.forget()
        self.settle()
        return killed

    def life(self) -> None:
        """A life in peace."""
        self.nursery.start(Plan(str(self.db_path), self.x.url, LONGEST_LIFE_S))
        self.nursery.ended()

    def settle(self) -> None:
        """Peace until everything has its end."""
        self.x.choose, self._stage = Act, ""
        self.operator.settle(self.life, PATIENCE)

    def _answer(self) -> Act:
        return Act() if self.rng.random() < 0.5 else self.rng.choice(self.kinds)

    def _on_stage(self, stage: str) -> None:
        if stage == self._stage:
            self._told.wait(1)
            kill(self._pid)


def run_random(cycles: int, seed: int, mutant: str = "") -> Report:
    """Random kills."""
    report = Report(f"random{' ' + mutant if mutant else ''}", seed)
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(dir=scratch()) as folder,
        XServer(Path(folder) / "x.jsonl") as x,
        Nursery() as nursery,
    ):
        campaign = Campaign(Path(folder), x, nursery, seed, mutant)
        for _ in range(cycles):
            report.cycles += 1
            report.killed += campaign.cycle()
            if mutant and len(set(x.accepted())) < len(x.accepted()):
                break  # caught
        else:
            campaign.settle()
        report.verdict = judge(campaign.db_path, x)
    report.seconds = round(time.monotonic() - began, 1)
    return report


def run_points(seed: int, step: int = 1, kinds: list[str] | None = None) -> Report:
    """Kills at every ``step``-th statement, for every kind of answer (or those named)."""
    report = Report("points", seed)
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(dir=scratch()) as folder,
        XServer(Path(folder) / "x.jsonl") as x,
        Nursery() as nursery,
    ):
        campaign = Campaign(Path(folder), x, nursery, seed, "")
        for name, act in answers().items():
            if kinds is not None and name not in kinds:
                continue
            statement, killed = 1 + seed % step, True
            while killed:
                report.cycles += 1
                killed = campaign.point(act, statement)
                report.killed += killed
                statement += step
        campaign.settle()
        report.verdict = judge(campaign.db_path, x)
    report.seconds = round(time.monotonic() - began, 1)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cycles", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--points", action="store_true")
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--mutant", choices=("naive", "impatient"), default="")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
    if options.whole:
        from tests.faults.whole import run_whole

        report = run_whole(options.cycles, seed)
    elif options.points:
        report = run_points(seed)
    else:
        report = run_random(options.cycles, seed, options.mutant)
    print(json.dumps({**asdict(report), "kept": report.kept}, indent=1))
    return 0 if report.kept else 1


if __name__ == "__main__":
    sys.exit(main())
