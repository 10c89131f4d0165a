"""Arms of slots: committed, permuted in blocks, stored before writing, never changed."""

from __future__ import annotations

import sqlite3
from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from engine.clock import FakeClock, iso, parse_iso
from engine.errors import UsageError
from engine.learning import holdout, spec
from engine.learning.assignment import (
    FIRST_DAY,
    arm_for_slot,
    arm_of_day,
    misassigned,
    permutation,
    stratum_of,
)
from engine.learning.judge import judge
from engine.learning.spec import Arm, Design
from engine.records import Verdict
from engine.service import schedule
from engine.store import experiments, posts, schedules, settings, slots, templates
from engine.store.experiments import Experiment
from engine.store.schedules import Plan
from engine.store.slots import Slot
from engine.writing.shipped import ensure_templates

ARMS = (Arm("template", use_model=False), Arm("LLM"))


@pytest.fixture(autouse=True)
def _shipped(db: Database, clock: FakeClock) -> None:
    ensure_templates(db, now=clock.now())


def begin(db: Database, clock: FakeClock, *, kind: str = "writing", arms: tuple[Arm, ...] = ARMS,
          **fields: object) -> Experiment:  # fmt: skip
    design = Design(f"test {kind}", kind, arms, **fields)  # type: ignore[arg-type]
    return spec.start(db, design, seed="secret", actor="anna", now=clock.now())


def slots_of(
    db: Database, clock: FakeClock, days: int = 20, times: tuple[str, ...] = ("08:00", "14:00"),
    content_type: str | None = None, name: str = "all",
) -> list[Slot]:  # fmt: skip
    """Planned slots of so many days."""
    schedules.insert(db, Plan(name, "UTC", times, content_type=content_type), now=clock.now())
    schedule.plan_slots(db, clock.now(), horizon_h=24 * days)
    return slots.between(db, clock.now(), clock.now() + timedelta(days=days + 1))


def test_blocks_hold_each_arm_once_in_each_stratum(db: Database, clock: FakeClock) -> None:
    """Property 3."""
    experiment = begin(db, clock)
    for slot in slots_of(db, clock):
        assert arm_for_slot(db, slot, clock.now()) is not None
    rows = experiments.all_of(db, experiment.id)
    assert misassigned(experiment, rows) == []
    blocks: dict[str, list[experiments.Row]] = {}
    for row in rows:
        blocks.setdefault(row.block_id, []).append(row)
    for members in blocks.values():
        assert len({row.stratum for row in members}) == 1
        assert len({row.arm for row in members}) == len(members) <= 2
    assert all(row.propensity == {"LLM": 0.5, "template": 0.5} for row in rows)


@given(
    st.text(min_size=1),
    st.integers(1, 99),
    st.lists(st.text(min_size=1), min_size=2, max_size=5, unique=True),
)
def test_an_order_is_a_permutation_that_the_seed_alone_decides(
    seed: str, experiment_id: int, arms: list[str]
) -> None:
    order = permutation(seed, experiment_id, "b", arms)
    assert sorted(order) == sorted(arms)
    assert order == permutation(seed, experiment_id, "b", arms)


def test_all_orders_are_equally_likely() -> None:
    """Six orders of three arms over 6,000 blocks: chi-squared with 5 degrees, p > 0.001."""
    counts = Counter(permutation("s", 1, str(block), "abc") for block in range(6000))
    assert len(counts) == 6
    assert sum((n - 1000) ** 2 / 1000 for n in counts.values()) < 20.5


def test_a_slot_keeps_its_arm_however_often_it_is_tried(db: Database, clock: FakeClock) -> None:
    begin(db, clock)
    slot = slots_of(db, clock, days=1)[0]
    given_arms = {arm_for_slot(db, slot, clock.now()) for _ in range(5)}
    assert len(given_arms) == 1


def test_slots_of_one_block_are_two_hours_apart(db: Database, clock: FakeClock) -> None:
    experiment = begin(db, clock)
    for slot in slots_of(
        db, clock, times=("08:00", "08:30", "09:00", "10:30"), content_type="joke"
    ):
        arm_for_slot(db, slot, clock.now())
    blocks: dict[str, list[datetime]] = {}
    for row in experiments.all_of(db, experiment.id):
        blocks.setdefault(row.block_id, []).append(parse_iso(row.slot_at))
    assert all(
        abs(times[0] - times[1]) >= timedelta(hours=2)
        for times in blocks.values()
        if len(times) > 1
    )


def test_strata_are_a_quarter_of_the_local_day_and_a_content_type(
    db: Database, clock: FakeClock
) -> None:
    slot = slots_of(db, clock, days=1, times=("13:59",), content_type="joke")[0]
    assert stratum_of(slot) == "12h|joke"


