"""Blind votes and the outlook on the Benchmarks page."""

from __future__ import annotations

from pathlib import Path

import pytest

from console import data
from engine.config import load_config
from engine.lab import benchmark
from engine.lab.plan import make_plan
from engine.llm.scripted import ScriptedModel
from engine.store import arena
from engine.store.database import opened
from tests.console.conftest import Launch
from tests.console.test_actions import press, told


@pytest.fixture
def compared(own_sample: Path) -> Path:
    """A finished benchmark of two models that wrote on the same moments."""
    with opened(own_sample) as db:
        plan = make_plan(
            db, models=["scripted:one", "scripted:two"], types=["price", "joke"], repeats=3
        )
        run_id = benchmark.start(db, plan, actor="test", clock=data.clock, queued=True)
    benchmark.work(
        own_sample, run_id, load_config({"BTCBUZZ_DB": str(own_sample)}), data.clock,
        build=lambda name: ScriptedModel(model=name.partition(":")[2]),
    )  # fmt: skip
    return own_sample


def test_a_vote_is_one_key_counts_once_and_the_next_pair_comes(
    launch: Launch, compared: Path
) -> None:
    app = launch("benchmarks")
    with opened(compared, "ro") as db:
        left = arena.open_pairs(db, "local operator")
    app = press(app, "arena.left")
    with opened(compared, "ro") as db:
        (vote,) = arena.votes(db)
        assert arena.open_pairs(db, "local operator") == left - 1
    assert vote is not None and "Your vote counts" in told(app)


def test_a_pair_does_not_say_who_wrote_it(launch: Launch, compared: Path) -> None:
    app = launch("benchmarks")
    names = [b.label for b in app.button if (b.key or "").startswith("arena.")]
    shown = " ".join(text.value for text in app.text)
    assert len(names) == 3
    assert "scripted:one" not in shown and "scripted:two" not in shown


def test_no_key_that_scrolls_a_page_votes(launch: Launch, compared: Path) -> None:
    app = launch("benchmarks")
    keys = [b.proto.shortcut for b in app.button if (b.key or "").startswith("arena.")]
    assert keys == ["1", "2", "3"]


def test_the_same_pair_in_another_tab_is_judged_once(launch: Launch, compared: Path) -> None:
    first, second = launch("benchmarks"), launch("benchmarks")
    press(first, "arena.tie")
    assert "judged this pair before" in told(press(second, "arena.tie"))
    with opened(compared, "ro") as db:
        assert len(arena.votes(db)) == 1


def test_without_a_pair_the_page_says_what_makes_one(launch: Launch, own_sample: Path) -> None:
    told_by = " ".join(element.value for element in launch("benchmarks").markdown)
    assert "No pair to judge" in told_by


def test_the_outlook_says_nothing_of_the_speed_of_a_model_without_weights(
    launch: Launch, own_sample: Path
) -> None:
    app = launch("benchmarks")
    (outlook,) = [table.value for table in app.dataframe if "rests on" in table.value.columns]
    assert set(outlook["what"]) == {"budget", "disk", "rejections"}
    assert not outlook["in words"].str.contains("posts an hour").any()
    assert any("scripted model has no weights" in caption.value for caption in app.caption)
