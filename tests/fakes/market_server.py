"""Every data source on one loopback server: documented shapes by default, any trouble on demand.

``answers`` maps a path (without query) to an :class:`Answer`; :meth:`MarketServer.market` sets
the documented shapes of all sources for one state of the market (facts: market-and-content §5).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

COINGECKO = "/api/v3/coins/markets"
COINBASE_TICKER = "/products/BTC-USD/ticker"
COINBASE_STATS = "/products/BTC-USD/stats"
KRAKEN = "/0/public/Ticker"
BINANCE = "/api/v3/ticker/24hr"
FEAR_GREED = "/fng/"
HEIGHT = "/api/blocks/tip/height"
FEES = "/api/v1/fees/recommended"
DIFFICULTY = "/api/v1/difficulty-adjustment"
HASHRATE = "/api/v1/mining/hashrate/3d"
PRICE_PATHS = (COINGECKO, COINBASE_TICKER, COINBASE_STATS, KRAKEN, BINANCE)


@dataclass
class Answer:
    """What a path answers. ``hold`` keeps the connection silent until the server closes;
    ``trickle`` sends the body one byte every so many seconds."""

    body: bytes = b""
    status: int = 200
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    hold: bool = False
    trickle: float = 0.0


def json_answer(value: Any, **more: Any) -> Answer:
    return Answer(json.dumps(value).encode(), **more)


def html_answer(status: int = 200, **more: Any) -> Answer:
    page = b"<!doctype html><title>Too Many Requests</title>"
    return Answer(page, status, "text/html", **more)


class MarketServer:
    """Programmable; ``requests`` holds (path with query, headers) of every request seen."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.closing = threading.Event()
        self._httpd = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._httpd.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._httpd.server_port}"
        self._thread = threading.Thread(
            target=self._httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self.closing.set()
        self._httpd.shutdown()
        self._httpd.server_close()
        self._thread.join()

    def env(self) -> dict[str, str]:
        """Environment variables that point every source here."""
        names = ("COINGECKO", "COINBASE", "KRAKEN", "BINANCE", "MEMPOOL", "FEAR_GREED")
        return {f"BTCBUZZ_{name}_URL": self.url for name in names}

    def seen(self, path: str) -> int:
        """How many requests this path got."""
        return sum(urlsplit(target).path == path for target, _ in self.requests)

    def market(
        self,
        now: datetime,
        *,
        price: float = 67_187.34,
        change: float = 3.64,
        high: float = 67_500.0,
        low: float = 64_100.0,
        height: int = 900_000,
    ) -> None:
        """All sources agree on this market at ``now``."""
        opened = price / (1 + change / 100)
        self.answers = {
            COINGECKO: json_answer([coingecko_row(now, price, change, high, low)]),
            COINBASE_TICKER: json_answer(
                {
                    "ask": f"{price + 1:.2f}",
                    "bid": f"{price - 1:.2f}",
                    "volume": "12345.678",
                    "trade_id": 1,
                    "price": f"{price:.2f}",
                    "size": "0.01",
                    "time": f"{now:%Y-%m-%dT%H:%M:%S}.123456Z",
                }
            ),
            COINBASE_STATS: json_answer(
                {
                    "open": f"{opened:.2f}",
                    "high": f"{high:.2f}",
                    "low": f"{low:.2f}",
                    "last": f"{price:.2f}",
                    "volume": "4918.33722403",
                    "volume_30day": "269980.64976703",
                    "rfq_volume_24hour": "31.625279",
                    "rfq_volume_30day": "2310.097200",
                }
            ),
            KRAKEN: json_answer(kraken_answer(price, high, low)),
            BINANCE: json_answer(binance_row(now, price, opened, high, low)),
            FEAR_GREED: json_answer(
                {
                    "name": "Fear and Greed Index",
                    "data": [
                        {
                            "value": "25",
                            "value_classification": "Extreme Fear",
                            "timestamp": str(int(now.timestamp()) // 86_400 * 86_400),
                            "time_until_update": "62507",
                        }
                    ],
                    "metadata": {"error": None},
                }
            ),
            HEIGHT: Answer(str(height).encode(), content_type="text/plain"),
            FEES: json_answer(
                {
                    "fastestFee": 4,
                    "halfHourFee": 3,
                    "hourFee": 2,
                    "economyFee": 1,
                    "minimumFee": 1,
                }
            ),
            DIFFICULTY: json_answer(
                {
                    "progressPercent": 71.97420634920636,
                    "difficultyChange": 8.512745140778843,
                    "estimatedRetargetDate": 1708004001715,
                    "remainingBlocks": 565,
                    "remainingTime": 312620715,
                    "previousRetarget": 7.333505241141637,
                    "previousTime": 1706888526,
                    "nextRetargetHeight": 830592,
                    "timeAvg": 553311,
                    "adjustedTimeAvg": 553311,
                    "timeOffset": 0,
                    "expectedBlocks": 1338.0916666666667,
                }
            ),
            HASHRATE: json_answer(
                {
                    "hashrates": [{"timestamp": 1652486400, "avgHashrate": 236499762108771800000}],
                    "difficulty": [
                        {"timestamp": 1652468330, "difficulty": 31251101365711.12, "height": 736249}
                    ],
                    "currentHashrate": 252033247355212300000,
                    "currentDifficulty": 31251101365711.12,
                }
            ),
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.requests.append((self.path, dict(self.headers)))
                answer = server.answers.get(urlsplit(self.path).path, html_answer(404))
                if answer.hold:
                    server.closing.wait(20)
                    return
                self.send_response(answer.status)
                if answer.content_type:
                    self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(answer.body)))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                with suppress(OSError):  # the client may give up, as it should
                    self._send(answer)

            def _send(self, answer: Answer) -> None:
                if not answer.trickle:
                    self.wfile.write(answer.body)
                    return
                for byte in answer.body:
                    if server.closing.wait(answer.trickle):
                        return
                    self.wfile.write(bytes([byte]))

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


@contextmanager
def running() -> Iterator[MarketServer]:
    server = MarketServer()
    try:
        yield server
    finally:
        server.close()


def coingecko_row(
    now: datetime, price: float, change: float | None, high: float, low: float
) -> dict[str, Any]:
    """One coin of ``/coins/markets`` with the documented keys."""
    return {
        "id": "bitcoin",
        "symbol": "btc",
        "name": "Bitcoin",
        "image": "https://coin-images.coingecko.com/coins/images/1/large/bitcoin.png",
        "current_price": price,
        "market_cap": round(price * 19_950_000),
        "market_cap_rank": 1,
        "fully_diluted_valuation": round(price * 21_000_000),
        "total_volume": 31_260_929_299,
        "high_24h": high,
        "low_24h": low,
        "price_change_24h": None if change is None else price * change / (100 + change or 1),
        "price_change_percentage_24h": change,
        "circulating_supply": 19_950_000.0,
        "total_supply": 19_950_000.0,
        "max_supply": 21_000_000.0,
        "ath": 126_080,
        "ath_change_percentage": -46.71,
        "ath_date": "2025-10-06T18:57:42.558Z",
        "atl": 67.81,
        "atl_change_percentage": 98_975.1,
        "atl_date": "2013-07-06T00:00:00.000Z",
        "roi": None,
        "last_updated": f"{now:%Y-%m-%dT%H:%M:%S}.100Z",
        "price_change_percentage_1h_in_currency": 0.21,
        "price_change_percentage_24h_in_currency": change,
        "price_change_percentage_7d_in_currency": -2.75,
    }


def kraken_answer(price: float, high: float, low: float) -> dict[str, Any]:
    """``/Ticker`` as documented: the pair comes back under another name."""
    return {
        "error": [],
        "result": {
            "XXBTZUSD": {
                "a": [f"{price + 1:.5f}", "1", "1.000"],
                "b": [f"{price:.5f}", "1", "1.000"],
                "c": [f"{price:.5f}", "0.00603612"],
                "v": ["268.40588255", "2862.86180275"],
                "p": ["83083.21647", "83278.12284"],
                "t": [18192, 153218],
                "l": [f"{low + 50:.5f}", f"{low:.5f}"],
                "h": [f"{high - 50:.5f}", f"{high:.5f}"],
                "o": f"{price * 1.2:.5f}",
            }
        },
    }


def binance_row(
    now: datetime, price: float, opened: float, high: float, low: float
) -> dict[str, Any]:
    """``/ticker/24hr`` as documented: every price a string."""
    closed_ms = int(now.timestamp() * 1000)
    return {
        "symbol": "BTCUSDT",
        "priceChange": f"{price - opened:.2f}",
        "priceChangePercent": f"{(price - opened) / opened * 100:.3f}",
        "weightedAvgPrice": f"{price:.8f}",
        "prevClosePrice": f"{opened:.2f}",
        "lastPrice": f"{price:.2f}",
        "lastQty": "0.00100000",
        "bidPrice": f"{price - 0.01:.2f}",
        "bidQty": "1.0",
        "askPrice": f"{price:.2f}",
        "askQty": "1.0",
        "openPrice": f"{opened:.2f}",
        "highPrice": f"{high:.2f}",
        "lowPrice": f"{low:.2f}",
        "volume": "1234.5",
        "quoteVolume": "81000000.0",
        "openTime": closed_ms - 86_400_000,
        "closeTime": closed_ms,
        "firstId": 28385,
        "lastId": 28460,
        "count": 76,
    }
