"""Numbers as they are written: value, unit, sign and printed precision."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.checks.facts.items import join_hyphens
from engine.checks.facts.numbers import Number, number_at
from engine.checks.facts.reading import read


def first(text: str) -> Number:
    number = number_at(join_hyphens(read(text).tokens), 0)
    assert number is not None, text
    return number


@pytest.mark.parametrize(
    ("text", "value", "grain", "unit"),
    [
        ("$67,432.18", 67432.18, 0.01, "usd"),
        ("$67.4K", 67400, 100, "usd"),
        ("67k", 67000, 1000, "bare"),
        ("USD 67,432", 67432, 1, "usd"),
        ("US$67,432", 67432, 1, "usd"),
        ("67.4 thousand dollars", 67400, 100, "usd"),
        ("$1.3 trillion", 1.3e12, 1e11, "usd"),
        ("$31.3bn", 31.3e9, 1e8, "usd"),
        ("2.3 percent", 2.3, 0.1, "pct"),
        ("2.3 per cent", 2.3, 0.1, "pct"),
        ("two percent", 2, 1, "pct"),
        ("two point three percent", 2.3, 0.1, "pct"),
        ("sixty-seven thousand", 67000, 1000, "bare"),
        ("sixty-seven thousand four hundred dollars", 67400, 100, "usd"),
        ("a million dollars", 1e6, 1e6, "usd"),
        ("one hundred and five", 105, 1, "bare"),
        ("half", 50, 5, "share"),
        ("two thirds", 200 / 3, 5, "share"),
        ("a dozen", 12, 1, "bare"),
        ("#901,234", 901234, 1, "rank"),
        ("5 sat/vB", 5, 1, "feerate"),
        ("5 sats per vbyte", 5, 1, "feerate"),
        ("850 EH/s", 850, 1, "ehs"),
        ("24/100", 24, 1, "index"),
        ("24 out of 100", 24, 1, "index"),
        ("24-hour", 24, 1, "hours"),
        ("7d", 7, 1, "days"),
        ("𝟔𝟕,𝟒𝟑𝟐", 67432, 1, "bare"),
        ("６７,４３２", 67432, 1, "bare"),
        ("67\u202f432", 67432, 1, "bare"),
        (".5%", 0.5, 0.1, "pct"),
        ("€67,432", 67432, 1, "other"),
        ("3x", 3, 1, "times"),
        ("2.3 percentage points", 2.3, 0.1, "points"),
    ],
)
def test_value_precision_and_unit(text: str, value: float, grain: float, unit: str) -> None:
    number = first(text)
    assert number.value == pytest.approx(value)
    assert (number.grain, number.unit) == (pytest.approx(grain), unit)


@pytest.mark.parametrize(
    "text", ["67.432,18", "67,43", "1,2,3", "067,432", "67abc", "24/10", "11/22/2026", "1" * 40]
)
def test_what_can_be_read_in_two_ways_is_bad(text: str) -> None:
    assert first(text).unit == "bad"


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("-2.3%", -1),
        ("−2.3%", -1),
        ("–2.3%", -1),
        ("+2.3%", 1),
        ("2.3%", 0),
        ("-$800", -1),
        ("$-800", -1),
    ],
)
def test_every_minus_is_a_minus(text: str, sign: int) -> None:
    assert first(text).sign == sign


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2026-11-22", (2026, 11, 22)),
        ("22 November 2026", (2026, 11, 22)),
        ("22nd of November, 2026", (2026, 11, 22)),
        ("Nov. 22", (None, 11, 22)),
        ("March 2024", (2024, 3, None)),
        ("14:05 UTC", (14, 5, None)),
        ("2pm", (14, 0, None)),
        ("12 am", (0, 0, None)),
    ],
)
def test_dates_and_times(text: str, date: tuple[int | None, ...]) -> None:
    assert first(text).date == date


@pytest.mark.parametrize("text", ["$67\u200b,432", "6️⃣7️⃣", "6\u03367", "½", "六万", "Ⅷ"])
def test_hidden_and_symbolic_digits_are_reported(text: str) -> None:
    assert read(text).unreadable


@given(st.floats(min_value=0.01, max_value=9e8), st.integers(0, 2))
def test_a_printed_number_equals_what_it_was_rounded_from(value: float, decimals: int) -> None:
    number = first(f"${value:,.{decimals}f}")
    assert number.equals(value)
    assert not number.equals(value + 1.01 * number.grain)


@given(st.text(max_size=200))
def test_any_text_is_read_with_spans_inside_it(text: str) -> None:
    for token in read(text).tokens:
        assert 0 <= token.start < token.end <= len(text)
