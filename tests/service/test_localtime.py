"""A local time of day is one instant, also on the days when clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.service.localtime import instant_of
from tests.faults import zones


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "at", "instant"),
    [
        ("UTC", "2026-03-29", "02:30", "2026-03-29 02:30"),
        ("Europe/Berlin", "2026-03-29", "01:59", "2026-03-29 00:59"),
        ("Europe/Berlin", "2026-03-29", "02:00", "2026-03-29 01:00"),  # gap: first valid instant
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-03-29", "03:00", "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25 00:30"),  # repeated: the first
        ("Europe/Berlin", "2026-10-25", "03:00", "2026-10-25 02:00"),
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03 15:30"),
        ("Asia/Beirut", "2026-03-29", "00:30", "2026-03-28 22:00"),  # gap at midnight
        ("Antarctica/Troll", "2026-03-29", "02:00", "2026-03-29 01:00"),  # two hours missing
        ("Pacific/Apia", "2011-12-30", "08:00", "2011-12-30 10:00"),  # a whole day missing
    ],
)
def test_examples(zone: str, day: str, at: str, instant: str) -> None:
    found = instant_of(date.fromisoformat(day), time.fromisoformat(at), ZoneInfo(zone))
    assert found == utc(instant)


@given(
    zone=st.sampled_from(zones.TRICKY),
    day=st.dates(date(2000, 1, 1), date(2037, 12, 31)),
    minute=st.integers(0, 1439),
)
def test_clocks_show_the_time_then_and_had_not_shown_it_before(
    zone: str, day: date, minute: int
) -> None:
    at = time(minute // 60, minute % 60)
    wanted = datetime.combine(day, at)
    instant = instant_of(day, at, ZoneInfo(zone))

    def shown(moment: datetime) -> datetime:
        return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)

    assert shown(instant) >= wanted
    for earlier in (1, 60, 1_800, 3_599, 7_200):
        assert shown(instant - timedelta(seconds=earlier)) < wanted


@pytest.mark.parametrize("zone", zones.TRICKY)
def test_two_years_of_slots_equal_an_independent_calendar(zone: str) -> None:
    """F23. All IANA zones: ``python -m tests.faults.zones --all``."""
    assert zones.differences(zone) == []


def test_the_comparison_catches_a_generator_that_ignores_gaps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def naive(day: date, at: time, zone: ZoneInfo) -> datetime:
        return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)

    monkeypatch.setattr("engine.service.schedule.instant_of", naive)
    wrong = zones.differences("Europe/Berlin")
    assert len(wrong) == 2  # 02:30 of two spring days; 02:00 lands right by chance
    assert all("02:30" in line for line in wrong)
