"""The soak: ``python -m tests.benchmarks.soak [--minutes 40] [--speed 100] [--seed 8] [--out DIR]``.

A real ``runner.py run --api`` on the fullest schedule the product allows (a slot every 15 minutes)
made ``--speed`` times denser, while model, sources, X and disk fail in turn, each twice. The
database holds a month of posts, so that what the checks compare with has its full size. Slots are
written beforehand; waits that the product counts in minutes are shortened by
the same factor where their settings allow it; ticks, timeouts and jobs keep their real pace.

Writes ``soak.csv`` (a row a sample), ``soak.svg`` and ``soak.json``; prints the JSON and exits 1
if a promise was broken or something grew. Ticks are heard as systemd hears them, by the watchdog.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from engine.checks import repetition
from engine.clock import SystemClock, iso
from engine.errors import BuzzError
from engine.records import Verdict
from engine.service import heartbeat
from engine.store import posts
from engine.store.database import opened, write_tx
from engine.store.posts import NewPost
from tests.benchmarks.soak_figure import draw
from tests.benchmarks.soak_world import PHASES, World
from tests.faults.judge import judge
from tests.faults.operator import Operator, fresh_database
from tests.faults.x_server import KEYS

ROOT = Path(__file__).resolve().parents[2]
FULLEST_S = 900.0
SAMPLE_S = 2.0
OPERATOR_EVERY_S = 5.0
SETTLE_S = 180.0
HISTORY = 30 * 96
TYPES = ("price",) * 4 + ("joke", "motivation") + ("news",) * 2

TOLERATED = {"rss_mb": 2.0, "handles": 1.0, "threads": 1.0, "wal_mb": 1.0}
"""Growth an hour that is none: the whole interval must lie above it to be called growth."""


@dataclass(frozen=True)
class Sample:
    """One look; ``gap_s`` is the longest wait between two ticks since the last look."""

    seconds: float
    phase: str
    rss_mb: float
    handles: int
    threads: int
    wal_mb: float
    db_mb: float
    heartbeat_s: float
    gap_s: float
    answers: bool  # the API's liveness


class Ticks:
    """The service manager's ear: the runner's watchdog messages and the gaps between them."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._last: float | None = None
        self._longest = 0.0
        self.count = 0
        self._guard = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                message = self._socket.recv(256)
                if b"WATCHDOG=1" not in message:
                    continue
                now = time.monotonic()
                with self._guard:
                    if self._last is not None:
                        self._longest = max(self._longest, now - self._last)
                    self._last, self.count = now, self.count + 1

    def longest_gap(self) -> float:
        """Seconds, since the last question; the gap that is still open counts."""
        with self._guard:
            open_gap = time.monotonic() - self._last if self._last is not None else 0.0
            longest, self._longest = max(self._longest, open_gap), 0.0
            return longest


def prepare(db_path: Path, minutes: float, speed: float, rng: random.Random) -> int:
    """A database whose calendar and waits are ``speed`` times faster; answers how many slots."""
    short = {
        "content.lead_s": 1_800 / speed,
        "content.max_seconds": 10,
        "model.timeout_s": 3,
        "breaker.cooling_s": 5,
        "breaker.cooling_max_s": 30,
        "market.poll_s": 30,
        "posting.draft_ttl_s": max(60, 43_200 / speed),
        "posting.attempt_timeout_s": 2,
        "posting.slot_grace_s": 60,
        "posting.price_slot_grace_s": 30,
        "posting.max_snapshot_age_s": 60,
        "service.min_free_mb": 1,
    }
    fresh_database(db_path, quiet_s=900 / speed, reads=3, **short)
    remember(db_path, rng)
    begin, step = datetime.now(UTC) + timedelta(seconds=10), FULLEST_S / speed
    count = int(minutes * 60 / step)
    with opened(db_path) as db, write_tx(db):
        for number in range(count):
            due = begin + timedelta(seconds=number * step)
            db.conn.execute(
                "INSERT INTO slots (slot_key, local_date, local_time, zone, due_at, content_type, "
                "created_at) VALUES (?, ?, ?, 'UTC', ?, ?, ?)",
                (f"soak|{number:06d}", f"{due:%Y-%m-%d}", f"{due:%H:%M}", iso(due),
                 rng.choice(TYPES), iso(begin)),
            )  # fmt: skip
    return count


