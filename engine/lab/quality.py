"""Quality of a set of texts without a judge: what the checks say, and how alike the texts are.

Facts: ollama-and-prompt-testing §4. Distinct-n: Li et al. 2016; self-BLEU: Zhu et al. 2018, with
add-one smoothing above unigrams (Lin and Och 2004); compression ratio: Shaib et al. 2024. All of
them depend on how many texts are looked at, so a window of fixed size is used and told.
"""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from engine.lab.statistics import Rate
from engine.store.bench import BenchCall

WINDOW = 20
NEAR = 90.0
_WORD = re.compile(r"[\w'’$%#.,]*\w|[^\w\s]")
_NUMBER = re.compile(r"\d[\d,.]*")


@dataclass(frozen=True)
class Variety:
    """How alike ``n`` texts are, numbers masked; None below two texts.

    ``distinct_1``, ``distinct_2``: unique over all n-grams, higher is more varied.
    ``compression``: plain over zlib size, lower is more varied. ``self_bleu``: 0..1 against the
    other texts, lower is more varied. ``near``: texts with a near twin among the others.
    """

    n: int
    distinct_1: float | None
    distinct_2: float | None
    compression: float | None
    self_bleu: float | None
    near: Rate


@dataclass(frozen=True)
class Quality:
    """Of one cell. ``fact_errors``: texts that a rule of the fact lock stopped, of all texts."""

    fact_errors: Rate
    rules: tuple[tuple[str, int], ...]
    voice: float | None
    variety: Variety


def quality(calls: Sequence[BenchCall]) -> Quality:
    """Of the warm calls of a cell that gave a text."""
    written = [call for call in calls if call.phase == "warm" and call.outcome == "ok"]
    counts = Counter(rule for call in written for rule in call.rules)
    wrong = sum(any(rule.startswith("facts.") for rule in call.rules) for call in written)
    voices = [call.voice_score for call in written if call.voice_score is not None]
    return Quality(
        fact_errors=Rate(wrong, len(written)),
        rules=tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
        voice=sum(voices) / len(voices) if voices else None,
        variety=variety([call.text for call in written if call.text]),
    )


def variety(texts: Sequence[str], window: int = WINDOW) -> Variety:
    """Of the first ``window`` texts."""
    seen = [masked(text) for text in texts[:window]]
    if len(seen) < 2:
        return Variety(len(seen), None, None, None, None, Rate(0, len(seen)))
    words = [_WORD.findall(text.lower()) for text in seen]
    return Variety(
        n=len(seen),
        distinct_1=distinct(words, 1),
        distinct_2=distinct(words, 2),
        compression=compression_ratio(seen),
        self_bleu=self_bleu(words),
        near=near_twins(seen),
    )


def masked(text: str) -> str:
    """Numbers as ``#``: the same sentence with a new price is still the same sentence."""
    return _NUMBER.sub("#", text)


def distinct(words: Sequence[Sequence[str]], size: int) -> float | None:
    """Unique over all n-grams of ``size``; None where there is none."""
    grams = [gram for text in words for gram in _grams(text, size)]
    return len(set(grams)) / len(grams) if grams else None


def compression_ratio(texts: Sequence[str]) -> float:
    """Size of all texts over their size under zlib."""
    whole = "\n".join(texts).encode()
    return len(whole) / len(zlib.compress(whole, 9))


def self_bleu(words: Sequence[Sequence[str]], order: int = 4) -> float:
    """Mean BLEU of each text against all others."""
    scores = [bleu(text, [*words[:at], *words[at + 1 :]], order) for at, text in enumerate(words)]
    return sum(scores) / len(scores)


def bleu(text: Sequence[str], references: Sequence[Sequence[str]], order: int = 4) -> float:
    """Sentence BLEU with add-one smoothing above unigrams and the brevity penalty."""
    if not text:
        return 0.0
    logs = 0.0
    for size in range(1, order + 1):
        grams = Counter(_grams(text, size))
        most: Counter[tuple[str, ...]] = Counter()
        for reference in references:
            most |= Counter(_grams(reference, size))
        hits = sum((grams & most).values())
        total = sum(grams.values())
        if size == 1 and hits == 0:
            return 0.0
        extra = 0 if size == 1 else 1
        logs += math.log((hits + extra) / (total + extra))
    nearest = min((abs(len(r) - len(text)), len(r)) for r in references)[1]
    penalty = min(0.0, 1 - nearest / len(text))
    return math.exp(logs / order + penalty)


def near_twins(texts: Sequence[str], least: float = NEAR) -> Rate:
    """Texts with another at least ``least`` (0..100) alike by RapidFuzz's token set ratio."""
    from rapidfuzz import fuzz, process, utils

    alike = process.cdist(
        texts, texts, scorer=fuzz.token_set_ratio, processor=utils.default_process, workers=1
    )
    hits = sum(
        any(score >= least for other, score in enumerate(row) if other != at)
        for at, row in enumerate(alike)
    )
    return Rate(hits, len(texts))


def _grams(words: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + size]) for at in range(len(words) - size + 1)]
