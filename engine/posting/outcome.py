"""Step T2 of the protocol: what an answer means for the attempt, the post, the money, the switch.

Also used for late facts: an outcome from the spool file, a timeline that shows the post, a runner
of an older epoch that comes back. Applying the same outcome twice changes nothing.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from engine.clock import doubling_s, iso, jittered_s, parse_iso
from engine.posting import killswitch, spend
from engine.posting.publisher import Answer
from engine.store import alerts, attempts, posting, posts
from engine.store.attempts import Attempt
from engine.store.database import write_tx

UNKNOWNS_A_DAY = 3
"""This many unsure attempts within 24 hours stop posting."""

BACKOFF_FIRST_S = 30.0
BACKOFF_LONGEST_S = 1_800.0
DEFAULT_WAIT_S = 900.0


@dataclass(frozen=True)
class Outcome:
    """How one attempt stands after an answer: ``kind`` is one of the attempt's outcomes."""

    kind: str
    reason: str = ""
    until: datetime | None = None


def settle(
    db: Database,
    uuid: str,
    answer: Answer,
    *,
    now: datetime,
    rng: random.Random,
    x_time: datetime | None = None,
) -> Outcome:
    """Record ``answer`` for the attempt; ``x_time`` is when X's clock says the post was made."""
    with write_tx(db):
        attempt = attempts.by_uuid(db, uuid)
        if attempt is None:
            return _nobody_knows(db, uuid, answer, now)
        if attempt.outcome not in (None, "unknown", "held"):
            return _late(db, attempt, answer, now)
        if answer.trip:
            killswitch.record(db, actor="runner", reason=answer.trip, now=now)
        if answer.kind == "posted":
            return _posted(db, attempt, answer, x_time, now)
        if attempt.outcome == "held":
            return Outcome("held", attempt.reason or "")
        if answer.kind == "unknown":
            return unsure(db, attempt, answer.reason, now, duplicate=answer.duplicate)
        spend.return_post(db, attempt.id, now=now)
        post = posts.need(db, attempt.post_id)
        if answer.kind == "refused":
            attempts.finish(db, attempt, "refused", now=now, reason=answer.reason)
            posts.move(db, post, "failed", actor="runner", now=now, reason=answer.reason)
            return Outcome("refused", answer.reason)
        if answer.kind == "wait":
            until = answer.retry_at or now + timedelta(seconds=DEFAULT_WAIT_S)
            attempts.finish(db, attempt, "refused", now=now, reason=answer.reason)
            posting.block(db, attempt.account, until, answer.reason)
        else:
            attempts.finish(db, attempt, "not_sent", now=now, reason=answer.reason)
            tries = attempts.count_not_sent(db, post.id)
            pause_s = doubling_s(tries, BACKOFF_FIRST_S, BACKOFF_LONGEST_S)
            until = now + timedelta(seconds=jittered_s(pause_s, rng))
        posts.move(
            db, post, "approved", actor="runner", now=now, reason=answer.reason,
            what="not sent", not_before=iso(until) if answer.kind == "not_sent" else None,
        )  # fmt: skip
        return Outcome("refused" if answer.kind == "wait" else "not_sent", answer.reason, until)


def unsure(
    db: Database,
    attempt: Attempt,
    reason: str,
    now: datetime,
    *,
    duplicate: bool = False,
) -> Outcome:
    """Nobody can say whether X took it; reconciliation will look."""
    with write_tx(db):
        if attempt.outcome is None:
            attempts.finish(db, attempt, "unknown", now=now, reason=reason, duplicate=duplicate)
            post = posts.need(db, attempt.post_id)
            posts.move(db, post, "unknown", actor="runner", now=now, reason=reason)
            many = attempts.count_unknown(db, attempt.account, now - timedelta(days=1))
            if many >= UNKNOWNS_A_DAY:
                why = f"{many} unsure attempts within 24 hours; the last: {reason}"
                killswitch.record(db, actor="runner", reason=why, now=now)
    return Outcome("unknown", reason)


def absent(db: Database, attempt: Attempt, reason: str, *, actor: str, now: datetime) -> None:
    """X does not have it: the approved text may be sent again, its price is given back."""
    attempts.finish(db, attempt, "absent", now=now, reason=reason)
    spend.return_post(db, attempt.id, now=now)
    post = posts.need(db, attempt.post_id)
    posts.move(db, post, "approved", actor=actor, now=now, reason=reason, what="absent on X")
    alerts.resolve(db, "held_attempt", str(attempt.id), now)


def _posted(
    db: Database,
    attempt: Attempt,
    answer: Answer,
    x_time: datetime | None,
    now: datetime,
) -> Outcome:
    x_id = answer.x_post_id
    assert x_id is not None  # noqa: S101  by the Answer's contract
    if attempts.is_linked(db, x_id):
        reason = f"the answer names {x_id}, which belongs to another post"
        return unsure(db, attempt, reason, now)
    link(db, attempt, x_id, actor="runner", now=now, x_time=x_time, reason=answer.reason or None)
    return Outcome("posted")


def link(
    db: Database,
    attempt: Attempt,
    x_post_id: str,
    *,
    actor: str,
    now: datetime,
    x_time: datetime | None = None,
    reason: str | None = None,
) -> None:
    """The attempt's post is on X under this id."""
    skew = (x_time - parse_iso(attempt.started_at)).total_seconds() if x_time else None
    attempts.finish(db, attempt, "posted", now=now, reason=reason, x_post_id=x_post_id, skew_s=skew)
    posts.move(
        db, posts.need(db, attempt.post_id), "posted", actor=actor, now=now,
        x_post_id=x_post_id, posted_at=iso(x_time or parse_iso(attempt.started_at)),
        publisher=attempt.publisher, account=attempt.account,
    )  # fmt: skip
    alerts.resolve(db, "held_attempt", str(attempt.id), now)


def _late(db: Database, attempt: Attempt, answer: Answer, now: datetime) -> Outcome:
    """The attempt has an end already; only a post nobody expected is news."""
    if answer.kind == "posted" and answer.x_post_id != attempt.x_post_id:
        reason = (
            f"attempt {attempt.id} of post {attempt.post_id} ended as {attempt.outcome}, "
            f"but X has it as {answer.x_post_id}; compare the account with the queue"
        )
        killswitch.record(db, actor="runner", reason=reason, now=now)
        alerts.raise_alert(db, "late_outcome", str(attempt.id), "critical", reason, now)
    return Outcome(attempt.outcome or "unknown", attempt.reason or "")


def _nobody_knows(db: Database, uuid: str, answer: Answer, now: datetime) -> Outcome:
    reason = f"an outcome ({answer.kind}, {answer.x_post_id}) came for an attempt that is not here"
    if answer.kind in ("posted", "unknown"):
        killswitch.record(db, actor="runner", reason=reason, now=now)
        alerts.raise_alert(db, "late_outcome", uuid, "critical", reason, now)
    return Outcome("unknown", reason)
