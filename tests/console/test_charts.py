"""Charts: the finding in words, axes that can be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from console import charts
from engine.learning.analyse import Look
from engine.learning.overview import Matured

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def look(pairs: int, low: float | None, high: float | None) -> Look:
    return Look(NOW + timedelta(days=pairs), pairs, low, high, 1.0)


def test_a_wide_early_interval_does_not_flatten_the_late_one() -> None:
    chart = charts.interval_over_time([look(8, 0.05, 20.0), look(60, 1.26, 1.83)])
    axis = chart.figure.layout.yaxis
    assert axis.type == "log" and list(axis.tickvals) == [0.25, 0.5, 1, 2, 4]
    assert [note.text for note in chart.figure.layout.annotations] == ["no difference", "+40 %"]
    assert chart.alt == "After 60 pairs the ratio lies between 1.26 and 1.83."
    assert [row["high"] for row in chart.table] == [20.0, 1.83]


def test_looks_that_exclude_nothing_are_said_to() -> None:
    chart = charts.interval_over_time([look(1, None, None)])
    assert chart.alt == "After 1 look nothing is excluded yet."


def test_ages_are_named_and_the_first_hours_have_room() -> None:
    rows = [
        Matured(age, 30, share, share - 0.1, min(1.0, share + 0.1))
        for age, share in ((1, 0.4), (6, 0.9), (24, 1.0), (48, 1.0), (168, 1.0))
    ]
    axis = charts.maturing(rows).figure.layout.xaxis
    assert axis.type == "log"
    assert list(axis.ticktext) == ["1 h", "6 h", "24 h", "48 h", "7 days"]
