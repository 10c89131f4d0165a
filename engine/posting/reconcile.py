"""Finding out what became of an unsure attempt (facts: reliability-and-security §2.4).

The account's own timeline is read, several times over a quiet period. The text found there, made
since the attempt and linked to nobody: it was posted. Absent from enough complete reads: held for
the operator (or, by setting, sent again). Anything less is doubt, and doubt ends held too.

Quiet periods are measured by boot time within one boot, so that no step of the wall clock can
make absence look proved too early.
"""

from __future__ import annotations

import itertools
import random
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlite_utils import Database

from engine.clock import Clock, doubling_s, iso, parse_iso
from engine.posting import killswitch, outcome, spend
from engine.posting.publisher import Answer, Publisher, SeenPost, TimelineRead
from engine.posting.restored import RestoredCheck
from engine.store import alerts, attempts, posting, posts, settings
from engine.store.attempts import Attempt, Look
from engine.store.database import opened, write_tx

_SCHEME = re.compile(r"(?i)\bhttps?://")

BEFORE = timedelta(minutes=2)
"""X's clock may be this far behind ours."""

GIVE_UP_QUIETS = 4
GIVE_UP_AT_LEAST_S = 3_600.0
RETRY_S = 20.0


@dataclass(frozen=True)
class Reconciled:
    """What a look at the timeline decided: ``posted``, ``held``, ``absent`` (sent again later),
    ``failed`` (X has this text from before) or ``looking`` (not decided yet)."""

    attempt_id: int
    post_id: int
    kind: str
    reason: str = ""


@dataclass(frozen=True)
class _Rules:
    quiet_s: float
    reads: int
    repost: bool

    @property
    def pause_s(self) -> float:
        return self.quiet_s / max(self.reads - 1, 1)

    @property
    def give_up_s(self) -> float:
        return max(GIVE_UP_QUIETS * self.quiet_s, GIVE_UP_AT_LEAST_S)


