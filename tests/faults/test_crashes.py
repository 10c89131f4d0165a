"""F01 to F04 and the crash campaign: a killed runner neither doubles nor loses a post.

A taste: ``CRASH_CYCLES`` and ``WHOLE_CYCLES`` set how much. CI runs ``make campaigns`` beside the
tests: 1,000 and 20.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store import attempts, posts
from engine.store.database import opened
from tests.faults.crash import Campaign, run_points, run_random
from tests.faults.life import Nursery, Plan
from tests.faults.whole import run_whole
from tests.faults.x_server import Act, XServer

CYCLES = int(os.environ.get("CRASH_CYCLES", "25"))
WHOLE = int(os.environ.get("WHOLE_CYCLES", "2"))


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as children:
        yield children


@pytest.fixture
def campaign(tmp_path: Path, nursery: Nursery) -> Iterator[Campaign]:
    """One approved post, a runner that has not begun to send it."""
    with XServer(tmp_path / "x.jsonl") as x:
        ready = Campaign(tmp_path, x, nursery, seed=1, mutant="")
        ready.operator.add_slot()
        ready.life()
        ready.operator.work()
        yield ready


def state(campaign: Campaign) -> str:
    with opened(campaign.db_path) as db:
        return posts.need(db, 1).state


def outcomes(campaign: Campaign) -> list[str | None]:
    with opened(campaign.db_path) as db:
        return [attempt.outcome for attempt in attempts.of_post(db, 1)]


def killed_at(campaign: Campaign, *statements: str) -> None:
    plan = Plan(str(campaign.db_path), campaign.x.url, 1.5, kill_after=statements)
    campaign.nursery.start(plan)
    assert campaign.nursery.ended() == -9


BEFORE_T1 = ("INSERT INTO attempts", "COMMIT")
AFTER_T1 = ("INSERT INTO attempts", "COMMIT", "FROM kill_switch")
BEFORE_T2 = (*AFTER_T1, "BEGIN IMMEDIATE")
DURING_T2 = (*BEFORE_T2, "UPDATE posts")


def test_f01_killed_before_the_intent_is_committed_the_post_stays_approved(
    campaign: Campaign,
) -> None:
    killed_at(campaign, *BEFORE_T1)
    assert state(campaign) == "approved"
    assert campaign.x.accepted() == []
    campaign.settle()
    assert (state(campaign), len(campaign.x.accepted())) == ("posted", 1)
    assert outcomes(campaign) == ["posted"]


def test_f02_killed_between_intent_and_request_it_is_absent_then_posted_once(
    campaign: Campaign,
) -> None:
    killed_at(campaign, *AFTER_T1)
    assert state(campaign) == "publishing"
    assert campaign.x.accepted() == []
    campaign.settle()
    assert (state(campaign), len(campaign.x.accepted())) == ("posted", 1)
    assert outcomes(campaign) == ["absent", "posted"]


@pytest.mark.parametrize("where", [BEFORE_T2, DURING_T2], ids=["before-t2", "within-t2"])
def test_f03_killed_after_x_accepted_it_is_found_and_not_sent_again(
    campaign: Campaign, where: tuple[str, ...]
) -> None:
    killed_at(campaign, *where)
    assert state(campaign) == "publishing"
    assert len(campaign.x.accepted()) == 1
    campaign.settle()
    assert (state(campaign), len(campaign.x.accepted())) == ("posted", 1)
    assert outcomes(campaign) == ["posted"]
    with opened(campaign.db_path) as db:
        assert posts.need(db, 1).x_post_id == campaign.x.posts[0].id


@pytest.mark.parametrize(
    "where",
    [
        ("UPDATE attempts", "COMMIT"),
        ("INSERT INTO reconcile_reads",),
        ("INSERT INTO reconcile_reads", "UPDATE attempts"),
        ("INSERT INTO reconcile_reads", "UPDATE attempts", "INSERT INTO audit"),
    ],
    ids=["closing", "look", "link", "audit"],
)
def test_f04_killed_within_reconciliation_it_ends_the_same(
    campaign: Campaign, where: tuple[str, ...]
) -> None:
    campaign.x.next_post(Act(how="drop"))
    killed_at(campaign, *where)
    campaign.settle()
    assert (state(campaign), len(campaign.x.accepted())) == ("posted", 1)


@pytest.mark.timeout(900)
def test_f04_killed_at_statement_after_statement_for_several_answers() -> None:
    """Every 37th statement here; ``python -m tests.faults.crash --points`` for all of them."""
    report = run_points(
        seed=5, step=37 if CYCLES < 1_000 else 5, kinds=["201", "drop, taken", "503, not taken"]
    )
    assert report.verdict.wrong == []
    assert report.kept
    assert report.killed >= 9


@pytest.mark.timeout(120 + CYCLES)
def test_campaign_of_random_kills_keeps_both_promises() -> None:
    report = run_random(CYCLES, seed=CYCLES)
    assert report.verdict.wrong == []
    assert report.kept
    assert report.killed > CYCLES // 4
    assert report.verdict.accepted > CYCLES // 4


@pytest.mark.timeout(120 + 30 * WHOLE)
def test_whole_runners_killed_at_random_instants_keep_both_promises() -> None:
    report = run_whole(WHOLE, seed=WHOLE)
    assert report.verdict.wrong == []
    assert report.kept


@pytest.mark.parametrize("mutant", ["naive", "impatient"])
def test_the_campaign_catches(mutant: str) -> None:
    """Post, then mark; and: not seen at once, so again. Both must be caught, or it proves nothing."""
    report = run_random(150, seed=3, mutant=mutant)
    assert not report.kept
    assert report.verdict.doubles > 0
