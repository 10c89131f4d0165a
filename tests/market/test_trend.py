"""The trend follows the changes, in proportion, and says nothing they do not prove."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.market.trend import Trend, detect
from engine.records import Facts

changes = st.none() | st.floats(-60, 60)


def trend(hour: float | None, day: float | None, week: float | None) -> Trend:
    facts = Facts(change_1h_pct=hour, change_24h_pct=day, change_7d_pct=week)
    return detect(facts, flat_pct=0.5, strong_pct=4.0)


@pytest.mark.parametrize(
    ("hour", "day", "week", "direction", "strength"),
    [
        (0.0, 2.0, 3.0, "bull", "mild"),
        (0.0, 6.0, 3.0, "bull", "strong"),
        (0.0, 2.0, 15.0, "bull", "strong"),  # a strong week behind a mild day
        (0.0, -2.0, -3.0, "bear", "mild"),
        (0.0, 2.0, -5.0, "sideways", "mild"),  # day and week disagree
        (0.0, 6.0, -5.0, "bull", "mild"),  # a strong day against the week
        (3.0, 0.2, 9.0, "sideways", "mild"),  # a flat day is flat
        (None, 1.0, None, "bull", "mild"),
        (None, None, -4.0, "bear", "mild"),
        (0.9, None, None, "bull", "strong"),
        (None, None, None, "sideways", "mild"),
    ],
)
def test_examples(
    hour: float | None, day: float | None, week: float | None, direction: str, strength: str
) -> None:
    found = trend(hour, day, week)
    assert (found.direction, found.strength) == (direction, strength)


def test_the_sentence_gives_each_known_horizon_with_its_own_sign() -> None:
    assert trend(0.04, -2.34, 5.06).sentence == (
        "Up 5.1% over seven days, down 2.3% in 24 hours, flat in one hour."
    )
    assert trend(None, None, None).sentence == "No change over any horizon is known."


@given(changes, changes, changes)
def test_the_direction_never_contradicts_the_day(
    hour: float | None, day: float | None, week: float | None
) -> None:
    found = trend(hour, day, week)
    if day is not None:
        assert found.direction != ("bear" if day > 0 else "bull")
    if found.direction == "sideways":
        assert found.strength == "mild"


@given(changes, changes, changes)
def test_the_mirrored_market_has_the_mirrored_trend(
    hour: float | None, day: float | None, week: float | None
) -> None:
    found = trend(hour, day, week)
    mirrored = trend(*(None if change is None else -change for change in (hour, day, week)))
    opposite = {"bull": "bear", "bear": "bull", "sideways": "sideways"}
    assert mirrored.direction == opposite[found.direction]
    assert mirrored.strength == found.strength


@given(changes, st.floats(-60, 60), st.floats(0, 20), changes)
def test_a_higher_day_never_makes_the_trend_more_bearish(
    hour: float | None, day: float, more: float, week: float | None
) -> None:
    rank = {"bear": -1, "sideways": 0, "bull": 1}
    lower, higher = trend(hour, day, week), trend(hour, day + more, week)
    assert rank[higher.direction] >= rank[lower.direction]


@given(changes, changes, changes)
def test_every_number_and_direction_of_the_sentence_is_a_change(
    hour: float | None, day: float | None, week: float | None
) -> None:
    sentence = trend(hour, day, week).sentence.lower()
    known = {"in one hour": hour, "in 24 hours": day, "over seven days": week}
    told = re.findall(r"(up|down) (\d+\.\d)% (in one hour|in 24 hours|over seven days)", sentence)
    for word, size, horizon in told:
        change = known[horizon]
        assert change is not None
        assert (change > 0) == (word == "up")
        assert size == f"{abs(change):.1f}"
