"""The approval queue: every decision about a post, each a compare-and-swap on what was seen.

All functions are one transaction, check the role again, write the audit, and raise QueueConflict
(with the state now and who brought it there) where the post is no longer what the caller saw.
``actor`` is a person with a role, or the name of a process of this machine (posting/actors.py).
Nothing here talks to X; only the runner does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils import Database

from engine.clock import iso
from engine.errors import QueueConflict, UsageError
from engine.posting import autonomy, freshness
from engine.posting.actors import Who, acting
from engine.records import Verdict
from engine.store import approvals, posts, settings, snapshots
from engine.store.approvals import LIVE, Regeneration
from engine.store.database import write_tx
from engine.store.posts import Post

SAME_TEXT_FOR = timedelta(days=7)
"""How long the same text counts as said already (facts: reliability §3, F36)."""


@dataclass(frozen=True)
class Decided:
    """What became of one post of a batch; ``error`` says why it was left alone."""

    post_id: int
    state: str
    error: str = ""


def submit(
    db: Database, post_id: int, *, actor: Who, now: datetime, publisher: str = "dry_run"
) -> str:
    """Bring a draft as far as its verdict and the autonomy level allow; answers its state.

    ``rejected`` for a failed verdict or a text said already, ``validated`` for content that is
    only drafted, ``pending_approval``, or ``approved`` where no person is needed.
    """
    name = acting(actor, "editor")
    with write_tx(db):
        post = posts.need(db, post_id)
        if post.state == "draft":
            refusal = _refusal(db, post, now)
            if refusal:
                return posts.move(db, post, "rejected", actor=name, now=now, reason=refusal).state
            rules = settings.get_all(db)
            expires = post.expires_at or iso(
                now + timedelta(seconds=float(rules["posting.draft_ttl_s"]))
            )
            post = posts.move(db, post, "validated", actor=name, now=now, expires_at=expires)
        if post.state != "validated":
            raise posts.conflict(db, post_id)
        return _as_far_as_trusted(db, post, publisher, actor=name, now=now).state


def _refusal(db: Database, post: Post, now: datetime) -> str | None:
    if post.verdict != "pass":
        rules = ", ".join(sorted({f["rule"] for f in post.findings if f["severity"] != "warn"}))
        word = "failed" if post.verdict == "reject" else "could not run"
        return f"checks {word}: {rules or 'no rule named'}"
    twin = approvals.twin(db, post, since=now - SAME_TEXT_FOR, states=LIVE)
    if twin:
        return f"same text as post {twin.id} ({twin.state})"
    foreign = approvals.foreign_twin(db, post, since=now - SAME_TEXT_FOR)
    return f"same text as {foreign} on X" if foreign else None


def _as_far_as_trusted(
    db: Database, post: Post, publisher: str, *, actor: str, now: datetime
) -> Post:
    streak = approvals.approvals_in_a_row(db, post)
    level = autonomy.judge(post, settings.get_all(db), streak, publisher)
    if level.level == "draft_only":
        return post
    post = posts.move(
        db, post, "pending_approval", actor=actor, now=now, reason=level.reason or None
    )
    if level.level == "auto":
        approvals.decide(db, post, "approved", actor="autonomy", now=now, by_autonomy=True)
        post = _approved(db, post, "autonomy", now)
    return post


def approve(
    db: Database,
    post_id: int,
    *,
    revision: int,
    actor: Who,
    now: datetime,
    body_sha256: str | None = None,
) -> Post:
    """A person's yes to exactly the text of ``revision`` (and hash, where given).

    Raises: QueueConflict also where the post went stale; it is then set aside by the setting
    ``posting.on_stale``; PermissionDenied.
    """
    name = acting(actor, "approver")
    with write_tx(db):
        post = _seen(db, post_id, revision, ("pending_approval",), body_sha256)
        fresh = judge_freshness(db, post, now)
        if not fresh.stale:
            approvals.decide(db, post, "approved", actor=name, now=now)
            return _approved(db, post, name, now)
        post = set_aside(db, post, fresh.reason, actor=name, now=now)
    ending = "it expired" if post.state == "expired" else "it is written anew and comes back here"
    raise QueueConflict(f"Post {post_id} was not approved: {fresh.reason}; {ending}.", post.state)


def _approved(db: Database, post: Post, name: str, now: datetime) -> Post:
    return posts.move(
        db, post, "approved", actor=name, now=now, approved_by=name, approved_at=iso(now)
    )


def approve_all_green(
    db: Database, seen: Iterable[tuple[int, int]], *, actor: Who, now: datetime
) -> list[Decided]:
    """Approve each (id, revision) whose checks passed without flags and that the model wrote."""
    results = []
    for post_id, revision in seen:
        try:
            post = posts.need(db, post_id)
            if post.verdict != "pass" or post.flags or post.origin == "backup":
                raise QueueConflict(f"Post {post_id} needs a look of its own.", post.state)
            results.append(
                Decided(
                    post_id, approve(db, post_id, revision=revision, actor=actor, now=now).state
                )
            )
        except QueueConflict as conflict:
            results.append(Decided(post_id, conflict.state, str(conflict)))
    return results


def unapprove(db: Database, post_id: int, *, revision: int, actor: Who, now: datetime) -> Post:
    """Take an approval back, as long as the runner has not claimed the post."""
    name = acting(actor, "approver")
    with write_tx(db):
        return _withdrawn(db, _seen(db, post_id, revision, ("approved",)), name, now)


def _withdrawn(
    db: Database, post: Post, name: str, now: datetime, *, by_autonomy: bool = False
) -> Post:
    approvals.decide(db, post, "withdrawn", actor=name, now=now, by_autonomy=by_autonomy)
    return posts.move(
        db, post, "pending_approval", actor=name, now=now, what="approval taken back",
        approved_by=None, approved_at=None,
    )  # fmt: skip


def reject(
    db: Database, post_id: int, *, revision: int, reason: str, actor: Who, now: datetime
) -> Post:
    """A person's no, with a reason. Raises: UsageError without one."""
    name = acting(actor, "approver")
    if not reason.strip():
        raise UsageError("A rejection needs a reason: the next draft learns from it.")
    with write_tx(db):
        post = _seen(db, post_id, revision, ("draft", "validated", "pending_approval", "approved"))
        if post.state == "approved":
            post = _withdrawn(db, post, name, now)
        approvals.decide(db, post, "rejected", actor=name, now=now, reason=reason)
        approvals.close_wishes(db, post.id, now=now)
        return posts.move(db, post, "rejected", actor=name, now=now, reason=reason.strip())


