"""What nothing rests on is forgotten after its time; what anything rests on stays."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlite_utils import Database

from engine.clock import FakeClock, iso
from engine.records import Facts, Snapshot, Verdict, World
from engine.service import retention
from engine.store import jobs, market_events, news, posts, settings, snapshots
from engine.store.database import write_tx
from engine.store.market_events import MarketEvent
from engine.store.news import NewItem
from engine.store.posts import NewPost

KEPT = timedelta(days=30)


def snapshot(db: Database, at: datetime, world: World = "live") -> Snapshot:
    return snapshots.insert(db, Snapshot(Facts(at, 67_000.0), world), now=at)


def headline(db: Database, at: datetime, title: str, duplicate_of: int | None = None) -> int:
    item = NewItem(title, "live", title, "A", None, at, 0.9, 0.0, duplicate_of=duplicate_of)
    stored = news.insert(db, item, now=at)
    assert stored is not None
    return stored


def post(db: Database, at: datetime, **fields: object) -> int:
    values = {"content_type": "joke", "text": f"{fields}", "origin": "model", "world": "live"}
    return posts.insert(db, NewPost(**values, **fields, verdict=Verdict()), actor="t", now=at)  # type: ignore[arg-type]


def is_kept(db: Database, row: Snapshot) -> bool:
    return snapshots.get(db, row.id or 0) is not None


@pytest.fixture
def now(clock: FakeClock) -> datetime:
    return clock.now()


@pytest.fixture
def long_ago(now: datetime) -> datetime:
    return now - KEPT - timedelta(hours=1)


def test_a_snapshot_is_forgotten_after_its_days(
    db: Database, now: datetime, long_ago: datetime
) -> None:
    old, young, newest = snapshot(db, long_ago), snapshot(db, now - KEPT), snapshot(db, now)
    retention.forget(db, now)
    assert [is_kept(db, row) for row in (old, young, newest)] == [False, True, True]


def test_the_newest_of_each_world_stays_however_old(
    db: Database, now: datetime, long_ago: datetime
) -> None:
    rows = [snapshot(db, long_ago, "live"), snapshot(db, long_ago, "sample")]
    retention.forget(db, now)
    assert all(is_kept(db, row) for row in rows)


def test_what_a_post_a_call_or_an_event_rests_on_stays(
    db: Database, now: datetime, long_ago: datetime
) -> None:
    posted, called, before, after, nobody = (
        snapshot(db, long_ago + timedelta(seconds=step)) for step in range(5)
    )
    snapshot(db, now)
    post(db, long_ago, snapshot_id=posted.id)
    with write_tx(db):
        db.conn.execute(
            "INSERT INTO generation_params (model_name, raw_prompt, completion_time, created_at, "
            "draft_key, purpose, backend, options, outcome, raw_text, snapshot_id) "
            "VALUES ('m', 'p', 1, ?, 'k', 'post', 'scripted', '{}', 'ok', 't', ?)",
            (iso(long_ago), called.id),
        )
    event = MarketEvent(
        "jump", "k", long_ago, "live", 50, "Bitcoin rose.", "price", ("price_usd",), {}
    )
    market_events.insert(db, [event], previous=before, current=after)
    retention.forget(db, now)
    kept = [is_kept(db, row) for row in (posted, called, before, after, nobody)]
    assert kept == [True, True, True, True, False]


def test_headlines_go_after_their_duplicates_and_never_under_a_post(
    db: Database, now: datetime, long_ago: datetime
) -> None:
    used, original = headline(db, long_ago, "used"), headline(db, long_ago, "original")
    double = headline(db, now - KEPT, "double", duplicate_of=original)
    lone, young = headline(db, long_ago, "lone"), headline(db, now, "young")
    post(db, long_ago, news_item_id=used)
    retention.forget(db, now)
    ids = (used, original, double, lone, young)
    assert [news.get(db, item) is not None for item in ids] == [True, True, True, False, True]
    retention.forget(db, now + timedelta(days=1))  # the double's time is over
    retention.forget(db, now + timedelta(days=1))
    assert [news.get(db, item) is not None for item in ids] == [True, False, False, False, True]


def test_the_operator_says_how_long(db: Database, now: datetime, long_ago: datetime) -> None:
    settings.put(db, "market.keep_days", 365, actor="t", now=now)
    old, _ = snapshot(db, long_ago), snapshot(db, now)
    retention.forget(db, now)
    assert is_kept(db, old)


def test_a_backlog_is_worked_off_in_pieces(db: Database, now: datetime, long_ago: datetime) -> None:
    for step in range(7):
        snapshot(db, long_ago + timedelta(seconds=step))
    assert [snapshots.prune(db, now - KEPT, most=4) for _ in range(3)] == [4, 2, 0]


def test_runs_of_jobs_are_kept_for_two_weeks(db: Database, now: datetime) -> None:
    for days in (15, 13):
        jobs.record(db, "market", now=now - timedelta(days=days), seconds=1.0)
    retention.forget(db, now)
    assert len(jobs.latest(db, "market")) == 1
