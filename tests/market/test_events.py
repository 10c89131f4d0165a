"""Events fire once for what happened, not for wobbling around it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.market.event_rules import EventRules
from engine.market.events import EventState, detect_events
from engine.market.replay import read_market_csv, sample_snapshot, snapshots
from engine.records import Facts, FearGreed, Fees, Snapshot
from engine.settings import SETTINGS
from engine.store.market_events import MarketEvent

START = datetime(2026, 1, 1, tzinfo=UTC)
BASE: dict[str, Any] = {"price_usd": 100_500.0}


def play(series: Iterable[Snapshot], rules: EventRules | None = None) -> list[MarketEvent]:
    told: list[MarketEvent] = []
    previous, state = None, EventState()
    for snapshot in series:
        events, state = detect_events(previous, snapshot, state, rules or EventRules())
        assert EventState.from_dict(state.to_dict()) == state
        told += events
        previous = snapshot
    return told


def hourly(*changes: dict[str, Any], minutes: int = 60) -> list[Snapshot]:
    return [
        Snapshot(Facts(as_of=START + timedelta(minutes=minutes * n), **{**BASE, **facts}), "live")
        for n, facts in enumerate(changes)
    ]


def prices(*values: float, minutes: int = 60) -> list[Snapshot]:
    return hourly(*({"price_usd": value} for value in values), minutes=minutes)


def told(*changes: dict[str, Any]) -> list[str]:
    return [event.sentence for event in play(hourly(*changes))]


def test_crossings_are_told_with_their_roundest_level_and_carry_their_proof() -> None:
    (event,) = play(prices(98_500, 101_300))
    assert event.sentence == "The price crossed above $100,000."
    assert (event.kind, event.key, event.direction) == ("level_10k", "level:100000", "up")
    assert (event.fact_keys, event.detail) == (("price_usd",), {"level_usd": 100_000})
    assert (event.content_type, event.priority) == ("price", 80)
    assert [e.sentence for e in play(prices(95_300, 94_700))] == [
        "The price crossed below $95,000."
    ]


def test_touching_a_level_is_not_crossing_it() -> None:
    assert play(prices(99_900, 100_100, 99_900, 100_140, 99_990)) == []


@given(st.lists(st.floats(-0.14, 0.14), max_size=80), st.sampled_from([100_000, 95_000, 101_000]))
def test_no_flapping_around_a_level(wobbles: list[float], level: int) -> None:
    """Within the margin on either side of a level nothing is ever told."""
    assert play(prices(*(level * (1 + wobble / 100) for wobble in wobbles))) == []


@given(st.lists(st.floats(60_000, 140_000), max_size=60))
def test_every_crossing_is_true_and_its_cool_down_holds(values: list[float]) -> None:
    series = prices(*values, minutes=30)
    at_price = {s.facts.as_of: s.facts.price_usd for s in series}
    last: dict[str, datetime] = {}
    for event in play(series):
        price = at_price[event.at]
        if event.kind.startswith("level_"):
            assert price is not None
            assert (price > event.detail["level_usd"]) == (event.direction == "up")
            earlier = [p for at, p in at_price.items() if at and at < event.at and p]
            beyond = [p < event.detail["level_usd"] for p in earlier]
            assert any(beyond) if event.direction == "up" else not all(beyond)
        if event.key in last and event.key.startswith("level:"):
            assert event.at - last[event.key] >= timedelta(hours=24)
        last[event.key] = event.at


@given(st.lists(st.floats(60_000, 140_000), max_size=120))
def test_the_daily_cap_and_the_cap_per_look_hold(values: list[float]) -> None:
    rules = EventRules(per_day=3, per_snapshot=1)
    events = play(prices(*values, minutes=20), rules)
    moments = [event.at for event in events]
    assert len(set(moments)) == len(moments)
    for moment in moments:
        day = [at for at in moments if timedelta(0) <= moment - at < timedelta(days=1)]
        assert len(day) <= 3


def defaults(**changes: Any) -> dict[str, Any]:
    values = {key: setting.default for key, setting in SETTINGS.items()}
    return values | {f"events.{name}": value for name, value in changes.items()}


def test_the_default_settings_are_the_default_rules() -> None:
    assert EventRules.from_settings(defaults()) == EventRules()


def test_an_operator_chooses_what_is_an_event() -> None:
    rules = EventRules.from_settings(defaults(level_step_usd=500, move_1h_pct=0.4))
    assert [e.sentence for e in play(prices(100_100, 100_700), rules)] == [
        "The price crossed above $100,500."
    ]
    moves = hourly({"change_1h_pct": 0.1}, {"change_1h_pct": 0.45})
    assert [e.sentence for e in play(moves, rules)] == ["The price moved up 0.5% in one hour."]
    assert play(moves) == play(prices(100_100, 100_700)) == []


def test_no_events_a_day_leaves_records_only() -> None:
    rules = EventRules.from_settings(defaults(per_day=0))
    assert play(prices(98_500, 101_300), rules) == []


def test_cool_downs_can_be_stretched_and_dropped() -> None:
    there_and_back = prices(98_500, 101_300, 98_500, 101_300)
    told = {
        factor: len(
            play(there_and_back, EventRules.from_settings(defaults(cool_down_factor=factor)))
        )
        for factor in (0, 1)
    }
    assert told == {0: 3, 1: 1}


def test_another_step_starts_over_without_telling() -> None:
    """A band of the old step is none of the new one."""
    one, two = prices(100_100, 100_200)
    _, state = detect_events(None, one, EventState())
    wide = EventRules(level_step_usd=5_000)
    assert detect_events(one, two, state, wide)[0] == []


def test_a_first_look_another_world_and_a_long_silence_tell_nothing() -> None:
    one, two = prices(98_500, 101_300)
    other = dataclasses.replace(one, world="sample")
    _, state = detect_events(None, one, EventState())
    assert detect_events(other, two, state)[0] == []
    assert play(prices(98_500, 101_300, minutes=200)) == []


def test_a_snapshot_not_newer_than_the_last_changes_nothing() -> None:
    one, two = prices(98_500, 101_300)
    _, state = detect_events(None, one, EventState())
    stale = dataclasses.replace(two, facts=dataclasses.replace(two.facts, as_of=one.facts.as_of))
    assert detect_events(one, stale, state) == ([], state)


def test_a_new_all_time_high_is_told_only_if_its_source_dates_it_to_these_days() -> None:
    before = {"ath_usd": 126_000.0, "ath_date": date(2025, 10, 6)}
    new = {"ath_usd": 127_000.0, "ath_date": date(2026, 1, 1)}
    corrected = {"ath_usd": 127_000.0, "ath_date": date(2025, 10, 6)}
    near = {"price_usd": 126_900.0}
    assert "A new all-time high: $127,000." in told({**near, **before}, {**near, **new})
    assert told({**near, **before}, {**near, **corrected}) == []
    assert told({**near, **before}, {**near, "ath_usd": None}, {**near, **before}) == []


def test_distance_from_the_all_time_high_is_told_at_its_edges_with_a_margin() -> None:
    ath = {"ath_usd": 200_000.0}
    series = [{**ath, "price_usd": price} for price in (182_500, 179_500, 178_500, 181_500)]
    sentences = [text for text in told(*series) if "all-time" in text]
    assert sentences == ["The price is more than 10% below its all-time high."]
    wobble = [{**ath, "price_usd": price} for price in (180_400, 179_600, 180_400, 179_200)]
    assert [text for text in told(*wobble) if "all-time" in text] == []


def test_a_big_move_is_told_once_until_it_has_calmed_down() -> None:
    moves = [0.0, 5.5, 4.9, 5.2, 3.0] + [0.0] * 10 + [5.1]
    events = play(hourly(*({"change_24h_pct": move} for move in moves)))
    assert [(event.kind, event.at.hour) for event in events] == [
        ("move_24h", 1),
        ("move_24h", 15),
    ]
    assert events[0].sentence == "The price moved up 5.5% in 24 hours."
    assert events[0].detail == {"change_24h_pct": 5.5}
    assert len(told({"change_24h_pct": 0.0}, *[{"change_24h_pct": 5.5}] * 30)) == 1
    assert told({"change_1h_pct": 0.0}, {"change_1h_pct": -2.5}) == [
        "The price moved down 2.5% in one hour."
    ]


@given(st.lists(st.none() | st.floats(-8, 8), max_size=60))
def test_every_move_told_is_as_large_as_promised_and_has_its_sign(
    moves: list[float | None],
) -> None:
    series = hourly(*({"change_24h_pct": move} for move in moves))
    at_move = {s.facts.as_of: s.facts.change_24h_pct for s in series}
    for event in play(series):
        move = at_move[event.at]
        assert move is not None and abs(move) >= 5
        assert (move > 0) == (event.direction == "up")


def test_fear_and_greed_tells_class_changes_but_no_wobble_at_an_edge() -> None:
    def mood(value: int, label: str) -> dict[str, Any]:
        return {"fear_greed": FearGreed(value, label)}

    fear, extreme = mood(25, "Fear"), mood(24, "Extreme Fear")
    assert told(fear, extreme, fear, extreme) == []
    assert told(fear, mood(20, "Extreme Fear")) == [
        "The Fear & Greed Index went from Fear to Extreme Fear (20)."
    ]
    assert told(fear, {"fear_greed": None}, fear) == []


def test_a_fee_spike_is_told_once_until_fees_have_come_back() -> None:
    fees = [{"fees": Fees(fast, 1, 1)} for fast in (5, 80, 50, 90)]
    assert told(*fees) == ["Fast transactions cost 80 sat/vB."]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (899_999, 900_000, {"The chain passed block 900,000."}),
        (899_990, 899_995, set()),
        (895_103, 895_105, {"Mining difficulty was adjusted at block 895,104."}),
        (871_499, 871_501, {"15% of the way from the last halving to the next."}),
        (
            1_049_999,
            1_050_001,
            {"Block 1,050,000 was a halving.", "The chain passed block 1,050,000."},
        ),
    ],
)
def test_what_the_chain_passes_is_told(before: int, after: int, expected: set[str]) -> None:
    heights = hourly({"block_height": before}, {"block_height": after})
    events = play(heights, EventRules(per_snapshot=9))
    assert {event.sentence for event in events} == expected


def test_a_chain_source_that_lags_tells_nothing_twice() -> None:
    heights = [{"block_height": height} for height in (899_999, 900_000, 899_999, 900_001)]
    assert len(told(*heights, {"block_height": None}, {"block_height": 900_002})) == 1


def test_the_recorded_hours_bring_a_sane_number_of_events(market_csv: Path) -> None:
    """32 days of the real market: about one or two a day, most of them crossings."""
    series = list(snapshots(read_market_csv(market_csv)))
    events = play(series)
    assert 20 <= len(events) <= 64
    assert max(Counter(event.at.date() for event in events).values()) <= 6
    at_price = {s.facts.as_of: s.facts.price_usd for s in series}
    for event in events:
        price = at_price[event.at]
        if event.kind.startswith("level_") and price is not None:
            assert (price > event.detail["level_usd"]) == (event.direction == "up")


def test_the_sample_market_brings_events_of_several_kinds() -> None:
    kinds = {e.kind for e in play(sample_snapshot(START + timedelta(hours=h)) for h in range(720))}
    assert {"level_1k", "level_10k", "fear_greed", "ath_distance", "move_24h", "retarget"} <= kinds
