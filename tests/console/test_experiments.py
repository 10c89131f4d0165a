"""Experiments on the screen: every question can be asked, and is what then runs."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.screens import experiments as experiments_screen
from engine.service import schedule
from engine.store import experiments, schedules
from engine.store.database import opened
from engine.store.schedules import Plan
from engine.writing.shipped import ensure_templates
from tests.console.conftest import Launch
from tests.console.worlds import make_database


@pytest.mark.parametrize(
    ("question", "entered", "kind"),
    [
        ("Does the model beat the templates?", {}, "writing"),
        ("Is the measuring itself fair (A/A)?", {}, "aa"),
        (
            "Is one model better than another?",
            {"one": "scripted:a", "other": "scripted:b"},
            "writing",
        ),
        ("Is one schedule better than another?", {}, "schedule"),
    ],
)
def test_a_question_is_started_shown_and_stopped(
    launch: Launch, question: str, entered: dict[str, str], kind: str
) -> None:
    path = Path(os.environ["BTCBUZZ_DB"])
    make_database(path)
    now = datetime.now(UTC)
    with opened(path) as db:
        ensure_templates(db, now=now)
        schedule.ensure_default_schedule(db, "UTC", now)
        schedules.insert(db, Plan("late", "UTC", ("21:30",)), now=now)
    app = launch("experiments")
    app.selectbox(key="experiment.question").select(question).run()
    for part, text in entered.items():
        app.text_input(key=f"experiment.{part}").input(text)
    _button(app, "Start").click().run()
    assert not app.exception
    with opened(path) as db:
        (running,) = experiments.running(db)
    assert (running.kind, running.name) == (kind, question)
    assert any("not enough data" in text.value for text in app.markdown)
    assert not any(running.seed in text.value for text in app.caption)
    app.text_input(key=f"experiment.stop.{running.id}.why").input("enough")
    _button(app, "Stop for good").click().run()
    assert not app.exception
    assert any(running.seed in text.value for text in app.caption)


def test_a_prompt_against_itself_is_refused_in_a_sentence(launch: Launch) -> None:
    make_database(Path(os.environ["BTCBUZZ_DB"]))
    app = launch("experiments")
    app.selectbox(key="experiment.question").select("Is one prompt better than another?").run()
    _button(app, "Start").click().run()
    assert not app.exception
    with opened(Path(os.environ["BTCBUZZ_DB"])) as db:
        assert experiments.running(db) == []


def test_a_shown_harm_is_bad_news_and_an_excluded_one_good() -> None:
    assert experiments_screen.light("better", "shown").startswith(":green")
    assert experiments_screen.light("better", "excluded").startswith(":red")
    assert experiments_screen.light("harm", "shown", wished=False).startswith(":red")
    assert experiments_screen.light("harm", "excluded", wished=False).startswith(":green")
    assert experiments_screen.light("harm", "not shown", wished=False).startswith(":gray")


def _button(app, label: str):  # type: ignore[no-untyped-def]
    return next(button for button in app.button if button.label == label)
