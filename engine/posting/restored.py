"""After a restore, X may know posts that the database does not: read before posting again.

Facts: reliability-and-security §3, F29. ``restore`` leaves a mark in the service state (and the
host lock notices a database older than its last runner); while it stands, no post is claimed for X.
A dry run's posts are in the database itself: it neither waits for the mark nor takes it away.
"""

from __future__ import annotations

import random
import uuid
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database

from engine.clock import Clock, iso
from engine.posting import killswitch, outcome, spend
from engine.posting.publisher import Answer, Publisher, SeenPost
from engine.store import approvals, attempts, posting, posts, service_state, settings
from engine.store.attempts import Intent
from engine.store.database import opened, write_tx
from engine.store.posts import Post, text_key

RETRY_S = 20.0


class RestoredCheck:
    """Compares the account's timeline with the queue, over the quiet period."""

    def __init__(
        self, db_path: Path, publisher: Publisher, clock: Clock, rng: random.Random
    ) -> None:
        self._path, self._publisher, self._clock, self._rng = db_path, publisher, clock, rng
        self._full: list[float] = []
        self._last: float | None = None

    def run(self) -> bool:
        """One look if the mark stands and a look is due; true once nothing is left to check."""
        if not self._publisher.lags:
            return True
        with opened(self._path) as db:
            if service_state.get(db, service_state.RECONCILE_REQUIRED) is None:
                return True
            quiet = float(settings.get(db, "posting.quiet_period_s"))
            reads = int(settings.get(db, "posting.reconcile_reads"))
            if not self._is_due(db, quiet / max(reads - 1, 1)):
                return False
            self._look(db)
            full = self._full
            if len(full) < reads or full[-1] - full[0] < quiet:
                return False
            service_state.drop(db, service_state.RECONCILE_REQUIRED)
            self._full, self._last = [], None
            return True

    def _is_due(self, db: Database, pause: float) -> bool:
        blocked = posting.blocked_until(db, self._publisher.account, reads=True)
        if blocked and blocked[0] > iso(self._clock.now()):
            return False
        if self._last is None:
            return True
        wait = pause if self._full and self._full[-1] == self._last else min(pause, RETRY_S)
        return self._clock.boottime() - self._last >= wait

    def _look(self, db: Database) -> None:
        account, now = self._publisher.account, self._clock.now()
        known = attempts.newest_id(db, account)
        read = self._publisher.timeline(newest_known_id=known, since=None)
        self._last = self._clock.boottime()
        ids = {seen.x_post_id for seen in read.posts}
        if read.complete and (known is None or known in ids):
            self._full.append(self._last)
        with write_tx(db):
            spend.charge_reads(
                db, "own_read", read.resources, settings.get_all(db),
                publisher=self._publisher.name, now=now,
            )  # fmt: skip
            if read.retry_at:
                posting.block(db, account, read.retry_at, read.reason, reads=True)
            if read.trip:
                killswitch.record(db, actor="runner", reason=read.trip, now=now)
            for seen in read.posts:
                if not attempts.is_linked(db, seen.x_post_id):
                    self._take_in(db, seen, now)

    def _take_in(self, db: Database, seen: SeenPost, now: datetime) -> None:
        """A post on X that this database did not know."""
        key = text_key(seen.text)
        for post in approvals.live_with_text(db, key):
            if post.state in ("unknown", "held"):
                return  # its own attempt is looked for by its own rules
            if post.state == "approved":
                self._adopt(db, post, seen, now)
                return
            if post.state == "pending_approval":
                why = f"it is on X already as {seen.x_post_id}"
                posts.move(db, post, "rejected", actor="runner", now=now, reason=why)
        attempts.add_foreign(db, seen.x_post_id, key, created_at=seen.created_at, now=now)

    def _adopt(self, db: Database, post: Post, seen: SeenPost, now: datetime) -> None:
        """An approved post that X has: an attempt that says so, without sending."""
        intent = Intent(
            uuid=str(uuid.UUID(int=self._rng.getrandbits(128), version=4)),
            publisher=self._publisher.name,
            account=self._publisher.account,
            epoch=posting.runner(db).epoch,
            boot_id=self._clock.boot_id(),
            started_boottime=self._clock.boottime(),
            deadline_boottime=self._clock.boottime(),
        )
        attempts.insert(db, post, intent, now=now)
        posts.move(
            db, post, "publishing", actor="runner", now=now, what="found on X after a restore"
        )
        answer = Answer("posted", "found on X after a restore", seen.x_post_id)
        outcome.settle(db, intent.uuid, answer, now=now, rng=self._rng, x_time=seen.created_at)
