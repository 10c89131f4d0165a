"""Keeping a post back without a time: it neither goes out nor expires until somebody releases it.

Held by a person is not the state ``held``, which means that nobody knows whether X took a post.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlite_utils import Database

from engine.clock import iso
from engine.posting.actors import Who, acting
from engine.store import posts, settings
from engine.store.database import write_tx
from engine.store.posts import Post

_STATES = ("validated", "pending_approval", "approved")


def is_kept(post: Post) -> bool:
    """Whether it waits for its release."""
    return post.not_before == posts.UNTIL_RELEASED


def keep(db: Database, post_id: int, *, revision: int, actor: Who, now: datetime) -> Post:
    """Keep a waiting or approved post back; an approval stays.

    Raises: QueueConflict where it is no longer what was seen; PermissionDenied.
    """
    name = acting(actor, "editor")
    with write_tx(db):
        post = _seen(db, post_id, revision, kept=False)
        return posts.move(
            db, post, post.state, actor=name, now=now, reason=post.state_reason,
            what="kept back", not_before=posts.UNTIL_RELEASED, expires_at=posts.UNTIL_RELEASED,
        )  # fmt: skip


def release(db: Database, post_id: int, *, revision: int, actor: Who, now: datetime) -> Post:
    """Let a kept post go its way again, with a new time to live. Raises: as :func:`keep`."""
    name = acting(actor, "editor")
    with write_tx(db):
        post = _seen(db, post_id, revision, kept=True)
        ttl = timedelta(seconds=float(settings.get(db, "posting.draft_ttl_s")))
        return posts.move(
            db, post, post.state, actor=name, now=now, reason=post.state_reason,
            what="released", not_before=None, expires_at=iso(now + ttl),
        )  # fmt: skip


def _seen(db: Database, post_id: int, revision: int, *, kept: bool) -> Post:
    post = posts.need(db, post_id)
    if post.state not in _STATES or post.revision != revision or is_kept(post) is not kept:
        raise posts.conflict(db, post_id)
    return post
