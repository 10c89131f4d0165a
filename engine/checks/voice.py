"""Does a text sound like the account? A score per trait, with reasons.

Every trait scores 1 where nothing breaks it; the total is their product, so that one gross fault
or several small ones sink a text. The words come from the profile, the habits from its limits, manners
of speech that no list names from :mod:`engine.checks.manner`.
Calibrated on two thirds of ``data/voice_examples.json`` (tests/benchmarks/voice.py).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from engine.checks.emoji import SEQUENCE
from engine.checks.manner import manners
from engine.records import Finding
from engine.store.voice import Marks, VoiceProfile
from engine.store.voice import shipped_profile as load_profile

__all__ = ["Trait", "VoiceProfile", "VoiceScore", "check", "load_profile", "score"]

_STRONG, _WEAK, _HABIT = 0.3, 0.75, 0.5

_QUOTED = re.compile(r'"[^"\n]{1,400}"|“[^”\n]{1,400}”')
_HASHTAG = re.compile(r"(?<!\w)#\w+")
_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*")
_SENTENCE_END = re.compile(r"[.!?…]+(?=\s|$)|\n+")
_BANGS = re.compile(r"!+")
_ACRONYMS_TEXT = """
BTC USD ETF SEC CFTC FOMC CPI GDP ATH API UTC USA FED ECB IRS CEO AI TV UK EU US OK ID HODL EH
"""
_FUNCTION_WORDS_TEXT = """
a an the is are was were be been it its in on at to of for from by with and or but not no as than that
this these there here my our your we you i he she his her they them their has have had do does did
will can so if when who what which how one all because while just only up down out
"""

_ACRONYMS = frozenset(_ACRONYMS_TEXT.split())
_FUNCTION_WORDS = frozenset(_FUNCTION_WORDS_TEXT.split())


class Trait(NamedTuple):
    """0 (broken) to 1 (fine), why, and where (code-point offsets)."""

    score: float
    reason: str
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class VoiceScore:
    """``total`` 0..1 is the product of the traits."""

    total: float
    traits: dict[str, Trait]


def score(text: str, profile: VoiceProfile, content_type: str) -> VoiceScore:
    """How much ``text`` sounds like ``profile``. A quoted headline (news) is not judged."""
    own = _QUOTED.sub(lambda m: " " * len(m.group()), text) if content_type == "news" else text
    traits = {
        "emoji": _habit(own, SEQUENCE, profile.emoji_max, "emoji"),
        "hashtags": _habit(own, _HASHTAG, profile.hashtag_max, "hashtags"),
        "calm": _calm(own),
        "flow": _flow(own, profile.sentence_words_max),
    }
    for trait, marks in profile.marks:
        traits[trait] = _marked(own, marks)
    for trait, manner in manners(_HASHTAG.sub(" ", own)).items():
        traits[trait] = Trait(manner.score, manner.reason)
    return VoiceScore(math.prod(trait.score for trait in traits.values()), traits)


def check(text: str, profile: VoiceProfile, content_type: str, threshold: float) -> list[Finding]:
    """A rejection for each faulty trait (rule ``voice.TRAIT``) when the total is under ``threshold``."""
    result = score(text, profile, content_type)
    if result.total >= threshold:
        return []
    return [
        Finding(f"voice.{name}", "reject", trait.start, trait.end or len(text), trait.reason)
        for name, trait in sorted(result.traits.items(), key=lambda item: item[1].score)
        if trait.score < 1
    ]


def _habit(text: str, pattern: re.Pattern[str], most: int, what: str) -> Trait:
    found = list(pattern.finditer(text))
    if len(found) <= most:
        return Trait(1.0, f"{len(found)} {what}")
    return Trait(
        _HABIT ** (len(found) - most),
        f"{len(found)} {what}; the voice uses at most {most}.",
        found[most].start(),
        found[-1].end(),
    )


def _calm(text: str) -> Trait:
    """Capitals and exclamation marks."""
    bare = _HASHTAG.sub(lambda m: " " * len(m.group()), text)
    shouted = [
        m
        for m in _WORD.finditer(bare)
        if len(m.group()) > 1 and m.group().isupper() and m.group() not in _ACRONYMS
    ]
    bangs = list(_BANGS.finditer(bare))
    count = sum(len(m.group()) for m in bangs)
    fault = len(shouted) + count
    if not (shouted or bangs):
        return Trait(1.0, "calm")
    spans = [m.span() for m in (*shouted, *bangs)]
    reason = f"{len(shouted)} words in capitals, {count} exclamation marks; say it calmly."
    return Trait(0.75**fault, reason, min(s for s, _ in spans), max(e for _, e in spans))


def _flow(text: str, longest_wanted: int) -> Trait:
    """Neither a telegram nor a ramble."""
    bare = _HASHTAG.sub(" ", text)
    sentences = [part.split() for part in _SENTENCE_END.split(bare) if part.split()]
    words = [word.lower() for word in _WORD.findall(bare)]
    tokens = [token for token in bare.split() if token not in ("—", "–", "-")]
    longest = max((len(sentence) for sentence in sentences), default=0)
    if longest > longest_wanted:
        return Trait(
            0.85 ** (longest - longest_wanted),
            f"a sentence of {longest} words; the voice stays under {longest_wanted}.",
        )
    figures = sum(not _WORD.fullmatch(token.strip(".,;:!?()\"'“”—…")) for token in tokens)
    glue = sum(word in _FUNCTION_WORDS for word in words)
    share = figures / max(1, len(tokens))
    if len(tokens) >= 5 and (share > 0.5 or (share > 0.1 and not glue)):
        return Trait(_STRONG, "reads like a ticker; put it into a sentence.")
    if len(sentences) >= 4 and len(tokens) < 2 * len(sentences):
        return Trait(_STRONG, "single words with periods; put them into a sentence.")
    return Trait(1.0, f"longest sentence {longest} words")


def _marked(text: str, marks: Marks) -> Trait:
    strong = list(_pattern(marks.strong).finditer(text))
    weak = list(_pattern(marks.weak).finditer(text))
    if not strong and not weak:
        return Trait(1.0, f"no {marks.reads_as}")
    first = (strong or weak)[0]
    words = ", ".join(f"{m.group()!r}" for m in (*strong, *weak)[:3])
    return Trait(
        _STRONG ** len(strong) * _WEAK ** len(weak),
        f"{words} reads as {marks.reads_as}; say it plainly.",
        first.start(),
        first.end(),
    )


@lru_cache(maxsize=64)
def _pattern(entries: tuple[str, ...]) -> re.Pattern[str]:
    """One pattern for all entries; apostrophes may be straight or curly."""
    if not entries:
        return re.compile(r"(?!)")
    parts = [
        re.escape(entry.removesuffix("*")).replace("'", "['’]")
        + (r"\w*" if entry.endswith("*") else "")
        for entry in sorted(entries, key=len, reverse=True)
    ]
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)", re.IGNORECASE)
