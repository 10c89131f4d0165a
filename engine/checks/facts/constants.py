"""What needs no proof: reviewed idioms and constants of Bitcoin, and the headline's own words.

``data/fact_constants.json`` lists both, each with the pattern it may stand in and why it holds.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

from engine.checks.facts.items import join_arrows, join_hyphens
from engine.checks.facts.reading import Token, read
from engine.checks.facts.words import cues
from engine.records import Headline
from engine.resources import data_path

_SHORTEST_QUOTE = 4


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], frozenset[str]], ...]:
    """(pattern over tokens joined by spaces, content types it holds in; empty for all)."""
    listed = json.loads(data_path("fact_constants.json").read_text(encoding="utf-8"))
    found = []
    for group in listed["groups"]:
        types = frozenset(group.get("types", ()))
        for entry in group["entries"]:
            found.append((re.compile(rf"(?<!\S)(?:{entry})(?!\S)"), types))
    return tuple(found)


def idioms(tokens: Sequence[Token], content_type: str) -> set[int]:
    """Indexes of the tokens inside a reviewed constant or idiom."""
    starts: list[int] = []
    place = 0
    for token in tokens:
        starts.append(place)
        place += len(token.text) + 1
    text = " ".join(token.text for token in tokens)
    found: set[int] = set()
    for pattern, types in _patterns():
        if types and content_type not in types:
            continue
        for match in pattern.finditer(text):
            first = bisect_right(starts, match.start()) - 1
            last = bisect_right(starts, max(match.start(), match.end() - 1)) - 1
            found.update(range(first, last + 1))
    return found


def quoted(tokens: Sequence[Token], headline: Headline | None, content_type: str) -> set[int]:
    """Indexes of the tokens that repeat the headline word for word: its source speaks there.

    The whole title counts anywhere; in news also a title cut at its end with ``…``, and a part of
    at least four words in quotation marks, unless the words cut off in front of it turn its sense.
    """
    if headline is None:
        return set()
    tokens_of = join_hyphens(join_arrows(read(headline.title).tokens))
    title = [token.text for token in tokens_of if token.kind != "line"]
    if len(title) < 2:
        return set()
    texts = [token.text for token in tokens]
    found: set[int] = set()
    for i in range(len(texts) - len(title) + 1):
        if texts[i] == title[0] and texts[i : i + len(title)] == title:
            found.update(range(i, i + len(title)))
    if found and headline.source:
        source = [token.text for token in read(headline.source).tokens]
        for i in range(len(texts) - len(source) + 1):
            if texts[i : i + len(source)] == source:
                found.update(range(i, i + len(source)))
    if content_type == "news" and not found:
        found = _partly(texts, title)
    return found


def source_named(tokens: Sequence[Token], headline: Headline | None) -> set[int]:
    """Indexes of a source's own name, to the letter, where it holds digits: ``CoinTelegraph24``."""
    name = headline.source if headline else ""
    if not any(char.isdigit() for char in name or "") or len(name or "") < _SHORTEST_QUOTE:
        return set()
    parts = [token.raw for token in read(name or "").tokens]
    raw = [token.raw for token in tokens]
    found: set[int] = set()
    for i in range(len(raw) - len(parts) + 1):
        if raw[i : i + len(parts)] == parts:
            found.update(range(i, i + len(parts)))
    return found


def _partly(texts: list[str], title: list[str]) -> set[int]:
    marks = [i for i, text in enumerate(texts) if text == '"'][:20]
    for opening, closing in pairwise(marks):
        inside = texts[opening + 1 : closing]
        while inside and inside[-1] in (".", "…", ","):
            inside = inside[:-1]
        if len(inside) < _SHORTEST_QUOTE or len(inside) > len(title):
            continue
        for k in range(len(title) - len(inside) + 1):
            if title[k : k + len(inside)] == inside and not cues("constants.turns") & set(
                title[:k]
            ):
                return set(range(opening + 1, closing))
    return set()
