"""The fact lock through its two public doors, rule by rule."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.checks.facts import MAX_CHARACTERS, Proof, check, prove
from engine.records import Facts, Headline
from tests.checks.price_corpus import WORLDS, by_hand

DOWN = WORLDS["down"]
KEYS = (
    "price_usd", "change_24h_pct", "change_7d_pct", "high_24h", "low_24h", "volume_24h_usd",
    "market_cap_usd", "ath_usd", "fear_greed", "block_height", "fees",
)  # fmt: skip


def rules(text: str, world: str = "down", content_type: str = "price") -> list[str]:
    return [finding.rule for finding in check(text, WORLDS[world], content_type)]


@pytest.mark.parametrize(
    "text",
    [
        "One bitcoin buys a house.",
        "Everyone is buying.",
        "ETF inflows hit records.",
        "The Fed cut rates.",
        "Miners are capitulating.",
        "Long-term holders refuse to part with their coins.",
        "Wall Street is piling in.",
        "Elon posted.",
        "Institutions love it.",
        "Down 2.3% because traders are nervous.",
        "Down 2.3% as a sovereign fund discloses a sale.",
        "Down 2.3% amid worries.",
        "Bitcoin frobs.",
        "Bitcoin fixes inflation.",
        "The deepest drop of this cycle.",
    ],
)
def test_claims_without_a_number_are_claims(text: str) -> None:
    assert rules(text) != []


@pytest.mark.parametrize(
    "text",
    [
        "The kettle is on, the cat is unimpressed.",
        "The sun rose over the bicycle shed.",
        "My third coffee is not helping.",
        "Miners everywhere continue to guess numbers.",
        "Patience, a sandwich, and block time.",
        "The chart went back to bed.",
        "Bitcoin is at $67,432. My grandmother wants to know whether it comes in blue.",
    ],
)
def test_kettles_cats_and_the_writer_are_free(text: str) -> None:
    assert rules(text) == []


@pytest.mark.parametrize(
    ("world", "text"),
    [
        ("down", "A day ago: $67,432. Now: $67,432."),
        ("down", "$67,432 (yesterday)"),
        ("down", "Bitcoin fell from about $69,027 to $67,432 in 27 hours."),
        ("down", "Bitcoin started the week near $69,027."),
        ("down", "Isn't it odd that bitcoin rose 2.3%?"),
        ("down", "Bitcoin needs a drop of 87% to reach its record."),
        ("down", "It is above its record by $58,766."),
        ("down", "Only a hair from its high of $69,120."),
        ("down", "Bitcoin is back above $68,000."),
        ("down", "Bitcoin stood above $67,000 for the whole of the day."),
        ("down", "$1 buys 1,400 sats."),
        ("down", "The third day running in the red."),
        ("down", "The most searched coin of all."),
        ("down", "Last: $2,320. Range: $67,432 wide."),
        ("down", "Bitcoin lost an eighth of its value."),
        ("down", "Bitcoin lost $67,432 today."),
        ("down", "Bitcoin is $67,432 lower than yesterday."),
        ("down", "A drop of $67,432."),
        ("down", "Bitcoin moved $67,432 in a day."),
        ("down", "The gap is $67,432."),
        ("down", "901,234 blocks to go."),
        ("down", "The market cap lost $1.33 trillion."),
        ("down", "The broader trend is down 13.4%."),
        ("down", "The record fell on the day it was set, today."),
        ("near_record", "The index is mere Greed; Extreme Greed wears a longer coat."),
    ],
)
def test_what_a_slip_of_the_pen_would_say_is_refused(world: str, text: str) -> None:
    """Dates, horizons, rhetorical questions, ranks, presence, widths: one word or number is wrong."""
    assert rules(text, world) != []


@pytest.mark.parametrize(
    ("source", "text", "passes"),
    [
        ("CoinTelegraph24", '"Bank opens a Bitcoin desk", says CoinTelegraph24.', True),
        ("127.0.0.1", '"Bank opens a Bitcoin desk" (127.0.0.1)', True),
        ("CoinTelegraph24", '"Bank opens a Bitcoin desk", says CoinTelegraph25.', False),
        ("CoinTelegraph24", "24 desks, says CoinTelegraph.", False),
    ],
)
def test_a_source_that_holds_digits_is_its_own_name(source: str, text: str, passes: bool) -> None:
    facts = dataclasses.replace(DOWN, headline=Headline("Bank opens a Bitcoin desk", source, None))
    assert (check(text, facts) == []) is passes


@pytest.mark.parametrize(
    ("text", "content_type"),
    [
        ("Friday, why are you like this?", "joke"),
        ("It is open on Sundays, unlike my barber.", "joke"),
        ("Soup again tonight.", "joke"),
        ("My houseplants are calmer than I am.", "price"),
    ],
)
def test_days_and_moods_of_the_writer_are_no_claims(text: str, content_type: str) -> None:
    assert rules(text, "down", content_type) == []


def test_a_retold_headline_is_its_own_words() -> None:
    facts = dataclasses.replace(
        DOWN, headline=Headline("Bank adds first-time buyers to its Bitcoin pilot", "Decrypt", None)
    )
    exact = '"Bank adds first-time buyers to its Bitcoin pilot", says Decrypt.'
    assert check(exact, facts) == []
    assert check("Decrypt says a bank drops its Bitcoin pilot.", facts) != []
    assert check("Reuters: Bank adds first-time buyers to its Bitcoin pilot.", facts) != []


@pytest.mark.parametrize("key", KEYS)
def test_a_text_is_rejected_once_the_fact_behind_its_number_is_unknown(key: str) -> None:
    """Every proof of a number rests on the facts it names: without them nothing is proved."""
    leaks = []
    for case in (c for c in by_hand() if c.true and c.content_type == "price"):
        facts = WORLDS[case.world]
        numbers = [p for p in prove(case.text, facts) if case.text[p.end - 1 : p.end].isdigit()]
        if any(proof.fact.split(".")[0] == key for proof in numbers):
            unknown = dataclasses.replace(facts, **{key: None})
            if not check(case.text, unknown):
                leaks.append(case.text)
    # the height of the next halving is a constant, and a day may be that of the snapshot
    assert [t for t in leaks if "1,050,000" not in t and "2026" not in t] == []


def test_a_finding_names_its_span_and_says_what_the_snapshot_says() -> None:
    text = "🚨 Bitcoin is up 2.3% to $67,432"
    (finding,) = check(text, DOWN)
    assert (finding.rule, finding.severity) == ("facts.direction", "reject")
    assert text[finding.start : finding.end] == "up"
    assert finding.message == '"up" cannot be proved: the 24 h change is -2.31 %.'


def test_spans_are_offsets_into_the_text_as_given_even_after_folding() -> None:
    text = "Bítcoin \u200b💥 ｐｒｉｃｅ: ＄６８,０００ today"
    (finding,) = check(text, DOWN)
    assert text[finding.start : finding.end] == "＄６８,０００"


def test_a_proof_names_the_fact_behind_each_claim() -> None:
    text = "Down 2.3%, at $67,432."
    assert prove(text, DOWN) == [
        Proof(0, 4, "down over 24h", "change_24h_pct", "the 24 h change is -2.31 %"),
        Proof(5, 9, "change over 24h", "change_24h_pct", "-2.31 %"),
        Proof(14, 21, "the price", "price_usd", "$67,432.18"),
    ]


def test_without_facts_only_constants_pass() -> None:
    assert check("21 million. 24/7.", None) == []
    assert [f.rule for f in check("Bitcoin: $67,432", None)] == ["facts.number"]


def test_an_unread_length_is_not_proved() -> None:
    (finding,) = check("ok " * MAX_CHARACTERS, DOWN)
    assert finding.rule == "facts.unreadable"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("BTC at $67​,432", "facts.unreadable"),
        ("Bitcoin at 67.432,18 dollars", "facts.unit"),
        ("Bitcoin will reach $67,432", "facts.prediction"),
        ("Bitcoin is down 2.3% this month", "facts.time"),
        ("ETF inflows push on", "facts.claim"),
        ("Ethereum at $67,432", "facts.subject"),
        ("Bitcoin isn't down", "facts.negation"),
        ("Bitcoin is at its 24h high", "facts.relation"),
    ],
)
def test_each_kind_of_unproved_claim_has_its_rule(text: str, rule: str) -> None:
    assert rule in rules(text)


def test_the_same_words_are_judged_by_the_facts_of_the_moment() -> None:
    text = "Bitcoin is up on the day and near its record."
    assert check(text, WORLDS["near_record"]) == []
    assert rules(text, "down") == ["facts.direction", "facts.relation"]


def test_a_market_claim_is_checked_in_a_joke_too() -> None:
    assert rules("Bitcoin is up, my mood is not.", "down", "joke") == ["facts.direction"]
    assert rules("What goes up must come down, said the elevator.", "down", "joke") == []


_numbers = st.floats(min_value=1e-6, max_value=1e13)
_changes = st.floats(min_value=-99, max_value=500)
_facts = st.builds(
    Facts,
    price_usd=st.none() | _numbers,
    change_24h_pct=st.none() | _changes,
    change_7d_pct=st.none() | _changes,
    high_24h=st.none() | _numbers,
    low_24h=st.none() | _numbers,
    ath_usd=st.none() | _numbers,
    volume_24h_usd=st.none() | _numbers,
    market_cap_usd=st.none() | _numbers,
    block_height=st.none() | st.integers(0, 2_000_000),
)
_WORDS = [
    "Bitcoin",
    "BTC",
    "price",
    "up",
    "down",
    "falls",
    "to",
    "from",
    "$67,432",
    "$67K",
    "2.3%",
    "-2.3%",
    "+2.3%",
    "near",
    "below",
    "above",
    "its",
    "high",
    "low",
    "24h",
    "week",
    "today",
    "not",
    "will",
    "and",
    "with",
    ",",
    ".",
    ":",
    "(",
    ")",
    "/",
    "-",
    "–",
    "→",
    "high",
    "low",
    "range",
    "between",
    "half",
    "a",
    "quarter",
    "doubled",
    "Fear",
    "Greed",
    "24",
    "/100",
    "block",
    "901,234",
    "fees",
    "5",
    "sat/vB",
    "market",
    "cap",
    "volume",
    "trillion",
    "📉",
    "of",
    "the",
    "ATH",
    "record",
]
_texts = st.text(max_size=120) | st.lists(st.sampled_from(_WORDS), max_size=40).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(_texts, _facts, st.sampled_from(["price", "joke", "motivation", "news"]))
def test_no_text_and_no_facts_break_the_lock(text: str, facts: Facts, content_type: str) -> None:
    for finding in check(text, facts, content_type):
        assert 0 <= finding.start <= finding.end <= len(text)
        assert finding.message.endswith(".")
    for proof in prove(text, facts, content_type):
        assert 0 <= proof.start < proof.end <= len(text)


@settings(max_examples=200, deadline=None)
@given(st.floats(min_value=1_000, max_value=5e6), st.integers(0, 2))
def test_a_price_printed_at_any_precision_is_proved_and_its_neighbours_are_not(
    price: float, decimals: int
) -> None:
    facts = Facts(price_usd=price)
    step = 10.0**-decimals
    assert check(f"Bitcoin: ${price:,.{decimals}f}", facts) == []
    for other in (price + 2 * step, price - 2 * step):
        assert check(f"Bitcoin: ${other:,.{decimals}f}", facts) != []


@settings(max_examples=100, deadline=None)
@given(_changes.filter(lambda change: abs(change) > 0.06))
def test_a_direction_is_proved_by_its_sign_alone(change: float) -> None:
    facts = Facts(price_usd=50_000, change_24h_pct=change)
    right, wrong = ("up", "down") if change > 0 else ("down", "up")
    size = f"{abs(change):.1f}%"
    assert check(f"Bitcoin is {right} {size} today", facts) == []
    assert check(f"Bitcoin is {wrong} {size} today", facts) != []
    assert math.isfinite(change)