def test_an_arm_is_refused_once_something_was_written(db: Database, clock: FakeClock) -> None:
    begin(db, clock)
    slot = slots_of(db, clock, days=1)[0]
    post = posts.NewPost("joke", "Ha.", Verdict(), "model", "live", slot_id=slot.id)
    posts.insert(db, post, actor="writer", now=clock.now())
    with pytest.raises(sqlite3.IntegrityError, match="before anything is written"):
        arm_for_slot(db, slot, clock.now())


@pytest.mark.parametrize(
    "statement",
    ["UPDATE assignments SET arm = 'LLM'", "DELETE FROM assignments",
     "UPDATE experiments SET spec = '{}'", "UPDATE experiments SET seed = 'x'",
     "DELETE FROM experiments"],
)  # fmt: skip
def test_nothing_registered_can_be_edited(db: Database, clock: FakeClock, statement: str) -> None:
    """Property 7."""
    begin(db, clock)
    arm_for_slot(db, slots_of(db, clock, days=1)[0], clock.now())
    with pytest.raises(sqlite3.IntegrityError):
        db.conn.execute(statement)


def test_arms_pin_what_is_in_production_at_the_start(db: Database, clock: FakeClock) -> None:
    """A promotion in the middle changes nothing in a running experiment."""
    experiment = begin(db, clock)
    found = templates.production(db, "joke")
    assert found is not None
    pinned = experiment.spec["arms"][1]["template_versions"]["joke"]
    assert pinned == found[1].id
    assert experiment.spec["prompt_hashes"][str(pinned)] == found[1].sha256
    assert experiment.spec["arms"][0]["template_versions"] == {}
    assert experiment.spec_hash == spec.hash_of(experiment.spec_text)


