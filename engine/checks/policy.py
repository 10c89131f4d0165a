"""What a post may not say (facts: reliability-and-security §5.2), by a versioned deny-list.

Every rule reads the folded text and every reading with disguises undone
(:mod:`engine.checks.normalise`); the rules themselves are data (``data/policy.json``). A rule
id is ``policy.<name>``.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from engine.checks import links, wallets
from engine.checks.format import CASHTAG
from engine.checks.length import MAX_JUDGED
from engine.checks.normalise import View, fold, views
from engine.records import Finding, Headline
from engine.resources import data_path

POLICY_FILE = data_path("policy.json")


@dataclass(frozen=True)
class Rule:
    """One entry of the deny-list. ``reported``: fine in the words of the headline at hand."""

    name: str
    message: str
    patterns: tuple[re.Pattern[str], ...]
    exceptions: tuple[re.Pattern[str], ...]
    reported: bool = False

    def matches(self, text: str) -> Iterator[re.Match[str]]:
        """Matches in a folded text that no exception covers."""
        hits = [match for pattern in self.patterns for match in pattern.finditer(text)]
        if not hits:
            return
        spared = [match.span() for pattern in self.exceptions for match in pattern.finditer(text)]
        for hit in hits:
            # a hit may start at the punctuation before its first word; the words count
            start = hit.start() + len(hit[0]) - len(hit[0].lstrip(' .,:;!?-\n"'))
            if not any(first <= start < end for first, end in spared):
                yield hit


def _read() -> tuple[dict[str, Any], str]:
    raw = POLICY_FILE.read_bytes()
    data: dict[str, Any] = json.loads(raw)
    return data, f"{data['version']}+{hashlib.sha256(raw).hexdigest()[:12]}"


_DATA, POLICY_VERSION = _read()
"""``<version of the data file>+<start of its SHA-256>``: stored beside every verdict."""


@cache
def rules() -> tuple[Rule, ...]:
    """The deny-list, compiled."""
    listed = [
        Rule(
            entry["id"],
            entry["message"],
            tuple(re.compile(pattern) for pattern in entry["patterns"]),
            tuple(re.compile(pattern) for pattern in entry["except"]),
            entry.get("reported", False),
        )
        for entry in _DATA["rules"]
    ]
    allowed = re.compile(rf"\b(?:{'|'.join(_DATA['allowed_words'])})\b")
    for name, words in _DATA["words"].items():
        plain = sorted(codecs.decode(word, "rot13") for word in words["rot13"])
        pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, plain))})(?:e?[sz])?\b")
        listed.append(Rule(name, words["message"], (pattern,), (allowed,)))
    return tuple(listed)


def check(text: str, *, headline: Headline | None = None) -> list[Finding]:
    """What the text may not say; empty for a clean one. One finding a rule and place.

    A ``headline`` lets a post name what the headline names (politics, a rumour it reports);
    nothing else is allowed because of it.
    """
    if len(text) > MAX_JUDGED:
        message = f"It has more than {MAX_JUDGED:,} characters; no post has, so it is not judged."
        return [Finding("policy.long", "reject", 0, len(text), message)]
    readings = views(text)
    reported = fold(headline.title[:MAX_JUDGED]).text if headline else ""
    found: dict[tuple[str, int], Finding] = {}
    for name, start, end, message in _all(text, readings, reported):
        found.setdefault((name, start), Finding(f"policy.{name}", "reject", start, end, message))
    return sorted(found.values(), key=lambda finding: (finding.start, finding.rule))


def _all(text: str, readings: list[View], reported: str) -> Iterator[tuple[str, int, int, str]]:
    """(rule, start, end, message) of everything found."""
    for view in readings:
        for rule in rules():
            for match in rule.matches(view.text):
                if rule.reported and match[0].strip() in reported:
                    continue
                yield (rule.name, *view.span(*match.span()), rule.message)
    for kind, start, end, message in wallets.find(text):
        yield kind, start, end, message
    allowed = _DATA["allowed"]
    for start, end, message in links.denied(
        text, readings, frozenset(allowed["domains"]), frozenset(_DATA["shorteners"])
    ):
        yield "link", start, end, message
    yield from _tags(text, readings[0], allowed)


_MENTION = re.compile(r"@\s?(\w{1,30})")


def _tags(
    text: str, view: View, allowed: dict[str, list[str]]
) -> Iterator[tuple[str, int, int, str]]:
    """Mentions and cashtags beyond those allowed."""
    mentions = {name.lower() for name in allowed["mentions"]}
    for match in _MENTION.finditer(view.text):
        # "pays 5 sats @ 3 sat/vB" names a rate, not a person
        if match[1] in mentions or (match[0][1] == " " and match[1][0].isdigit()):
            continue
        message = f"It mentions {match[0]}; nobody is mentioned unasked."
        yield ("mention", *view.span(*match.span()), message)
    cashtags = {name.upper() for name in allowed["cashtags"]}
    for match in CASHTAG.finditer(text):
        if match[1].upper() not in cashtags:
            message = f"Cashtag ${match[1]}; allowed are {', '.join(sorted(cashtags))}."
            yield "cashtag", match.start(), match.end(), message
