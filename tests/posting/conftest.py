"""Fixtures of the queue's tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.posting import queue
from engine.records import Facts, Snapshot, Verdict
from engine.store import posts, snapshots
from engine.store.posts import NewPost

Write = Callable[..., int]


@pytest.fixture
def draft(db: Database, clock: FakeClock) -> Write:
    """Store a draft; keyword arguments replace the record's fields."""

    def write(text: str = "A coin walks into a block.", **fields: Any) -> int:
        values: dict[str, Any] = {
            "content_type": "joke",
            "verdict": Verdict(),
            "origin": "model",
            "world": "live",
            "model_name": "m",
            **fields,
        }
        return posts.insert(db, NewPost(text=text, **values), actor="writer", now=clock.now())

    return write


@pytest.fixture
def waiting(db: Database, clock: FakeClock, draft: Write) -> Write:
    """Store a draft and submit it."""

    def write(*args: Any, **fields: Any) -> int:
        post_id = draft(*args, **fields)
        queue.submit(db, post_id, actor="runner", now=clock.now())
        return post_id

    return write


@pytest.fixture
def snapshot(db: Database, clock: FakeClock) -> Callable[[float], int]:
    """Store a live snapshot of now at a price; answers its id."""

    def take(price: float) -> int:
        taken = snapshots.insert(
            db, Snapshot(Facts(as_of=clock.now(), price_usd=price), "live"), now=clock.now()
        )
        assert taken.id is not None
        return taken.id

    return take
