"""A snapshot: what several sources agree the market is right now, or the reason why there is none.

**What the words of a snapshot mean**, defined here and nowhere else:

- ``price_usd``: the median of all fresh sources; ``as_of``: the (lower) median of their times.
- ``change_24h_pct``: that price against the price 24 hours before. Each source that knows says
  how far *its own* price moved; the median of those moves is the move of the consensus. So a
  venue's premium, or a quote in USDT, never looks like a move in time. Sources whose moves are
  further apart than the allowed spread make the change unknown, and an unknown change holds the
  snapshot back.
- ``change_1h_pct`` and ``change_7d_pct``: the same over their horizons; None where unknown.
- ``high_24h``, ``low_24h``: medians, and only if ``low <= price <= high`` and the price 24 hours
  before lies between them too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median, median_low
from typing import Any

from engine.clock import Clock
from engine.config import Config
from engine.errors import SnapshotHeld, SourceError
from engine.market.gather import ask_all
from engine.market.http import Fetcher
from engine.market.sources import (
    ChainReading,
    ChainSource,
    FearGreedSource,
    PriceSource,
    Reading,
)
from engine.market.sources.binance import Binance
from engine.market.sources.coinbase import Coinbase
from engine.market.sources.coingecko import CoinGecko
from engine.market.sources.fear_greed import FearGreedIndex
from engine.market.sources.fields import whole_ms
from engine.market.sources.kraken import Kraken
from engine.market.sources.mempool import Mempool
from engine.records import Facts, FearGreed, Quote, Snapshot

# a source's clock may run a little ahead of ours, not more
_AHEAD = timedelta(seconds=120)
# a range is measured at other instants than the price; so much may its edge be off
_EDGE = 0.001


@dataclass(frozen=True)
class Sources:
    """Everything a live snapshot asks. ``time_cap_s`` bounds the whole reading."""

    prices: tuple[PriceSource, ...]
    fear_greed: FearGreedSource | None = None
    chain: ChainSource | None = None
    time_cap_s: float = 10.0


def build_sources(config: Config, clock: Clock, *, fetcher: Fetcher | None = None) -> Sources:
    """All providers at the addresses of ``config``. Makes no traffic."""
    fetcher = fetcher or Fetcher(clock)
    url = config.sources
    return Sources(
        prices=(
            CoinGecko(fetcher, url["COINGECKO"], config.coingecko_key),
            Coinbase(fetcher, url["COINBASE"]),
            Kraken(fetcher, url["KRAKEN"]),
            Binance(fetcher, url["BINANCE"]),
        ),
        fear_greed=FearGreedIndex(fetcher, url["FEAR_GREED"]),
        chain=Mempool(fetcher, url["MEMPOOL"]),
    )


def take_snapshot(sources: Sources, clock: Clock, settings: Mapping[str, Any]) -> Snapshot:
    """Ask all sources at once and answer their consensus, not yet stored.

    ``settings``: values in force of ``market.max_age_s``, ``market.max_spread_pct`` and
    ``market.min_sources``. A failing optional source leaves None and a note.

    Raises: SnapshotHeld with the reason.
    """
    now = whole_ms(clock.now())
    optional = [source for source in (sources.fear_greed, sources.chain) if source]
    answers = ask_all([*sources.prices, *optional], now, sources.time_cap_s)
    return consensus(
        [answer for answer in answers if isinstance(answer, Reading)],
        now,
        settings,
        fear_greed=next((a for a in answers if isinstance(a, FearGreed)), None),
        chain=next((a for a in answers if isinstance(a, ChainReading)), None),
        notes=[str(answer) for answer in answers if isinstance(answer, SourceError)],
    )


def consensus(
    readings: Iterable[Reading],
    now: datetime,
    settings: Mapping[str, Any],
    *,
    fear_greed: FearGreed | None = None,
    chain: ChainReading | None = None,
    notes: Iterable[str] = (),
) -> Snapshot:
    """The snapshot behind ``readings``; pure. Raises: SnapshotHeld."""
    said = list(notes)
    fresh = _fresh(readings, now, timedelta(seconds=settings["market.max_age_s"]), said)
    least = max(1, settings["market.min_sources"])
    if len(fresh) < least:
        why = "; ".join(said) or "no source is set up"
        raise SnapshotHeld(f"{len(fresh)} of at least {least} price sources are usable ({why})")
    quotes = [reading.quote for reading in fresh]
    limit = settings["market.max_spread_pct"]
    price = median(quote.price_usd for quote in quotes)
    spread = _held_spread(quotes, price, limit)
    change_24h = _change([quote.change_24h_pct for quote in quotes], limit, "24 h", said)
    if change_24h is None:
        raise SnapshotHeld(f"the 24 h change is unknown ({'; '.join(said)})")
    high, low = _range(quotes, price, change_24h, said)
    ath, ath_date = _record(fresh, price, said)
    chain = chain or ChainReading()
    facts = Facts(
        # a source a moment ahead of us must not date the snapshot into the future
        as_of=min(now, median_low(quote.as_of for quote in quotes)),
        price_usd=price,
        change_1h_pct=_change([reading.change_1h_pct for reading in fresh], limit, "1 h", said),
        change_24h_pct=change_24h,
        change_7d_pct=_change([reading.change_7d_pct for reading in fresh], limit, "7 d", said),
        high_24h=high,
        low_24h=low,
        volume_24h_usd=_first(reading.volume_24h_usd for reading in fresh),
        market_cap_usd=_first(
            reading.market_cap_usd for reading in fresh if _plausible_cap(reading, price)
        ),
        ath_usd=ath,
        ath_date=ath_date,
        fear_greed=fear_greed,
        block_height=chain.block_height,
        fees=chain.fees,
        hashrate_ehs=chain.hashrate_ehs,
        difficulty_change_pct=chain.difficulty_change_pct,
        retarget_blocks=chain.retarget_blocks,
    )
    return Snapshot(facts, "live", tuple(quotes), spread, (*said, *chain.notes))


def _fresh(
    readings: Iterable[Reading], now: datetime, oldest: timedelta, notes: list[str]
) -> list[Reading]:
    """The readings whose price is above zero and whose time is near ours."""
    fresh = []
    for reading in readings:
        quote = reading.quote
        age = now - quote.as_of
        if not quote.price_usd > 0:
            notes.append(f"{quote.source}: its price is not above zero")
        elif age > oldest:
            notes.append(f"{quote.source}: its data is {age.total_seconds():.0f} s old")
        elif age < -_AHEAD:
            notes.append(f"{quote.source}: its time is ahead of this machine's; check the clock")
        else:
            fresh.append(reading)
    return fresh


def _held_spread(quotes: list[Quote], price: float, limit: float) -> float:
    low = min(quotes, key=lambda quote: quote.price_usd)
    high = max(quotes, key=lambda quote: quote.price_usd)
    spread = (high.price_usd - low.price_usd) / price * 100
    if spread > limit:
        raise SnapshotHeld(
            f"sources differ by {spread:.2f} %, more than {limit:g} %: "
            f"{low.source} {low.price_usd:.2f}, {high.source} {high.price_usd:.2f}"
        )
    return spread


def _change(
    changes: Iterable[float | None], limit: float, horizon: str, notes: list[str]
) -> float | None:
    known = [change for change in changes if change is not None and change > -100]
    if not known:
        notes.append(f"no source knows the {horizon} change")
        return None
    if max(known) - min(known) > limit:
        notes.append(f"sources disagree about the {horizon} change")
        return None
    return median(known)


def _range(
    quotes: list[Quote], price: float, change_24h: float, notes: list[str]
) -> tuple[float | None, float | None]:
    """High and low of 24 hours; both or neither."""
    ranges = [
        (quote.high_24h, quote.low_24h)
        for quote in quotes
        if quote.high_24h and quote.low_24h and quote.low_24h <= quote.price_usd <= quote.high_24h
    ]
    if not ranges:
        notes.append("no source knows the 24 h range")
        return None, None
    high, low = median(high for high, _ in ranges), median(low for _, low in ranges)
    before = price / (1 + change_24h / 100)
    inside = low <= price <= high and low * (1 - _EDGE) <= before <= high * (1 + _EDGE)
    if not inside:
        notes.append("the 24 h range does not hold the price")
        return None, None
    return high, low


def _record(readings: list[Reading], price: float, notes: list[str]) -> tuple[float | None, Any]:
    """All-time high and its day. Above it, only its own source can say what the record is now."""
    for reading in readings:
        if reading.ath_usd is None:
            continue
        if price > reading.ath_usd:
            notes.append("the price is above the last known all-time high")
            return None, None
        return reading.ath_usd, reading.ath_date
    return None, None


def _plausible_cap(reading: Reading, price: float) -> bool:
    """There are some 20 million coins; a cap that says otherwise belongs to another price."""
    return reading.market_cap_usd is not None and 19e6 < reading.market_cap_usd / price < 21.4e6


def _first(values: Iterable[float | None]) -> float | None:
    return next((value for value in values if value is not None), None)
