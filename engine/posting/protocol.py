"""The posting protocol: nothing twice, nothing lost (facts: reliability-and-security §2.2).

1. the host lock is held for life, an epoch in the database tells whose turn it is;
2. T1 commits the intent (claim.py);
3. guards are read again as the last thing before anything leaves;
4. one call, one connection, no retries (the publisher);
5. T2 records the outcome (outcome.py), or the spool file keeps it until the database can;
6. an attempt without an outcome past its deadline is unsure, and reconciled (reconcile.py).
"""

from __future__ import annotations

import logging
import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database

from engine.clock import Clock
from engine.errors import DatabaseUnusable, PostingStopped, QueueConflict, StoreError
from engine.log import event
from engine.posting import killswitch, outcome, queue, spool
from engine.posting.claim import SEND_WITHIN_S, Claimed, Refusal, Stand, claim
from engine.posting.lock import HostLock
from engine.posting.publisher import Answer, Publisher
from engine.posting.reconcile import Reconciled, Reconciler
from engine.posting.spool import Spooled
from engine.records import Verdict
from engine.store import approvals, attempts, posting, posts
from engine.store.approvals import Regeneration
from engine.store.attempts import Attempt
from engine.store.database import identity, opened
from engine.store.posts import Post

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Round:
    """What one round of the protocol did.

    ``kind``: ``idle`` nothing was due; ``waiting`` a guard says later (``until``, if known);
    ``set_aside`` the next post was ended or sent back; ``stopped`` nothing may be sent at all;
    ``posted``, ``not_sent``, ``refused``, ``unknown`` as the attempt ended; ``spooled`` the
    outcome waits in the spool file.
    """

    kind: str
    guard: str = ""
    reason: str = ""
    post_id: int | None = None
    attempt_id: int | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Rewritten:
    """A new text for a post that was to be written anew."""

    text: str
    verdict: Verdict
    snapshot_id: int | None
    origin: str = "model"
    policy_version: str | None = None


Rerender = Callable[[Post, Regeneration], Rewritten | None]
"""Writes a post anew; None where that is not possible now (it is asked again later)."""

_SET_ASIDE = ("expired", "policy", "budget", "not_fit", "stale")
_STOPPED = ("kill_switch", "epoch", "integrity", "restored")


