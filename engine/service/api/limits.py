"""Rate limits: buckets in the database, drawn from in handfuls so that most requests write nothing.

What was drawn and not used when the runner ends is lost to the caller, never gained.
"""

from __future__ import annotations

import asyncio
import logging
import math
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database
from starlette.concurrency import run_in_threadpool

from engine.clock import Clock
from engine.errors import BuzzError
from engine.log import event
from engine.service.api.problems import Problem
from engine.store import buckets
from engine.store.database import opened

logger = logging.getLogger(__name__)

HANDFUL = 2_000
STALE_S = 60.0
"""A handful older than this goes back to the draw, which also notes that a token is in use."""


@dataclass
class _Handful:
    permits: int
    drawn_at: float


class Limiter:
    """Used from the event loop alone."""

    def __init__(self, db_path: Path, clock: Clock) -> None:
        self._db_path, self._clock = db_path, clock
        self._held: dict[str, _Handful] = {}
        self._lock = asyncio.Lock()

    async def take(
        self,
        name: str,
        per_minute: int,
        on_draw: Callable[[Database], None] = lambda db: None,
    ) -> None:
        """One permit of bucket ``name``; ``on_draw`` joins the write when one is due.

        Raises: Problem 429 with Retry-After.
        """
        if self._use(name):
            return
        async with self._lock:
            if self._use(name):
                return
            permits, wait_s = await run_in_threadpool(self._draw, name, per_minute, on_draw)
            now = self._clock.boottime()
            self._held = {
                key: held for key, held in self._held.items() if now - held.drawn_at <= STALE_S
            }
            self._held[name] = _Handful(permits, now)
        if not self._use(name):
            seconds = max(1, math.ceil(wait_s))
            detail = f"At most {per_minute} requests a minute. Try again in {seconds} s."
            raise Problem(429, detail, {"Retry-After": str(seconds)})

    def _use(self, name: str) -> bool:
        held = self._held.get(name)
        if held is None or held.permits < 1 or self._clock.boottime() - held.drawn_at > STALE_S:
            return False
        held.permits -= 1
        return True

    def _draw(
        self, name: str, per_minute: int, on_draw: Callable[[Database], None]
    ) -> tuple[int, float]:
        want = max(1, min(HANDFUL, per_minute // 20))
        try:
            with opened(self._db_path) as db:
                on_draw(db)
                return buckets.draw(db, name, capacity=per_minute, want=want, now=self._clock.now())
        except (BuzzError, sqlite3.Error) as error:
            # a full disk must not hide the figures that show it
            event(logger, logging.WARNING, "rate limit not kept", error=str(error))
            return 1, 0.0
