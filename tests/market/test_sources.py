"""Each provider turns its documented shape into records and refuses everything else."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.clock import FakeClock
from engine.config import Secret
from engine.errors import SourceError
from engine.market.http import Fetcher
from engine.market.sources import Reading
from engine.market.sources.binance import Binance
from engine.market.sources.coinbase import Coinbase
from engine.market.sources.coingecko import CoinGecko
from engine.market.sources.fear_greed import FearGreedIndex
from engine.market.sources.kraken import Kraken
from engine.market.sources.mempool import Mempool
from engine.records import FearGreed, Fees
from tests.fakes import market_server as fake
from tests.fakes.market_server import Answer, MarketServer, html_answer, json_answer

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_coingecko_gives_changes_range_cap_and_all_time_high(
    fetcher: Fetcher, server: MarketServer
) -> None:
    reading = CoinGecko(fetcher, server.url).read(NOW)
    assert reading.quote.price_usd == 67_187.34
    assert reading.quote.change_24h_pct == 3.64
    assert reading.quote.as_of == NOW + timedelta(milliseconds=100)
    assert (reading.quote.high_24h, reading.quote.low_24h) == (67_500.0, 64_100.0)
    assert (reading.change_1h_pct, reading.change_7d_pct) == (0.21, -2.75)
    assert (reading.ath_usd, reading.ath_date) == (126_080.0, date(2025, 10, 6))
    assert reading.volume_24h_usd == 31_260_929_299.0
    target, headers = server.requests[-1]
    assert target.startswith("/api/v3/coins/markets?vs_currency=usd&ids=bitcoin&")
    assert "x-cg-demo-api-key" not in headers


def test_coingecko_sends_a_demo_key_in_its_documented_header(
    fetcher: Fetcher, server: MarketServer
) -> None:
    CoinGecko(fetcher, server.url, Secret("CG-demo-key")).read(NOW)
    assert server.requests[-1][1]["x-cg-demo-api-key"] == "CG-demo-key"


def test_coinbase_measures_24_hours_against_open(fetcher: Fetcher, server: MarketServer) -> None:
    server.answers[fake.COINBASE_STATS] = json_answer(
        {"open": "62605.56", "high": "63351.3", "low": "62159.76", "last": "63212.41"}
    )
    ticker = {"price": "63212.41", "time": "2026-11-22T11:59:30.123456Z"}
    server.answers[fake.COINBASE_TICKER] = json_answer(ticker)
    quote = Coinbase(fetcher, server.url).read(NOW).quote
    assert quote.change_24h_pct == pytest.approx((63212.41 - 62605.56) / 62605.56 * 100)
    assert quote.as_of == datetime(2026, 11, 22, 11, 59, 30, 123000, tzinfo=UTC)


def test_a_coinbase_trade_newer_than_the_statistics_widens_their_range(
    fetcher: Fetcher, server: MarketServer
) -> None:
    server.market(NOW, price=68_000, high=67_900)
    assert Coinbase(fetcher, server.url).read(NOW).quote.high_24h == 68_000


def test_kraken_is_read_under_its_own_pair_name_and_gives_no_24_h_change(
    fetcher: Fetcher, server: MarketServer
) -> None:
    """``o`` is the price at midnight UTC: using it would be a false 24 h change."""
    server.answers[fake.KRAKEN].headers["Age"] = "7"
    quote = Kraken(fetcher, server.url).read(NOW).quote
    assert quote.price_usd == 67_187.34
    assert quote.change_24h_pct is None
    assert (quote.high_24h, quote.low_24h) == (67_500.0, 64_100.0)
    assert quote.as_of == NOW - timedelta(seconds=7)


def test_kraken_tells_errors_inside_a_200(fetcher: Fetcher, server: MarketServer) -> None:
    server.answers[fake.KRAKEN] = json_answer({"error": ["EQuery:Unknown asset pair"]})
    with pytest.raises(SourceError, match="EQuery:Unknown asset pair"):
        Kraken(fetcher, server.url).read(NOW)


def test_binance_prices_are_strings_and_its_window_ends_at_close_time(
    fetcher: Fetcher, server: MarketServer
) -> None:
    quote = Binance(fetcher, server.url).read(NOW).quote
    assert quote.price_usd == 67_187.34
    assert quote.change_24h_pct == pytest.approx(3.64, abs=0.001)
    assert quote.as_of == NOW


def _set(path: str, *keys: Any, value: Any) -> Any:
    """An edit of one field of a documented answer."""

    def edit(server: MarketServer) -> None:
        body = json.loads(server.answers[path].body)
        place = body
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value
        server.answers[path] = json_answer(body)

    return edit


BREAKS = [
    (CoinGecko, _set(fake.COINGECKO, 0, "price_change_percentage_24h", value=None), "null"),
    (CoinGecko, _set(fake.COINGECKO, 0, "current_price", value=0), "no price can be"),
    (CoinGecko, _set(fake.COINGECKO, 0, "current_price", value=None), "not a number"),
    (CoinGecko, _set(fake.COINGECKO, 0, "current_price", value=-5.0), "no price can be"),
    (CoinGecko, _set(fake.COINGECKO, 0, "id", value="ethereum"), "another coin"),
    (CoinGecko, _set(fake.COINGECKO, 0, "last_updated", value="2026-11-22"), "not a time"),
    (Coinbase, _set(fake.COINBASE_TICKER, "price", value="0.00"), "no price can be"),
    (Coinbase, _set(fake.COINBASE_STATS, "open", value="0"), "no price can be"),
    (Coinbase, _set(fake.COINBASE_TICKER, "time", value=None), "not a time"),
    (Kraken, _set(fake.KRAKEN, "result", value={"XBTUSD": {}}), "lacks result.XXBTZUSD"),
    (Kraken, _set(fake.KRAKEN, "result", "XXBTZUSD", "c", value=["nan", "1"]), "finite"),
    (Binance, _set(fake.BINANCE, "lastPrice", value="0.00000000"), "no price can be"),
    (Binance, _set(fake.BINANCE, "closeTime", value=10**30), "not a time"),
    (Binance, _set(fake.BINANCE, "openPrice", value=""), "not a number"),
]


@pytest.mark.parametrize(("provider", "edit", "reason"), BREAKS)
def test_a_broken_field_is_a_source_error(
    fetcher: Fetcher, server: MarketServer, provider: Any, edit: Any, reason: str
) -> None:
    edit(server)
    with pytest.raises(SourceError, match=reason):
        provider(fetcher, server.url).read(NOW)


@pytest.mark.parametrize("provider", [CoinGecko, Coinbase, Kraken, Binance])
@pytest.mark.parametrize(
    "answer", [html_answer(), html_answer(429), json_answer([]), json_answer(None), Answer(b"{")]
)
def test_an_error_page_or_garbage_is_a_source_error(
    fetcher: Fetcher, server: MarketServer, provider: Any, answer: Answer
) -> None:
    server.answers = dict.fromkeys(fake.PRICE_PATHS, answer)
    with pytest.raises(SourceError):
        provider(fetcher, server.url).read(NOW)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


class OneAnswer:
    """Stands for a fetcher whose answer is already known."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def get_json(self, *args: Any, **kwargs: Any) -> tuple[Any, float]:
        return self.value, 0.0


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
@pytest.mark.parametrize(
    ("provider", "shape"),
    [
        (CoinGecko, [fake.coingecko_row(NOW, 67_000.0, 1.0, 68_000.0, 66_000.0)]),
        (Kraken, fake.kraken_answer(67_000.0, 68_000.0, 66_000.0)),
        (Binance, fake.binance_row(NOW, 67_000.0, 66_500.0, 68_000.0, 66_000.0)),
    ],
)
def test_whatever_a_field_holds_the_answer_is_a_sound_reading_or_a_source_error(
    provider: Any, shape: Any, data: st.DataObject
) -> None:
    body = json.loads(json.dumps(shape))
    place = body
    while isinstance(place, dict | list) and place:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            place[key] = data.draw(json_values)
            break
        place = place[key]
    try:
        reading = provider(OneAnswer(body), "").read(NOW)
    except SourceError:
        return
    assert isinstance(reading, Reading)
    assert reading.quote.price_usd > 0


