"""Whole vetted lines: jokes, motivation, news stances, backup posts; and hashtag sets.

A small model chooses among them, it does not write them (facts: embedded-model §2). Every line
has an id and passes this project's own checks (tests/writing/test_banks.py).
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from engine.records import CONTENT_TYPES
from engine.resources import data_path

GENERIC = "generic"


@dataclass(frozen=True)
class Line:
    """One whole vetted text. ``topic`` is a joke's subject or a stance's theme, ``tone`` one of
    the shipped voice's."""

    id: str
    text: str
    topic: str = ""
    sentiment: str = ""
    tone: str = ""


@dataclass(frozen=True)
class BackupPost:
    """A post for when no model may write: price posts hold placeholders and conditions."""

    id: str
    content_type: str
    text: str
    when: tuple[str, ...] = ()


@dataclass(frozen=True)
class HashtagSet:
    """Tags that go together; ``types`` empty means any content type."""

    id: str
    tags: tuple[str, ...]
    types: tuple[str, ...] = ()


@cache
def _file(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(data_path(name).read_text(encoding="utf-8"))
    return loaded


@cache
def jokes() -> tuple[Line, ...]:
    """Every shipped joke."""
    return _lines("content/jokes.json")


@cache
def motivation() -> tuple[Line, ...]:
    """Every shipped motivation line."""
    return _lines("content/motivation.json")


@cache
def news_stances() -> tuple[Line, ...]:
    """Every shipped stance: how to read a headline, true whatever the headline says."""
    return _lines("content/news_stances.json")


@cache
def backup_posts(content_type: str) -> tuple[BackupPost, ...]:
    """Shipped backup posts of one content type."""
    rows = _file("backup_posts.json")["posts"]
    return tuple(
        BackupPost(row["id"], row["type"], row["text"], tuple(row.get("when", ())))
        for row in rows
        if row["type"] == content_type
    )


@cache
def hashtag_sets() -> tuple[HashtagSet, ...]:
    """Every shipped set, the empty one included."""
    return tuple(
        HashtagSet(row["id"], tuple(row["tags"]), tuple(row.get("types", ())))
        for row in _file("content/hashtags.json")["sets"]
    )


def _lines(name: str) -> tuple[Line, ...]:
    return tuple(
        Line(
            row["id"],
            row["text"],
            row.get("topic") or row.get("theme", ""),
            row.get("sentiment", ""),
            row["tone"],
        )
        for row in _file(name)["lines"]
    )


def theme_of(title: str) -> str:
    """The theme whose words the headline holds most often, else ``generic``."""
    low = title.lower()
    themes: dict[str, list[str]] = _file("content/news_stances.json")["themes"]
    counts = {
        theme: sum(bool(re.search(rf"\b{re.escape(word)}\b", low)) for word in words)
        for theme, words in themes.items()
    }
    best = max(counts, key=lambda theme: counts[theme])
    return best if counts[best] else GENERIC


def stances(title: str, sentiment: str) -> tuple[Line, ...]:
    """Stances that fit a headline: its theme and mood, and what fits any headline of that mood.

    ``sentiment``: positive, negative or neutral. Neutral stances fit every mood.
    """
    theme = theme_of(title)
    return tuple(
        line
        for line in news_stances()
        if line.topic in (theme, GENERIC) and line.sentiment in (sentiment, "neutral")
    )


def choose_hashtags(
    rng: random.Random,
    content_type: str,
    worn: Callable[[tuple[str, ...]], bool] = lambda tags: False,
) -> tuple[str, ...]:
    """A random set for the content type, of those that are not worn out."""
    assert content_type in CONTENT_TYPES  # noqa: S101  callers pass a checked type
    fitting = [row for row in hashtag_sets() if not row.types or content_type in row.types]
    return rng.choice([row for row in fitting if not worn(row.tags)]).tags
