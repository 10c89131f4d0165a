"""Pairs for blind votes: accepted texts of one moment, sides at random, judged once a person."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from engine.clock import SystemClock
from engine.config import Config
from engine.lab import arena
from engine.llm.scripted import ScriptedModel
from engine.store import arena as rows
from engine.store.database import opened

NOW = SystemClock().now()


@pytest.fixture
def judged(lab: Path, bench_on) -> Iterator[Database]:  # type: ignore[no-untyped-def]
    """Two models (one script) with three jokes each on the same moments, and one that fails."""

    def build(name: str) -> ScriptedModel:
        script = ["nonsense ::"] * 9 if name.endswith("bad") else []
        return ScriptedModel(script, model=name.partition(":")[2])

    models = ["scripted:a", "scripted:b", "scripted:bad"]
    bench_on(Config(), build=build, models=models, recipes=["menu", "free"])
    with opened(lab) as db:
        yield db


def everything(db: Database, voter: str) -> list[arena.Shown]:
    """All pairs a voter gets, each answered with a tie."""
    found, rng = [], random.Random(1)
    while (pair := arena.next_pair(db, voter, rng)) is not None:
        found.append(pair)
        assert rows.vote(
            db, run_id=pair.run_id, left_place=pair.left_place, right_place=pair.right_place,
            choice="tie", voter=voter, now=NOW,
        )  # fmt: skip
    return found


def test_each_pair_is_shown_once_a_person(judged: Database) -> None:
    mine = everything(judged, "me")
    assert mine, "there is something to judge"
    places = [frozenset((pair.left_place, pair.right_place)) for pair in mine]
    assert len(set(places)) == len(places)
    assert rows.open_pairs(judged, "me") == 0
    assert rows.open_pairs(judged, "you") == len(mine)
    first = mine[0]
    again = rows.vote(
        judged, run_id=first.run_id, left_place=first.right_place, right_place=first.left_place,
        choice="left", voter="me", now=NOW,
    )  # fmt: skip
    assert not again, "turned round it is the same pair"


def test_only_accepted_texts_of_different_contenders_meet(judged: Database) -> None:
    everything(judged, "me")
    found = rows.votes(judged)
    assert all(vote.left != vote.right for vote in found)
    assert not any("bad · menu" in (vote.left, vote.right) for vote in found)


def test_sides_are_drawn(judged: Database) -> None:
    """Over many looks, the text that was written first is on the left about half of the times."""
    left = 0
    for seed in range(200):
        pair = arena.next_pair(judged, "me", random.Random(seed))
        assert pair is not None
        left += pair.left_place < pair.right_place
    assert 60 < left < 140
