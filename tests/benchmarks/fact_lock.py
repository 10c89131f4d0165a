"""The fact lock's figures: false accepted, true rejected, time per text.

``python -m tests.benchmarks.fact_lock`` prints one JSON object. Times are CPU time of one check, once warm,
on the machine at hand.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from engine.checks.facts import check
from tests.checks.price_corpus import CASES, WORLDS, Labelled, by_hand, everything

HELD_OUT = CASES.with_name("fact_cases_held_out.txt")


def measure(cases: list[Labelled]) -> dict[str, object]:
    """Counts and times over ``cases``."""
    times, wrong = [], []
    for case in cases:
        start = time.thread_time()
        findings = check(case.text, WORLDS[case.world], case.content_type)
        times.append((time.thread_time() - start) * 1000)
        if (not findings) != case.true:
            wrong.append(case)
    times.sort()
    true = sum(case.true for case in cases)
    missed = [case for case in wrong if case.true]
    return {
        "true": true,
        "false": len(cases) - true,
        "false_accepted": len(wrong) - len(missed),
        "true_rejected": len(missed),
        "true_rejected_pct": round(100 * len(missed) / true, 2) if true else 0.0,
        "median_ms": round(times[len(times) // 2], 3),
        "p99_ms": round(times[int(len(times) * 0.99)], 3),
        "wrong": [f"{'+' if case.true else '-'} [{case.world}] {case.text}" for case in wrong],
    }


def hostile() -> dict[str, float]:
    """Milliseconds for texts at the lock's own limit and beyond it."""
    facts = WORLDS["down"]
    found = {}
    for name, unit in (
        ("digits", "1"), ("commas", "1,"), ("dollars", "$1 "), ("words", "up "), ("percent", "2.3% "),
        ("highs", "high "), ("minus", "-"), ("hashes", "#a"), ("quotes", '"a" '),
    ):  # fmt: skip
        for size in (1_000, 100_000):
            text = (unit * size)[:size]
            start = time.thread_time()
            check(text, facts)
            found[f"{name} x {size}"] = round((time.thread_time() - start) * 1000, 1)
    return found


def main() -> None:
    check("warm", WORLDS["down"])
    result: dict[str, object] = {"corpus": measure(everything())}
    if HELD_OUT.exists():
        result["held_out"] = measure(list(by_hand(Path(HELD_OUT))))
    result["hostile_ms"] = hostile()
    print(json.dumps(result, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
