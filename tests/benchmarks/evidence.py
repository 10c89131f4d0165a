"""How long learning takes on years of engagement: five million rows, and ten thousand pairs.

    python -m tests.benchmarks.evidence --rows 5000000 [--gbstats /path/to/its/python]

The database is a scratch file, filled in bulk with the triggers that guard single rows taken off;
what is measured are the functions the console calls. gbstats lives in an environment of its own,
whose Python is given; both sides then get the same pairs and answer an interval after every pair.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sqlite_utils import Database

from engine.clock import iso
from engine.learning import evidence, intervals, spec
from engine.learning.assignment import permutation
from engine.learning.judge import judge
from engine.learning.overview import engagement
from engine.learning.spec import Arm, Design
from engine.store import experiments
from engine.store.database import connect
from engine.store.migrations import migrate
from engine.writing.shipped import ensure_templates

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
EVERY = timedelta(minutes=30)
AGES = (1, 6, 24, 48, 168)
SLOTS = 60 * 24  # the experiment: 60 days at 24 posts a day

GBSTATS = """
import json, sys, time
from gbstats.frequentist.tests import SequentialConfig, SequentialTwoSidedTTest
from gbstats.models.statistics import SampleMeanStatistic
a, b = json.load(sys.stdin)
def look(n, sa, qa, sb, qb):
    one = SampleMeanStatistic(n=n, sum=sa, sum_squares=qa)
    two = SampleMeanStatistic(n=n, sum=sb, sum_squares=qb)
    config = SequentialConfig(difference_type="absolute", sequential_tuning_parameter=120)
    return SequentialTwoSidedTTest(one, two, config).compute_result().ci
best_all, best_one = [], []
for _ in range(3):
    start = time.perf_counter()
    sa = qa = sb = qb = 0.0
    for n, (x, y) in enumerate(zip(a, b), start=1):
        sa += x; qa += x * x; sb += y; qb += y * y
        if n > 1:
            look(n, sa, qa, sb, qb)
    best_all.append(time.perf_counter() - start)
    start = time.perf_counter()
    look(len(a), sum(a), sum(x * x for x in a), sum(b), sum(y * y for y in b))
    best_one.append(time.perf_counter() - start)
print(json.dumps([min(best_all), min(best_one)]))
"""


def fill(db: Database, rows: int) -> None:
    """``rows`` metrics of posts every half hour up to now, and one experiment on the newest."""
    migrate(db)
    ensure_templates(db, now=NOW)
    for (name,) in db.conn.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN "
        "('posts', 'metrics', 'assignments', 'slots')"
    ).fetchall():
        db.conn.execute(f"DROP TRIGGER {name}")
    db.conn.execute("PRAGMA synchronous=OFF")
    posts, rng = rows // len(AGES), np.random.default_rng(1)
    begin = NOW - EVERY * posts - timedelta(days=7)
    experiment = spec.start(
        db, Design("bench", "writing", (Arm("template", use_model=False), Arm("LLM"))),
        seed="s", actor="bench", now=NOW - timedelta(days=70),
    )  # fmt: skip
    impressions = np.rint(np.exp(rng.normal(6.5, 0.8, posts))).astype(int).tolist()
    likes = rng.poisson(np.array(impressions) * 0.02 * np.exp(rng.normal(0, 0.6, posts))).tolist()
    db.conn.execute("BEGIN")
    for first in range(0, posts, 50_000):
        chunk = range(first, min(first + 50_000, posts))
        at = {i: begin + EVERY * i for i in chunk}
        in_experiment = [i for i in chunk if i >= posts - SLOTS]
        db.conn.executemany(
            "INSERT INTO slots (id, slot_key, local_date, local_time, zone, due_at, content_type, "
            "state, post_id, finished_at, created_at) VALUES (?,?,?,?,'UTC',?,?,'filled',?,?,?)",
            [(i + 1, f"s{i}", f"{at[i]:%Y-%m-%d}", f"{at[i]:%H:%M}", iso(at[i]), KINDS[i % 4], i + 1,
              iso(at[i]), iso(at[i])) for i in in_experiment],
        )  # fmt: skip
        db.conn.executemany(
            "INSERT INTO posts (id, slot_id, content_type, text, body_sha256, state, world, verdict, "
            "origin, is_llm_generated, model_name, hashtags, publisher, account, x_post_id, "
            "posted_at, created_at, updated_at) "
            "VALUES (?,?,?,?,?,'posted','live','pass','model',1,'m','[\"#BTC\"]','x','1',?,?,?,?)",
            [(i + 1, i + 1 if i >= posts - SLOTS else None, KINDS[i % 4], f"Post {i}.", f"{i:064x}",
              str(i), iso(at[i]), iso(at[i]), iso(at[i])) for i in chunk],
        )  # fmt: skip
        db.conn.executemany(
            "INSERT INTO metrics (post_id, age_h, age_hours, taken_at, impressions, likes, reposts, "
            "replies, quotes, bookmarks, source) VALUES (?,?,?,?,?,?,0,0,0,0,'x')",
            ((i + 1, age, age + 0.1, iso(at[i] + timedelta(hours=age)), round(impressions[i] * share),
              round(likes[i] * share)) for i in chunk
             for age, share in zip(AGES, (0.4, 0.9, 0.99, 1, 1), strict=True)),
        )  # fmt: skip
        for i in in_experiment:
            assign(db, experiment, i - (posts - SLOTS), i + 1, at[i])
    db.conn.execute("COMMIT")


KINDS = ("price", "joke", "motivation", "news")


def assign(
    db: Database, experiment: experiments.Experiment, number: int, slot_id: int, at: datetime
) -> None:
    block, position = f"b{number // 2}", number % 2
    arm = permutation(experiment.seed, experiment.id, block, experiment.arms)[position]
    row = experiments.Row(
        0, experiment.id, experiment.spec_hash, block, position, "s", f"s{slot_id}", slot_id,
        iso(at), arm, {}, "",
    )  # fmt: skip
    experiments.assign(db, row, now=at - timedelta(minutes=1))


def timed(work: Callable[[], Any], repeats: int = 5) -> tuple[float, float]:
    """Milliseconds: the median of wall time, and of this process's own processor time."""
    wall, own = [], []
    for _ in range(repeats):
        start, used = time.perf_counter(), time.process_time()
        work()
        wall.append(1000 * (time.perf_counter() - start))
        own.append(1000 * (time.process_time() - used))
    return statistics.median(wall), statistics.median(own)


