"""Capacity, forecasts and drift: each with its basis, and silent without data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.config import Config
from engine.errors import UsageError
from engine.lab import benchmark, capacity, drift, forecast
from engine.lab.capacity import Capacity
from engine.lab.statistics import Interval
from engine.llm.base import ModelInfo
from engine.llm.scripted import ScriptedModel
from engine.store import bench, generations
from engine.store.database import opened
from engine.store.generations import Call
from engine.store.patterns import Judged

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NAME = "scripted:scripted"
HELD = Capacity(NAME, 50, 40, 100.0, Interval(90, 110), 4, "met", "50 calls")
MONTH = (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))


def call(seconds: float, verdict: str | None) -> Call:
    from engine.records import Finding, Verdict

    bad = Verdict((Finding("x", "reject", 0, 0, ""),)) if verdict == "reject" else Verdict()
    return Call(
        NAME, "scripted", "p", seconds, "k", "post", "ok" if verdict else "error", "", {},
        content_type="joke", verdict=bad if verdict else None,
    )  # fmt: skip


def test_capacity_is_accepted_posts_over_all_time_spent(db: Database) -> None:
    """Twenty calls of 9 s, half of them accepted: 200 an hour, and four are asked."""
    for number in range(20):
        generations.insert(db, call(9.0, "pass" if number % 2 else "reject"), now=NOW)
    found = capacity.capacity(db, NAME, NOW)
    assert found.sustained == pytest.approx(200.0)
    assert (found.asked, found.light) == (4, "met")
    assert "20 calls in production" in found.basis


def test_too_slow_a_model_is_told(db: Database) -> None:
    for _ in range(20):
        generations.insert(db, call(1_800.0, "pass"), now=NOW)
    assert capacity.capacity(db, NAME, NOW).light == "not met"


@pytest.mark.parametrize("verdict", ["reject", None])
def test_without_accepted_posts_there_is_no_capacity(db: Database, verdict: str | None) -> None:
    for _ in range(30):
        generations.insert(db, call(1.0, verdict), now=NOW)
    assert capacity.capacity(db, NAME, NOW).sustained is None


def test_a_model_that_does_not_fit_is_refused_with_the_figures() -> None:
    info = ModelInfo("llama3:70b", "ollama", size_bytes=40_000_000_000)
    with pytest.raises(UsageError, match=r"48\.0 GB.*16\.0 GB"):
        capacity.refuse_too_large(info, 16_000_000_000)
    capacity.refuse_too_large(info, 64_000_000_000)
    capacity.refuse_too_large(replace(info, size_bytes=None), 1)


def test_the_budget_runs_out_when_its_rate_says() -> None:
    """4.30 of 5 USD in 21.5 days: the rest lasts 3.5 days."""
    found = forecast.budget(NOW, 5.0, 4.3, MONTH)
    assert found.at == NOW + timedelta(days=3.5)
    assert found.bites_soon(NOW) and "2026-11-26" in found.sentence
    assert forecast.budget(NOW, 5.0, 1.0, MONTH).state == "fine"
    assert forecast.budget(NOW, 5.0, 5.0, MONTH).state == "now"
    young = forecast.budget(MONTH[0] + timedelta(days=1), 5.0, 4.0, MONTH)
    assert young.state == "not enough data"


@given(st.floats(0, 100_000), st.floats(-1, 100_000), st.floats(0, 30))
def test_no_budget_and_no_spending_is_too_large_or_too_small_to_forecast(
    limit: float, spent: float, days: float
) -> None:
    """Whatever the settings allow; money given back may even leave less than nothing spent."""
    found = forecast.budget(MONTH[0] + timedelta(days=days), limit, spent, MONTH)
    assert found.at is None or MONTH[0] <= found.at <= MONTH[1]


def test_a_model_at_the_edge_that_hardly_slows_down_is_outgrown_now() -> None:
    """Its interval still reaches what is asked, its mean no longer does."""
    held = replace(HELD, sustained=3.9, light="not enough data")
    found = forecast.schedule(NOW, held, history(10, lambda day: 9 + 1e-12 * day))
    assert (found.state, found.at) == ("ahead", NOW)


def test_the_disk_fills_at_the_databases_own_rate() -> None:
    """100 MB in ten days and 50 MB free: five more days."""
    found = forecast.disk(NOW, 50_000_000, 100_000_000, NOW - timedelta(days=10))
    assert found.at == NOW + timedelta(days=5)
    assert forecast.disk(NOW, 10**12, 1_000_000, NOW - timedelta(days=10)).state == "fine"
    assert forecast.disk(NOW, 1, 10**9, None).state == "not enough data"


def history(days: int, seconds: Callable[[int], float], n: int = 3) -> list[Judged]:
    """``n`` calls a day, oldest first, today last."""
    return [
        Judged(NOW - timedelta(days=days - 1 - day, minutes=each), seconds(day), True)
        for day in range(days)
        for each in range(n)
    ]


def test_a_model_that_slows_down_is_outgrown_on_a_day() -> None:
    """Now 36 s a post at four fifths accepted (80 an hour), 3 s slower each day; four an hour
    allow 720 s a call: that is 230 days off."""
    held = replace(HELD, sustained=80.0)
    found = forecast.schedule(NOW, held, history(10, lambda day: 9 + 3.0 * day))
    assert found.at == NOW + timedelta(days=(720 - 36) / 3.0)
    steady = forecast.schedule(NOW, held, history(10, lambda day: 36.0))
    assert (steady.state, steady.at) == ("fine", None)


def test_rising_rejections_and_latency_are_told_only_beyond_their_own_history() -> None:
    usual = history(14, lambda day: 2.0 + 0.01 * day, n=25)
    assert forecast.rejection(NOW, usual).state == "fine"
    worse = [replace(c, passed=c.at < NOW - timedelta(days=1)) for c in usual]
    more = [Judged(NOW, 9.0, False)] * 30
    assert forecast.rejection(NOW, [*worse, *more]).state == "now"
    assert forecast.latency(NOW, usual[:5]).state == "not enough data"
    slow = [*usual, *[Judged(NOW, 9.0, True)] * 60]
    assert forecast.latency(NOW, slow).state == "now"


@given(st.lists(st.tuples(st.integers(0, 30), st.floats(-50, 50)), min_size=3, max_size=20,
                unique_by=lambda point: point[0]))  # fmt: skip
def test_the_slope_is_scipys(points: list[tuple[int, float]]) -> None:
    expected = scipy.stats.theilslopes([y for _, y in points], [x for x, _ in points])[0]
    assert forecast.theil_sen([(float(x), y) for x, y in points]) == pytest.approx(expected)


# -- drift -----------------------------------------------------------------------------------


@pytest.fixture
def watch(lab: Path) -> Callable[..., list[drift.Drift]]:
    """One drift run with a model of that digest; answers what is found after it."""
    clock = FakeClock(NOW)

    def look(texts: Any = (), digest: str = "one") -> list[drift.Drift]:
        class Model(ScriptedModel):
            def info(self) -> ModelInfo:
                return replace(super().info(), digest=digest)

        with opened(lab) as db:
            run_id = benchmark.start(
                db, drift.plan(db, NAME), actor="t", clock=clock, kind="drift", queued=True
            )
        benchmark.work(lab, run_id, Config(), clock, build=lambda name: Model(texts))
        with opened(lab) as db:
            return drift.drifts(db)

    return look


def test_the_same_model_does_not_drift_and_one_run_says_nothing(watch: Any) -> None:
    assert watch() == []
    assert [item for item in watch() if item.what != "latency"] == []


def test_other_weights_and_worse_texts_are_told(watch: Any) -> None:
    watch()
    watch()
    found = {item.what: item.sentence for item in watch(["garbage"] * 99, digest="two")}
    assert "digest two, one before" in found["digest"]
    assert "now has 0 of 20 texts accepted" in found["acceptance"]


def test_the_first_watch_waits_for_the_bots_own_work(lab: Path) -> None:
    day = timedelta(hours=24)
    with opened(lab) as db:
        assert not drift.due(db, NOW, day), "a bot that never wrote has no production"
        generations.insert(db, call(1.0, "pass"), now=NOW)
        assert not drift.due(db, NOW + day / 2, day)
        assert drift.due(db, NOW + day, day)
        benchmark.start(
            db, drift.plan(db, NAME), actor="t", clock=FakeClock(NOW + day), kind="drift",
            queued=True,
        )  # fmt: skip
        assert not drift.due(db, NOW + 1.5 * day, day)
        assert [run.kind for run in bench.open_runs(db)] == ["drift"]
