"""The fact lock's figures: false accepted, true rejected, time per text.

``python -m tests.benchmarks.fact_lock`` prints one JSON object. Times are CPU time of one check, once warm,
on the machine at hand.
"""

from __future__ import annotations

import json
import time

from engine.checks.facts import check
from tests.checks.price_corpus import (
    ANGLES,
    HELD_OUT,
    WORLDS,
    Labelled,
    by_hand,
    everything,
)
from tests.checks.strangers import AUTHOR, UNSEEN, strangers

FIRST_RUNS = {
    "strangers 1": "5 of 94 false accepted, 31 of 93 true rejected (before anything of this)",
    "strangers 2": "2 of 93, 53 of 93 (after set 1 was learnt; 11 and 49 before)",
    "strangers 3": "6 of 92, 38 of 92 (after set 2; 6 and 46 before)",
    "strangers 4": "4 of 91, 66 of 88 (after set 3)",
    "strangers 5": "1 of 100, 35 of 100 (second author; after set 3)",
    "strangers 6": "3 of 100, 41 of 100 (same)",
    "strangers 7": "9 of 100, 67 of 100 (same)",
    "strangers 8": "0 of 100, 31 of 100 (third author; after sets 4 to 7)",
    "strangers 9": "0 of 100, 23 of 100 (same)",
    "strangers 10": "3 of 100, 53 of 100 (same)",
    "strangers 11": "2 of 100, 27 of 100 (fourth author; after sets 8 to 10; before them 2 and 31)",
    "strangers 12": "5 of 100, 28 of 98 (same; before 5 and 28)",
    "strangers 13": "9 of 100, 49 of 97 (same; before 8 and 56)",
}
"""What each set did before it was looked at; later runs flatter the lock."""


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


def by_set() -> dict[str, dict[str, int]]:
    """The strangers' sets as they run now."""
    found: dict[str, dict[str, int]] = {}
    listed = [(str(case.number), case) for case in (*strangers(), *strangers(UNSEEN))]
    listed += [(f"author {case.number}", case) for case in strangers(AUTHOR)]
    for name, case in listed:
        row = found.setdefault(name, {"false": 0, "accepted": 0, "true": 0, "rejected": 0})
        row["true" if case.true else "false"] += 1
        passed = not check(case.text, case.facts)
        if passed != case.true:
            row["rejected" if case.true else "accepted"] += 1
    return found


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
    result["held_out"] = measure(list(by_hand(HELD_OUT)))
    result["angles"] = measure(list(by_hand(ANGLES)))
    result["strangers"] = by_set()
    result["first_runs"] = FIRST_RUNS
    result["hostile_ms"] = hostile()
    print(json.dumps(result, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
