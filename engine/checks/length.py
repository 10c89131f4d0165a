"""Weighted length by X's rules (twitter-text config v3; facts: x-api §4), in linear time."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from engine.checks.emoji import HAS_EMOJI, SEQUENCE
from engine.checks.urls import UrlSpan, find_urls
from engine.records import Finding

LIMIT = 280
URL_WEIGHT = 23
WIDE = 2
"""Weight of an emoji and of a code point outside the light ranges."""

_HEAVY = re.compile("[^\u0000-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]")
_INVALID = re.compile("[\ufffe\ufeff\uffff]")
_LONG_MARKS = 32
MAX_JUDGED = 2_000
"""Checks that read word by word reject a longer text unread: no post has so many characters."""


@dataclass(frozen=True)
class Weight:
    """What X counts. ``valid`` says whether X would take the text at this length."""

    weight: int
    valid: bool
    limit: int = LIMIT


def weigh(text: str, *, emoji_sequences: bool = True) -> Weight:
    """Weight of a text after NFC: links 23, emoji sequences 2, light code points 1, others 2.

    ``emoji_sequences`` False counts as config v2 did, code point by code point.
    """
    text = compose(text)
    urls = find_urls(text)
    rest = _without(text, urls)
    plain, sequences = rest, 0
    if emoji_sequences and HAS_EMOJI(text):
        plain, sequences = SEQUENCE.subn("", rest)
    heavy = len(_HEAVY.findall(plain))
    # a link leaves one NUL behind, so that what stood around it is not joined
    weight = len(plain) - len(urls) + heavy + WIDE * sequences + URL_WEIGHT * len(urls)
    valid = 0 < weight <= LIMIT and not _INVALID.search(text)
    return Weight(weight, valid)


def check(text: str) -> list[Finding]:
    """``length.empty``, ``length.invalid`` (a code point X refuses) and ``length.limit``."""
    if not text.strip():
        return [Finding("length.empty", "reject", 0, len(text), "The text is empty.")]
    findings = []
    for bad in _INVALID.finditer(text):
        message = f"U+{ord(bad[0]):04X} is a code point X refuses; remove it."
        findings.append(Finding("length.invalid", "reject", bad.start(), bad.end(), message))
        break
    weighed = weigh(text)
    if weighed.weight > LIMIT:
        message = f"The text weighs {weighed.weight:,} of {LIMIT}; shorten it."
        findings.append(Finding("length.limit", "reject", 0, len(text), message))
    return findings


def compose(text: str) -> str:
    """NFC in linear time.

    The standard library sorts combining marks by insertion, quadratic on a long hostile run;
    a stable sort by combining class first leaves it nothing to move and the result unchanged.
    """
    marks = "".join(character for character in set(text) if unicodedata.combining(character))
    if marks:
        run = f"[{re.escape(marks)}]{{{_LONG_MARKS},}}"
        text = re.sub(run, lambda match: "".join(sorted(match[0], key=unicodedata.combining)), text)
    return unicodedata.normalize("NFC", text)


def _without(text: str, urls: list[UrlSpan]) -> str:
    """The text with a NUL in place of each link."""
    parts, at = [], 0
    for start, end, _ in urls:
        parts.append(text[at:start])
        at = end
    return "\0".join([*parts, text[at:]])