def edit(
    db: Database,
    post_id: int,
    *,
    revision: int,
    text: str,
    verdict: Verdict,
    actor: Who,
    now: datetime,
    policy_version: str | None = None,
) -> Post:
    """A person's own text as the next revision; drops an approval.

    It waits for approval if its verdict passes, else it stays a draft with its findings.
    """
    name = acting(actor, "editor")
    with write_tx(db):
        post = _seen(db, post_id, revision, ("draft", "validated", "pending_approval", "approved"))
        if post.state == "approved":
            post = _withdrawn(db, post, name, now)
        approvals.decide(db, post, "edited", actor=name, now=now)
        return _renewed(
            db, post, text, verdict, post.snapshot_id, policy_version or post.policy_version,
            "operator", name, now,
        )  # fmt: skip


def request_regeneration(
    db: Database, post_id: int, *, revision: int, reason: str, actor: Who, now: datetime
) -> Post:
    """Ask the runner for a new text; the post is a draft until it has one."""
    name = acting(actor, "editor")
    with write_tx(db):
        post = _seen(db, post_id, revision, ("draft", "validated", "pending_approval", "approved"))
        if post.state == "approved":
            post = _withdrawn(db, post, name, now)
        approvals.decide(db, post, "rejected", actor=name, now=now, reason=reason)
        approvals.ask_anew(db, post, "operator", reason, actor=name, now=now)
        return _back_to_draft(db, post, f"to be written anew: {reason}", name, now)


def regenerations(db: Database) -> list[Regeneration]:
    """Posts whose text is to be written anew, oldest wish first."""
    return approvals.open_wishes(db)