def test_fear_and_greed_comes_as_strings_and_is_kept_for_an_hour(
    fetcher: Fetcher, server: MarketServer
) -> None:
    index = FearGreedIndex(fetcher, server.url)
    assert index.read(NOW) == FearGreed(25, "Extreme Fear")
    assert index.read(NOW + timedelta(minutes=59)) == FearGreed(25, "Extreme Fear")
    assert server.seen(fake.FEAR_GREED) == 1
    index.read(NOW + timedelta(minutes=61))
    assert server.seen(fake.FEAR_GREED) == 2


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (_set(fake.FEAR_GREED, "data", value=[]), "lacks"),
        (_set(fake.FEAR_GREED, "data", 0, "value", value="101"), "knows"),
        (_set(fake.FEAR_GREED, "data", 0, "value", value="25.5"), "whole"),
        (_set(fake.FEAR_GREED, "data", 0, "value_classification", value="<b>Buy</b>"), "knows"),
        (_set(fake.FEAR_GREED, "data", 0, "timestamp", value="1639958400"), "older"),
    ],
)
def test_a_fear_and_greed_value_that_cannot_be_is_a_source_error(
    fetcher: Fetcher, server: MarketServer, edit: Any, reason: str
) -> None:
    edit(server)
    with pytest.raises(SourceError, match=reason):
        FearGreedIndex(fetcher, server.url).read(NOW)


