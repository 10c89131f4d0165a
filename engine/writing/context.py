"""What a prompt may know: facts as words, trend, mood, voice, topic, recent performance."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from engine.checks.voice import VoiceProfile
from engine.market.sentiment import stance
from engine.market.trend import Trend, detect
from engine.records import Facts, Headline, Snapshot
from engine.store.news import NewsItem
from engine.writing.phrases import format_pct, format_usd

TOPICS: dict[str, tuple[str, ...]] = {
    "joke": (
        "waiting for a block",
        "explaining Bitcoin to family",
        "checking the chart at night",
        "mining difficulty",
        "losing and finding a hardware wallet",
        "transaction fees",
        "markets that never close",
        "the word volatility",
        "running a node at home",
        "Satoshi's silence",
    ),
    "motivation": (
        "patience",
        "learning something small every day",
        "keeping your own keys with care",
        "low time preference",
        "ignoring noise",
        "building on a quiet day",
        "verifying instead of trusting",
        "starting again after a mistake",
    ),
}


@dataclass(frozen=True)
class Context:
    """Everything known for one draft. ``facts`` carries the headline of a news post."""

    content_type: str
    facts: Facts
    trend: Trend
    news: NewsItem | None
    tone: str  # positive | negative | neutral: what the two sentiment readings agree on
    values: dict[str, Any]  # for the template's fields


def build_context(
    content_type: str,
    snapshot: Snapshot,
    *,
    news: NewsItem | None,
    voice: VoiceProfile,
    settings: dict[str, Any],
    performance: str,
    rng: random.Random,
) -> Context:
    """The context of a draft; unknown facts are absent from ``values``."""
    facts = snapshot.facts
    if news is not None:
        facts = replace(facts, headline=Headline(news.title, news.source, news.url))
    trend = detect(
        facts, flat_pct=settings["trend.flat_pct"], strong_pct=settings["trend.strong_pct"]
    )
    tone = stance(news.sentiment_lexicon, news.sentiment_model) if news is not None else "neutral"
    values: dict[str, Any] = {
        "voice": voice_block(voice),
        "trend": f"{trend.direction}, {trend.strength}: {trend.sentence}",
        "sentiment": _mood(facts),
        "performance": performance,
        "tone": tone,
        "topic": rng.choice(TOPICS.get(content_type, ("Bitcoin",))),
    }
    values |= _market_words(facts)
    if facts.headline is not None:
        values |= {"headline": facts.headline.title, "source": facts.headline.source or "the press"}
    return Context(content_type, facts, trend, news, tone, values)


def voice_block(profile: VoiceProfile) -> str:
    """The brand voice as a stable paragraph; it stands first, where the prefix cache keeps it."""
    lines = [f"Voice: {', '.join(profile.tone)}. Energy: {profile.energy}."]
    if profile.love:
        lines.append(f"Words we like: {', '.join(profile.love[:12])}.")
    if profile.avoid:
        lines.append(f"Words we never use: {', '.join(profile.avoid[:20])}.")
    return "\n".join(lines)


def _mood(facts: Facts) -> str | None:
    index = facts.fear_greed
    return f"{index.label} ({index.value} of 100)" if index else None


def _market_words(facts: Facts) -> dict[str, Any]:
    words: dict[str, Any] = {}
    if facts.price_usd is not None:
        words["price_usd"] = format_usd(facts.price_usd)
    if facts.change_24h_pct is not None:
        words["change_24h"] = format_pct(facts.change_24h_pct, signed=True)
    if facts.change_7d_pct is not None:
        words["change_7d"] = format_pct(facts.change_7d_pct, signed=True)
    if facts.high_24h is not None and facts.low_24h is not None:
        words["range_24h"] = f"between {format_usd(facts.low_24h)} and {format_usd(facts.high_24h)}"
    return words
