"""The trend of sameness on the Benchmarks page."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlite_utils import Database

from console import charts, data
from engine.checks import repetition
from engine.records import Verdict
from engine.store import posts
from engine.store.database import opened, write_tx
from engine.store.posts import NewPost
from tests.console.conftest import Launch

LINES = (
    "Patience is a feature, not a delay.", "A quiet block is still a block.",
    "Coffee first, ledgers later.", "Nobody ever regretted a backup of twelve words.",
)  # fmt: skip


def forget(db: Database) -> None:
    """The sample week's own posts, with their words: a new row may get an old one's number."""
    db.conn.execute("DELETE FROM fingerprint_words")
    db.conn.execute("DELETE FROM fingerprints")


def test_a_model_that_narrows_is_seen_as_a_falling_line(launch: Launch, own_sample: Path) -> None:
    """Four lines in the first week, one said four times over in the next."""
    now = data.now()
    with opened(own_sample) as db, write_tx(db):
        forget(db)
        for age, lines in ((10, LINES), (3, LINES[:1] * 4)):
            for line in lines:
                at = now - timedelta(days=age)
                draft = NewPost("joke", line, Verdict(), "model", "sample")
                post_id = posts.insert(db, draft, actor="test", now=at)
                repetition.remember(db, post_id, line, at)
        weeks = repetition.sameness(db, now, timedelta(weeks=12))
    said = charts.variety(weeks).alt
    assert "100 % in the first shown (4 posts)" in said
    assert weeks[1].distinct_2 < weeks[0].distinct_2
    app = launch("benchmarks")
    assert not app.exception
    assert any("words of each week" in caption.value for caption in app.caption)


def test_one_week_is_no_trend(launch: Launch, own_sample: Path) -> None:
    with opened(own_sample) as db, write_tx(db):
        forget(db)
    captions = [caption.value for caption in launch("benchmarks").caption]
    assert "A trend needs posts in two weeks at least." in captions
