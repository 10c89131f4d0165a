"""Everything a number of one kind may mean: stored values and the derivations that are allowed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from engine.checks.facts.known import LEVELS, SPANS, Known

Kind = Literal["needed", "gap", "round", "shy", "move", "past", "share", "count"]


@dataclass(frozen=True)
class Meaning:
    """``value`` as printed. ``side``: 1 where the price is over the level or has risen, -1 where under
    or fallen, 0 where that says nothing. ``role``: the level; ``span``: the horizon."""

    kind: Kind
    claim: str
    fact: str
    value: float
    side: int = 0
    role: str = ""
    span: str = ""


def dollars(known: Known, rounds: list[float]) -> Iterator[Meaning]:
    """Distances, moves and earlier prices in dollars; ``rounds``: levels the text names itself."""
    price = known.level("price")
    if price is None:
        return
    for role in ("high", "low", "ath"):
        gap = known.gap_usd(role)
        if gap is not None:
            claim, fact = f"distance from {LEVELS[role][1]}", f"price_usd, {LEVELS[role][0]}"
            yield Meaning("gap", claim, fact, abs(gap), _sign(gap), role)
    short = known.high_to_record()
    if short is not None:
        claim = "from the high to the record"
        yield Meaning("shy", claim, "high_24h, ath_usd", short, -1, "high")
    claim = "distance from a named level"
    for level in rounds:
        yield Meaning("round", claim, "price_usd", abs(price - level), _sign(price - level))
        for role in ("high", "low"):
            extreme = known.level(role)
            if extreme is not None:
                size, side = abs(extreme - level), _sign(extreme - level)
                yield Meaning("shy", claim, LEVELS[role][0], size, side, role)
    for span, key in SPANS.items():
        start = known.before(span)
        if start is not None:
            claim, fact, size = f"dollar change over {span}", f"price_usd, {key}", price - start
            yield Meaning("move", claim, fact, abs(size), _sign(size), span=span)
            yield Meaning("past", f"price {span} ago", fact, start, span=span)


def percents(known: Known, rounds: list[float]) -> Iterator[Meaning]:
    """Distances and moves in percent, what the record still takes, shares of a level."""
    for role in ("high", "low", "ath"):
        part, level, price = known.gap_pct(role), known.level(role), known.level("price")
        if part is None or not level or not price:
            continue
        fact, name = f"price_usd, {LEVELS[role][0]}", LEVELS[role][1]
        yield Meaning("gap", f"distance from {name}", fact, abs(part), _sign(part), role)
        if part < 0:
            needed = (level - price) / price * 100
            yield Meaning("needed", f"needed for {name}", fact, needed, -1, role)
        yield Meaning("share", f"share of {name}", fact, 100 + part, 0, role)
    price = known.level("price")
    for named in rounds if price else ():
        claim = "distance from a named level"
        side = _sign((price or 0.0) - named)
        for whole in (price or named, named):
            size = abs((price or 0.0) - named) / whole * 100
            role = "needed" if whole == price else ""
            yield Meaning("round", claim, "price_usd", size, side, role)
    for span, key in SPANS.items():
        change = known.change(span)
        if change is not None:
            yield Meaning("move", f"change over {span}", key, abs(change), _sign(change), span=span)


def counts(known: Known) -> Iterator[Meaning]:
    """What blocks, ages and rates may count."""
    left, done, height = known.halving_left(), known.halving_done(), known.facts.block_height
    if left is not None and done is not None and height is not None:
        for role, claim, value in (
            ("height", "block height", height),
            ("left", "blocks to the halving", left),
            ("done", "blocks since the halving", done),
            ("next", "height of the next halving", height + left),
        ):
            yield Meaning("count", claim, "block_height", float(value), role=role)
    price = known.level("price")
    if price:
        yield Meaning("count", "sats per dollar", "price_usd", 1e8 / price, role="sats")


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
