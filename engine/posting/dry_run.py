"""The publisher that posts to a local append-only table, by the very same protocol."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from engine.clock import Clock, SystemClock, parse_iso
from engine.errors import PostingStopped
from engine.posting.publisher import Answer, SeenPost, TimelineRead
from engine.store import dry_run
from engine.store.database import opened

PREFIX = "dry-"


class DryRunPublisher:
    """Nothing leaves the machine; ids begin with ``dry-``."""

    name = "dry_run"
    account = "dry-run"
    public = False
    lags = False

    def __init__(self, db_path: Path, clock: Clock | None = None) -> None:
        self._db_path = db_path
        self._clock = clock or SystemClock()

    def publish(self, text: str, *, timeout_s: float, before_send: Callable[[], None]) -> Answer:
        try:
            before_send()
        except PostingStopped as stop:
            return Answer("not_sent", str(stop))
        with opened(self._db_path) as db:
            number = dry_run.append(db, text, now=self._clock.now())
        return Answer("posted", x_post_id=f"{PREFIX}{number}")

    def timeline(self, *, newest_known_id: str | None, since: datetime | None) -> TimelineRead:
        known = int(newest_known_id.removeprefix(PREFIX)) if newest_known_id else None
        with opened(self._db_path) as db:
            rows = dry_run.listing(db, from_number=known, since=since)
        posts = tuple(
            SeenPost(f"{PREFIX}{number}", text, parse_iso(at)) for number, text, at in rows
        )
        return TimelineRead(True, posts, len(posts))

    def created_at(self, x_post_id: str) -> datetime | None:
        return None
