"""A snapshot is what sources agree on, or a reason why there is none."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.clock import FakeClock
from engine.errors import SnapshotHeld
from engine.market.snapshot import Sources, consensus, take_snapshot
from engine.market.sources import Reading
from engine.records import FearGreed, Quote
from tests.fakes import market_server as fake
from tests.fakes.market_server import Answer, MarketServer, html_answer, json_answer
from tests.market.conftest import DEFAULTS

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def reading(source: str = "a", price: float = 100_000.0, **more: Any) -> Reading:
    fields = {"change_24h_pct": 1.0, "as_of": NOW, **more}
    extras = {key: fields.pop(key) for key in list(fields) if key in _EXTRAS}
    return Reading(Quote(source, price, **fields), **extras)


_EXTRAS = {field.name for field in dataclasses.fields(Reading)}


def test_four_agreeing_sources_make_a_full_snapshot(
    sources: Sources, clock: FakeClock, server: MarketServer
) -> None:
    snapshot = take_snapshot(sources, clock, DEFAULTS)
    facts = snapshot.facts
    assert snapshot.world == "live"
    assert {quote.source for quote in snapshot.quotes} == {
        "coingecko",
        "coinbase",
        "kraken",
        "binance",
    }
    assert facts.price_usd == 67_187.34
    assert facts.change_24h_pct == pytest.approx(3.64, abs=0.001)
    assert (facts.high_24h, facts.low_24h) == (67_500, 64_100)
    assert (facts.change_7d_pct, facts.ath_usd) == (-2.75, 126_080)
    assert facts.fear_greed == FearGreed(25, "Extreme Fear")
    assert facts.block_height == 900_000
    assert facts.market_cap_usd is not None
    assert snapshot.spread_pct == 0
    assert snapshot.notes == ()
    assert dict(facts.to_dict())["headline"] is None


def test_sources_too_far_apart_hold_the_snapshot_and_are_named(
    sources: Sources, clock: FakeClock, server: MarketServer
) -> None:
    server.answers[fake.KRAKEN] = json_answer(fake.kraken_answer(69_000, 69_500, 64_100))
    with pytest.raises(SnapshotHeld, match=r"differ by 2.70 %, more than 1.5 %.*kraken 69000"):
        take_snapshot(sources, clock, DEFAULTS)


def test_a_small_spread_is_recorded(
    sources: Sources, clock: FakeClock, server: MarketServer
) -> None:
    server.answers[fake.KRAKEN] = json_answer(fake.kraken_answer(67_500, 67_500, 64_100))
    assert take_snapshot(sources, clock, DEFAULTS).spread_pct == pytest.approx(0.465, abs=0.001)


@pytest.mark.parametrize(
    "trouble",
    [
        html_answer(),
        html_answer(429),
        json_answer({}, status=503),
        json_answer([]),
        Answer(b""),
        Answer(b"x" * 2_000_000),
        Answer(hold=True),
    ],
)
def test_when_no_source_answers_soundly_the_snapshot_is_held_with_every_reason(
    sources: Sources, clock: FakeClock, server: MarketServer, trouble: Answer
) -> None:
    server.answers = dict.fromkeys(server.answers, trouble)
    with pytest.raises(SnapshotHeld) as held:
        take_snapshot(sources, clock, DEFAULTS)
    for name in ("coingecko", "coinbase", "kraken", "binance"):
        assert f"{name}: " in held.value.reason


@pytest.mark.parametrize("price", [0, -1])
def test_a_price_not_above_zero_is_never_a_snapshot(
    sources: Sources, clock: FakeClock, server: MarketServer, price: float
) -> None:
    """The earlier bot published $0.00 and -100 % (facts §1.1)."""
    server.answers[fake.COINGECKO] = json_answer(
        [fake.coingecko_row(clock.now(), price, -100.0, 1.0, 1.0)]
    )
    for path in (fake.COINBASE_TICKER, fake.KRAKEN, fake.BINANCE):
        server.answers[path] = html_answer()
    with pytest.raises(SnapshotHeld, match="no price can be"):
        take_snapshot(sources, clock, DEFAULTS)


def test_a_null_24_h_change_everywhere_is_never_a_snapshot(
    sources: Sources, clock: FakeClock, server: MarketServer
) -> None:
    server.answers[fake.COINGECKO] = json_answer(
        [fake.coingecko_row(clock.now(), 67_187.34, None, 67_500, 64_100)]
    )
    server.answers[fake.COINBASE_TICKER] = server.answers[fake.BINANCE] = html_answer()
    with pytest.raises(SnapshotHeld, match="24 h change is unknown"):
        take_snapshot(sources, clock, DEFAULTS)


def test_stale_data_is_never_a_snapshot(clock: FakeClock) -> None:
    old = reading(as_of=NOW - timedelta(seconds=301))
    with pytest.raises(SnapshotHeld, match="301 s old"):
        consensus([old], NOW, DEFAULTS)
    assert consensus([reading("b"), old], NOW, DEFAULTS).notes[0] == "a: its data is 301 s old"


def test_a_source_ahead_of_our_clock_is_not_used() -> None:
    with pytest.raises(SnapshotHeld, match="check the clock"):
        consensus([reading(as_of=NOW + timedelta(hours=1))], NOW, DEFAULTS)


def test_a_reading_without_a_price_above_zero_is_not_used() -> None:
    with pytest.raises(SnapshotHeld, match="a: its price is not above zero"):
        consensus([reading(price=0.0)], NOW, DEFAULTS)


def test_the_change_is_the_median_of_what_sources_measured() -> None:
    readings = [reading(name, change_24h_pct=c) for name, c in (("a", 0.2), ("b", 0.9), ("c", 0.4))]
    assert consensus(readings, NOW, DEFAULTS).facts.change_24h_pct == 0.4


def test_too_few_sources_hold_the_snapshot() -> None:
    with pytest.raises(SnapshotHeld, match="1 of at least 2"):
        consensus([reading()], NOW, {**DEFAULTS, "market.min_sources": 2})


def test_failing_optional_sources_leave_null_and_a_note(
    sources: Sources, clock: FakeClock, server: MarketServer
) -> None:
    for path in (fake.FEAR_GREED, fake.HEIGHT, fake.FEES, fake.DIFFICULTY, fake.HASHRATE):
        server.answers[path] = html_answer(500)
    snapshot = take_snapshot(sources, clock, DEFAULTS)
    assert snapshot.facts.fear_greed is None
    assert snapshot.facts.block_height is None
    assert any(note.startswith("fear_greed: ") for note in snapshot.notes)
    assert any(note.startswith("mempool: ") for note in snapshot.notes)


def test_a_silent_source_costs_the_time_cap_and_no_more(
    config: Any, clock: FakeClock, server: MarketServer
) -> None:
    """The silent source alone would wait 20 s; the cap ends the reading without it."""
    from engine.market.http import Fetcher
    from engine.market.snapshot import build_sources

    slow = Fetcher(clock, read_s=20, total_s=20)
    sources = dataclasses.replace(build_sources(config, clock, fetcher=slow), time_cap_s=1.0)
    server.answers[fake.KRAKEN] = Answer(hold=True)
    snapshot = take_snapshot(sources, clock, DEFAULTS)
    assert len(snapshot.quotes) == 3
    assert "kraken: no answer in time" in snapshot.notes


def test_a_source_that_breaks_in_an_unforeseen_way_does_not_take_the_others_down(
    sources: Sources, clock: FakeClock
) -> None:
    class Broken:
        name = "broken"

        def read(self, now: datetime) -> Reading:
            raise ZeroDivisionError("oops")

    several = dataclasses.replace(sources, prices=(*sources.prices, Broken()))
    assert "ZeroDivisionError" in take_snapshot(several, clock, DEFAULTS).notes[0]


def test_a_venues_premium_never_looks_like_a_move_in_time() -> None:
    """Kraken knows no change and trades 1 % lower: the change stays what the others measured."""
    low = reading("kraken", 99_000.0, change_24h_pct=None)
    facts = consensus([reading(change_24h_pct=0.2), low], NOW, DEFAULTS).facts
    assert facts.price_usd == 99_500
    assert facts.change_24h_pct == 0.2


def test_sources_that_disagree_about_the_change_make_it_unknown() -> None:
    with pytest.raises(SnapshotHeld, match="disagree about the 24 h change"):
        consensus([reading(), reading("b", change_24h_pct=-1.0)], NOW, DEFAULTS)


@pytest.mark.parametrize(
    ("high", "low"),
    [(99_000.0, 95_000.0), (101_000.0, 100_500.0), (100_500.0, 99_900.0), (None, 95_000.0)],
)
def test_a_range_that_does_not_hold_the_price_now_and_24_h_ago_is_null(
    high: float | None, low: float
) -> None:
    facts = consensus([reading(high_24h=high, low_24h=low)], NOW, DEFAULTS).facts
    assert (facts.high_24h, facts.low_24h) == (None, None)


def test_above_the_known_all_time_high_the_record_is_unknown() -> None:
    assert consensus([reading(ath_usd=100_001.0)], NOW, DEFAULTS).facts.ath_usd == 100_001
    snapshot = consensus([reading(ath_usd=99_999.0)], NOW, DEFAULTS)
    assert snapshot.facts.ath_usd is None
    assert "the price is above the last known all-time high" in snapshot.notes


def test_a_market_cap_of_another_price_is_left_out() -> None:
    assert consensus([reading(market_cap_usd=2e12)], NOW, DEFAULTS).facts.market_cap_usd == 2e12
    assert consensus([reading(market_cap_usd=2e11)], NOW, DEFAULTS).facts.market_cap_usd is None


quotes = st.builds(
    reading,
    source=st.sampled_from("abcd"),
    price=st.floats(90_000, 92_000),
    change_24h_pct=st.none() | st.floats(-1, 1),
    high_24h=st.none() | st.floats(85_000, 97_000),
    low_24h=st.none() | st.floats(85_000, 97_000),
    ath_usd=st.none() | st.floats(80_000, 120_000),
    as_of=st.timedeltas(timedelta(seconds=-400), timedelta(seconds=200)).map(NOW.__add__),
)


@given(st.lists(quotes, max_size=5))
def test_whatever_sources_say_a_snapshot_never_contradicts_itself(readings: list[Reading]) -> None:
    try:
        snapshot = consensus(readings, NOW, DEFAULTS)
    except SnapshotHeld as held:
        assert held.reason
        return
    facts = snapshot.facts
    assert facts.as_of is not None and timedelta(0) <= NOW - facts.as_of <= timedelta(seconds=300)
    prices = [quote.price_usd for quote in snapshot.quotes]
    assert facts.price_usd is not None and facts.change_24h_pct is not None
    assert min(prices) <= facts.price_usd <= max(prices)
    assert snapshot.spread_pct <= DEFAULTS["market.max_spread_pct"]
    changes = [q.change_24h_pct for q in snapshot.quotes if q.change_24h_pct is not None]
    assert min(changes) <= facts.change_24h_pct <= max(changes)
    assert (facts.high_24h is None) == (facts.low_24h is None)
    if facts.high_24h is not None and facts.low_24h is not None:
        assert facts.low_24h <= facts.price_usd <= facts.high_24h
    if facts.ath_usd is not None:
        assert facts.price_usd <= facts.ath_usd
    assert all(NOW - quote.as_of <= timedelta(seconds=300) for quote in snapshot.quotes)
