"""What the fault tests share: a bot on a database, an X, a clock, an operator."""

from __future__ import annotations

import os
import random
import shutil
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.clock import Clock
from engine.config import SOURCE_HOSTS, Config, Secret
from engine.posting import killswitch, queue, spend
from engine.posting.lock import HostLock
from engine.posting.protocol import Poster, Round
from engine.posting.publisher import Publisher
from engine.posting.x import XPublisher
from engine.records import Facts, Snapshot, Verdict
from engine.store import attempts, posts, settings, snapshots
from engine.store.attempts import Attempt
from engine.store.database import opened
from engine.store.posts import NewPost, Post
from tests.faults.x_server import KEYS, XServer

QUICK: dict[str, Any] = {
    "posting.min_gap_s": 0,
    "posting.hourly_cap": 100,
    "posting.daily_cap": 500,
    "posting.attempt_timeout_s": 10,  # patience; tests of silence set their own
    "posting.monthly_budget_usd": 1_000,
}


NOBODY = "http://127.0.0.1:9"
MEMORY, ROOM = Path("/dev/shm"), 512_000_000


def scratch() -> Path | None:
    """Where campaigns keep their files: in memory, where it has room. What a killed process has
    written is there for the next one, on a disk or not; only a power cut would tell them apart."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        return MEMORY
    return None


def x_config(url: str, db_path: Path) -> Config:
    """The configuration of a bot that posts to this X."""
    keys = {name: Secret(value) for name, value in KEYS.items()}
    return Config(db=db_path, publisher="x", x_url=url, x_keys=keys)


def environment(db_path: Path, **more: str) -> dict[str, str]:
    """For ``runner.py`` as a process: no source answers, and the scripted model writes."""
    keep = ("PATH", "HOME", "LANG", "TMPDIR")
    return {
        **{name: os.environ[name] for name in keep if name in os.environ},
        **{f"BTCBUZZ_{name}_URL": NOBODY for name in SOURCE_HOSTS},
        "BTCBUZZ_FEEDS": NOBODY,
        "BTCBUZZ_DB": str(db_path),
        "BTCBUZZ_LLM": "scripted",
        **more,
    }


def on_x(url: str) -> dict[str, str]:
    """What :func:`environment` needs more to post to this X."""
    return {**KEYS, "BTCBUZZ_PUBLISHER": "x", "BTCBUZZ_X_URL": url}


def put_settings(db_path: Path, now: datetime, **values: Any) -> None:
    """Settings by name, or with ``__`` for the dot: ``posting__min_gap_s=0``."""
    with opened(db_path) as db:
        for name, value in values.items():
            settings.put(db, name.replace("__", "."), value, actor="test", now=now)


def add_snapshot(db_path: Path, now: datetime, price: float = 90_000.0) -> int:
    """A live snapshot taken now."""
    with opened(db_path) as db:
        taken = snapshots.insert(
            db, Snapshot(Facts(as_of=now, price_usd=price), world="live"), now=now
        )
    assert taken.id is not None
    return taken.id


def add_approved(db_path: Path, now: datetime, text: str, **fields: Any) -> int:
    """A post a person has approved; answers its id."""
    with opened(db_path) as db:
        post_id = add_waiting(db_path, now, text, **fields)
        queue.approve(db, post_id, revision=1, actor="anna", now=now)
    return post_id


def add_waiting(db_path: Path, now: datetime, text: str, **fields: Any) -> int:
    """A post that waits for approval; answers its id."""
    values = {"content_type": "joke", "origin": "model", "world": "live", "model_name": "m"}
    new = NewPost(text=text, verdict=Verdict(), **(values | fields))
    with opened(db_path) as db:
        post_id = posts.insert(db, new, actor="writer", now=now)
        assert queue.submit(db, post_id, actor="runner", now=now) == "pending_approval"
    return post_id


@dataclass
class Rig:
    """A runner's posting half on one database, over loopback HTTP."""

    db_path: Path
    clock: Clock
    x: XServer
    publisher: Publisher = field(init=False)
    poster: Poster = field(init=False)
    lock: HostLock = field(init=False)
    rng: random.Random = field(default_factory=lambda: random.Random(7))

    def __post_init__(self) -> None:
        now = self.clock.now()
        put_settings(self.db_path, now, **QUICK)
        self.publisher = XPublisher(x_config(self.x.url, self.db_path), self.clock)
        self.lock = HostLock(self.db_path)
        self.start()

    def start(self) -> list[int]:
        """A runner begins its life."""
        self.lock.acquire()
        self.poster = Poster(self.db_path, self.publisher, self.clock, self.lock, rng=self.rng)
        return self.poster.recover()

    def end(self) -> None:
        """The runner's process is gone; its lock with it."""
        self.lock.release()

    def restart(self) -> list[int]:
        self.end()
        return self.start()

    def impatient(self) -> None:
        """Calls end after a moment: for an X that never answers."""
        self.settings(posting__attempt_timeout_s=0.3)

    def approved(self, text: str = "A coin walks into a block.", **fields: Any) -> int:
        return add_approved(self.db_path, self.clock.now(), text, **fields)

    def settings(self, **values: Any) -> None:
        put_settings(self.db_path, self.clock.now(), **values)

    def round(self) -> Round:
        return self.poster.post_next()

    def post(self, post_id: int) -> Post:
        with opened(self.db_path) as db:
            return posts.need(db, post_id)

    def attempts(self, post_id: int) -> list[Attempt]:
        with opened(self.db_path) as db:
            return attempts.of_post(db, post_id)

    def spent(self) -> float:
        """US dollars of this month."""
        with opened(self.db_path) as db:
            return spend.month_to_date(db, self.clock.now())

    def is_stopped(self) -> bool:
        with opened(self.db_path) as db:
            return killswitch.is_on(db, self.db_path)

    def reconcile_until_decided(self, most: int = 12, step_s: float = 450.0) -> list[str]:
        """Let time pass and look, until no attempt is unsure; the kinds decided, in order."""
        kinds = []
        for _ in range(most):
            kinds += [done.kind for done in self.poster.reconcile()]
            with opened(self.db_path) as db:
                if not attempts.unsolved(db):
                    break
            self.clock.advance(step_s)  # type: ignore[attr-defined]
        return kinds
