"""Tone and relevance of a headline by our own lexicon, ``data/crypto_lexicon.json``.

General lexicons do not know bullish, plunge or halving and hear praise in "support level" (facts:
ollama-and-prompt-testing §4). Here the longest match wins, neutral phrases mask the words in them,
a negation turns what follows, a booster scales it.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from engine.resources import data_path

Stance = Literal["positive", "negative", "neutral"]

_WORD = re.compile(r"[a-z0-9&$%][a-z0-9&$%'’.\-]*")
_LONGEST_PHRASE = 5
_NEGATION_REACH = 3
_NEGATED = -0.7  # "not bullish" is milder than "bearish"
_SOFTENING = 4.0  # one word of weight 2 gives 0.71
_CLEAR = 0.25  # nearer to zero than this is no stance


@dataclass(frozen=True)
class Lexicon:
    """Phrases are keyed as words joined by one space, lower case."""

    terms: dict[str, float]
    neutral: frozenset[str]
    negations: frozenset[str]
    boosters: dict[str, float]
    relevance: dict[str, frozenset[str]]


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The shipped lexicon. Raises: UsageError if it is missing."""
    row: dict[str, Any] = json.loads(data_path("crypto_lexicon.json").read_text(encoding="utf-8"))
    return Lexicon(
        terms={_key(term): float(weight) for term, weight in row["terms"].items()},
        neutral=frozenset(map(_key, row["neutral"])),
        negations=frozenset(map(_key, row["negations"])),
        boosters={_key(term): float(factor) for term, factor in row["boosters"].items()},
        relevance={kind: frozenset(map(_key, terms)) for kind, terms in row["relevance"].items()},
    )


def sentiment(title: str) -> float:
    """-1 (bad for holders) to 1 (good); 0 where nothing is said."""
    words, lex = _words(title), lexicon()
    total, place, negated_until, factor = 0.0, 0, -1, 1.0
    while place < len(words):
        phrase, length = _longest(words, place, lex)
        if phrase in lex.terms:
            weight = lex.terms[phrase] * factor
            total += weight * (_NEGATED if place <= negated_until else 1.0)
        elif phrase in lex.negations:
            negated_until = place + length - 1 + _NEGATION_REACH
        factor = lex.boosters.get(phrase, 1.0)
        place += length
    return round(total / math.sqrt(total * total + _SOFTENING), 4)


def relevance(title: str) -> float:
    """How much a headline is about Bitcoin: 1 it is, 0 not at all; advertising counts little."""
    words = _words(title)
    phrases = {
        " ".join(words[place : place + length])
        for length in range(1, _LONGEST_PHRASE + 1)
        for place in range(len(words) - length + 1)
    }
    found = {kind: len(phrases & terms) for kind, terms in lexicon().relevance.items()}
    if found["bitcoin"]:
        score = 1.0 if found["other"] == 0 else 0.6
    elif found["other"]:
        score = 0.1
    else:
        score = 0.4 if found["crypto"] else 0.0
    return round(score * (0.2 if found["promotion"] else 1.0), 2)


def stance(by_lexicon: float, by_model: float | None) -> Stance:
    """The side a post may take: where lexicon and model disagree, none."""
    sides = {_side(value) for value in (by_lexicon, by_model) if value is not None}
    return sides.pop() if len(sides) == 1 else "neutral"


def _side(value: float) -> Stance:
    return "positive" if value >= _CLEAR else "negative" if value <= -_CLEAR else "neutral"


def _longest(words: list[str], place: int, lex: Lexicon) -> tuple[str, int]:
    """The longest phrase the lexicon knows here, or the word itself; and its length in words."""
    for length in range(min(_LONGEST_PHRASE, len(words) - place), 0, -1):
        phrase = " ".join(words[place : place + length])
        if phrase in lex.neutral or phrase in lex.terms:
            return phrase, length
        if phrase in lex.negations or phrase in lex.boosters:
            return phrase, length
    return words[place], 1


def _words(text: str) -> list[str]:
    return [
        word.rstrip(".'’-").replace("’", "'").removesuffix("'s")
        for word in _WORD.findall(text.lower())
    ]


def _key(term: str) -> str:
    return " ".join(_words(term))
