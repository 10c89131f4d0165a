"""Which price phrases are true now, and the one place where numbers become text.

Code owns numbers, signs and relations (facts: embedded-model, "Recipe to build"): a phrase in
``data/content/price_phrases.json`` names its conditions and holds only ``{placeholders}``; it is
offered when every condition is true and every placeholder is known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from engine.errors import TemplateError
from engine.market.trend import Sign, Trend
from engine.records import Facts
from engine.resources import data_path

SLOTS = ("opener", "fact", "relation", "mood", "closer")

FLAT_PCT = 0.5
STRONG_PCT = 4.0

_FIELD = re.compile(r"\{([a-z_]+)\}")


def format_usd(value: float, *, compact: bool = False) -> str:
    """``$67,432``; under a thousand ``$12.34``; compact ``$67.4K``, ``$31.3B``, ``$1.32T``."""
    if compact:
        for size, unit, digits in ((1e12, "T", 2), (1e9, "B", 1), (1e6, "M", 1), (1e3, "K", 1)):
            if abs(value) >= size:
                return f"${value / size:.{digits}f}{unit}"
    return f"${value:,.0f}" if abs(value) >= 1_000 else f"${value:,.2f}"


def format_pct(value: float, *, signed: bool = False) -> str:
    """``2.3%`` without its sign, or ``+2.3%`` and ``-2.3%``; what rounds to zero has no sign."""
    size = f"{abs(value):.1f}%"
    if not signed or size == "0.0%":
        return size
    return f"{'+' if value > 0 else '-'}{size}"


@dataclass(frozen=True)
class Phrase:
    """One vetted phrase: ``slot`` of a post, ``when`` it is true, ``text`` with placeholders,
    ``tone`` one of the shipped voice's where it has one."""

    id: str
    slot: str
    when: tuple[str, ...]
    text: str
    tone: str = ""


@dataclass(frozen=True)
class Market:
    """What conditions look at. Percentages are thresholds over 24 h (settings ``trend.*``)."""

    facts: Facts
    trend: Trend | None = None
    flat_pct: float = FLAT_PCT
    strong_pct: float = STRONG_PCT

    def size_24h(self) -> str | None:
        """``up``, ``down`` or ``flat`` as printed; None where the change is unknown."""
        change = self.facts.change_24h_pct
        if change is None:
            return None
        if abs(change) <= self.flat_pct or format_pct(change) == "0.0%":
            return "flat"
        return "up" if change > 0 else "down"

    def place(self) -> float | None:
        """Where the price stands in its 24-hour range: 0 low, 1 high; None if not inside it.

        The three printed numbers differ, so that "below the high" never reads as equal.
        """
        facts = self.facts
        if facts.price_usd is None or facts.high_24h is None or facts.low_24h is None:
            return None
        printed = {format_usd(n) for n in (facts.low_24h, facts.price_usd, facts.high_24h)}
        if len(printed) < 3 or not facts.low_24h < facts.price_usd < facts.high_24h:
            return None
        return (facts.price_usd - facts.low_24h) / (facts.high_24h - facts.low_24h)

    def width_pct(self) -> float | None:
        """Size of the 24-hour range in percent of the price; None if the price is outside it."""
        facts = self.facts
        if self.place() is None:
            return None
        assert facts.high_24h and facts.low_24h and facts.price_usd  # noqa: S101  place() said so
        return (facts.high_24h - facts.low_24h) / facts.price_usd * 100

    def ath_gap_pct(self) -> float | None:
        """Percent below the all-time high; None at or above it."""
        facts = self.facts
        if facts.price_usd is None or facts.ath_usd is None or facts.price_usd >= facts.ath_usd:
            return None
        return (facts.ath_usd - facts.price_usd) / facts.ath_usd * 100

    def mood(self) -> str:
        """The Fear & Greed class in lower case, or nothing."""
        return self.facts.fear_greed.label.strip().lower() if self.facts.fear_greed else ""


def _between(value: float | None, low: float, high: float) -> bool:
    return value is not None and low <= value <= high


def _near_edge(market: Market, low: float, high: float) -> bool:
    # in a range this narrow, near the high is near the low as well
    return _between(market.place(), low, high) and (market.width_pct() or 0) >= 1.0


def _strong(market: Market) -> bool:
    change = market.facts.change_24h_pct
    return change is not None and abs(change) > market.strong_pct


def _trend(market: Market, word: str, week: Sign) -> bool:
    """Day and week go the same way: one day alone is no trend."""
    trend = market.trend
    return trend is not None and trend.direction == word and trend.sign_7d == week


def _strength(market: Market, word: str) -> bool:
    return market.trend is not None and market.trend.strength == word