def say(name: str, times: tuple[float, float]) -> None:
    print(f"{name:58} {times[0]:9.1f} ms wall {times[1]:9.1f} ms processor", flush=True)


def reads(rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        db = connect(Path(folder) / "bench.db")
        start = time.perf_counter()
        fill(db, rows)
        total = db.conn.execute("SELECT count(*) FROM metrics").fetchone()[0]
        print(f"{total:,} metric rows made in {time.perf_counter() - start:.0f} s", flush=True)
        for days in (30, 90):
            read = partial(engagement, db, NOW - timedelta(days=days), NOW)
            say(f"Engagement page, {days} days", timed(read))
        (experiment,) = experiments.listing(db)
        judged = judge(db, experiment, NOW)
        say(
            f"experiment of {judged.main.pairs} pairs judged",
            timed(lambda: judge(db, experiment, NOW)),
        )
        print(judged.main.sentence)
        db.close()


def pairs(count: int, gbstats: str | None) -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(-4, 0.7, count), rng.normal(-4 + math.log(1.4), 0.7, count)
    d = b - a

    def ours() -> None:
        evidence.log_e_path(d)
        evidence.confidence_sequence(d)
        intervals.asymptotic_sequence(d, 60)

    say(f"{count:,} pairs: all three of ours, a look after every pair", timed(ours))
    say(
        "  of it the asymptotic sequence alone", timed(lambda: intervals.asymptotic_sequence(d, 60))
    )
    one = np.array(d)
    say("  one look at the end: moments and interval", timed(lambda: _one_look(one)))
    if gbstats:
        answer = subprocess.run(
            [gbstats, "-c", GBSTATS], input=json.dumps([a.tolist(), b.tolist()]),
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        every, last = json.loads(answer.stdout.splitlines()[-1])
        print(
            f"gbstats: a look after every pair {1000 * every:.1f} ms, one look {1000 * last:.2f} ms"
        )


def _one_look(d: np.ndarray) -> float:
    half = intervals.asymptotic_halfwidth(np.array(d.var(ddof=1)), np.array(float(d.size)), 60)
    return float(d.mean() - half)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--gbstats", help="a Python that has gbstats")
    options = parser.parse_args()
    pairs(options.pairs, options.gbstats)
    if options.rows:
        reads(options.rows)


if __name__ == "__main__":
    main()
