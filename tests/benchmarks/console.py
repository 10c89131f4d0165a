"""How fast the console's pages are: ``python -m tests.benchmarks.console [--posts N] [--metrics N]``.

Median AppTest rerun of each page at 1,000 posts and at N (default 1,000,000) with engagement rows,
beside a bare page that shows the same number of elements, in one run. Goals: at most 100 ms,
growth at most 1.5x, at most 3x the bare page.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from streamlit.testing.v1 import AppTest

from engine.store.database import opened
from tests.console.worlds import fill_many, fill_metrics, make_database

ROOT = Path(__file__).resolve().parents[2]
RUNS = 15


def rerun_ms(app: AppTest, runs: int = RUNS) -> float:
    """Median of ``runs`` reruns, after two to warm up."""
    for _ in range(2):
        app.run()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        app.run()
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


def elements(app: AppTest) -> int:
    """Leaves of the page and its sidebar."""

    def count(block: object) -> int:
        children = getattr(block, "children", None)
        return sum(count(child) for child in children.values()) if children else 1

    return count(app.main) + count(app.sidebar)


def bare(count: int) -> AppTest:
    """A page with ``count`` captions and nothing else."""
    source = f"import streamlit as st\nfor number in range({count}):\n    st.caption(str(number))\n"
    return AppTest.from_string(source, default_timeout=60).run()


def page(name: str, path: Path) -> AppTest:
    os.environ["BTCBUZZ_DB"] = str(path)
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
    app.run()
    return app.switch_page(f"pages/{name}.py").run()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=1_000_000)
    parser.add_argument("--metrics", type=int, default=5_000_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    os.chdir(ROOT)
    os.environ["BTCBUZZ_LLM"] = "scripted"
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small.db", Path(folder) / "large.db"
        started = time.perf_counter()
        for path, posts, metrics in ((small, 1_000, 5_000), (large, asked.posts, asked.metrics)):
            make_database(path)
            with opened(path) as db:
                fill_many(db, posts=posts, now=datetime.now(UTC))
                fill_metrics(db, metrics)
        built = time.perf_counter() - started
        for name in sorted(file.stem for file in (ROOT / "pages").glob("*.py")):
            few, many = page(name, small), page(name, large)
            floor = bare(elements(many))
            one, other, ground = rerun_ms(few), rerun_ms(many), rerun_ms(floor)
            rows.append(
                {
                    "page": name, "elements": elements(many), "ms_1k": round(one, 1),
                    "ms_large": round(other, 1), "growth": round(other / one, 2),
                    "bare_ms": round(ground, 1), "ratio_to_bare": round(other / ground, 2),
                }
            )  # fmt: skip
    about = {
        "posts": asked.posts, "metrics": asked.metrics, "runs": RUNS, "build_s": round(built),
        "python": platform.python_version(), "cores": os.cpu_count(),
    }  # fmt: skip
    if asked.json:
        print(json.dumps({"about": about, "pages": rows}))
        return
    print(about)
    for row in rows:
        print(" ".join(f"{key}={value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
