"""How the sample market in ``data/sample_market.csv`` is made: ``python -m engine.market.sample``.

A seeded random walk through chosen weather, closed into a circle: its last hour leads back to its
first, so that it can be played for ever. Nothing in it ever happened.
"""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.clock import iso
from engine.market.replay import COLUMNS, MarketRow
from engine.resources import data_path

START = datetime(2026, 1, 1, tzinfo=UTC)
_START_PRICE = 96_400.0
_SUPPLY = 19_980_000
_SEED = 21

# days, log move over them, hourly volatility; the moves add up to nothing
_WEATHER = (
    (4, 0.000, 0.0012),
    (7, 0.090, 0.0030),
    (3, 0.000, 0.0015),
    (1, -0.085, 0.0070),
    (2, 0.030, 0.0045),
    (4, 0.000, 0.0008),
    (5, -0.050, 0.0028),
    (4, 0.015, 0.0020),
)


def make_rows() -> list[MarketRow]:
    """30 days of hours, the same ones every time."""
    rng = random.Random(_SEED)
    steps = [step for days, move, size in _WEATHER for step in _steps(rng, days * 24, move, size)]
    rows: list[MarketRow] = []
    log_price = math.log(_START_PRICE)
    for hour, step in enumerate(steps):
        price = round(math.exp(log_price), 2)
        busy = sum(abs(steps[(hour - back) % len(steps)]) for back in range(24))
        volume = round(18e9 + 3.2e11 * busy * rng.uniform(0.92, 1.08))
        at = START + timedelta(hours=hour)
        rows.append(MarketRow(at, price, float(volume), float(round(price * _SUPPLY))))
        log_price += step
    return rows


def _steps(rng: random.Random, hours: int, move: float, size: float) -> Iterator[float]:
    """Hourly log returns that add up to ``move``."""
    noise = [rng.gauss(0, size) for _ in range(hours)]
    drift = (move - sum(noise)) / hours
    return (step + drift for step in noise)


def write(path: Path) -> None:
    """Write the recording."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in make_rows():
            writer.writerow(
                (
                    iso(row.at),
                    f"{row.price_usd:.2f}",
                    f"{row.volume_24h_usd:.0f}",
                    f"{row.market_cap_usd:.0f}",
                )
            )


if __name__ == "__main__":
    write(data_path("") / "sample_market.csv")