class Poster:
    """Runs the protocol for one publisher; used from one thread at a time.

    ``clock_trusted`` is set by the runner's clock watch; while false nothing is sent.
    """

    def __init__(
        self,
        db_path: Path,
        publisher: Publisher,
        clock: Clock,
        lock: HostLock,
        *,
        rng: random.Random,
        rerender: Rerender | None = None,
        policy_version: str | None = None,
    ) -> None:
        self._path, self._publisher, self._clock, self._lock = db_path, publisher, clock, lock
        self._rng, self._rerender, self._policy = rng, rerender, policy_version
        self._file = identity(db_path)
        self.clock_trusted = True
        self._reconciler = Reconciler(db_path, publisher, clock, rng)

    def recover(self) -> list[int]:
        """Take a new epoch and settle what an earlier life left; call once, the lock held.

        Drafts it wrote for slots and did not submit are submitted. Answers the ids of attempts
        that became unknown.
        """
        epoch = self._lock.take_epoch(self._clock)
        spool.reserve(self._path)
        with opened(self._path) as db:
            self._take_in_spool(db)
            for draft in approvals.drafts_left(db):
                queue.submit(
                    db, draft.id, actor="runner", now=self._clock.now(),
                    publisher=self._publisher.name,
                )  # fmt: skip
            return self._close_overdue(db, dead_epoch=epoch.dead)

    def post_next(self) -> Round:
        """One round for the next due approved post; answers what happened."""
        stop = self._may_not_work()
        if stop:
            return Round("stopped", stop.guard, str(stop))
        try:
            with opened(self._path) as db:
                if not self._take_in_spool(db):
                    return Round("stopped", "spool", "an outcome waits for the database")
                self._close_overdue(db)
                claimed = claim(db, self._stand(), self._clock, self._rng)
                if isinstance(claimed, Refusal):
                    return _round(claimed)
                answer = self._send(db, claimed)
                return self._record(db, claimed.attempt, answer)
        except (sqlite3.Error, DatabaseUnusable) as error:
            # before the claim was committed: what comes after it is caught where it happens
            event(logger, logging.ERROR, "nothing claimed", error=str(error))
            return Round("stopped", "database", f"the database refuses: {error}")

    def reconcile(self) -> list[Reconciled]:
        """Look at the timeline for unsure attempts whose next look is due."""
        if self._may_not_work():
            return []
        with opened(self._path) as db:
            self._take_in_spool(db)
            self._close_overdue(db)
        return self._reconciler.run()

    def renew_waiting(self) -> list[int]:
        """Write anew what went stale or an operator sent back; answers the ids of those posts.

        May call the model: give it a thread of its own.
        """
        renewed: list[int] = []
        if self._rerender is None:
            return renewed
        with opened(self._path) as db:
            wishes = queue.regenerations(db)
            wished = [(wish, posts.need(db, wish.post_id)) for wish in wishes]
        for wish, post in wished:
            new = self._rerender(post, wish)
            with opened(self._path) as db:
                if new is None:
                    approvals.count_try(db, wish.id)
                    continue
                try:
                    queue.renew(
                        db, post.id, revision=post.revision, text=new.text, verdict=new.verdict,
                        snapshot_id=new.snapshot_id, origin=new.origin, actor="runner",
                        policy_version=new.policy_version, now=self._clock.now(),
                    )  # fmt: skip
                except QueueConflict as conflict:  # decided by a person meanwhile
                    event(logger, logging.INFO, "new text not wanted", why=str(conflict))
                    continue
                renewed.append(post.id)
        return renewed

    # -- the steps ---------------------------------------------------------------------------

    def _may_not_work(self) -> PostingStopped | None:
        if not self._lock.held:
            return PostingStopped("lock", "this process does not hold the host lock")
        if not self.clock_trusted:
            return PostingStopped("clock", "the clock is not trusted; see `runner.py doctor`")
        if self._file is None or identity(self._path) != self._file:
            reason = f"{self._path} was replaced or removed under the running bot; restart it"
            event(logger, logging.CRITICAL, "posting stopped", reason=reason)
            return PostingStopped("database", reason)
        return None

    def _stand(self) -> Stand:
        publisher = self._publisher
        return Stand(
            self._path, publisher.name, publisher.account, self._lock.epoch, self._policy,
            publisher.public, publisher.lags,
        )  # fmt: skip

    def _send(self, db: Database, claimed: Claimed) -> Answer:
        def before_send() -> None:
            try:
                self._guard(db, claimed.attempt)
            except sqlite3.Error as error:
                raise PostingStopped("database", f"the last look failed: {error}") from error

        try:
            return self._publisher.publish(
                claimed.text, timeout_s=claimed.timeout_s, before_send=before_send
            )
        except Exception as error:
            # whatever broke, the text may have left
            event(logger, logging.ERROR, "publisher failed", error=repr(error))
            return Answer("unknown", f"{type(error).__name__} while sending")

    def _guard(self, db: Database, attempt: Attempt) -> None:
        """The last look before anything leaves. Raises: PostingStopped."""
        stop = self._may_not_work()
        if stop:
            raise stop
        if killswitch.is_on(db, self._path):
            raise PostingStopped("kill_switch", "the kill switch was set before it left")
        if posting.runner(db).epoch != attempt.epoch:
            raise PostingStopped("epoch", "another runner took over before it left")
        age = self._clock.boottime() - attempt.started_boottime
        if not 0 <= age <= SEND_WITHIN_S:
            raise PostingStopped("age", f"the attempt was {age:.1f} s old before it left")

    def _record(self, db: Database, attempt: Attempt, answer: Answer) -> Round:
        now = self._clock.now()
        try:
            if identity(self._path) != self._file:
                raise StoreError("the database file was replaced")
            done = self._settle(db, attempt.uuid, answer, now)
        except (sqlite3.Error, StoreError) as error:
            return self._spool(attempt, answer, now, error)
        event(
            logger, logging.INFO, "attempt ended", post=attempt.post_id, attempt=attempt.id,
            outcome=done.kind, reason=done.reason, x_post_id=answer.x_post_id,
        )  # fmt: skip
        return Round(done.kind, "", done.reason, attempt.post_id, attempt.id, done.until)

    def _spool(self, attempt: Attempt, answer: Answer, now: datetime, why: Exception) -> Round:
        """Keep an outcome that the database did not take; without a spool either, the attempt has
        none, becomes unsure at its deadline and is reconciled."""
        kind = "spooled"
        try:
            spool.write(self._path, Spooled(attempt.uuid, answer, now))
        except OSError as error:
            kind = "unknown"
            event(logger, logging.CRITICAL, "spool cannot be written", error=str(error))
        event(
            logger, logging.CRITICAL, "outcome not in the database", kept=kind, error=str(why),
            attempt=attempt.uuid, answer=answer.kind, x_post_id=answer.x_post_id,
        )  # fmt: skip
        return Round(kind, "spool", str(why), attempt.post_id, attempt.id)

    def _settle(self, db: Database, uuid: str, answer: Answer, now: datetime) -> outcome.Outcome:
        x_time = self._publisher.created_at(answer.x_post_id) if answer.x_post_id else None
        return outcome.settle(db, uuid, answer, now=now, rng=self._rng, x_time=x_time)

    def _take_in_spool(self, db: Database) -> bool:
        """Bring a spooled outcome into the database; false while that is not possible."""
        waiting = spool.read(self._path)
        if waiting is None:
            return True
        try:
            self._settle(db, waiting.uuid, waiting.answer, waiting.at)
            spool.clear(self._path)
        except (sqlite3.Error, OSError) as error:
            event(logger, logging.CRITICAL, "an outcome still waits", error=str(error))
            return False
        return True

    def _close_overdue(self, db: Database, dead_epoch: int = 0) -> list[int]:
        """Attempts past their deadline, of another boot, or of a dead process become unknown."""
        closed = []
        for attempt in attempts.open_ones(db):
            other_boot = attempt.boot_id != self._clock.boot_id()
            late = self._clock.boottime() > attempt.deadline_boottime
            if other_boot or late or attempt.epoch == dead_epoch:
                why = "the runner stopped before an outcome was recorded"
                outcome.unsure(db, attempt, why, self._clock.now())
                closed.append(attempt.id)
        return closed


def _round(refusal: Refusal) -> Round:
    if refusal.guard == "idle":
        return Round("idle")
    kind = "waiting"
    if refusal.guard in _SET_ASIDE:
        kind = "set_aside"
    elif refusal.guard in _STOPPED:
        kind = "stopped"
    return Round(kind, refusal.guard, refusal.reason, refusal.post_id, until=refusal.until)
