"""Kept back: without a time, without expiring, until somebody releases it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.errors import PermissionDenied, QueueConflict
from engine.posting import hold, queue
from engine.posting.actors import Actor
from engine.records import Verdict
from engine.store import audit, posts
from engine.store.posts import Post


@pytest.fixture
def post(db: Database, clock: FakeClock) -> Post:
    new = posts.NewPost("joke", "Patience is a plan. #Bitcoin", Verdict(), "model", "sample")
    post_id = posts.insert(db, new, actor="test", now=clock.now())
    queue.submit(db, post_id, actor="test", now=clock.now())
    return posts.need(db, post_id)


def test_a_kept_post_outlives_any_time(db: Database, clock: FakeClock, post: Post) -> None:
    hold.keep(db, post.id, revision=1, actor="ann", now=clock.now())
    assert queue.expire_due(db, clock.now() + timedelta(days=4_000)) == 0
    assert hold.is_kept(posts.need(db, post.id))


def test_an_approval_stays_and_the_release_gives_it_a_new_time_to_live(
    db: Database, clock: FakeClock, post: Post
) -> None:
    queue.approve(db, post.id, revision=1, actor="ann", now=clock.now())
    hold.keep(db, post.id, revision=1, actor="ann", now=clock.now())
    clock.advance(timedelta(days=30).total_seconds())
    done = hold.release(db, post.id, revision=1, actor="ann", now=clock.now())
    assert (done.state, done.not_before) == ("approved", None)
    assert queue.expire_due(db, clock.now()) == 0
    assert queue.expire_due(db, clock.now() + timedelta(days=30)) == 1


def test_keeping_twice_and_releasing_what_is_not_kept_are_conflicts(
    db: Database, clock: FakeClock, post: Post
) -> None:
    with pytest.raises(QueueConflict):
        hold.release(db, post.id, revision=1, actor="ann", now=clock.now())
    hold.keep(db, post.id, revision=1, actor="ann", now=clock.now())
    with pytest.raises(QueueConflict):
        hold.keep(db, post.id, revision=1, actor="bob", now=clock.now())
    with pytest.raises(QueueConflict):
        hold.release(db, post.id, revision=2, actor="bob", now=clock.now())


def test_both_are_audited_and_need_an_editor(db: Database, clock: FakeClock, post: Post) -> None:
    with pytest.raises(PermissionDenied):
        hold.keep(db, post.id, revision=1, actor=Actor("eve", "viewer"), now=clock.now())
    hold.keep(db, post.id, revision=1, actor="ann", now=clock.now())
    hold.release(db, post.id, revision=1, actor="bob", now=clock.now())
    told = [(e.actor, e.what) for e in audit.entries(db, subject=f"post:{post.id}", limit=2)]
    assert told == [("bob", "released"), ("ann", "kept back")]
