"""The collector: own posts' counts at 1, 6, 24, 48 hours and 7 days, followers once a day.

Every age is read once and stays. An age that was missed is not made up: the next one due is read
with the age it really has. Newest posts are read first, and a slice that fails waits on its own,
so that nothing old can starve what is new.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlite_utils import Database

from engine.clock import Clock, doubling_s, iso, parse_iso
from engine.learning.x_metrics import Reading, XMetrics
from engine.log import event
from engine.posting import killswitch, spend
from engine.store import metrics, posting, settings
from engine.store.database import opened, write_tx
from engine.store.metrics import AGES_H, Counts, Unread

logger = logging.getLogger(__name__)

SLICE = 100
MOST_CALLS = 30
"""Calls of one round; X allows 900 in 15 minutes."""

RETRY_FIRST_S = 300.0
RETRY_LONGEST_S = 6 * 3600.0

PRIVATE_FOR = timedelta(days=29)
"""X gives private counts for 30 days; a day is left for clocks and zones."""


@dataclass(frozen=True)
class Due:
    """A post whose count for ``age_h`` is to be read now."""

    post: Unread
    age_h: int


@dataclass(frozen=True)
class Collected:
    """What a round brought; ``waiting`` are posts whose read failed or did not fit the budget."""

    stored: int = 0
    gone: int = 0
    waiting: int = 0
    reason: str = ""


class Collector:
    """Reads engagement of one account on X; used from one thread at a time."""

    def __init__(self, db_path: Path, source: XMetrics, clock: Clock) -> None:
        self._path, self._source, self._clock = db_path, source, clock
        self._failed: dict[int, tuple[int, float]] = {}  # post: tries, boot time of the next

    def run(self) -> Collected:
        """Read whatever is due; every slice is stored before the next is asked for."""
        with opened(self._path) as db:
            if not settings.get(db, "learning.collect") or self._is_blocked(db):
                return Collected()
            self._read_followers(db)
            own = metrics.on_x(db, self._source.account, self._clock.now())
            slices = _slices(own, {due.post.post_id: due for due in self._due(own)})
            total = Collected()
            for part in slices[:MOST_CALLS]:
                done = self._read_slice(db, part)
                total = Collected(
                    total.stored + done.stored, total.gone + done.gone,
                    total.waiting + done.waiting, done.reason or total.reason,
                )  # fmt: skip
                if self._is_blocked(db):
                    break
            return total

    # -- what is due -------------------------------------------------------------------------

    def _due(self, own: Sequence[Unread]) -> list[Due]:
        now, boottime = self._clock.now(), self._clock.boottime()
        found = []
        for post in own:
            age = hours_since(post.posted_at, now)
            reached = max((age_h for age_h in AGES_H if age_h <= age), default=0)
            later = self._failed.get(post.post_id, (0, 0.0))[1]
            if reached > post.newest_age_h and boottime >= later:
                found.append(Due(post, reached))
        return found

    def _is_blocked(self, db: Database) -> bool:
        blocked = posting.blocked_until(db, self._source.account, reads=True)
        return blocked is not None and blocked[0] > iso(self._clock.now())

    # -- one slice ---------------------------------------------------------------------------

    def _read_slice(self, db: Database, part: Sequence[Due]) -> Collected:
        if not self._fits(db, "own_read", len(part)):
            return Collected(waiting=len(part), reason="the month's budget is spent")
        ids = sorted((due.post.x_post_id for due in part), key=int)
        oldest = min(parse_iso(due.post.posted_at) for due in part)
        private = self._clock.now() - oldest < PRIVATE_FOR
        reading = self._source.slice(ids[0], ids[-1], private=private)
        self._book(db, "own_read", reading)
        stored = self._store(db, part, reading.counts)
        missing = [due for due in part if due.post.x_post_id not in reading.counts]
        if not missing:
            return Collected(stored)
        if not reading.complete:
            self._postpone(missing)
            event(logger, logging.WARNING, "engagement not read", reason=reading.reason)
            return Collected(stored, waiting=len(missing), reason=reading.reason)
        found = self._look_up(db, missing)
        return Collected(stored + found.stored, found.gone, found.waiting, found.reason)

    def _look_up(self, db: Database, missing: Sequence[Due]) -> Collected:
        """Posts that the timeline did not show: hidden for now, or gone for good."""
        if not self._fits(db, "read", len(missing)):
            return Collected(waiting=len(missing), reason="the month's budget is spent")
        reading = self._source.lookup([due.post.x_post_id for due in missing])
        self._book(db, "read", reading)
        stored = self._store(db, missing, reading.counts)
        gone = [due for due in missing if due.post.x_post_id in reading.gone]
        for due in gone:
            metrics.mark_gone(db, due.post.post_id, self._clock.now())
        left = [
            due for due in missing if due.post.x_post_id not in reading.counts and due not in gone
        ]
        self._postpone(left)
        return Collected(stored, len(gone), len(left), reading.reason)

    def _store(self, db: Database, part: Sequence[Due], counts: dict[str, Counts]) -> int:
        now = self._clock.now()
        stored = 0
        with write_tx(db):
            for due in part:
                if due.post.x_post_id in counts:
                    stored += metrics.add(
                        db, due.post.post_id, due.age_h, hours_since(due.post.posted_at, now),
                        counts[due.post.x_post_id], source="x", now=now,
                    )  # fmt: skip
                    self._failed.pop(due.post.post_id, None)
        return stored

    def _postpone(self, part: Sequence[Due]) -> None:
        for due in part:
            tries = self._failed.get(due.post.post_id, (0, 0.0))[0] + 1
            wait = doubling_s(tries, RETRY_FIRST_S, RETRY_LONGEST_S)
            self._failed[due.post.post_id] = (tries, self._clock.boottime() + wait)

    # -- money and followers -----------------------------------------------------------------

    def _fits(self, db: Database, kind: str, quantity: int) -> bool:
        rules = settings.get_all(db)
        cost = float(rules[f"posting.cost_{kind}_usd"]) * quantity
        spent = spend.month_to_date(db, self._clock.now(), "x")
        return spent + cost <= float(rules["posting.monthly_budget_usd"]) + 1e-9

    def _book(self, db: Database, kind: str, reading: Reading) -> None:
        now = self._clock.now()
        with write_tx(db):
            spend.charge_reads(
                db, kind, reading.resources, settings.get_all(db), publisher="x", now=now
            )
            if reading.retry_at:
                posting.block(
                    db, self._source.account, reading.retry_at, reading.reason, reads=True
                )
            if reading.trip:
                killswitch.record(db, actor="runner", reason=reading.trip, now=now)

    def _read_followers(self, db: Database) -> None:
        now, account = self._clock.now(), self._source.account
        if metrics.has_followers_of(db, account, now) or not self._fits(db, "user_read", 1):
            return
        tries, later = self._failed.get(0, (0, 0.0))  # 0 is no post's id
        if self._clock.boottime() < later:
            return
        count = self._source.followers()
        if isinstance(count, Reading):
            self._failed[0] = (
                tries + 1,
                self._clock.boottime() + doubling_s(tries + 1, RETRY_FIRST_S, RETRY_LONGEST_S),
            )
            self._book(db, "user_read", count)
            return
        self._failed.pop(0, None)
        self._book(db, "user_read", Reading(True, resources=1))
        metrics.add_followers(db, account, count, now=now)


def hours_since(moment: str, now: datetime) -> float:
    return (now - parse_iso(moment)).total_seconds() / 3600


def _slices(own: Sequence[Unread], due: dict[int, Due]) -> list[list[Due]]:
    """Due posts that follow one another on the timeline are one read; newest slices first.

    Nothing that is not due is ever inside a slice: every resource costs money.
    """
    slices: list[list[Due]] = []
    adjacent = False
    for post in own:
        if post.post_id not in due:
            adjacent = False
            continue
        if not adjacent or len(slices[-1]) == SLICE:
            slices.append([])
        slices[-1].append(due[post.post_id])
        adjacent = True
    return slices
