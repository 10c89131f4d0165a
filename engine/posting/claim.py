"""Step T1 of the protocol: from the next due post to a committed intent, or to why not.

One BEGIN IMMEDIATE transaction checks every guard and writes the attempt; nothing is sent before
it is committed (facts: reliability-and-security §2.2 step 2).
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from engine.clock import Clock, iso, parse_iso
from engine.posting import killswitch, queue, spend
from engine.posting.queue import SAME_TEXT_FOR
from engine.store import approvals, attempts, posting, posts, service_state, settings, slots
from engine.store.attempts import Attempt, Intent
from engine.store.database import write_tx
from engine.store.posts import Post

SEND_WITHIN_S = 5.0
"""An attempt older than this is never sent (CLOCK_BOOTTIME)."""

CONNECT_S = 5.0
SLACK_S = 5.0

SAID_STATES = ("publishing", "unknown", "held")


@dataclass(frozen=True)
class Stand:
    """Who posts: one publisher of one runner on one database."""

    db_path: Path
    publisher: str
    account: str
    epoch: int
    policy_version: str | None = None
    public: bool = False
    elsewhere: bool = True  # what was posted is not in this database, so a copy may not know it


@dataclass(frozen=True)
class Claimed:
    """An open attempt and the exact text to send."""

    attempt: Attempt
    text: str
    timeout_s: float


@dataclass(frozen=True)
class Refusal:
    """Nothing is to be sent now: ``guard`` names what said so."""

    guard: str
    reason: str = ""
    until: datetime | None = None
    post_id: int | None = None


def claim(db: Database, stand: Stand, clock: Clock, rng: random.Random) -> Claimed | Refusal:
    """Claim the next due post; its attempt is committed when this answers."""
    now = clock.now()
    with write_tx(db):
        refusal = _runner_may(db, stand, now)
        if refusal:
            return refusal
        post = approvals.next_due(db, now)
        if post is None:
            return Refusal("idle")
        rules = settings.get_all(db)
        refusal = _post_may(db, post, stand, rules, now)
        if refusal:
            return refusal
        return _open(db, post, stand, rules, clock, rng)


def _runner_may(db: Database, stand: Stand, now: datetime) -> Refusal | None:
    """Guards that hold whatever the post is."""
    if killswitch.is_on(db, stand.db_path):
        return Refusal("kill_switch", killswitch.status(db, stand.db_path).reason)
    runner = posting.runner(db)
    if runner.epoch != stand.epoch:
        return Refusal("epoch", f"another runner took over: {runner.holder}")
    if stand.elsewhere and service_state.get(db, service_state.RECONCILE_REQUIRED) is not None:
        return Refusal("restored", "the database was restored; X's timeline is read first")
    blocked = posting.blocked_until(db, stand.account)
    if blocked and blocked[0] > iso(now):
        return Refusal("rate_limit", blocked[1], parse_iso(blocked[0]))
    if any(attempt.account == stand.account for attempt in attempts.open_ones(db)):
        return Refusal("in_flight", "an attempt has no outcome yet")
    return None


def _post_may(
    db: Database, post: Post, stand: Stand, rules: Mapping[str, Any], now: datetime
) -> Refusal | None:
    """Guards of one post; those that end or send back the post do so here."""
    if (post.expires_at or "9") <= iso(now):
        queue.expire_due(db, now)
        return Refusal("expired", f"not sent by {post.expires_at}", post_id=post.id)
    approved = approvals.approved_text(db, post.id)
    if posts.body_hash(post.text) != post.body_sha256 or approved != (
        post.revision,
        post.body_sha256,
    ):
        reason = f"the stored text of post {post.id} is not the approved one; restore a backup"
        killswitch.record(db, actor="runner", reason=reason, now=now)
        return Refusal("integrity", reason, post_id=post.id)
    pause = spend.pause_for(db, stand.account, rules, now)
    if pause:
        return Refusal(pause.guard, pause.reason, pause.until, post.id)
    if stand.policy_version and post.policy_version not in (None, stand.policy_version):
        return _back(db, post, "policy", "the content policy changed since its checks", now)
    over = spend.over_budget(db, post.text, rules, now, stand.publisher)
    if over:
        posts.move(db, post, "expired", actor="runner", now=now, reason=over)
        slots.end_over_budget(db, post.id, over, now=now)
        return Refusal("budget", over, post_id=post.id)
    said = _said_already(db, post, stand, now)
    if said:
        back = queue.unapprove(db, post.id, revision=post.revision, actor="runner", now=now)
        posts.move(db, back, "rejected", actor="runner", now=now, reason=said)
        return Refusal("not_fit", said, post_id=post.id)
    fresh = queue.judge_freshness(db, post, now, rules)
    if fresh.stale:
        queue.set_aside(db, post, fresh.reason, actor="runner", now=now)
        return Refusal("stale", fresh.reason, post_id=post.id)
    return None


def _said_already(db: Database, post: Post, stand: Stand, now: datetime) -> str | None:
    """Why the text must not go to X in any case."""
    if stand.public and post.world != "live":
        return f"it is made from {post.world} data, which never becomes public"
    if len(spend.cashtags(post.text)) > 1:
        return "X allows one cashtag a post"
    twin = approvals.twin(db, post, since=now - SAME_TEXT_FOR, states=SAID_STATES)
    if twin:
        return f"same text as post {twin.id} ({twin.state})"
    foreign = approvals.foreign_twin(db, post, since=now - SAME_TEXT_FOR)
    return f"same text as {foreign} on X" if foreign else None


def _back(db: Database, post: Post, guard: str, reason: str, now: datetime) -> Refusal:
    queue.unapprove(db, post.id, revision=post.revision, actor="runner", now=now)
    return Refusal(guard, reason, post_id=post.id)


def _open(
    db: Database,
    post: Post,
    stand: Stand,
    rules: Mapping[str, Any],
    clock: Clock,
    rng: random.Random,
) -> Claimed:
    now, started = clock.now(), clock.boottime()
    timeout = float(rules["posting.attempt_timeout_s"])
    intent = Intent(
        uuid=str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        publisher=stand.publisher,
        account=stand.account,
        epoch=stand.epoch,
        boot_id=clock.boot_id(),
        started_boottime=started,
        deadline_boottime=started + SEND_WITHIN_S + CONNECT_S + timeout + SLACK_S,
    )
    attempt = attempts.insert(db, post, intent, now=now)
    spend.charge_post(
        db, post.text, rules, publisher=stand.publisher, attempt_id=attempt.id, now=now
    )
    posts.move(
        db, post, "publishing", actor="runner", now=now,
        publisher=stand.publisher, account=stand.account,
    )  # fmt: skip
    return Claimed(attempt, post.text, timeout)
