"""Binance market data (facts: market-and-content §5.2). Its quote currency is USDT, not USD."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.market.http import Fetcher
from engine.market.sources import Reading
from engine.market.sources.fields import dollars, member, unix_moment, whole
from engine.records import Quote


@dataclass(frozen=True)
class Binance:
    """``/api/v3/ticker/24hr``: prices as strings, over a window that ends at ``closeTime``."""

    fetcher: Fetcher
    base_url: str
    name: str = "binance"

    def read(self, now: datetime) -> Reading:
        """Raises: SourceError."""
        answer, _ = self.fetcher.get_json(
            self.name, f"{self.base_url}/api/v3/ticker/24hr", params={"symbol": "BTCUSDT"}
        )
        price = self._dollars(answer, "lastPrice")
        opened = self._dollars(answer, "openPrice")
        closed_ms = whole(self.name, "closeTime", member(self.name, answer, "closeTime"))
        return Reading(
            quote=Quote(
                source=self.name,
                price_usd=price,
                as_of=unix_moment(self.name, "closeTime", closed_ms / 1000),
                change_24h_pct=(price - opened) / opened * 100,
                high_24h=self._dollars(answer, "highPrice"),
                low_24h=self._dollars(answer, "lowPrice"),
            )
        )

    def _dollars(self, row: object, key: str) -> float:
        return dollars(self.name, key, member(self.name, row, key))
