"""The fact lock on whole sets of labelled texts: its own corpus, held-out sets, strangers'."""

from __future__ import annotations

import re

import pytest

from engine.checks.facts import check
from tests.checks.price_corpus import (
    ANGLES,
    HELD_OUT,
    WORLDS,
    Labelled,
    by_hand,
    generated,
)
from tests.checks.strangers import AUTHOR, UNSEEN, strangers

PASSED_FALSELY = {
    "One. That is the Fear & Greed reading, and Extreme Fear is the polite term for it.",
    "The low of the day was $92,980, the high $101,420; there is a round number in between, and it was "
    "never reached.",
    "The price has not moved by so much as a dollar in 24 hours, at either end of the range.",
    "It swung $730 up and nothing down.",
}
"""What the lock is known to let through of the strangers' false texts."""


@pytest.mark.parametrize(
    "case",
    list(by_hand()),
    ids=lambda case: f"{case.world}{'+' if case.true else '-'}{case.text[:40]}",
)
def test_a_text_judged_by_hand_gets_the_same_judgement(case: Labelled) -> None:
    findings = check(case.text, WORLDS[case.world], case.content_type)
    assert (not findings) is case.true, findings


def test_of_generated_texts_no_false_one_passes_and_few_true_ones_fail() -> None:
    cases = list(generated())
    wrong = [c for c in cases if (not check(c.text, WORLDS[c.world], c.content_type)) != c.true]
    true = [c for c in cases if c.true]
    assert len(true) > 200
    assert len(cases) - len(true) > 1_000
    assert [c for c in wrong if not c.true] == []
    assert len(wrong) < 0.03 * len(true), wrong[:5]


def test_wordings_it_was_not_made_for_are_rejected_when_false_and_mostly_accepted_when_true() -> (
    None
):
    """The held-out sets; what each did at its first run stands in the file."""
    cases = list(by_hand(HELD_OUT))
    wrong = [c for c in cases if (not check(c.text, WORLDS[c.world], c.content_type)) != c.true]
    assert [c for c in wrong if not c.true] == []
    assert len(wrong) < 0.05 * sum(c.true for c in cases), wrong


def test_unusual_angles_are_rejected_when_false_and_mostly_accepted_when_true() -> None:
    """Passive, ages, denials, claims without a number, rare verbs: hard on purpose."""
    cases = list(by_hand(ANGLES))
    wrong = [c for c in cases if (not check(c.text, WORLDS[c.world], c.content_type)) != c.true]
    assert [c.text for c in wrong if not c.true] == []
    assert len(wrong) < 0.17 * sum(c.true for c in cases), wrong


def test_of_strangers_texts_no_more_false_ones_pass_than_are_known_to() -> None:
    """1,936 texts by three people who had not seen the lock; some of their true ones it still refuses."""
    cases = list(strangers())
    passed = {c.text for c in cases if not c.true and not check(c.text, c.facts)}
    true = [c for c in cases if c.true]
    refused = [c.text for c in true if check(c.text, c.facts)]
    assert passed <= PASSED_FALSELY
    assert len(cases) - len(true) > 900
    assert len(refused) < 0.16 * len(true)


def test_false_texts_of_sets_it_learnt_nothing_true_from_are_refused() -> None:
    """A fourth author's sets; what the lock made of them at first stands with the benchmark."""
    cases = list(strangers(UNSEEN))
    assert [c.text for c in cases if not c.true and not check(c.text, c.facts)] == []
    refused = [c.text for c in cases if c.true and check(c.text, c.facts)]
    assert len(refused) < 0.37 * sum(c.true for c in cases)


def test_what_its_author_wrote_before_looking_is_told_apart() -> None:
    cases = list(strangers(AUTHOR))
    passed = {c.text for c in cases if not c.true and not check(c.text, c.facts)}
    refused = [c.text for c in cases if c.true and check(c.text, c.facts)]
    assert passed <= PASSED_FALSELY
    assert len(refused) < 0.13 * sum(c.true for c in cases)


def test_true_texts_with_two_amounts_exchanged_are_almost_never_true() -> None:
    """Of every ten true texts of strangers that pass, with their first and last amount swapped, at most one does."""
    swapped = passed = 0
    for case in strangers():
        amounts = list(re.finditer(r"\$\d[\d,]*(?:\.\d+)?[KkTBM]?", case.text))
        if not case.true or len(amounts) < 2 or amounts[0].group() == amounts[-1].group():
            continue
        if check(case.text, case.facts):
            continue
        first, last, text = amounts[0], amounts[-1], case.text
        other = text[: first.start()] + last.group() + text[first.end() : last.start()]
        swapped += 1
        passed += not check(other + first.group() + text[last.end() :], case.facts)
    assert swapped > 150
    assert passed < 0.1 * swapped
