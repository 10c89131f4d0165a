"""Phrases: only true ones are offered, and code writes every number."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest
from hypothesis import given

from engine.checks.manner import manners
from engine.errors import TemplateError
from engine.records import Facts, FearGreed
from engine.writing import phrases
from tests.writing.markets import markets


@pytest.mark.parametrize(
    ("value", "text"),
    [(67_432.4, "$67,432"), (1_000, "$1,000"), (999.5, "$999.50"), (0.5, "$0.50")],
)
def test_dollars_as_people_write_them(value: float, text: str) -> None:
    assert phrases.format_usd(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(67_432, "$67.4K"), (31.26e9, "$31.3B"), (1.318e12, "$1.32T"), (5e6, "$5.0M")],
)
def test_large_dollars_in_short(value: float, text: str) -> None:
    assert phrases.format_usd(value, compact=True) == text


@pytest.mark.parametrize(
    ("value", "plain", "signed"),
    [(2.34, "2.3%", "+2.3%"), (-2.34, "2.3%", "-2.3%"), (-0.04, "0.0%", "0.0%")],
)
def test_percent_with_and_without_its_sign(value: float, plain: str, signed: str) -> None:
    assert phrases.format_pct(value) == plain
    assert phrases.format_pct(value, signed=True) == signed


def test_every_phrase_has_its_own_id_a_known_slot_and_no_number() -> None:
    """Digits may only stand in the names of the horizons, 24 hours and 7 days."""
    shipped = phrases.shipped_phrases()
    assert len({phrase.id for phrase in shipped}) == len(shipped)
    for phrase in shipped:
        assert phrase.slot in phrases.SLOTS
        assert not re.search(r"\d", re.sub(r"24[- ]hour|7[- ]day", "", phrase.text)), phrase.text
        phrases.holds(phrase.when, phrases.Market(Facts()))


@pytest.mark.parametrize("slot", phrases.SLOTS)
def test_each_slot_has_at_least_thirty_phrases(slot: str) -> None:
    assert sum(phrase.slot == slot for phrase in phrases.shipped_phrases()) >= 30


@pytest.mark.parametrize(
    ("facts", "true", "false"),
    [
        (Facts(price_usd=100.0, change_24h_pct=2.0), "up", "down"),
        (Facts(price_usd=100.0, change_24h_pct=-2.0), "down", "flat"),
        (Facts(price_usd=100.0, change_24h_pct=0.5), "flat", "up"),
        (Facts(price_usd=100.0, change_24h_pct=5.0), "strong", "slight"),
        (Facts(price_usd=100.0, high_24h=100.5, low_24h=90.0), "near_high", "near_low"),
        (Facts(price_usd=100.0, high_24h=110.0, low_24h=99.5), "near_low", "mid_range"),
        (Facts(price_usd=100.0, high_24h=110.0, low_24h=90.0), "mid_range", "near_high"),
        (Facts(price_usd=100.0, high_24h=100.0, low_24h=90.0), "no_change", "inside_range"),
        (Facts(price_usd=100.0, ath_usd=120.0), "below_ath", "near_ath"),
        (Facts(price_usd=120.0, ath_usd=120.0), "no_change", "below_ath"),
        (Facts(price_usd=100.0, change_7d_pct=3.0), "week_up", "week_down"),
        (Facts(price_usd=100.0, fear_greed=FearGreed(20, "Extreme Fear")), "fear_extreme", "fear"),
    ],
)
def test_conditions_follow_the_facts(facts: Facts, true: str, false: str) -> None:
    market = phrases.Market(facts)
    assert phrases.holds((true,), market)
    assert not phrases.holds((false,), market)


def test_an_unknown_condition_is_named() -> None:
    with pytest.raises(TemplateError, match="'sunny' is not a condition"):
        phrases.holds(("sunny",), phrases.Market(Facts()))


@given(markets())
def test_an_offered_phrase_never_lacks_a_number(facts: Facts) -> None:
    known = phrases.values(facts)
    for offered in phrases.true_phrases(phrases.Market(facts)).values():
        for phrase in offered:
            assert "{" not in phrases.fill(phrase.text, known)


@given(markets())
def test_there_is_always_something_to_say(facts: Facts) -> None:
    """With nothing known but the price, a fact and a closer remain."""
    offered = phrases.true_phrases(phrases.Market(facts))
    bare = phrases.true_phrases(phrases.Market(Facts(price_usd=facts.price_usd)))
    assert offered["fact"] and offered["closer"]
    assert bare["fact"] and bare["closer"]


@given(markets())
def test_rising_and_falling_words_are_never_offered_together(facts: Facts) -> None:
    when = {
        name
        for phrase in phrases.true_phrases(phrases.Market(facts))["fact"]
        for name in phrase.when
    }
    assert len(when & {"up", "down", "flat", "no_change"}) == 1


def test_distances_are_given_only_where_rounding_agrees() -> None:
    """$325.90 from the low prints as $326; a reader who subtracts printed prices must agree."""
    clear = phrases.values(Facts(price_usd=67_432.4, high_24h=68_000.4, low_24h=66_000.2))
    torn = phrases.values(Facts(price_usd=67_432.4, high_24h=68_000.6, low_24h=66_000.2))
    assert (clear["off_high"], clear["off_low"]) == ("$568", "$1,432")
    assert "off_high" not in torn and torn["off_low"] == "$1,432"


def test_numbers_that_print_alike_are_no_range() -> None:
    facts = Facts(price_usd=67_432.4, high_24h=67_432.45, low_24h=66_000.0)
    assert not phrases.holds(("inside_range",), phrases.Market(facts))
    assert phrases.holds(("inside_range",), phrases.Market(replace(facts, high_24h=67_500.0)))


@pytest.mark.parametrize("text", ["{nothing}", "{price", "price}", "{}", "{Price}"])
def test_what_cannot_be_filled_is_an_error(text: str) -> None:
    with pytest.raises(TemplateError):
        phrases.fill(text, {"price": "$1"})


def test_no_two_phrases_of_a_post_have_a_manner_that_neither_has_alone() -> None:
    """All pairs that can meet: a command here and "your" there are harmless alone, and sell together;
    three hedges in two phrases are a hedged post."""
    opener, mood, closer = (
        [phrase.text for phrase in phrases.shipped_phrases() if phrase.slot == slot]
        for slot in ("opener", "mood", "closer")
    )
    fact = "Bitcoin is at $67,432."
    texts = [f"{one} {fact} {other}" for one, other in itertools.product(opener, mood + closer)]
    texts += [f"{fact} {one} {other}" for one, other in itertools.product(mood, closer)]
    assert len(texts) > 30_000
    assert [text for text in texts if any(m.score < 1 for m in manners(text).values())] == []
