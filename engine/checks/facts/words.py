"""The vocabulary of market posts: which words claim what (``data/fact_words.json``).

Words that are in it are checked; phrases of common speech that only look like claims are in
``data/fact_constants.json``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Literal

from engine.resources import data_path

Kind = Literal[
    "dir", "ref", "topic", "span", "ago", "rel", "neg", "modal", "if", "super", "label", "size",
    "mult", "claim", "conj", "weekday", "daypart", "swing", "fee", "still", "quant",
]  # fmt: skip

EMOJI = {
    char: value
    for value, chars in {
        "up": "📈🚀🟢🔺⬆↗➚⬈⤴🔼⏫▲△↑🐂💹🌕🌝🆙",
        "down": "📉🔴🔻⬇↘➘⬊⤵🔽⏬▼▽↓🐻🩸",
        "flat": "↔🦀",
    }.items()
    for char in chars
}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MOOD_NOUNS = (
    "day", "session", "week", "hour", "24 hours", "month", "year", "quarter", "weekend", "morning", "start",
    "stretch", "night",
)  # fmt: skip
_IRREGULAR = {
    "blow": "blew blown", "break": "broke broken", "catch": "caught", "cling": "clung", "creep": "crept",
    "cut": "cutting", "dive": "dove", "fall": "fell fallen", "fly": "flew flown", "give": "gave given",
    "go": "went gone", "grow": "grew grown", "hang": "hung", "hit": "hitting", "hold": "held", "keep": "kept",
    "leap": "leapt", "lose": "lost", "overtake": "overtook overtaken", "retake": "retook retaken",
    "rise": "rose risen", "bleed": "bled", "sell": "sold", "set": "setting", "shed": "shedding",
    "shine": "shone", "shoot": "shot", "shrink": "shrank shrunk", "sink": "sank sunk", "slide": "slid",
    "spring": "sprang sprung", "swing": "swung", "take": "took taken", "tie": "tying", "undo": "undid undone",
    "wake": "woke woken", "win": "won winning", "steal": "stole", "draw": "drew drawn", "spend": "spent",
    "trade": "traded", "put": "putting", "beat": "beaten",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sense:
    """What a phrase claims. ``value`` depends on ``kind``; ``size`` tempers a direction."""

    kind: Kind
    value: str
    size: str = ""


def forms(verb: str) -> tuple[str, ...]:
    """All forms of a verb: ``climb`` → climb, climbs, climbed, climbing."""
    vowels = "aeiou"
    more = tuple(_IRREGULAR.get(verb, "").split())
    if verb.endswith("e"):
        return verb, f"{verb}s", f"{verb}d", f"{verb[:-1]}ing", *more
    if verb.endswith("y") and verb[-2] not in vowels:
        return verb, f"{verb[:-1]}ies", f"{verb[:-1]}ied", f"{verb}ing", *more
    plural = "es" if verb.endswith(("s", "x", "z", "ch", "sh", "o")) else "s"
    short = 2 < len(verb) <= 5 and verb[-1] not in "wxy" + vowels
    doubled = short and verb[-2] in vowels and verb[-3] not in vowels
    stem = verb + verb[-1] if doubled else verb
    return verb, f"{verb}{plural}", f"{stem}ed", f"{stem}ing", *more


Entry = tuple[str, ...]


def _entries(phrases: list[str]) -> list[Entry]:
    found: list[Entry] = []
    for phrase in phrases:
        first, *rest = phrase.split()
        heads = forms(first[:-1]) if first.endswith("*") else (first,)
        found += [(head, *rest) for head in heads]
    return found


@cache
def lexicon() -> dict[str, list[tuple[Entry, tuple[Sense, ...]]]]:
    """First word → (all words, what they may mean), longest first.

    Raises: UsageError if the installation lacks the word list.
    """
    words = json.loads(data_path("fact_words.json").read_text(encoding="utf-8"))
    senses: dict[Entry, dict[tuple[str, str], Sense]] = {}

    def put(entry: Entry, sense: Sense) -> None:
        senses.setdefault(entry, {}).setdefault((sense.kind, sense.value), sense)

    for key, phrases in words["directions"].items():
        value, _, size = key.partition(" ")
        for entry in _entries(phrases):
            put(entry, Sense("dir", value, size))
    for value, adjectives in words["moods"].items():
        for adjective in adjectives:
            for noun in _MOOD_NOUNS:
                put((*adjective.split(), *noun.split()), Sense("dir", value, "mood"))
    for kind, groups in words["terms"].items():
        for value, phrases in groups.items():
            for entry in _entries(phrases):
                put(entry, Sense(kind, value))
    for number, name in enumerate(WEEKDAYS):
        put((name.lower(),), Sense("weekday", str(number)))
        put((f"{name.lower()}s",), Sense("weekday", str(number)))
    for word in ("weekend", "weekends"):
        put((word,), Sense("weekday", "weekend"))
    table: dict[str, list[tuple[Entry, tuple[Sense, ...]]]] = {}
    for entry, found in senses.items():
        table.setdefault(entry[0], []).append((entry, tuple(found.values())))
    for options in table.values():
        options.sort(key=lambda option: -len(option[0]))
    return table


@cache
def cues(name: str) -> frozenset[str]:
    """Words that support or contradict a meaning of a number (:mod:`values`)."""
    words = json.loads(data_path("fact_words.json").read_text(encoding="utf-8"))
    return frozenset(words["cues"][name].split())


_NO_SUPERLATIVES_TEXT = """
rest best test west guest interest honest modest forest request suggest latest nearest closest harvest invest protest
contest quest chest nest digest arrest earnest dishonest priest crest zest jest vest pest everest conquest midwest
tempest bequest detest attest infest manifest ingest divest unrest wrest lest budapest bucharest
politest kindest haughtiest humblest simplest easiest plainest nicest quickest slowest laziest shortest humblest gentlest faintest mildest briefest
"""
_NO_SUPERLATIVES = frozenset(_NO_SUPERLATIVES_TEXT.split())


def superlative(word: str) -> bool:
    """``deepest``, ``calmest``: a comparison with all that was before."""
    return len(word) > 5 and word not in _NO_SUPERLATIVES