def remember(db_path: Path, rng: random.Random) -> None:
    """A month of posts at the fullest schedule, all of them over."""
    words = [f"word{number}" for number in range(3_000)]
    with opened(db_path) as db, write_tx(db):
        for number in range(HISTORY):
            at = datetime.now(UTC) - timedelta(minutes=15 * (HISTORY - number))
            text = " ".join(rng.choices(words, k=14)) + f" {number}."
            new = NewPost("joke", text, Verdict(), "model", "live")
            post_id = posts.insert(db, new, actor="soak", now=at)
            repetition.remember(db, post_id, text, at)
            post = posts.need(db, post_id)
            posts.move(db, post, "rejected", actor="soak", now=at, reason="history")


class Soak:
    """One runner in one world."""

    def __init__(self, folder: Path, world: World, minutes: float) -> None:
        self.db_path, self.world, self.minutes = world.db_path, world, minutes
        self.ticks = Ticks(folder / "notify")
        self.operator = Operator(self.db_path, world.x)
        self.samples: list[Sample] = []
        self._log = folder / "runner.log"
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            self._api = f"127.0.0.1:{free.getsockname()[1]}"
        keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._environment = {
            **keep, **KEYS, **world.environment(),
            "BTCBUZZ_DB": str(self.db_path), "BTCBUZZ_LLM": "ollama",
            "BTCBUZZ_MODEL": "llama3:8b", "BTCBUZZ_PUBLISHER": "x",
            "BTCBUZZ_LOG_LEVEL": "WARNING", "NOTIFY_SOCKET": str(folder / "notify"),
        }  # fmt: skip

    def run(self) -> int:
        """Live through all phases twice, then in peace; the runner's exit status."""
        with self._log.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "runner.py", "run", "--api", self._api],
                cwd=ROOT, env=self._environment, stdout=log, stderr=log,
            )  # fmt: skip
        self.world.pid = process.pid
        # somebody else has the database open, as a console does: the WAL stays
        with opened(self.db_path, "ro"):
            return self._through(process)

    def _through(self, process: subprocess.Popen[bytes]) -> int:
        try:
            began = time.monotonic()
            weather = [*PHASES, *PHASES]
            for number, phase in enumerate(weather, 1):
                self.world.calm()
                phase.start(self.world)
                until = began + self.minutes * 60 * number / len(weather)
                self._live(process, phase.name, began, until)
            self.world.calm()
            self._live(process, "settling", began, time.monotonic() + SETTLE_S)
            return self._end(process)
        finally:
            process.kill()
            process.wait()

    def said(self) -> str:
        """The end of the runner's log."""
        return self._log.read_text("utf-8", "replace")[-4_000:]

    def _live(
        self, process: subprocess.Popen[bytes], phase: str, began: float, until: float
    ) -> None:
        """Until then; while settling, until everything has its end."""
        handle, operated = psutil.Process(process.pid), 0.0
        while time.monotonic() < until and process.poll() is None:
            self.world.turn()
            if time.monotonic() - operated >= OPERATOR_EVERY_S:
                operated = time.monotonic()
                # somebody was faster, or the disk is full: the next look sees it again
                with suppress(BuzzError, sqlite3.Error):
                    self.operator.work()
            if self.ticks.count:
                self.samples.append(self._look(handle, phase, time.monotonic() - began))
            if phase == "settling" and not self.operator.left():
                return
            time.sleep(SAMPLE_S)

    def _look(self, handle: psutil.Process, phase: str, seconds: float) -> Sample:
        wal = self.db_path.with_name(self.db_path.name + "-wal")
        with opened(self.db_path, "ro") as db:
            age = heartbeat.age_s(db, SystemClock())
        with handle.oneshot():
            return Sample(
                round(seconds, 1), phase, round(handle.memory_info().rss / 1e6, 2),
                handle.num_fds(), handle.num_threads(),
                round(wal.stat().st_size / 1e6 if wal.exists() else 0.0, 3),
                round(self.db_path.stat().st_size / 1e6, 3),
                round(age or 0.0, 2), round(self.ticks.longest_gap(), 2), self._answers(),
            )  # fmt: skip

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(
                f"http://{self._api}/api/v1/health/live", timeout=2
            ) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _end(self, process: subprocess.Popen[bytes]) -> int:
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(40)
        except subprocess.TimeoutExpired:
            return -1


