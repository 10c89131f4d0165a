"""Time of the repetition check at a million stored posts, and its agreement with brute force.

Own command, not part of the test run::

    python -m tests.benchmarks.repetition [--posts 1000000] [--per-day 500] [--probes 300]

Builds a database of made-up posts in a temporary folder (about five minutes and 1 GB for a
million), judges probes that are a third old texts, a third slightly changed ones, a third new
ones, and prints median and 99th percentile, once with the usual window of 30 days and once with
every stored post in the window.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

from sqlite_utils import Database

from engine.checks import repetition
from engine.checks.repetition import MASKED_DAYS, NEAR, NEAR_MASKED, WINDOW_DAYS, History, jaccard
from engine.clock import iso
from engine.store.database import connect, write_tx
from engine.store.fingerprints import mask, save
from engine.store.migrations import migrate

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ALIKE = {f"repetition.{name}" for name in ("exact", "masked", "near", "near_masked")}


class Writer:
    """Made-up posts: words by Zipf's law, four in ten around a line of a small menu."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        parts = [a + b for a in "bdfgklmnprst" for b in "aeo"][:20]
        self.words = [a + b + c for a in parts for b in parts for c in parts[:15]]
        self.weights = list(accumulate(1 / (rank + 3) for rank in range(len(self.words))))
        self.menu = [self.prose(9, 14) for _ in range(300)]

    def prose(self, least: int, most: int) -> str:
        count = self.rng.randint(least, most)
        words = self.rng.choices(self.words, cum_weights=self.weights, k=count)
        return " ".join(words).capitalize() + "."

    def post(self) -> str:
        if self.rng.random() < 0.4:
            price = f"{self.rng.randint(40, 120)},{self.rng.randint(0, 999):03d}"
            return f"{self.prose(3, 6)} ${price}, {self.rng.uniform(0, 9):.1f}%. {self.rng.choice(self.menu)}"
        return self.prose(12, 30)

    def changed(self, text: str) -> str:
        words = text.split()
        for _ in range(self.rng.randint(1, 4)):
            words[self.rng.randrange(len(words))] = self.rng.choice(self.words)
        return " ".join(words)


def build(db: Database, writer: Writer, posts: int, step: timedelta) -> list[tuple[datetime, str]]:
    """Fill the index; answers the posts of the last 30 days."""
    db.conn.execute("PRAGMA foreign_keys = OFF")  # the posts themselves are not needed
    db.conn.execute("PRAGMA synchronous = OFF")
    db.conn.execute("PRAGMA cache_size = -400000")
    db.conn.execute("PRAGMA recursive_triggers = OFF")
    recent = []
    for start in range(0, posts, 50_000):
        with write_tx(db):
            for number in range(start, min(start + 50_000, posts)):
                text, at = writer.post(), NOW - step * (posts - number)
                save(db, number + 1, repetition.fingerprint(text), at)
                if at >= NOW - timedelta(days=WINDOW_DAYS):
                    recent.append((at, text))
        print(f"  {min(start + 50_000, posts):>9,} posts", flush=True)
    return recent


def probes(writer: Writer, recent: list[tuple[datetime, str]], count: int) -> Iterator[str]:
    for number in range(count):
        old = writer.rng.choice(recent)[1]
        yield (old, writer.changed(old), writer.post())[number % 3]


def measure(db: Database, texts: list[str], window_days: int) -> list[float]:
    """Milliseconds of each check."""
    history = History(db, NOW, window_days=window_days)
    times = []
    for text in texts:
        start = time.perf_counter()
        repetition.check(text, history)
        times.append(1000 * (time.perf_counter() - start))
    return times


def disagreements(db: Database, texts: list[str], recent: list[tuple[datetime, str]]) -> int:
    """How many verdicts differ from comparing with each post of the window."""
    stored = []
    for at, text in recent:
        words = repetition.fingerprint(text).words
        stored.append((at, frozenset(words), frozenset(mask(list(words)))))
    wrong = 0
    for text in texts:
        found = {finding.rule for finding in repetition.check(text, History(db, NOW))} & ALIKE
        own = list(repetition.fingerprint(text).words)
        whole, masked = frozenset(own), frozenset(mask(own))
        expected = any(
            jaccard(whole, other) >= NEAR
            or (
                at >= NOW - timedelta(days=MASKED_DAYS)
                and jaccard(masked, other_masked) >= NEAR_MASKED
            )
            for at, other, other_masked in stored
        )
        wrong += bool(found) != expected
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=1_000_000)
    parser.add_argument("--per-day", type=int, default=500)
    parser.add_argument("--probes", type=int, default=300)
    given = parser.parse_args()
    step = timedelta(days=1) / given.per_day
    writer = Writer(seed=11)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.db"
        db = connect(path)
        migrate(db)
        started = time.perf_counter()
        recent = build(db, writer, given.posts, step)
        print(
            f"built in {time.perf_counter() - started:.0f} s, {path.stat().st_size / 1e6:,.0f} MB"
        )
        db.close()
        db = connect(path, "ro")
        texts = list(probes(writer, recent, given.probes))
        span = given.posts // given.per_day + 1
        for days in (WINDOW_DAYS, span):
            times = sorted(measure(db, texts, days))
            within = db.conn.execute(
                "SELECT count(*) FROM fingerprints WHERE at >= ?",
                (iso(NOW - timedelta(days=days)),),
            ).fetchone()[0]
            print(
                f"window {days} days ({within:,} posts of {given.posts:,}): "
                f"median {statistics.median(times):.2f} ms, p99 {times[int(0.99 * len(times)) - 1]:.2f} ms, "
                f"max {times[-1]:.2f} ms, n={len(times)}"
            )
        print(
            f"differs from brute force over the window: {disagreements(db, texts, recent)} of {len(texts)}"
        )
        db.close()


if __name__ == "__main__":
    main()