def renew(
    db: Database,
    post_id: int,
    *,
    revision: int,
    text: str,
    verdict: Verdict,
    snapshot_id: int | None,
    actor: Who,
    now: datetime,
    origin: str = "model",
    policy_version: str | None = None,
) -> Post:
    """The new text of a post that was to be written anew; always waits for a person."""
    name = acting(actor, "editor")
    with write_tx(db):
        post = _seen(db, post_id, revision, ("draft",))
        return _renewed(db, post, text, verdict, snapshot_id, policy_version, origin, name, now)


def _renewed(
    db: Database,
    post: Post,
    text: str,
    verdict: Verdict,
    snapshot_id: int | None,
    policy_version: str | None,
    origin: str,
    name: str,
    now: datetime,
) -> Post:
    post = posts.rewrite(
        db, post, text, verdict, actor=name, now=now, snapshot_id=snapshot_id,
        policy_version=policy_version, origin=origin,
    )  # fmt: skip
    refusal = _refusal(db, post, now)
    if refusal:
        return posts.move(db, post, "draft", actor=name, now=now, reason=refusal, what="checked")
    approvals.close_wishes(db, post.id, now=now)
    ttl = timedelta(seconds=float(settings.get(db, "posting.draft_ttl_s")))
    post = posts.move(db, post, "validated", actor=name, now=now, expires_at=iso(now + ttl))
    return posts.move(db, post, "pending_approval", actor=name, now=now)


def schedule_for_later(
    db: Database, post_id: int, *, revision: int, not_before: datetime, actor: Who, now: datetime
) -> Post:
    """Hold a waiting or approved post back until then; an approval stays."""
    name = acting(actor, "editor")
    with write_tx(db):
        post = _seen(db, post_id, revision, ("validated", "pending_approval", "approved"))
        ttl = timedelta(seconds=float(settings.get(db, "posting.draft_ttl_s")))
        expires = max(post.expires_at or "", iso(not_before + ttl))
        return posts.move(
            db, post, post.state, actor=name, now=now, reason=post.state_reason,
            what="scheduled for later", not_before=iso(not_before), expires_at=expires,
        )  # fmt: skip


def expire_due(db: Database, now: datetime) -> int:
    """Expire what waited too long; answers how many."""
    with write_tx(db):
        late = approvals.expired(db, now)
        for post in late:
            approvals.close_wishes(db, post.id, now=now)
            posts.move(
                db, post, "expired", actor="runner", now=now,
                reason=f"not sent by {post.expires_at}",
            )  # fmt: skip
    return len(late)


def judge_freshness(
    db: Database, post: Post, now: datetime, rules: Mapping[str, Any] | None = None
) -> freshness.Freshness:
    """Whether the post still tells the truth by the latest stored snapshot of its world."""
    snapshot = snapshots.get(db, post.snapshot_id) if post.snapshot_id else None
    latest = snapshots.latest(db, world=snapshot.world) if snapshot else None
    return freshness.judge(post, snapshot, latest, rules or settings.get_all(db), now)


def set_aside(db: Database, post: Post, why: str, *, actor: str, now: datetime) -> Post:
    """A stale post: expired, or a draft to be written anew, by ``posting.on_stale``."""
    with write_tx(db):
        if post.state == "approved":
            post = _withdrawn(db, post, actor, now, by_autonomy=True)
        if settings.get(db, "posting.on_stale") == "expire":
            return posts.move(db, post, "expired", actor=actor, now=now, reason=f"stale: {why}")
        approvals.ask_anew(db, post, "stale", why, actor=actor, now=now)
        return _back_to_draft(db, post, f"stale: {why}", actor, now)


def _back_to_draft(db: Database, post: Post, why: str, name: str, now: datetime) -> Post:
    if post.state == "draft":
        return post
    return posts.move(db, post, "draft", actor=name, now=now, reason=why)


def _seen(
    db: Database,
    post_id: int,
    revision: int,
    states: tuple[str, ...],
    body_sha256: str | None = None,
) -> Post:
    post = posts.need(db, post_id)
    if post.state not in states or post.revision != revision:
        raise posts.conflict(db, post_id)
    if body_sha256 is not None and post.body_sha256 != body_sha256:
        raise posts.conflict(db, post_id)
    return post
