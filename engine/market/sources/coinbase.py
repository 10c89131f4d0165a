"""Coinbase Exchange (facts: market-and-content §5.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.market.http import Fetcher
from engine.market.sources import Reading
from engine.market.sources.fields import dollars, member, moment
from engine.records import Quote


@dataclass(frozen=True)
class Coinbase:
    """``/ticker`` for the price and its time, ``/stats`` for the last 24 hours.

    ``open`` of ``/stats`` is the price 24 hours ago.
    """

    fetcher: Fetcher
    base_url: str
    name: str = "coinbase"

    def read(self, now: datetime) -> Reading:
        """Raises: SourceError."""
        ticker = self._get("ticker")
        stats = self._get("stats")
        price = self._dollars(ticker, "price")
        opened = self._dollars(stats, "open")
        return Reading(
            quote=Quote(
                source=self.name,
                price_usd=price,
                as_of=moment(self.name, "time", member(self.name, ticker, "time")),
                change_24h_pct=(price - opened) / opened * 100,
                # the ticker may be a trade ahead of the statistics
                high_24h=max(self._dollars(stats, "high"), price),
                low_24h=min(self._dollars(stats, "low"), price),
            )
        )

    def _get(self, part: str) -> object:
        answer, _ = self.fetcher.get_json(self.name, f"{self.base_url}/products/BTC-USD/{part}")
        return answer

    def _dollars(self, row: object, key: str) -> float:
        return dollars(self.name, key, member(self.name, row, key))
