"""Tone and relevance of headlines, by our own lexicon."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.market.sentiment import lexicon, relevance, sentiment, stance

POSITIVE = [
    "Bitcoin rallies past resistance as ETF inflows hit a record",
    "Bullish miners expand fleet after strong quarter",
    "SEC lifts ban on spot bitcoin products",
    "Bitcoin surges to all-time high",
    "Short liquidations push bitcoin higher",
    "Dovish Fed sends bitcoin up",
    "Bitcoin rises despite war fears",
    "Bitcoin does not crash after all",
]
NEGATIVE = [
    "Bitcoin plunges as hawkish Fed spooks traders",
    "Exchange hacked, users lose funds",
    "Record outflows hit bitcoin funds",
    "Bitcoin rally fades, gains erased by evening",
    "Mining company files for bankruptcy",
    "Bearish traders dump bitcoin in sell-off",
    "Analyst: this is not a bull market",
    "Court denies approval of bitcoin fund",
]
NEUTRAL = [
    "Bitcoin halving approaches",
    "Bitcoin trades at key support level",
    "Fear & Greed Index published for today",
    "How to buy bitcoin with cash",
    "Difficulty adjustment expected on Tuesday",
    "Proof of stake and proof of work compared",
    "",
]


@pytest.mark.parametrize("title", POSITIVE)
def test_good_news_reads_as_good(title: str) -> None:
    assert stance(sentiment(title), None) == "positive"


@pytest.mark.parametrize("title", NEGATIVE)
def test_bad_news_reads_as_bad(title: str) -> None:
    assert stance(sentiment(title), None) == "negative"


@pytest.mark.parametrize("title", NEUTRAL)
def test_plain_news_and_masked_phrases_read_as_neutral(title: str) -> None:
    assert stance(sentiment(title), None) == "neutral"


def test_the_lexicon_knows_what_general_ones_miss() -> None:
    """Facts: ollama-and-prompt-testing §4 lists these as missing from VADER."""
    terms = lexicon().terms
    assert len(terms) >= 250
    for word in ("bullish", "rally", "surge", "bull", "ath", "dovish"):
        assert terms[word] > 0
    for word in ("bearish", "plunge", "bear", "dip", "liquidation", "hawkish", "dump"):
        assert terms[word] < 0
    assert not set(terms) & lexicon().neutral


def test_a_negation_turns_and_softens_and_a_booster_scales() -> None:
    assert 0 > sentiment("not bullish") > sentiment("bearish")
    assert sentiment("sharply lower") < sentiment("lower") < sentiment("slightly lower") < 0


@given(st.text(max_size=300))
def test_every_text_has_a_sentiment_and_a_relevance_in_range(text: str) -> None:
    assert -1 <= sentiment(text) <= 1
    assert 0 <= relevance(text) <= 1


@pytest.mark.parametrize(
    ("title", "least", "most"),
    [
        ("Bitcoin hashrate sets a record", 1, 1),
        ("BTC holds steady", 1, 1),
        ("Bitcoin’s mempool clears", 1, 1),
        ("Bitcoin, Ethereum slide together", 0.6, 0.6),
        ("Miners and exchanges face new rules", 0.4, 0.4),
        ("Solana memecoin soars", 0, 0.1),
        ("Best crypto to buy now: this Bitcoin presale", 0, 0.2),
        ("Football results of the week", 0, 0),
    ],
)
def test_relevance_to_bitcoin(title: str, least: float, most: float) -> None:
    assert least <= relevance(title) <= most


@pytest.mark.parametrize(
    ("by_lexicon", "by_model", "expected"),
    [
        (0.7, 0.5, "positive"),
        (-0.7, -0.5, "negative"),
        (0.7, -0.5, "neutral"),
        (0.7, 0.0, "neutral"),
        (0.7, None, "positive"),
        (0.1, None, "neutral"),
    ],
)
def test_where_lexicon_and_model_disagree_no_side_is_taken(
    by_lexicon: float, by_model: float | None, expected: str
) -> None:
    assert stance(by_lexicon, by_model) == expected
