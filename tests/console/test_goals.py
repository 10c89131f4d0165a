"""The mission's targets: each with its sample, and no light where the sample is too small."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console import data, memory
from console.memory import Memory
from console.screens import goals
from console.screens.goals import Goal
from engine.clock import SystemClock
from engine.learning import overview as learning
from engine.learning import spec
from engine.learning.judge import judge
from engine.learning.spec import Arm, Design
from engine.records import CONTENT_TYPES
from engine.service import heartbeat
from engine.store import experiments
from engine.store.console_reads import Figures
from engine.store.database import opened
from engine.writing.shipped import ensure_templates
from tests.console.conftest import Launch
from tests.console.worlds import make_database

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BUSY = Figures((0.8,) * 300, 312, 304, 120, 1, 99, 100, 0)
NAMES = [
    "Response time", "Model calls that work", "Drafts refused by checks", "Slots filled in time",
    "Slots lost without a reason", "Memory", "Engagement", "Spend this month",
]  # fmt: skip


def work_out(path: Path, figures: Figures = BUSY, **known: object) -> dict[str, Goal]:
    """Every goal by name, on an empty database unless ``known`` says otherwise."""
    with opened(path, "ro") as db:
        view = goals.View(
            **{
                "figures": figures,
                "memory": Memory(NOW, None, None),
                "engagement": learning.engagement(db, NOW - timedelta(days=90), NOW),
                "judged": None,
                "spent_usd": 0.42,
                "budget_usd": 5.0,
                **known,
            }
        )
    return {goal.name: goal for goal in goals.goals(view)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    make_database(tmp_path / "bot.db")
    return tmp_path / "bot.db"


def test_every_target_of_the_mission_is_there_with_its_sample(path: Path) -> None:
    found = work_out(path, memory=Memory(NOW, 48_000_000, 204_000_000))
    assert list(found) == NAMES
    assert (found["Response time"].state, found["Response time"].basis) == ("met", "of 300 calls")
    assert found["Model calls that work"].value == "97.4 %"
    assert found["Drafts refused by checks"].state == "met"
    assert found["Slots filled in time"].state == "met"
    assert found["Memory"].basis == "runner 48 MB, model 204 MB; one look"
    assert found["Spend this month"].target == "≤ $5.00"


@pytest.mark.parametrize(
    "name, worse",
    [
        ("Response time", Figures((2.5,) * 300, 312, 304, 120, 1, 99, 100, 0)),
        ("Model calls that work", Figures((0.8,) * 300, 312, 280, 120, 1, 99, 100, 0)),
        ("Drafts refused by checks", Figures((0.8,) * 300, 312, 304, 120, 9, 99, 100, 0)),
        ("Slots filled in time", Figures((0.8,) * 300, 312, 304, 120, 1, 90, 100, 0)),
        ("Slots lost without a reason", Figures((0.8,) * 300, 312, 304, 120, 1, 99, 100, 1)),
    ],
)
def test_a_missed_target_is_told_as_missed(path: Path, name: str, worse: Figures) -> None:
    assert work_out(path, worse)[name].state == "not met"


def test_below_the_sample_there_is_no_light_and_no_share(path: Path) -> None:
    found = work_out(path, Figures((0.8,) * 29, 29, 29, 29, 0, 29, 29, 0))
    for name in NAMES[:4]:
        assert (found[name].state, found[name].value) == ("no data", "not enough data (29 of 30)")
    assert found["Engagement"].value == "not enough data (0 of 10)"
    assert found["Memory"].state == "no data"


def test_ten_gigabytes_are_too_much_and_an_overdrawn_budget_too(path: Path) -> None:
    found = work_out(path, memory=Memory(NOW, 48_000_000, 12_000_000_000), spent_usd=5.01)
    assert found["Memory"].value == "12.0 GB"
    assert found["Memory"].state == found["Spend this month"].state == "not met"


def test_a_lift_is_claimed_by_an_experiment_alone(path: Path) -> None:
    with opened(path) as db:
        ensure_templates(db, now=NOW)
        design = Design("lift", "writing", (Arm("template", False), Arm("model")), CONTENT_TYPES)
        spec.start(db, design, seed="00" * 32, actor="test", now=NOW)
        judged = judge(db, experiments.listing(db)[0], NOW + timedelta(days=1))
    goal = work_out(path, judged=judged)["Engagement"]
    assert (goal.state, goal.value, goal.basis) == ("no data", "not enough data", "of 0 pairs")


def test_the_runner_is_measured_by_the_process_of_its_pulse(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "clock", SystemClock())
    assert memory.now().runner is None
    with opened(path) as db:
        heartbeat.beat(db, SystemClock(), pid=os.getpid())
    found = memory.now()
    assert found.runner is not None and found.runner > 10_000_000


def test_the_overview_shows_them_all(launch: Launch, own_sample: Path) -> None:
    told = " ".join(caption.value for caption in launch("overview").caption).replace("\\", "")
    assert [name for name in NAMES if name not in told] == []
