"""Kraken (facts: market-and-content §5.4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.errors import SourceError
from engine.market.http import Fetcher
from engine.market.sources import Reading
from engine.market.sources.fields import dollars, member
from engine.records import Quote

_PAIR = "XXBTZUSD"  # what an answer about XBTUSD is filed under


@dataclass(frozen=True)
class Kraken:
    """``/0/public/Ticker``: last price and the range of the last 24 hours.

    It gives no 24 h change: ``o`` is the price at 00:00 UTC today.
    """

    fetcher: Fetcher
    base_url: str
    name: str = "kraken"

    def read(self, now: datetime) -> Reading:
        """Raises: SourceError, also for an error told inside a 200."""
        answer, age_s = self.fetcher.get_json(
            self.name, f"{self.base_url}/0/public/Ticker", params={"pair": "XBTUSD"}
        )
        errors = member(self.name, answer, "error")
        if errors:
            raise SourceError(self.name, f"it says {str(errors)[:80]}")
        row = member(self.name, answer, "result", _PAIR)
        return Reading(
            quote=Quote(
                source=self.name,
                price_usd=self._dollars(row, "c", 0),
                # the answer carries no time of its own
                as_of=now - timedelta(seconds=age_s),
                high_24h=self._dollars(row, "h", 1),
                low_24h=self._dollars(row, "l", 1),
            )
        )

    def _dollars(self, row: object, key: str, place: int) -> float:
        return dollars(self.name, f"{key}.{place}", member(self.name, row, key, place))