@pytest.mark.parametrize(
    ("kind", "arms", "complaint"),
    [
        ("writing", (Arm("a"),), "two or more arms"),
        ("writing", (Arm("a"), Arm("a")), "different names"),
        ("writing", (Arm("a"), Arm("b")), "alike"),
        ("aa", ARMS, "alike"),
        ("schedule", (Arm("a", schedules=(1,)), Arm("b", schedules=(1,))), "schedules of its own"),
        ("writing", (Arm("a"), Arm("b", template_versions={"joke": 999})), "does not exist"),
    ],
)
def test_designs_that_cannot_answer_are_refused(
    db: Database, clock: FakeClock, kind: str, arms: tuple[Arm, ...], complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        begin(db, clock, kind=kind, arms=arms)


def test_one_experiment_runs_at_a_time_and_a_stopped_one_stays_stopped(
    db: Database, clock: FakeClock
) -> None:
    first = begin(db, clock)
    with pytest.raises(UsageError, match="is running"):
        begin(db, clock, kind="aa", arms=(Arm("a"), Arm("b")))
    ended = spec.stop(db, first.id, reason="enough", actor="anna", now=clock.now())
    assert (ended.state, ended.seed) == ("stopped", "secret")
    with pytest.raises(UsageError, match="not running"):
        spec.stop(db, first.id, reason="again", actor="anna", now=clock.now())
    assert arm_for_slot(db, slots_of(db, clock, days=1)[0], clock.now()) is None
    begin(db, clock, kind="aa", arms=(Arm("a"), Arm("b")))


def test_the_registered_end_ends_it(db: Database, clock: FakeClock) -> None:
    """The holdout has none."""
    holdout.keep(db, seed="h", now=clock.now())
    experiment = begin(db, clock)
    clock.advance(59 * 86_400)
    assert spec.stop_finished(db, clock.now()) == []
    clock.advance(86_400)
    (ended,) = spec.stop_finished(db, clock.now())
    assert (ended.id, ended.stop_reason) == (experiment.id, "the registered 60 days are over")
    assert [one.kind for one in experiments.running(db)] == ["holdout"]


def test_three_arms_make_blocks_of_three(db: Database, clock: FakeClock) -> None:
    experiment = begin(
        db, clock, arms=(*ARMS, Arm("small", model="scripted:small")), content_types=("joke",)
    )
    for slot in slots_of(db, clock, days=9, times=("08:00",), content_type="joke"):
        arm_for_slot(db, slot, clock.now())
    sizes = Counter(row.block_id for row in experiments.all_of(db, experiment.id))
    assert set(sizes.values()) == {3}
    assert len(judge(db, experiment, clock.now()).comparisons) == 2


# -- schedules by day ------------------------------------------------------------------------


def test_schedules_take_turns_by_day_in_pairs_of_the_same_weekday(
    db: Database, clock: FakeClock
) -> None:
    early = slots_of(db, clock, 28, ("08:00",), "joke", "early")
    late = slots_of(db, clock, 28, ("20:00",), "joke", "late")
    ids = {row.plan.name: row.id for row in schedules.listing(db)}
    arms = (Arm("early", schedules=(ids["early"],)), Arm("late", schedules=(ids["late"],)))
    experiment = begin(db, clock, kind="schedule", arms=arms, min_pairs=10)
    taken: dict[str, set[str]] = {}
    both = {slot.id: slot for slot in (*early, *late)}
    first = (clock.now() + FIRST_DAY).date()
    for slot in both.values():
        assignment = arm_of_day(db, slot, clock.now())
        if datetime.fromisoformat(slot.local_date).date() < first:
            assert assignment is None
            continue
        assert assignment is not None
        assert arm_for_slot(db, slot, clock.now()) is None
        own = slot.schedule_id == ids[assignment.arm]
        assert own == (assignment.skip == "")
        taken.setdefault(slot.local_date, set()).add(assignment.arm)
    assert all(len(arms_of_day) == 1 for arms_of_day in taken.values())
    rows = experiments.all_of(db, experiment.id)
    assert misassigned(experiment, rows) == []
    for row in rows:
        assert row.block_id.startswith(f"{datetime.fromisoformat(row.unit):%A}|")


def test_an_arm_whose_slots_stay_empty_more_often_is_told(db: Database, clock: FakeClock) -> None:
    planned = {
        slot.id: slot
        for name, hours in (("early", range(6, 10)), ("late", range(18, 22)))
        for slot in slots_of(db, clock, 28, tuple(f"{hour:02d}:00" for hour in hours), "joke", name)
    }
    ids = {row.plan.name: row.id for row in schedules.listing(db)}
    arms = tuple(Arm(name, schedules=(ids[name],)) for name in ("early", "late"))
    experiment = begin(db, clock, kind="schedule", arms=arms)
    for slot in planned.values():
        given = arm_of_day(db, slot, clock.now())
        assert schedule.claim(db, slot.id, slot.due_at) is not None
        if given is not None and given.arm == "late":
            schedule.finish(db, slot.id, "skipped", now=slot.due_at, reason="budget: spent")
    judged = judge(db, experiment, clock.now())
    early, late = judged.arms
    assert (early.empty, late.empty) == (0, late.assigned)
    days = len(experiments.all_of(db, experiment.id))
    assert early.assigned + late.assigned == 4 * days
    (said,) = judged.guardrails
    assert said.startswith(f"slots stayed empty unequally: early 0 of {early.assigned}, late ")


# -- the holdout -----------------------------------------------------------------------------


def test_the_holdout_keeps_its_share_of_slots_on_templates(db: Database, clock: FakeClock) -> None:
    """10 % of 1,860 slots: 186, within four standard errors (13)."""
    experiment = holdout.keep(db, seed="h", now=clock.now())
    assert experiment is not None
    for slot in slots_of(
        db, clock, 31, tuple(f"{h:02d}:{m:02d}" for h in range(24) for m in (0, 20))
    ):
        arm_for_slot(db, slot, clock.now())
    arms = Counter(row.arm for row in experiments.all_of(db, experiment.id))
    total = len(slots.between(db, clock.now(), clock.now() + timedelta(days=32)))
    assert arms["template"] == pytest.approx(total * 0.1, abs=4 * (total * 0.09) ** 0.5)
    assert arms["production"] == pytest.approx(arms["template"], abs=20)


def test_the_holdout_follows_the_setting_by_starting_anew(db: Database, clock: FakeClock) -> None:
    first = holdout.keep(db, seed="h", now=clock.now())
    assert holdout.keep(db, seed="i", now=clock.now()) == first
    clock.advance(60)
    settings.put(db, "learning.holdout_pct", 20, actor="anna", now=clock.now())
    second = holdout.keep(db, seed="j", now=clock.now())
    assert first and second and second.id != first.id
    settings.put(db, "learning.holdout_pct", 0, actor="anna", now=clock.now())
    assert holdout.keep(db, seed="k", now=clock.now()) is None
    assert experiments.running(db) == []


def test_the_holdout_stands_beside_an_experiment(db: Database, clock: FakeClock) -> None:
    holdout.keep(db, seed="h", now=clock.now())
    begin(db, clock)
    assert [one.kind for one in experiments.running(db)] == ["holdout", "writing"]


# -- broken experiments ----------------------------------------------------------------------


def test_an_assignment_that_the_seed_does_not_give_makes_it_invalid(
    db: Database, clock: FakeClock
) -> None:
    experiment = begin(db, clock)
    slot = slots_of(db, clock, days=1)[0]
    right = permutation("secret", experiment.id, "forged", experiment.arms)[0]
    wrong = next(arm for arm in experiment.arms if arm != right)
    row = experiments.Row(
        0, experiment.id, experiment.spec_hash, "forged", 0, "s", slot.slot_key, slot.id,
        iso(slot.due_at), wrong, {}, iso(clock.now()),
    )  # fmt: skip
    experiments.assign(db, row, now=clock.now())
    judged = judge(db, experiment, clock.now())
    assert judged.main.state == "invalid"
    assert "do not follow from the seed" in judged.main.sentence
    assert judged.main.ratio is None
