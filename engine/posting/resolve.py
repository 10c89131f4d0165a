"""A person's word on a held attempt: one that the timeline could not settle (reconcile.py).

The state ``held`` means that nobody knows whether X took a post; keeping a post back is hold.py.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal

from sqlite_utils import Database

from engine.errors import QueueConflict, UsageError
from engine.posting import outcome
from engine.posting.actors import Who, acting
from engine.store import alerts, attempts, posts
from engine.store.attempts import Attempt
from engine.store.database import write_tx
from engine.store.posts import Post

HeldAction = Literal["link", "confirm_absent", "abandon"]

_X_ID = re.compile(r"(?:^|/status/)(dry-\d{1,19}|\d{1,19})(?:$|[/?#])")


def resolve_held(
    db: Database,
    attempt_id: int,
    action: HeldAction,
    *,
    actor: Who,
    now: datetime,
    x_post_id: str | None = None,
) -> Post:
    """A person's word on a held attempt.

    ``link`` it is on X as ``x_post_id`` (an id, or the post's address); ``confirm_absent`` it is
    not there, the approved text may be sent again; ``abandon`` leave it.

    Raises: QueueConflict where it is not held any more; UsageError for a bad or taken id.
    """
    name = acting(actor, "approver")
    with write_tx(db):
        attempt = attempts.get(db, attempt_id)
        if attempt is None:
            raise QueueConflict(f"There is no attempt {attempt_id}.", "absent")
        if attempt.outcome != "held":
            raise posts.conflict(db, attempt.post_id)
        post = posts.need(db, attempt.post_id)
        if action == "confirm_absent":
            outcome.absent(db, attempt, f"{name} found it absent", actor=name, now=now)
        elif action == "abandon":
            attempts.finish(db, attempt, "abandoned", now=now, reason=f"abandoned by {name}")
            posts.move(db, post, "abandoned", actor=name, now=now, reason="left unsolved")
            alerts.resolve(db, "held_attempt", str(attempt_id), now)
        else:
            outcome.link(db, attempt, _free_id(db, x_post_id, attempt), actor=name, now=now)
        return posts.need(db, post.id)


def _free_id(db: Database, given: str | None, attempt: Attempt) -> str:
    """Raises: UsageError."""
    match = _X_ID.search((given or "").strip())
    dry = attempt.publisher == "dry_run"
    if match is None or match[1].startswith("dry-") is not dry:
        wanted = "its id in the dry run (dry-1)" if dry else "its id on X (digits) or its address"
        raise UsageError(f"Linking post {attempt.post_id} needs {wanted}.")
    if attempts.is_linked(db, match[1]):
        raise UsageError(f"{match[1]} already belongs to another post. Check the id.")
    return match[1]
