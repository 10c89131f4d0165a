"""What one snapshot proves: its values, and the few derivations that are allowed.

Whitelisted derivations: the price 24 hours or seven days ago (price and change), dollar and percent
distance from a high, a low or the all-time high, the width of and the place in the 24-hour range, the
age of the record, volume in percent of the market cap,
halving progress and issued supply (block height), sats per dollar (price).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from engine.records import Facts

HALVING_BLOCKS = 210_000
SPANS = {"1h": "change_1h_pct", "24h": "change_24h_pct", "7d": "change_7d_pct"}
SPAN_NAMES = {"1h": "1 h", "24h": "24 h", "7d": "7 d"}
LEVELS = {
    "price": ("price_usd", "the price"),
    "high": ("high_24h", "the 24 h high"),
    "low": ("low_24h", "the 24 h low"),
    "ath": ("ath_usd", "the all-time high"),
    "cap": ("market_cap_usd", "the market cap"),
    "volume": ("volume_24h_usd", "the 24 h volume"),
}


def usd(value: float) -> str:
    """``$67,432.18``, or ``$1.32T`` where cents say nothing."""
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if abs(value) >= size:
            return f"${value / size:,.3f}{unit}"
    return f"${value:,.2f}"


def pct(value: float) -> str:
    return f"{value:+.2f} %"


@dataclass(frozen=True)
class Known:
    """Reads of FACTS; every method answers None where the snapshot does not know."""

    facts: Facts

    def level(self, role: str) -> float | None:
        value = getattr(self.facts, LEVELS[role][0])
        return None if value is None else float(value)

    def level_text(self, role: str) -> str:
        value, name = self.level(role), LEVELS[role][1]
        return f"the snapshot does not know {name}" if value is None else f"{name} is {usd(value)}"

    def change(self, span: str) -> float | None:
        """Percent over ``1h``, ``24h`` or ``7d``."""
        value = getattr(self.facts, SPANS[span]) if span in SPANS else None
        return None if value is None else float(value)

    def change_text(self, span: str) -> str:
        value = self.change(span)
        if span not in SPANS:
            return f"the snapshot does not cover {span.removeprefix('other:')}"
        name = SPAN_NAMES[span]
        if value is None:
            return f"the snapshot does not know the {name} change"
        return f"the {name} change is {pct(value)}"

    def before(self, span: str) -> float | None:
        """The price at the start of the span."""
        change, price = self.change(span), self.level("price")
        if change is None or price is None or change <= -100:
            return None
        return price / (1 + change / 100)

    def gap_pct(self, role: str) -> float | None:
        """Percent from a level to the price: negative below it."""
        price, level = self.level("price"), self.level(role)
        return None if price is None or not level else (price - level) / level * 100

    def gap_usd(self, role: str) -> float | None:
        price, level = self.level("price"), self.level(role)
        return None if price is None or level is None else price - level

    def width_usd(self) -> float | None:
        high, low = self.level("high"), self.level("low")
        return None if high is None or low is None or high < low else high - low

    def middle_usd(self) -> float | None:
        high, low = self.level("high"), self.level("low")
        return None if high is None or low is None else (high + low) / 2

    def width_pct(self) -> float | None:
        """The width of the 24 h range in percent of the price."""
        width, price = self.width_usd(), self.level("price")
        return None if width is None or not price else width / price * 100

    def high_to_record(self) -> float | None:
        """Dollars from the 24 h high up to the all-time high."""
        high, ath = self.level("high"), self.level("ath")
        return None if high is None or ath is None else ath - high

    def turnover_pct(self) -> float | None:
        """The 24 h volume in percent of the market cap."""
        volume, cap = self.level("volume"), self.level("cap")
        return None if volume is None or not cap else volume / cap * 100

    def record_days(self) -> float | None:
        """Whole days from the day of the all-time high to the day of the snapshot."""
        today, record = self.today(), self.facts.ath_date
        return None if today is None or record is None else float((today - record).days)

    def place(self) -> float | None:
        """Where the price stands in the 24 h range: 0 at the low, 1 at the high."""
        width, price, low = self.width_usd(), self.level("price"), self.level("low")
        return (price - low) / width if width and price is not None and low is not None else None

    def at_record(self) -> bool | None:
        """Whether the price is at its all-time high, or set it within the last day."""
        price, ath, high = self.level("price"), self.level("ath"), self.level("high")
        if price is None or ath is None:
            return None
        facts = self.facts
        day = facts.as_of.date() if facts.as_of else None
        fresh = bool(day and facts.ath_date and day - timedelta(days=1) <= facts.ath_date <= day)
        return price >= ath or (fresh and high is not None and high >= ath * 0.9999)

    def mood(self) -> str | None:
        """The Fear & Greed class in lower case."""
        mood = self.facts.fear_greed
        return " ".join(mood.label.lower().split()) if mood else None

    def today(self) -> date | None:
        return self.facts.as_of.date() if self.facts.as_of else None

    # --- from the block height

    def halving_left(self) -> int | None:
        height = self.facts.block_height
        return None if height is None else HALVING_BLOCKS - height % HALVING_BLOCKS

    def halving_done(self) -> int | None:
        """Blocks since the last halving."""
        left = self.halving_left()
        return None if left is None else HALVING_BLOCKS - left

    def fee_gap(self) -> float | None:
        """What the hour's fee saves against the fast one, in sat/vB."""
        fees = self.facts.fees
        return None if fees is None else fees.fast - fees.hour

    def halving_pct(self) -> float | None:
        height = self.facts.block_height
        return None if height is None else height % HALVING_BLOCKS / HALVING_BLOCKS * 100

    def supply_btc(self) -> float | None:
        """Coins issued by the schedule up to and with the tip."""
        height = self.facts.block_height
        if height is None:
            return None
        blocks, reward, total = height + 1, 50.0, 0.0
        while blocks > 0 and reward > 1e-9:
            total += min(blocks, HALVING_BLOCKS) * reward
            blocks, reward = blocks - HALVING_BLOCKS, reward / 2
        return total
