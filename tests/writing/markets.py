"""Markets made up for tests: any numbers, but numbers that can be true together."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime

from hypothesis import strategies as st

from engine.market.trend import detect
from engine.records import Facts, FearGreed, Fees, Headline
from engine.writing import banks
from engine.writing.plans import Material

FLAT, STRONG = 0.5, 4.0
HEADLINES = (
    Headline("Regulator opens consultation on custody rules", "CoinDesk"),
    Headline('Miner says "we will be fine" after difficulty adjustment', "Decrypt"),
    Headline("Exchange hacked, customers told to wait while engineers look for the leak", "Cointelegraph"),
    Headline(
        "Developers weigh a covenant proposal that would let wallets delay a theft, while reviewers "
        "ask for more tests, clearer wording and another season of patience before any signal is "
        "given to miners, exchanges and everybody else who runs the software at home",
        "Bitcoin Magazine",
    ),
    Headline("Bitcoin", ""),
)  # fmt: skip


def _label(value: int) -> str:
    edges = ((25, "Extreme Fear"), (46, "Fear"), (55, "Neutral"), (76, "Greed"))
    return next((label for edge, label in edges if value < edge), "Extreme Greed")


@st.composite
def markets(draw: st.DrawFn) -> Facts:
    """FACTS whose change, range and record agree with the price; anything but the price may be
    unknown."""
    price = draw(st.floats(900, 400_000))
    change = draw(st.none() | st.floats(-12, 12))
    before = price if change is None else price / (1 + change / 100)
    high = max(price, before) * (1 + draw(st.sampled_from([0, 0.0004, 0.003, 0.02, 0.06])))
    low = min(price, before) * (1 - draw(st.sampled_from([0, 0.0004, 0.003, 0.02, 0.06])))
    has_range = draw(st.booleans())
    index = draw(st.none() | st.integers(0, 100))
    return Facts(
        as_of=datetime(2026, 11, 22, 12, tzinfo=UTC),
        price_usd=price,
        change_24h_pct=change,
        change_7d_pct=draw(st.none() | st.floats(-25, 25)),
        high_24h=high if has_range else None,
        low_24h=low if has_range else None,
        volume_24h_usd=draw(st.none() | st.floats(1e9, 2e11)),
        market_cap_usd=draw(st.none() | st.just(price * 19.95e6)),
        ath_usd=draw(st.none() | st.floats(1, 3).map(lambda factor: high * factor)),
        ath_date=date(2026, 8, 14),
        fear_greed=None if index is None else FearGreed(index, _label(index)),
        block_height=draw(st.none() | st.integers(840_000, 1_049_000)),
        fees=draw(st.none() | st.just(Fees(7.0, 4.0, 2.0))),
    )


def material(
    content_type: str, seed: int, facts: Facts | None = None, **changes: object
) -> Material:
    """Material as the writer makes it, everything random from ``seed``."""
    rng = random.Random(seed)
    facts = facts or Facts(price_usd=67_432.0, change_24h_pct=-2.3)
    values: dict[str, object] = {
        "content_type": content_type,
        "facts": facts,
        "trend": detect(facts, flat_pct=FLAT, strong_pct=STRONG),
        "headline": rng.choice(HEADLINES) if content_type == "news" else None,
        "sentiment": rng.choice(("positive", "negative", "neutral")),
        "hashtags": banks.choose_hashtags(rng, content_type),
        "rng": rng,
    }
    return Material(**{**values, **changes})  # type: ignore[arg-type]
