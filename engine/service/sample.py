"""A made-up week for a first look: driven through the real functions, in a database of its own.

Nothing of it touches the bot's database, so it is removed by removing one file; its market is the
shipped sample market, marked so wherever it shows.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from engine.clock import FakeClock
from engine.config import Config
from engine.errors import QueueConflict, UsageError
from engine.llm.scripted import ScriptedModel
from engine.market.watch import watch_sample
from engine.posting import queue
from engine.posting.dry_run import DryRunPublisher
from engine.posting.lock import HostLock
from engine.posting.protocol import Poster
from engine.records import CONTENT_TYPES
from engine.service import schedule
from engine.service.desk import Footing, MarketDesk
from engine.service.fill import Filler
from engine.store import posts
from engine.store.database import opened
from engine.store.migrations import migrate
from engine.writing.generate import Writer
from engine.writing.shipped import ensure_templates

DAYS = 7
WHO = "sample operator"
LEFT_WAITING = timedelta(hours=1)
"""Drafts of the last hour are left for whoever looks, with one of each kind from just now."""


def fill(path: Path, *, now: datetime, days: int = DAYS) -> None:
    """Make the sample database at ``path``: slots, drafts, decisions and dry-run posts.

    Raises: UsageError where there is one already.
    """
    if path.exists():
        raise UsageError("sample data is shown already. Remove it first.")
    workshop = Path(tempfile.mkdtemp(prefix=".sample-", dir=path.parent))
    try:
        _live(workshop / path.name, now=now, days=days)
        (workshop / path.name).replace(path)
    finally:
        shutil.rmtree(workshop)


def remove(path: Path) -> None:
    """Take the sample away; nothing happens where there is none."""
    for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        file.unlink(missing_ok=True)


class _SampleDesk(MarketDesk):
    """A market desk that never looks outside."""

    def footing(self) -> Footing:
        with opened(self._db_path) as db:
            return Footing(watch_sample(db, self._clock, "a sample week").snapshot)


def _live(path: Path, *, now: datetime, days: int) -> None:
    """Let the bot work through the days, hour by hour, on a clock of its own."""
    start = (now - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    clock, rng = FakeClock(start), random.Random(7)
    with opened(path) as db:
        migrate(db)
        ensure_templates(db, now=start)
        schedule.ensure_default_schedule(db, "UTC", start)
    desk = _SampleDesk(path, Config(db=path), clock)
    filler = Filler(path, Writer(path, ScriptedModel(), clock, rng), desk, clock, rng, "dry_run")
    with HostLock(path) as lock:
        poster = Poster(path, DryRunPublisher(path, clock), clock, lock, rng=rng)
        poster.recover()
        for hour in range(days * 24 + 1):
            desk.footing()
            with opened(path) as db:
                schedule.plan_slots(db, clock.now())
                schedule.sweep(db, clock.now())
            asleep = hour // 24 == 2 and clock.now().hour in range(8, 11)
            if not asleep:  # so that a slot of the third day is missed
                filler.fill_due()
            if now - clock.now() > LEFT_WAITING:
                _decide(path, clock)
            poster.post_next()
            clock.advance(3600)
        clock.set_wall(now)
        for content_type in CONTENT_TYPES:
            filler.write_now(content_type)
    with opened(path) as db:
        db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _decide(path: Path, clock: FakeClock) -> None:
    """What an operator would do with what waits."""
    with opened(path) as db:
        for post in posts.listing(db, state="pending_approval"):
            try:
                if post.id % 9 == 0:
                    queue.reject(
                        db, post.id, revision=post.revision, reason="dull", actor=WHO,
                        now=clock.now(),
                    )  # fmt: skip
                else:
                    queue.approve(db, post.id, revision=post.revision, actor=WHO, now=clock.now())
            except QueueConflict:  # went stale: it is written anew
                continue
