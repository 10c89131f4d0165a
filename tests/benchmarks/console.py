"""How fast the console's pages are: ``python -m tests.benchmarks.console [--posts N] [--metrics N]``.

Median AppTest rerun of each page at 1,000 posts and at N (default 1,000,000) with engagement rows,
beside a bare page that shows the same number of elements (texts, buttons, tables, charts, fields:
as many of each), in one run. Goals: at most 100 ms,
growth at most 1.5x, at most 3x the bare page. ``ratio_cpu`` and growth are in processor
time, which a busy machine does not stretch.
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
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from streamlit.testing.v1 import AppTest

from engine.store.database import opened
from tests.console.worlds import fill_many, fill_metrics, make_database

ROOT = Path(__file__).resolve().parents[2]
RUNS = 15


class Took(NamedTuple):
    """Milliseconds of one rerun, medians: by the clock on the wall, and of the processor."""

    wall: float
    cpu: float


def rerun_ms(*apps: AppTest) -> list[Took]:
    """Median of :data:`RUNS` reruns of each, taking turns so that all meet the same noise."""
    times: list[list[Took]] = [[] for _ in apps]
    for turn in range(RUNS + 2):
        for app, own in zip(apps, times, strict=True):
            wall, cpu = time.perf_counter(), time.process_time()
            app.run()
            if turn >= 2:
                own.append(
                    Took(1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu))
                )
    return [Took(*map(statistics.median, zip(*own, strict=True))) for own in times]


def elements(app: AppTest) -> Counter[str]:
    """Leaves of the page and its sidebar by kind."""

    def kinds(block: object) -> Iterator[str]:
        children = getattr(block, "children", None)
        if children:
            for child in children.values():
                yield from kinds(child)
        else:
            yield str(getattr(block, "type", "text"))

    return Counter([*kinds(app.main), *kinds(app.sidebar)])


DRAWN = {
    "button": "st.button(f'b{n}', key=f'b{n}')",
    "arrow_data_frame": "st.dataframe([{'a': 1, 'b': 'x'}] * 5)",
    "dataframe": "st.dataframe([{'a': 1, 'b': 'x'}] * 5)",
    "plotly_chart": "st.plotly_chart(go.Figure(go.Scatter(y=[1, 2] * 50)), key=f'c{n}')",
    "metric": "st.metric('m', n)",
    "text_input": "st.text_input(f't{n}')",
    "number_input": "st.number_input(f'n{n}')",
    "selectbox": "st.selectbox(f's{n}', ['a', 'b'])",
    "multiselect": "st.multiselect(f'm{n}', ['a', 'b'])",
    "text_area": "st.text_area(f'a{n}')",
    "button_group": "st.pills(f'p{n}', ['a', 'b'])",
    "toggle": "st.toggle(f'g{n}')",
}


def bare(found: Counter[str]) -> AppTest:
    """A page with as many elements of each kind and nothing else."""
    lines = ["import streamlit as st", "import plotly.graph_objects as go"]
    for kind, count in sorted(found.items()):
        drawn = DRAWN.get(kind, "st.markdown(f'text {n}')")
        lines += [f"for n in range({count}):", f"    {drawn}"]
    return AppTest.from_string("\n".join(lines), default_timeout=60).run()


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
            many = page(name, large)
            floor = bare(elements(many))
            other, ground = rerun_ms(many, floor)
            (one,) = rerun_ms(page(name, small))
            rows.append(
                {
                    "page": name, "elements": elements(many).total(), "ms_1k": round(one.wall, 1),
                    "ms_large": round(other.wall, 1), "growth": round(other.cpu / one.cpu, 2),
                    "bare_ms": round(ground.wall, 1),
                    "ratio_to_bare": round(other.wall / ground.wall, 2),
                    "ratio_cpu": round(other.cpu / ground.cpu, 2),
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
