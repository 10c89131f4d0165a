"""Time of all checks of one text together, as a draft is judged: a month of posts to compare with.

``python -m tests.benchmarks.checks [--posts 15000]`` prints one JSON object: milliseconds of CPU,
once warm, of texts that pass and of texts that are rejected (strangers' sets and the corpus).
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from engine.checks.repetition import WINDOW_DAYS, History
from engine.checks.verdict import CheckContext, run_checks
from engine.checks.voice import load_profile
from engine.store.database import connect
from engine.store.migrations import migrate
from tests.benchmarks.repetition import NOW, Writer, build
from tests.checks.price_corpus import WORLDS, everything
from tests.checks.strangers import strangers


def measure(posts: int) -> dict[str, object]:
    """CPU milliseconds a text; ``posts`` lie in the repetition check's window."""
    cases = [(case.text, "price", case.facts) for case in strangers()]
    cases += [(case.text, case.content_type, WORLDS[case.world]) for case in everything()]
    times: dict[str, list[float]] = {"pass": [], "reject": []}
    with tempfile.TemporaryDirectory() as folder:
        db = connect(Path(folder) / "bench.db")
        migrate(db)
        build(db, Writer(seed=11), posts, timedelta(days=WINDOW_DAYS) / posts)
        profile, history = load_profile(), History(db, NOW)
        for text, content_type, facts in [*cases[:50], *cases]:  # the first fifty warm up
            context = CheckContext(content_type, facts, profile, 0.6, history=history)
            began = time.process_time()
            outcome = run_checks(text, context).outcome
            times[outcome].append(1000 * (time.process_time() - began))
        db.close()
    return {
        outcome: {
            "texts": len(found),
            "median_ms": round(statistics.median(found), 2),
            "p99_ms": round(statistics.quantiles(found, n=100)[98], 2),
        }
        for outcome, found in times.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--posts", type=int, default=15_000)
    print(json.dumps(measure(parser.parse_args().posts), indent=1))


if __name__ == "__main__":
    main()
