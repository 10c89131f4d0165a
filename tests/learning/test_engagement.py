"""The collector over loopback HTTP: fixed ages, slices, money, failures, posts that are gone."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from engine.clock import FakeClock
from engine.errors import UsageError
from engine.learning.engagement import Collected, Collector
from engine.learning.imports import import_metrics
from engine.learning.x_metrics import XMetrics
from engine.posting import spend
from engine.store import metrics
from engine.store.database import opened
from tests.faults.rig import Rig, x_config
from tests.faults.x_server import Act, XServer, problem


@pytest.fixture
def collector(rig: Rig, clock: FakeClock, x: XServer) -> Collector:
    return Collector(rig.db_path, XMetrics(x_config(x.url, rig.db_path), clock), clock)


def publish(rig: Rig, clock: FakeClock, text: str) -> int:
    """A post on X, made now."""
    post_id = rig.approved(text)
    assert rig.round().kind == "posted"
    clock.advance(60)
    return post_id


def rows(rig: Rig, post_id: int) -> list[metrics.Snapshot]:
    with opened(rig.db_path) as db:
        return metrics.of_post(db, post_id)


def timeline_reads(x: XServer) -> list[dict[str, str]]:
    return [
        e["query"]
        for e in x.events("request")
        if e["path"].endswith("/tweets") and e["method"] == "GET"
    ]


def test_every_age_is_read_once_with_all_public_counts(
    rig: Rig, collector: Collector, clock: FakeClock, x: XServer
) -> None:
    post_id = publish(rig, clock, "One.")
    for hour in range(200):
        x.posts[0].metrics = {
            "impression_count": 100 + hour, "like_count": 1, "retweet_count": 2,
            "reply_count": 3, "quote_count": 4, "bookmark_count": 5,
        }  # fmt: skip
        collector.run()
        clock.advance(3600)
    found = rows(rig, post_id)
    assert [row.age_h for row in found] == [1, 6, 24, 48, 168]
    assert all(row.age_h <= row.age_hours < row.age_h + 1.1 for row in found)
    assert found[0].counts == metrics.Counts(101, 1, 2, 3, 4, 5)
    assert len(timeline_reads(x)) == 5


def test_renamed_fields_are_read_too(
    rig: Rig, collector: Collector, clock: FakeClock, x: XServer
) -> None:
    """``repost_count`` beside ``retweet_count`` (facts: x-api §2, "Rename"); private counts."""
    post_id = publish(rig, clock, "One.")
    clock.advance(3600)
    public = {
        "repost_count": 7,
        "reply_count": 0,
        "like_count": 1,
        "quote_count": 0,
        "impression_count": 9,
    }
    private = {"url_link_clicks": 4, "user_profile_clicks": 2}
    item = {
        "id": x.posts[0].id,
        "text": "One.",
        "public_metrics": public,
        "non_public_metrics": private,
    }
    x.next_read(Act(), Act(body={"data": [item], "meta": {"result_count": 1}}))  # followers first
    collector.run()
    assert rows(rig, post_id)[0].counts == metrics.Counts(9, 1, 7, 0, 0, 0, 4, 2)


def test_posts_side_by_side_are_one_read_and_nothing_else_is_paid_for(
    rig: Rig, collector: Collector, clock: FakeClock, x: XServer
) -> None:
    """Three due posts next to one another, one that is not due after them: three resources."""
    for text in ("One.", "Two.", "Three."):
        publish(rig, clock, text)
    clock.advance(3000)
    publish(rig, clock, "Too young.")
    clock.advance(600)
    with opened(rig.db_path) as db:
        before = spend.month_to_date(db, clock.now())
    assert collector.run().stored == 3
    with opened(rig.db_path) as db:
        spent = spend.month_to_date(db, clock.now()) - before
    assert spent == pytest.approx(3 * 0.001 + 0.010)  # and the followers of the day
    assert len(timeline_reads(x)) == 1


def test_an_age_that_was_missed_is_not_made_up(
    rig: Rig, collector: Collector, clock: FakeClock
) -> None:
    post_id = publish(rig, clock, "One.")
    clock.advance(30 * 3600)
    collector.run()
    found = rows(rig, post_id)
    assert [row.age_h for row in found] == [24]
    assert found[0].age_hours == pytest.approx(30, abs=0.1)


def test_a_read_that_fails_never_starves_newer_posts(
    rig: Rig, collector: Collector, clock: FakeClock, x: XServer
) -> None:
    """The slice of an old post fails; the newest slice was asked for first and is stored."""
    old = publish(rig, clock, "Old.")
    clock.advance(2 * 3600)
    publish(rig, clock, "Between.")
    clock.advance(4000)
    assert collector.run().stored == 2
    clock.advance(3 * 3600)
    new = publish(rig, clock, "New.")
    clock.advance(3700)
    x.next_read(Act(), Act(status=503, body={}))
    assert collector.run() == Collected(1, 0, 1, "X answered 503: ")
    assert [row.age_h for row in rows(rig, new)] == [1]
    assert [row.age_h for row in rows(rig, old)] == [1]
    asked = len(timeline_reads(x))
    assert collector.run() == Collected()  # it waits on its own before it is asked for again
    assert len(timeline_reads(x)) == asked
    clock.advance(400)
    assert collector.run().stored == 1


def test_a_post_that_x_does_not_have_is_marked_gone_and_asked_for_no_more(
    rig: Rig, collector: Collector, clock: FakeClock, x: XServer
) -> None:
    post_id = publish(rig, clock, "Deleted by hand.")
    x.posts.clear()
    clock.advance(3700)
    assert collector.run().gone == 1
    clock.advance(6 * 3600)
    reads = len(timeline_reads(x))
    assert collector.run() == Collected()
    assert len(timeline_reads(x)) == reads
    assert rows(rig, post_id) == []


def test_a_timeline_that_lags_does_not_make_a_post_gone(
    rig: Rig, collector: Collector, clock: FakeClock, x: XServer
) -> None:
    """What a slice does not show is looked up by id before anything is concluded."""
    post_id = publish(rig, clock, "Hidden for a while.")
    clock.advance(3700)
    x.frozen = []
    done = collector.run()
    assert (done.stored, done.gone) == (1, 0)
    assert rows(rig, post_id)


def test_a_rate_limit_ends_the_round_until_x_says_so(
    rig: Rig, collector: Collector, clock: FakeClock, x: XServer
) -> None:
    post_id = publish(rig, clock, "One.")
    clock.advance(3700)
    reset = str(int((clock.now() + timedelta(minutes=10)).timestamp()))
    x.next_read(Act(), problem(429, "Too Many Requests", "", x_rate_limit_reset=reset))
    collector.run()
    asked = len(x.events("request"))
    collector.run()
    assert len(x.events("request")) == asked
    clock.advance(700)
    collector.run()
    assert rows(rig, post_id)


def test_nothing_is_read_beyond_the_budget(
    rig: Rig, collector: Collector, clock: FakeClock
) -> None:
    publish(rig, clock, "One.")
    rig.settings(posting__monthly_budget_usd=0.015)
    clock.advance(3700)
    assert collector.run() == Collected(waiting=1, reason="the month's budget is spent")


def test_followers_are_counted_once_a_day(rig: Rig, collector: Collector, clock: FakeClock) -> None:
    for _ in range(30):
        collector.run()
        clock.advance(3600)
    with opened(rig.db_path) as db:
        assert metrics.followers_since(db, clock.now() - timedelta(days=9)) == [
            ("2026-11-22", 10), ("2026-11-23", 10),
        ]  # fmt: skip


def test_it_can_be_turned_off(rig: Rig, collector: Collector, clock: FakeClock, x: XServer) -> None:
    rig.settings(learning__collect=False)
    publish(rig, clock, "One.")
    clock.advance(3700)
    assert collector.run() == Collected()


def test_a_snapshot_is_never_overwritten_changed_or_removed(
    rig: Rig, collector: Collector, clock: FakeClock
) -> None:
    post_id = publish(rig, clock, "One.")
    clock.advance(3700)
    collector.run()
    with opened(rig.db_path) as db:
        other = metrics.Counts(999, 9, 9, 9, 9, 9)
        assert not metrics.add(db, post_id, 1, 1.5, other, source="x", now=clock.now())
        for statement in ("UPDATE metrics SET likes = 9", "DELETE FROM metrics"):
            with pytest.raises(sqlite3.IntegrityError):
                db.conn.execute(statement)
    assert rows(rig, post_id)[0].counts.impressions == 0


def test_a_post_that_never_was_on_x_has_no_engagement(rig: Rig, clock: FakeClock) -> None:
    """Dry runs and drafts: the schema refuses to store any."""
    post_id = rig.approved("Waiting.")
    with opened(rig.db_path) as db, pytest.raises(sqlite3.IntegrityError, match="only a post on X"):
        counts = metrics.Counts(1, 1, 1, 1, 1, 1)
        metrics.add(db, post_id, 1, 1.5, counts, source="csv", now=clock.now())


HEADER = "x_post_id,age_hours,impressions,likes,reposts,replies,quotes,bookmarks\n"


def test_a_csv_from_elsewhere_is_taken_in_under_the_same_rules(
    rig: Rig, clock: FakeClock, x: XServer, tmp_path: Path
) -> None:
    post_id = publish(rig, clock, "One.")
    clock.advance(50 * 3600)
    file = tmp_path / "export.csv"
    x_id = x.posts[0].id
    file.write_text(
        f"{HEADER}{x_id},49,100,1,2,3,4,5\n{x_id},49.5,200,0,0,0,0,0\n1,49,1,1,1,1,1,1\n"
    )
    with opened(rig.db_path) as db:
        done = import_metrics(db, file, clock.now())
    assert (done.stored, done.passed_over, done.unknown) == (1, 1, 1)
    assert rows(rig, post_id)[0].counts == metrics.Counts(100, 1, 2, 3, 4, 5)


def test_a_csv_with_one_bad_line_changes_nothing(
    rig: Rig, clock: FakeClock, x: XServer, tmp_path: Path
) -> None:
    post_id = publish(rig, clock, "One.")
    clock.advance(50 * 3600)
    file = tmp_path / "export.csv"
    file.write_text(f"{HEADER}{x.posts[0].id},49,100,1,2,3,4,5\n{x.posts[0].id},60,1,1,1,1,1,1\n")
    with opened(rig.db_path) as db, pytest.raises(UsageError, match="line 3: the post is not 60"):
        import_metrics(db, file, clock.now())
    assert rows(rig, post_id) == []
