"""CoinGecko (facts: market-and-content §5.1): the widest view, on the smallest allowance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from engine.config import Secret
from engine.errors import SourceError
from engine.market.http import Fetcher
from engine.market.sources import Reading
from engine.market.sources.fields import (
    dollars,
    maybe_dollars,
    maybe_number,
    member,
    moment,
    number,
)
from engine.records import Quote


@dataclass(frozen=True)
class CoinGecko:
    """``/api/v3/coins/markets``: one call gives price, changes, range, cap and all-time high.

    Keyless use allows about one call a minute; a demo ``key`` goes into its documented header.
    """

    fetcher: Fetcher
    base_url: str
    key: Secret | None = None
    name: str = "coingecko"

    def read(self, now: datetime) -> Reading:
        """Raises: SourceError; a null 24 h change marks stale data and is one."""
        answer, _ = self.fetcher.get_json(
            self.name,
            f"{self.base_url}/api/v3/coins/markets",
            params={
                "vs_currency": "usd",
                "ids": "bitcoin",
                "price_change_percentage": "1h,24h,7d",
            },
            headers={"x-cg-demo-api-key": self.key.reveal()} if self.key else None,
        )
        row = member(self.name, answer, 0)
        if member(self.name, row, "id") != "bitcoin":
            raise SourceError(self.name, "its answer is about another coin")
        price = dollars(self.name, "current_price", member(self.name, row, "current_price"))
        change = row.get("price_change_percentage_24h")
        if change is None:
            raise SourceError(self.name, "its 24 h change is null, which marks stale data")
        return Reading(
            quote=Quote(
                source=self.name,
                price_usd=price,
                as_of=moment(self.name, "last_updated", row.get("last_updated")),
                change_24h_pct=number(self.name, "price_change_percentage_24h", change),
                high_24h=maybe_dollars(row.get("high_24h")),
                low_24h=maybe_dollars(row.get("low_24h")),
            ),
            change_1h_pct=maybe_number(row.get("price_change_percentage_1h_in_currency")),
            change_7d_pct=maybe_number(row.get("price_change_percentage_7d_in_currency")),
            volume_24h_usd=maybe_dollars(row.get("total_volume")),
            market_cap_usd=maybe_dollars(row.get("market_cap")),
            ath_usd=maybe_dollars(row.get("ath")),
            ath_date=_day(row.get("ath_date")),
        )


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None
