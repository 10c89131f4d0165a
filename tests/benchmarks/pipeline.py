"""What the pipeline costs without the model: ``python -m tests.benchmarks.pipeline [--posts N]``.

Fills a database with ``--posts`` stored posts (100,000), then writes ``--count`` drafts with the
scripted model over the sample market. Prints median and p99 of a whole draft (context, prompt,
checks, storing) beside a bare commit on the same disk in the same run, all in milliseconds.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.checks import repetition
from engine.clock import PinnedClock
from engine.config import load_config
from engine.llm.scripted import ScriptedModel
from engine.market.replay import sample_snapshot
from engine.records import CONTENT_TYPES, Verdict
from engine.service.app import App
from engine.store import posts, snapshots
from engine.store.database import opened, write_tx
from engine.store.posts import NewPost
from engine.writing.generate import Order, Writer

END = datetime(2026, 11, 22, 12, tzinfo=UTC)


def fill(app: App, count: int, rng: random.Random) -> None:
    """``count`` made-up posts of the last months, remembered by the repetition check."""
    words = [f"word{number}" for number in range(3_000)]
    with opened(app.db_path) as db:
        for start in range(0, count, 5_000):
            with write_tx(db):
                for number in range(start, min(start + 5_000, count)):
                    text = " ".join(rng.choices(words, k=14)) + f" {number}."
                    now = END - timedelta(minutes=count - number)
                    content_type = CONTENT_TYPES[number % 4]
                    post = NewPost(content_type, text, Verdict(), "model", "sample")
                    post_id = posts.insert(db, post, actor="bench", now=now)
                    repetition.remember(db, post_id, text, now)


def timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=100_000)
    parser.add_argument("--count", type=int, default=200)
    args = parser.parse_args()
    rng = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        app = App(
            load_config({"BTCBUZZ_DB": str(Path(folder) / "bench.db")}), clock=PinnedClock(END)
        )
        app.ready()
        fill(app, args.posts, rng)
        model = ScriptedModel()
        drafts, commits = [], []
        with opened(app.db_path) as db:
            db.conn.execute("CREATE TABLE bench_floor (text TEXT) STRICT")
            for number in range(args.count):
                clock = PinnedClock(END + timedelta(hours=number))
                stored = snapshots.insert(db, sample_snapshot(clock.now()), now=clock.now())
                writer = Writer(app.db_path, model, clock, rng)
                order = Order(("price", "joke", "motivation")[number % 3], stored)
                drafts.append(timed(lambda w=writer, o=order: w.write(o)))  # type: ignore[misc]
                commits.append(timed(lambda: _commit(db)))
    cuts = statistics.quantiles(drafts, n=100)
    print(
        json.dumps(
            {
                "posts_stored": args.posts,
                "n": args.count,
                "draft_ms_median": round(statistics.median(drafts), 2),
                "draft_ms_p99": round(cuts[98], 2),
                "bare_commit_ms_median": round(statistics.median(commits), 2),
            },
            indent=2,
        )
    )


def _commit(db: object) -> None:
    with write_tx(db) as tx:  # type: ignore[arg-type]
        tx.conn.execute("INSERT INTO bench_floor VALUES ('x')")


if __name__ == "__main__":
    main()
