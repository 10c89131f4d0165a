"""Worlds of facts, and texts about them that are known to be true or false.

Two sources: texts written and judged by hand (``fact_cases.txt``), and true wordings filled with a
world's values, each then mutated in one place (value, sign, relation, unit, time, role, horizon) so
that it is false. The truth of a mutant never comes from the lock: a mutation is kept only where its
printed value differs from every reading of the world under which the sentence would still be true.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.records import Facts

HERE = Path(__file__).parent
CASES = HERE / "fact_cases.txt"


def world(**changes: Any) -> Facts:
    row: dict[str, Any] = {
        "as_of": "2026-11-22T12:00:00Z",
        "price_usd": 67432.18,
        "change_24h_pct": -2.31,
        "change_7d_pct": 4.12,
        "high_24h": 69120.0,
        "low_24h": 66800.0,
        "volume_24h_usd": 31.26e9,
        "market_cap_usd": 1.3345e12,
        "ath_usd": 126198.07,
        "ath_date": "2025-10-06",
        "fear_greed": {"value": 24, "label": "Extreme Fear"},
        "block_height": 901234,
        "fees": {"fast": 5, "half_hour": 4, "hour": 3},
        "headline": None,
    }
    return Facts.from_dict({**row, **changes})


NOTHING = dict.fromkeys(
    "as_of price_usd change_24h_pct change_7d_pct high_24h low_24h volume_24h_usd market_cap_usd "
    "ath_usd ath_date fear_greed block_height fees headline".split()
)
WORLDS: dict[str, Facts] = {
    "down": world(),
    "up": world(
        as_of="2026-03-03T18:30:00Z", price_usd=104873.5, change_24h_pct=3.64, change_7d_pct=9.85,
        high_24h=105420.0, low_24h=100905.0, volume_24h_usd=48.72e9, market_cap_usd=2.0871e12,
        fear_greed={"value": 71, "label": "Greed"}, block_height=931337,
        fees={"fast": 12, "half_hour": 9, "hour": 6},
    ),
    "flat": world(
        price_usd=88014.77, change_24h_pct=0.04, change_7d_pct=-0.31, high_24h=88402.0,
        low_24h=87655.0, volume_24h_usd=19.4e9, market_cap_usd=1.7561e12,
        fear_greed={"value": 50, "label": "Neutral"}, block_height=920000,
        fees={"fast": 1, "half_hour": 1, "hour": 1},
    ),
    "record": world(
        price_usd=126543.21, change_24h_pct=6.18, change_7d_pct=12.4, high_24h=126543.21,
        low_24h=118900.0, volume_24h_usd=71.05e9, market_cap_usd=2.5222e12, ath_usd=126543.21,
        ath_date="2026-11-22", fear_greed={"value": 82, "label": "Extreme Greed"},
        fees={"fast": 35, "half_hour": 28, "hour": 20},
    ),
    "near_record": world(
        price_usd=124300.0, change_24h_pct=1.12, change_7d_pct=5.6, high_24h=124950.0,
        low_24h=122610.0, market_cap_usd=2.4761e12, fear_greed={"value": 78, "label": "Extreme Greed"},
    ),
    "crash": world(
        price_usd=58214.0, change_24h_pct=-9.87, change_7d_pct=-18.3, high_24h=64980.0,
        low_24h=57601.0, volume_24h_usd=92.4e9, market_cap_usd=1.1523e12,
        fear_greed={"value": 11, "label": "Extreme Fear"}, fees={"fast": 88, "half_hour": 64, "hour": 41},
    ),
    "sparse": Facts.from_dict({**NOTHING, "as_of": "2026-11-22T12:00:00Z", "price_usd": 67432.18}),
    "nothing": Facts.from_dict(NOTHING),
    "headline": world(
        headline={
            "title": "Bitcoin ETFs See $1.2 Billion Inflow as BTC Climbs 8% in October",
            "source": "CoinDesk",
            "url": "https://www.coindesk.com/a",
        }
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Labelled:
    """``true``: every claim of ``text`` follows from ``WORLDS[world]``; ``why`` names its making."""

    text: str
    world: str
    true: bool
    content_type: str = "price"
    why: str = "by hand"


def by_hand(path: Path = CASES) -> Iterator[Labelled]:
    name, content_type = "", "price"
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name, _, kind = line.strip("[]").partition(" ")
            content_type = kind or "price"
        elif line[:2] in ("+ ", "- "):
            yield Labelled(line[2:].replace("\\n", "\n"), name, line[0] == "+", content_type)