def test_mempool_gives_height_fees_difficulty_and_hashrate(
    fetcher: Fetcher, server: MarketServer
) -> None:
    reading = Mempool(fetcher, server.url).read(NOW)
    assert reading.block_height == 900_000
    assert reading.fees == Fees(4, 3, 2)
    assert reading.difficulty_change_pct == 8.512745140778843
    assert reading.retarget_blocks == 565
    assert reading.hashrate_ehs == pytest.approx(252.0332)
    assert reading.notes == ()


def test_a_failing_part_of_mempool_leaves_the_others_and_a_note(
    fetcher: Fetcher, server: MarketServer
) -> None:
    server.answers[fake.FEES] = html_answer()
    server.answers[fake.HASHRATE] = json_answer({"currentHashrate": 0})
    reading = Mempool(fetcher, server.url).read(NOW)
    assert (reading.fees, reading.hashrate_ehs) == (None, None)
    assert reading.block_height == 900_000
    assert len(reading.notes) == 2


def test_an_html_429_silences_mempool_as_a_whole(
    fetcher: Fetcher, server: MarketServer, clock: FakeClock
) -> None:
    """The body of its 429 is HTML; the parts after the first are not even asked for."""
    for path in (fake.HEIGHT, fake.FEES, fake.DIFFICULTY, fake.HASHRATE):
        server.answers[path] = html_answer(429)
    with pytest.raises(SourceError, match="HTTP 429"):
        Mempool(fetcher, server.url).read(NOW)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (fake.HEIGHT, Answer(b"-1", content_type="text/plain")),
        (fake.HEIGHT, Answer(b"99999999999", content_type="text/plain")),
        (fake.HEIGHT, Answer(b"soon", content_type="text/plain")),
        (fake.FEES, json_answer({"fastestFee": 1, "halfHourFee": 5, "hourFee": 2})),
        (fake.DIFFICULTY, json_answer({"difficultyChange": 301, "remainingBlocks": 5})),
        (fake.DIFFICULTY, json_answer({"difficultyChange": 3, "remainingBlocks": 2017})),
    ],
)
def test_chain_values_that_cannot_be_are_left_out(
    fetcher: Fetcher, server: MarketServer, path: str, answer: Answer
) -> None:
    server.answers[path] = answer
    assert len(Mempool(fetcher, server.url).read(NOW).notes) == 1