CONDITIONS: dict[str, Callable[[Market], bool]] = {
    "up": lambda m: m.size_24h() == "up",
    "down": lambda m: m.size_24h() == "down",
    "flat": lambda m: m.size_24h() == "flat",
    "no_change": lambda m: m.size_24h() is None,
    "slight": lambda m: abs(m.facts.change_24h_pct or 0) <= m.strong_pct / 2,
    "strong": _strong,
    "inside_range": lambda m: m.place() is not None,
    "near_high": lambda m: _near_edge(m, 0.9, 1.0),
    "near_low": lambda m: _near_edge(m, 0.0, 0.1),
    "mid_range": lambda m: _between(m.place(), 0.42, 0.58),
    "tight_range": lambda m: _between(m.width_pct(), 0.0, 1.5),
    "wide_range": lambda m: _between(m.width_pct(), 5.0, 100.0),
    "below_ath": lambda m: _between(m.ath_gap_pct(), 0.5, 100.0),
    "near_ath": lambda m: _between(m.ath_gap_pct(), 0.1, 2.0),
    "week_up": lambda m: (m.facts.change_7d_pct or 0) >= 1.0,
    "week_down": lambda m: (m.facts.change_7d_pct or 0) <= -1.0,
    "week_flat": lambda m: _between(m.facts.change_7d_pct, -0.5, 0.5),
    "fear_extreme": lambda m: m.mood() == "extreme fear",
    "fear": lambda m: m.mood() == "fear",
    "fng_neutral": lambda m: m.mood() == "neutral",
    "greed": lambda m: m.mood() == "greed",
    "greed_extreme": lambda m: m.mood() == "extreme greed",
    "trend_bull": lambda m: _trend(m, "bull", 1),
    "trend_bear": lambda m: _trend(m, "bear", -1),
    "trend_sideways": lambda m: _trend(m, "sideways", 0),
    "trend_mild": lambda m: _strength(m, "mild"),
    "trend_strong": lambda m: _strength(m, "strong"),
    # these only need their placeholder to be known
    "has_block": lambda m: m.facts.block_height is not None,
    "has_fees": lambda m: m.facts.fees is not None,
    "has_volume": lambda m: m.facts.volume_24h_usd is not None,
    "has_cap": lambda m: m.facts.market_cap_usd is not None,
}


def holds(when: tuple[str, ...], market: Market) -> bool:
    """Whether every named condition is true.

    Raises: TemplateError for a name that is not a condition.
    """
    unknown = [name for name in when if name not in CONDITIONS]
    if unknown:
        raise TemplateError(f"{unknown[0]!r} is not a condition. Use one of {sorted(CONDITIONS)}.")
    return all(CONDITIONS[name](market) for name in when)


def values(facts: Facts) -> dict[str, str]:
    """Every placeholder that can be filled now, formatted."""
    known: dict[str, str] = {}
    for name, usd in (
        ("price", facts.price_usd),
        ("high", facts.high_24h),
        ("low", facts.low_24h),
        ("ath", facts.ath_usd),
    ):
        if usd is not None:
            known[name] = format_usd(usd)
    for name, usd in (("volume", facts.volume_24h_usd), ("cap", facts.market_cap_usd)):
        if usd is not None:
            known[name] = format_usd(usd, compact=True)
    for name, change in (("change", facts.change_24h_pct), ("week", facts.change_7d_pct)):
        if change is not None:
            known[name] = format_pct(change)
            if known[name] != "0.0%":  # a zero has no sign to print
                known[f"{name}_signed"] = format_pct(change, signed=True)
    gap = Market(facts).ath_gap_pct()
    if gap is not None:
        known["ath_gap"] = format_pct(gap)
    known |= _distances(facts)
    if facts.fear_greed is not None:
        known["fng"] = str(facts.fear_greed.value)
    if facts.block_height is not None:
        known["block"] = f"{facts.block_height:,}"
    if facts.fees is not None:
        known["fee_fast"] = f"{facts.fees.fast:g}"
    return known


def _distances(facts: Facts) -> dict[str, str]:
    """Dollars to the edges of the 24-hour range, where rounding leaves no doubt about them: the
    rounded difference is also the difference of the numbers as printed."""
    price, high, low = facts.price_usd, facts.high_24h, facts.low_24h
    if price is None or high is None or low is None or not 1_000 <= low < price < high:
        return {}
    return {
        name: f"${round(upper - lower):,}"
        for name, upper, lower in (("off_high", high, price), ("off_low", price, low))
        if round(upper - lower) == round(upper) - round(lower)
    }


def fill(text: str, known: dict[str, str]) -> str:
    """``text`` with its placeholders filled in one pass.

    Raises: TemplateError for a placeholder nobody can fill.
    """

    def value(match: re.Match[str]) -> str:
        if match.group(1) not in known:
            raise TemplateError(f"{match.group()} is unknown now; use {_listed(known)}.")
        return known[match.group(1)]

    filled = _FIELD.sub(value, text)
    if "{" in filled or "}" in filled:
        raise TemplateError("a brace is left over; a placeholder is a name between two braces.")
    return filled


def _listed(known: dict[str, str]) -> str:
    return ", ".join(f"{{{name}}}" for name in known) or "no placeholder"


@cache
def shipped_phrases() -> tuple[Phrase, ...]:
    """The phrases of ``data/content/price_phrases.json``."""
    rows = json.loads(data_path("content/price_phrases.json").read_text(encoding="utf-8"))
    return tuple(
        Phrase(row["id"], row["slot"], tuple(row["when"]), row["text"], row.get("tone", ""))
        for row in rows["phrases"]
    )


def usable(text: str, when: tuple[str, ...], market: Market) -> bool:
    """Whether ``text`` is true now and can be filled."""
    known = values(market.facts)
    return set(_FIELD.findall(text)) <= set(known) and holds(when, market)


def true_phrases(market: Market) -> dict[str, tuple[Phrase, ...]]:
    """Per slot, the phrases that may be said now, in the file's order."""
    fitting = [p for p in shipped_phrases() if usable(p.text, p.when, market)]
    return {slot: tuple(p for p in fitting if p.slot == slot) for slot in SLOTS}
