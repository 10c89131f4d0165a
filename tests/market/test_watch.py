"""One look at the market ends in a stored snapshot and its events, or in a named reason."""

from __future__ import annotations

from datetime import timedelta

from sqlite_utils import Database

from engine.clock import FakeClock
from engine.market.snapshot import Sources
from engine.market.watch import record, watch, watch_sample
from engine.records import Facts, Snapshot
from engine.store import market_events, settings, snapshots
from tests.fakes import market_server as fake
from tests.fakes.market_server import MarketServer, html_answer


def test_a_live_look_is_stored(
    db: Database, sources: Sources, clock: FakeClock, server: MarketServer
) -> None:
    result = watch(db, sources, clock, settings.get_all(db))
    assert result.status.state == "live"
    assert result.snapshot is not None and result.snapshot.id is not None
    assert snapshots.get(db, result.snapshot.id) == result.snapshot


def test_trouble_with_the_market_is_a_state_with_its_reason_and_stores_nothing(
    db: Database, sources: Sources, clock: FakeClock, server: MarketServer
) -> None:
    server.answers = dict.fromkeys(server.answers, html_answer(503))
    result = watch(db, sources, clock, settings.get_all(db))
    assert (result.status.state, result.snapshot, result.events) == ("held", None, ())
    assert "coinbase: HTTP 503" in result.status.reason
    assert snapshots.latest(db) is None


def test_a_crossing_between_two_looks_is_stored_with_both_snapshots_and_claimed_once(
    db: Database, sources: Sources, clock: FakeClock, server: MarketServer
) -> None:
    server.market(clock.now(), price=69_500, high=70_600)
    first = watch(db, sources, clock, settings.get_all(db)).snapshot
    clock.advance(600)
    server.market(clock.now(), price=70_300, high=70_600)
    result = watch(db, sources, clock, settings.get_all(db))
    (event,) = result.events
    assert first is not None and result.snapshot is not None
    assert event.sentence == "The price crossed above $70,000."
    assert (event.previous_snapshot_id, event.snapshot_id) == (first.id, result.snapshot.id)
    now = clock.now()
    assert market_events.next_event(db, now, world="live", max_age_s=600) == event
    assert market_events.next_event(db, now, world="sample", max_age_s=600) is None
    assert market_events.next_event(db, now, world="live", max_age_s=600, min_priority=90) is None
    assert event.id is not None
    assert market_events.claim_event(db, event.id, now)
    assert not market_events.claim_event(db, event.id, now)
    assert market_events.next_event(db, now, world="live", max_age_s=600) is None
    assert market_events.release_event(db, event.id)
    later = now + timedelta(seconds=601)
    assert market_events.next_event(db, later, world="live", max_age_s=600) is None
    assert market_events.recent(db, world="live") == [event]


def test_data_not_newer_than_the_stored_is_not_stored_again(
    db: Database, sources: Sources, clock: FakeClock, server: MarketServer
) -> None:
    first = watch(db, sources, clock, settings.get_all(db))
    again = watch(db, sources, clock, settings.get_all(db))
    assert again.snapshot == first.snapshot
    assert again.status.state == "live"
    count = db.conn.execute("SELECT count(*) FROM snapshots").fetchone()[0]
    assert count == 1


def test_the_sample_market_is_one_snapshot_an_hour_marked_with_why_it_plays(
    db: Database, clock: FakeClock
) -> None:
    first = watch_sample(db, clock, "no source answers")
    assert (first.status.state, first.status.reason) == ("sample", "no source answers")
    assert first.snapshot is not None and first.snapshot.world == "sample"
    clock.advance(120)
    assert watch_sample(db, clock, "no source answers").snapshot == first.snapshot
    clock.advance(3600)
    after = watch_sample(db, clock, "no source answers").snapshot
    assert after is not None and after.id != first.snapshot.id


def test_a_snapshot_stored_under_a_wrong_clock_does_not_block_the_right_one(
    db: Database, clock: FakeClock
) -> None:
    def at(hours: int) -> Snapshot:
        as_of = clock.now() + timedelta(hours=hours)
        return Snapshot(Facts(as_of=as_of, price_usd=100_000.0), "sample")

    record(db, at(48), clock)
    stored, _ = record(db, at(0), clock)
    assert stored.facts.as_of == clock.now()


def test_null_change_and_one_source_alone(
    db: Database, sources: Sources, clock: FakeClock, server: MarketServer
) -> None:
    """Kraken alone knows no 24 h change: the look is held and says so."""
    for path in (fake.COINGECKO, fake.COINBASE_TICKER, fake.BINANCE):
        server.answers[path] = html_answer(500)
    status = watch(db, sources, clock, settings.get_all(db)).status
    assert status.state == "held"
    assert "the 24 h change is unknown" in status.reason
