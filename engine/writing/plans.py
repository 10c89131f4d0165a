"""What a post is made of, and one planned call to a model."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from engine.checks.repetition import Recall
from engine.llm.base import Options, Prompt
from engine.market.trend import Trend
from engine.records import Facts, Headline
from engine.writing import echo, phrases

Recipe = Literal["menu", "slots", "free"]


@dataclass(frozen=True)
class Material:
    """What a post is made of. ``recall`` knows what was said lately, None forgets it;
    ``features`` is :attr:`engine.llm.base.Model.features`; percentages are settings ``trend.*``;
    ``news_flash`` is a market event's sentence that a price post opens with; ``tone`` is one of
    the voice's, for lines that have it, empty for any.
    """

    content_type: str
    facts: Facts | None
    trend: Trend | None
    headline: Headline | None
    sentiment: str | None
    hashtags: tuple[str, ...]
    rng: random.Random
    recall: Recall | None = None
    features: frozenset[str] = frozenset()
    flat_pct: float = phrases.FLAT_PCT
    strong_pct: float = phrases.STRONG_PCT
    news_flash: str = ""
    tone: str = ""

    def off_tone(self, tone: str) -> bool:
        """Whether another tone is wanted; a sort key."""
        return bool(self.tone) and tone != self.tone

    def market(self) -> phrases.Market:
        """Facts and trend as phrases see them."""
        return phrases.Market(self.facts or Facts(), self.trend, self.flat_pct, self.strong_pct)


@dataclass(frozen=True)
class Plan:
    """One call to make: ``fill`` turns the model's raw text into the post.

    ``fill`` raises TemplateError saying what was wrong with the raw text.
    """

    recipe: Recipe
    prompt: Prompt
    grammar: str | None
    json_schema: dict[str, Any] | None
    options: Options
    fill: Callable[[str], str]


def finished(text: str, material: Material) -> str:
    """The whole post around a text: a news post's headline, an event's sentence, hashtags.

    Raises: TemplateError when no room is left for the headline.
    """
    if material.content_type == "news" and material.headline is not None:
        return echo.headline_post(material.headline, text, material.hashtags)
    if material.news_flash:
        text = f"{material.news_flash} {text}"
    return echo.with_hashtags(text, material.hashtags)
