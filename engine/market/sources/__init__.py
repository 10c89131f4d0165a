"""The providers of market data: one contract for prices, one module a provider.

Paths and shapes: facts market-and-content §5. A provider turns exactly one documented shape into
frozen records and refuses everything else with a SourceError.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from engine.records import FearGreed, Fees, Quote


@dataclass(frozen=True)
class Reading:
    """What one price source knows. Percent, US dollars; None where it does not say."""

    quote: Quote
    change_1h_pct: float | None = None
    change_7d_pct: float | None = None
    volume_24h_usd: float | None = None
    market_cap_usd: float | None = None
    ath_usd: float | None = None
    ath_date: date | None = None


@dataclass(frozen=True)
class ChainReading:
    """What the chain says. sat/vB, EH/s, percent; ``notes`` name the parts that failed."""

    block_height: int | None = None
    fees: Fees | None = None
    hashrate_ehs: float | None = None
    difficulty_change_pct: float | None = None
    retarget_blocks: int | None = None
    notes: tuple[str, ...] = ()


class PriceSource(Protocol):
    """A provider of prices."""

    @property
    def name(self) -> str: ...

    def read(self, now: datetime) -> Reading:
        """The newest price. Raises: SourceError."""
        ...


class FearGreedSource(Protocol):
    """A provider of the Fear & Greed index."""

    @property
    def name(self) -> str: ...

    def read(self, now: datetime) -> FearGreed:
        """Today's value. Raises: SourceError."""
        ...


class ChainSource(Protocol):
    """A provider of block height, fees and difficulty."""

    @property
    def name(self) -> str: ...

    def read(self, now: datetime) -> ChainReading:
        """What could be read. Raises: SourceError if nothing could."""
        ...