class Reconciler:
    """Works on the unsure attempts of one publisher's account."""

    def __init__(
        self, db_path: Path, publisher: Publisher, clock: Clock, rng: random.Random
    ) -> None:
        self._path, self._publisher, self._clock, self._rng = db_path, publisher, clock, rng
        self._restored = RestoredCheck(db_path, publisher, clock, rng)

    def run(self) -> list[Reconciled]:
        """Look for every unsure attempt whose next look is due; answers what was decided."""
        self._restored.run()
        with opened(self._path) as db:
            return [
                result
                for attempt in attempts.unsolved(db)
                if (result := self._work_on(db, attempt)) is not None
            ]

    def _work_on(self, db: Database, attempt: Attempt) -> Reconciled | None:
        publisher = self._publisher
        if (attempt.publisher, attempt.account) != (publisher.name, publisher.account):
            why = f"it went to {attempt.publisher} ({attempt.account}), not configured now"
            return self._hold(db, attempt, why)
        rules = self._rules(db)
        if not self._is_due(db, attempt, rules):
            return None
        read = self._read(db, attempt)
        result = self._judge_found(db, attempt, read)
        return result or self._judge_absence(db, attempt, rules)

    def _rules(self, db: Database) -> _Rules:
        if not self._publisher.lags:
            return _Rules(0.0, 1, bool(settings.get(db, "posting.repost_when_absent")))
        return _Rules(
            float(settings.get(db, "posting.quiet_period_s")),
            int(settings.get(db, "posting.reconcile_reads")),
            bool(settings.get(db, "posting.repost_when_absent")),
        )

    def _is_due(self, db: Database, attempt: Attempt, rules: _Rules) -> bool:
        blocked = posting.blocked_until(db, attempt.account, reads=True)
        if blocked and blocked[0] > iso(self._clock.now()):
            return False
        looks = self._looks(db, attempt)
        if not looks:
            return True
        failed = len(list(itertools.takewhile(lambda look: not look.complete, reversed(looks))))
        pause = rules.pause_s
        if failed:
            pause = doubling_s(failed, RETRY_S, pause)
        return self._clock.boottime() - looks[-1].boottime >= pause

    def _read(self, db: Database, attempt: Attempt) -> TimelineRead:
        """One look, charged and written down."""
        if attempt.duplicate:  # the text may be there from any time before
            read = self._publisher.timeline(newest_known_id=None, since=None)
        else:
            read = self._publisher.timeline(
                newest_known_id=attempt.newest_known_id, since=_since(db, attempt)
            )
        complete, note = read.complete, read.reason
        known = attempt.newest_known_id
        if complete and known and known not in {seen.x_post_id for seen in read.posts}:
            complete, note = False, f"stale: {known} is missing, which X has shown before"
        now = self._clock.now()
        look = Look(iso(now), self._clock.boot_id(), self._clock.boottime(), complete)
        with write_tx(db):
            attempts.add_look(db, attempt, look, resources=read.resources, note=note)
            spend.charge_reads(
                db, "own_read", read.resources, settings.get_all(db),
                publisher=attempt.publisher, now=now, attempt_id=attempt.id,
            )  # fmt: skip
            if read.retry_at:
                posting.block(db, attempt.account, read.retry_at, read.reason, reads=True)
            if read.trip:
                killswitch.record(db, actor="runner", reason=read.trip, now=now)
        return read

    def _judge_found(self, db: Database, attempt: Attempt, read: TimelineRead) -> Reconciled | None:
        post = posts.need(db, attempt.post_id)
        start = _since(db, attempt)
        same = [
            seen
            for seen in read.posts
            if same_text(seen.text, post.text) and not attempts.is_linked(db, seen.x_post_id)
        ]
        ours = [seen for seen in same if seen.created_at >= start]
        if ours:
            return self._link(db, attempt, ours)
        linked = [
            seen
            for seen in read.posts
            if same_text(seen.text, post.text) and attempts.is_linked(db, seen.x_post_id)
        ]
        older = [*same, *linked]
        if older and attempt.duplicate:
            why = f"duplicate_of {older[-1].x_post_id}: X has this text from before"
            outcome.settle(
                db, attempt.uuid, Answer("refused", why),
                now=self._clock.now(), rng=self._rng,
            )  # fmt: skip
            return Reconciled(attempt.id, post.id, "failed", why)
        if same:
            why = f"X has this text as {same[-1].x_post_id}, by its clock from before the attempt"
            return self._hold(db, attempt, why)
        return None

    def _link(self, db: Database, attempt: Attempt, ours: list[SeenPost]) -> Reconciled:
        first = min(ours, key=lambda seen: (seen.created_at, seen.x_post_id))
        now = self._clock.now()
        with write_tx(db):
            outcome.settle(
                db, attempt.uuid, Answer("posted", x_post_id=first.x_post_id),
                now=now, rng=self._rng, x_time=first.created_at,
            )  # fmt: skip
            if len(ours) > 1:
                ids = ", ".join(seen.x_post_id for seen in ours)
                why = (
                    f"X shows post {attempt.post_id} more than once: {ids}. Delete the later ones."
                )
                alerts.raise_alert(db, "double_post", str(attempt.post_id), "critical", why, now)
        return Reconciled(attempt.id, attempt.post_id, "posted", f"found as {first.x_post_id}")

    def _judge_absence(self, db: Database, attempt: Attempt, rules: _Rules) -> Reconciled:
        looks = self._looks(db, attempt)
        full = [look for look in looks if look.complete]
        if len(full) >= rules.reads and full[-1].boottime - full[0].boottime >= rules.quiet_s:
            why = f"absent from {len(full)} reads over {full[-1].boottime - full[0].boottime:.0f} s"
            if not rules.repost or attempt.duplicate:
                return self._hold(db, attempt, why)
            now = self._clock.now()
            with write_tx(db):
                outcome.absent(db, attempt, why, actor="runner", now=now)
            return Reconciled(attempt.id, attempt.post_id, "absent", why)
        if looks[-1].boottime - looks[0].boottime >= rules.give_up_s:
            return self._hold(db, attempt, "the timeline could not be read well enough to tell")
        return Reconciled(attempt.id, attempt.post_id, "looking", f"{len(full)} complete reads")

    def _hold(self, db: Database, attempt: Attempt, why: str) -> Reconciled:
        now = self._clock.now()
        with write_tx(db):
            attempts.finish(db, attempt, "held", now=now, reason=why)
            post = posts.need(db, attempt.post_id)
            posts.move(db, post, "held", actor="runner", now=now, reason=why)
            message = (
                f"Post {post.id} may or may not be on X ({why}). Look at the account, then link "
                "its id, confirm that it is absent, or abandon it."
            )
            alerts.raise_alert(db, "held_attempt", str(attempt.id), "warning", message, now)
        return Reconciled(attempt.id, attempt.post_id, "held", why)

    def _looks(self, db: Database, attempt: Attempt) -> list[Look]:
        boot = self._clock.boot_id()
        return [look for look in attempts.looks(db, attempt.id) if look.boot_id == boot]


def same_text(shown: str, sent: str) -> bool:
    """Equal but for normal form and white space; publishers have undone links and entities."""
    return _plain(shown) == _plain(sent)


def _plain(text: str) -> str:
    # X gives every link a scheme, and bare domains a closing slash
    words = _SCHEME.sub("", unicodedata.normalize("NFC", text)).split()
    return " ".join(word.rstrip("/") for word in words)


def _since(db: Database, attempt: Attempt) -> datetime:
    """From when on a post of this text may be ours: the post's first attempt that may have left."""
    starts = [
        parse_iso(other.started_at)
        for other in attempts.of_post(db, attempt.post_id)
        if other.outcome not in ("not_sent", "refused")
    ]
    return min(starts) - BEFORE
