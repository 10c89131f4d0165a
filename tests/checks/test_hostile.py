"""Any text at all: checks answer, answer the same twice, and take time in proportion."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from engine.checks import format, injection, length, policy, repetition
from engine.checks.length import MAX_JUDGED
from engine.records import Finding, Headline

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CHECKS: dict[str, Callable[[str], list[Finding]]] = {
    "length": length.check,
    "format": lambda text: format.check(text, "price"),
    "policy": policy.check,
    "policy with a headline": lambda text: policy.check(text, headline=Headline(text, "feed")),
    "injection": injection.flags,
}
PIECES = st.sampled_from(
    [
        *"a1.@#$-_/()[]{}<>|*`'\"\\%!?,;:~^+=& \n\t\r\0",
        *"éßıİſКаΩ你あपا️‍​‮🇦🇸👍🏽🚀❤⃣©\u0301\u0345\ufeff\ufffe\ud800",
        "http://", "a.co", ".com", "bit.ly/x", "xn--", "bc1q", "0x", "{x}", "<|", "ignore", " and ",
        "giveaway", "g i v e", "Bitcoin", "$BTC", "67,000", "2.3%", "👨‍👩‍👧", "\u202e", "%41%42%43",
    ]
)  # fmt: skip
TEXT = st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=60).map("".join))


@pytest.mark.parametrize("name", CHECKS)
@settings(max_examples=120, deadline=None)
@given(text=TEXT)
def test_checks_answer_whatever_the_text(name: str, text: str) -> None:
    found = CHECKS[name](text)
    assert CHECKS[name](text) == found
    assert all(0 <= finding.start <= finding.end <= len(text) for finding in found)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=TEXT)
def test_repetition_answers_whatever_the_text(db: Database, text: str) -> None:
    history = repetition.History(db, NOW)
    assert repetition.check(text, history) == repetition.check(text, history)
    assert all(finding.severity == "reject" for finding in repetition.check(text, history))


UNITS = [
    "a", "a ", "a.", "ab ", "1", "!", "*", "**", "_", "`", "[", "]", "{", "<", "<|", "(", "@", "@a ", "#", "#a ", "$",
    "$a ", "http://", "a.co ", "/", "-", "- ", "a-", "0", "0x", "1a", "\n", " ", "\t", "ignore ", "send btc ", "you ",
    "will $", "not ", "print the ", "i g n ", "\u0301", "\u200d", "\u200b", "🇦", "👨\u200d", "А", "é", "%41", "AAAA",
    "the abandon ", '"', "'", "buy ", "free ", "aa", "x=", "...", ", ",
]  # fmt: skip


@pytest.mark.parametrize("name", CHECKS)
def test_hostile_repeats_cost_time_in_proportion(name: str) -> None:
    """Four times a text of one repeated piece takes nothing like the sixteen times of a square."""
    steep = {}
    for unit in UNITS:
        small, large = (
            cost(CHECKS[name], (unit * size)[:size]) for size in (MAX_JUDGED // 4, MAX_JUDGED)
        )
        if large > 10 * max(small, 0.001):
            steep[unit] = (small, large)
    assert steep == {}


def cost(check: Callable[[str], list[Finding]], text: str) -> float:
    """Processor seconds, the best of two."""
    times = []
    for _ in range(2):
        start = time.process_time()
        check(text)
        times.append(time.process_time() - start)
    return min(times)
