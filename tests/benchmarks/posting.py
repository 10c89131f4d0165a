"""State changes a second of the posting protocol, beside raw commits on the same disk.

``python -m tests.benchmarks.posting [--posts 600] [--folder DIR]`` prints one JSON object. Raw: one
280-byte row a transaction, the same connection settings (WAL, synchronous=FULL). Ours: T1 (claim)
and T2 (outcome) of a post whose publisher answers at once, each a state change with all guards,
money and audit; ``round`` is the same through ``Poster.post_next``, opening its connection too.
The three take turns in blocks, so that a busy disk is busy for all of them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlite_utils import Database

from engine.clock import FakeClock
from engine.posting.claim import Claimed, Stand, claim
from engine.posting.lock import HostLock
from engine.posting.outcome import settle
from engine.posting.protocol import Poster
from engine.posting.publisher import Answer, TimelineRead
from engine.store.database import opened, write_tx
from tests.faults.operator import fresh_database
from tests.faults.rig import add_approved

GOAL = 0.40
BLOCK = 50
GAP_S = 7_200.0
"""Simulated time between two posts: twelve a day, the default cap."""
PACE = {"posting.draft_ttl_s": 2_592_000, "posting.min_gap_s": 900}


class Instant:
    """A publisher that accepts at once."""

    name = "x"
    account = "1"
    public = False
    lags = True

    def __init__(self) -> None:
        self._ids = itertools.count(10**18)

    def publish(self, text: str, *, timeout_s: float, before_send: Callable[[], None]) -> Answer:
        before_send()
        return Answer("posted", x_post_id=str(next(self._ids)))

    def timeline(self, *, newest_known_id: str | None, since: datetime | None) -> TimelineRead:
        return TimelineRead(True)

    def created_at(self, x_post_id: str) -> datetime | None:
        return None


class Bench:
    """One database on the disk under test."""

    def __init__(self, path: Path) -> None:
        fresh_database(path, quiet_s=1, reads=1, **PACE)
        self.path = path
        self.clock = FakeClock(datetime.now(UTC))
        self.rng = random.Random(1)
        self.publisher = Instant()
        self.lock = HostLock(path)
        self.lock.acquire()
        self.poster = Poster(path, self.publisher, self.clock, self.lock, rng=self.rng)
        self.poster.recover()
        self._texts = itertools.count()
        with opened(path) as db, write_tx(db):
            db.conn.execute("CREATE TABLE raw (id INTEGER PRIMARY KEY, body TEXT) STRICT")

    def approve(self, count: int) -> None:
        for _ in range(count):
            add_approved(self.path, self.clock.now(), f"A text, number {next(self._texts)}.")

    def raw(self, db: Database, count: int) -> float:
        """Seconds for as many commits."""
        body = "x" * 280
        began = time.perf_counter()
        for _ in range(count):
            with write_tx(db):
                db.conn.execute("INSERT INTO raw (body) VALUES (?)", (body,))
        return time.perf_counter() - began

    def pairs(self, db: Database, count: int) -> float:
        """Seconds for as many claims with their outcomes."""
        stand = Stand(self.path, "x", "1", self.lock.epoch)
        began = time.perf_counter()
        for _ in range(count):
            self.clock.advance(GAP_S)
            claimed = claim(db, stand, self.clock, self.rng)
            assert isinstance(claimed, Claimed), claimed
            answer = self.publisher.publish(claimed.text, timeout_s=1, before_send=lambda: None)
            now = self.clock.now()
            settle(db, claimed.attempt.uuid, answer, now=now, rng=self.rng)
        return time.perf_counter() - began

    def rounds(self, count: int) -> float:
        """Seconds for as many whole rounds."""
        began = time.perf_counter()
        for _ in range(count):
            self.clock.advance(GAP_S)
            assert self.poster.post_next().kind == "posted"
        return time.perf_counter() - began


def run(folder: Path, posts: int) -> dict[str, object]:
    """The figures: rates a second (medians over blocks) and shares of the floor."""
    bench = Bench(folder / "bot.db")
    raw, pair, whole = [], [], []
    with opened(bench.path) as db:  # as in a running service: the WAL stays
        bench.raw(db, BLOCK)
        for _ in range(max(posts // (2 * BLOCK), 1)):
            bench.approve(2 * BLOCK)
            raw.append(2 * BLOCK / bench.raw(db, 2 * BLOCK))
            pair.append(2 * BLOCK / bench.pairs(db, BLOCK))
            whole.append(2 * BLOCK / bench.rounds(BLOCK))
    bench.lock.release()
    share = statistics.median(ours / floor for ours, floor in zip(pair, raw, strict=True))
    share_round = statistics.median(ours / floor for ours, floor in zip(whole, raw, strict=True))
    return {
        "raw_commits_per_s": round(statistics.median(raw)),
        "state_changes_per_s": round(statistics.median(pair)),
        "state_changes_per_s_in_rounds": round(statistics.median(whole)),
        "share_of_floor": round(share, 3),
        "share_of_floor_in_rounds": round(share_round, 3),
        "goal": GOAL,
        "blocks": len(raw),
        "posts": 2 * BLOCK * len(raw),
        "sqlite": sqlite3.sqlite_version,
        "python": platform.python_version(),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--posts", type=int, default=600)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        figures = run(Path(folder), options.posts)
    print(json.dumps(figures, indent=1))
    return 0 if float(str(figures["share_of_floor"])) >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