def slope(samples: Sequence[Sample], name: str) -> dict[str, Any]:
    """Theil-Sen over the medians of each minute, an hour: the slope, its 95 % interval, verdict."""
    from scipy.stats import theilslopes

    minutes: dict[int, list[float]] = {}
    for sample in samples:
        minutes.setdefault(int(sample.seconds // 60), []).append(float(getattr(sample, name)))
    times = [minute / 60 for minute in minutes]
    found = theilslopes([statistics.median(group) for group in minutes.values()], times, 0.95)
    return {
        "per_hour": round(float(found.slope), 3),
        "interval": [round(float(found.low_slope), 3), round(float(found.high_slope), 3)],
        "minutes": len(minutes),
        "first": round(float(getattr(samples[0], name)), 2),
        "last": round(float(getattr(samples[-1], name)), 2),
        "grows": bool(found.low_slope > TOLERATED.get(name, float("inf"))),
    }


def verdict_on(samples: Sequence[Sample]) -> dict[str, Any]:
    """Growth over the second half, in which every fault comes once, and the pauses."""
    life = [sample for sample in samples if sample.phase != "settling"]
    late = life[len(life) // 2 :]
    full = [sample.seconds for sample in life if sample.phase == "disk full"]
    # a pulse that could not be written is old for a moment longer than the disk is full
    unwritten = [
        sample for sample in life
        if any(0 <= sample.seconds - at <= sample.heartbeat_s + 2 * SAMPLE_S for at in full)
    ]  # fmt: skip
    written = [sample for sample in life if sample not in unwritten]
    return {
        "growth": {name: slope(late, name) for name in (*TOLERATED, "db_mb")},
        "longest_tick_gap_s": max(sample.gap_s for sample in life),
        "oldest_heartbeat_s": max(sample.heartbeat_s for sample in written),
        "oldest_heartbeat_while_disk_full_s": max(
            (sample.heartbeat_s for sample in unwritten), default=None
        ),
        "api_silent": sum(not sample.answers for sample in life),
        "samples": len(life),
    }


def ends(db_path: Path) -> dict[str, dict[str, int]]:
    """How slots, posts and attempts ended, and why slots were not filled."""
    with opened(db_path, "ro") as db:
        return {
            name: dict(
                db.conn.execute(
                    f"SELECT {column}, count(*) FROM {table} GROUP BY 1 ORDER BY 2 DESC"
                ).fetchall()
            )
            for name, table, column in (
                ("slots", "slots WHERE slot_key LIKE 'soak|%'", "state"),
                ("reasons", "slots WHERE reason IS NOT NULL", "substr(reason, 1, 60)"),
                ("posts", "posts", "state"),
                ("attempts", "attempts", "outcome"),
                ("calls", "generation_params", "outcome"),
            )
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=40.0)
    parser.add_argument("--speed", type=float, default=100.0)
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--out", type=Path, default=Path("build/soak"))
    args = parser.parse_args()
    if args.minutes < 5:
        parser.error("a slope needs at least 5 minutes")
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="soak") as name:
        folder = Path(name)
        with World(folder, args.seed) as world:
            planned = prepare(world.db_path, args.minutes, args.speed, world.rng)
            soak = Soak(folder, world, args.minutes)
            status = soak.run()
            result = {
                "minutes": args.minutes, "speed": args.speed, "seed": args.seed,
                "slots_planned": planned, "exit_status": status, "ticks": soak.ticks.count,
                "ends": ends(world.db_path), "promises": asdict(judge(world.db_path, world.x)),
                **verdict_on(soak.samples),
            }  # fmt: skip
        write(args.out, soak.samples, result)
        print(json.dumps(result, indent=2, ensure_ascii=False))
        kept = is_good(result)
        if not kept:
            print(soak.said(), file=sys.stderr)
    return 0 if kept else 1


def is_good(result: dict[str, Any]) -> bool:
    """No broken promise, no growth, an orderly end."""
    promises = result["promises"]
    broken = sum(promises[name] for name in ("doubles", "lost", "phantoms", "unexplained"))
    growing = any(found["grows"] for found in result["growth"].values())
    return not (broken or promises["damage"] or growing or result["exit_status"])


def write(out: Path, samples: Sequence[Sample], result: dict[str, Any]) -> None:
    """The rows, the figure and the verdict."""
    with (out / "soak.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, [field.name for field in fields(Sample)])
        rows.writeheader()
        rows.writerows(asdict(sample) for sample in samples)
    (out / "soak.svg").write_text(draw([asdict(sample) for sample in samples]), encoding="utf-8")
    (out / "soak.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
