"""Which arm a slot gets: permuted blocks by a committed seed, written before anything is.

Facts: experiments §2.1, §2.2. A stratum is a quarter of the local day and a content type; slots of
a stratum that follow one another make a block with each arm once, in an order that is a fair
random permutation: HMAC-SHA256 of the secret seed over experiment and block. Schedules are
compared by whole days, whose arm is drawn before it is known what can be posted on them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlite_utils import Database

from engine.clock import iso, parse_iso
from engine.store import experiments
from engine.store.database import write_tx
from engine.store.experiments import Experiment, Row
from engine.store.slots import Slot

SPACING = timedelta(hours=2)
"""Posts of one block are at least so far apart, or they would share readers."""

FIRST_DAY = timedelta(days=2)
"""From the start (UTC) to the first day drawn: that of the start may have posts, in any zone."""


@dataclass(frozen=True)
class Assignment:
    """How a slot is to be written. ``skip`` says why it is left empty: another schedule's day."""

    experiment_id: int
    arm: str
    use_model: bool = True
    template_version_id: int | None = None
    model: str | None = None
    skip: str = ""


def arm_for_slot(db: Database, slot: Slot, now: datetime) -> Assignment | None:
    """The slot's arm, drawn and stored now or before; None where no experiment wants the slot.

    Call it before anything is written: the schema refuses an assignment after that.
    """
    with write_tx(db):
        given = experiments.of_slot(db, slot.id)
        if given is not None:
            return _assignment(_need(db, given.experiment_id), given.arm, slot.content_type)
        for experiment in experiments.running(db):
            found = assign(db, experiment, slot, now)
            if found is not None:
                return found
    return None


def arm_of_day(db: Database, slot: Slot, now: datetime) -> Assignment | None:
    """The arm of the slot's whole day; None where no experiment compares the slot's schedule.

    Ask before anything can leave the slot empty (budget, market, disk): a day that is lost is lost
    by the arm it was given.
    """
    with write_tx(db):
        for experiment in experiments.running(db):
            if experiment.kind == "schedule":
                return _assign_day(db, experiment, slot, now)
    return None


def arm_of_post(db: Database, slot_id: int | None, content_type: str) -> Assignment | None:
    """The arm that a stored post's slot was given: texts written anew stay in it."""
    given = experiments.of_slot(db, slot_id) if slot_id is not None else None
    if given is None:
        return None
    return _assignment(_need(db, given.experiment_id), given.arm, content_type)


def assign(db: Database, experiment: Experiment, slot: Slot, now: datetime) -> Assignment | None:
    """Draw the slot's own arm in this experiment and store it; None if it has none there."""
    if experiment.kind == "schedule" or slot.content_type not in experiment.spec["content_types"]:
        return None
    stratum = stratum_of(slot)
    place = _open_block(db, experiment, stratum, slot.due_at)
    if place is None:
        if not _starts_block(experiment, slot):
            return None
        place = (f"{stratum}|{_next_number(db, experiment, stratum)}", 0)
    block_id, position = place
    arm = _store(db, experiment, block_id, position, stratum, slot, slot.slot_key, now)
    return _assignment(experiment, arm, slot.content_type)


def permutation(
    seed: str, experiment_id: int, block_id: str, arms: Sequence[str]
) -> tuple[str, ...]:
    """The order of arms in a block: Fisher-Yates, each draw an HMAC of its own."""
    order = list(arms)
    for last in range(len(order) - 1, 0, -1):
        draw = _draw(seed, f"{experiment_id}|{block_id}|{last}") % (last + 1)
        order[last], order[draw] = order[draw], order[last]
    return tuple(order)


def stratum_of(slot: Slot) -> str:
    """A quarter of the slot's local day, and its content type."""
    return f"{int(slot.local_time[:2]) // 6 * 6:02d}h|{slot.content_type}"


def misassigned(experiment: Experiment, rows: Sequence[Row]) -> list[int]:
    """Ids of assignments that the seed does not give: anyone can check once it is shown."""
    return [
        row.id
        for row in rows
        if permutation(experiment.seed, experiment.id, row.block_id, experiment.arms)[row.position]
        != row.arm
        or row.spec_hash != experiment.spec_hash
    ]


# -- blocks ----------------------------------------------------------------------------------


def _open_block(
    db: Database, experiment: Experiment, stratum: str, slot_at: datetime
) -> tuple[str, int] | None:
    """(block, position) of the oldest block with room whose last slot is far enough away."""
    size = len(experiment.arms)
    for block_id, filled, latest in experiments.blocks_of_stratum(db, experiment.id, stratum):
        if filled < size and abs(slot_at - parse_iso(latest)) >= SPACING:
            return block_id, filled
    return None


def _next_number(db: Database, experiment: Experiment, stratum: str) -> int:
    return len(experiments.blocks_of_stratum(db, experiment.id, stratum))


def _starts_block(experiment: Experiment, slot: Slot) -> bool:
    """Whether a slot begins a new block: always, but for the holdout.

    There blocks of two begin with chance q = p / (1 - p), so that a share p of all slots, one
    half of those in blocks, is on templates.
    """
    if experiment.kind != "holdout":
        return True
    share = float(experiment.spec["share_pct"]) / 100
    chance = share / (1 - share)
    return _draw(experiment.seed, f"begin|{slot.slot_key}") / 2**256 < chance


def _assign_day(
    db: Database, experiment: Experiment, slot: Slot, now: datetime
) -> Assignment | None:
    """Switchback: the same weekday of weeks that follow one another makes a block."""
    arms = experiment.spec["arms"]
    if not any(slot.schedule_id in arm["schedules"] for arm in arms):
        return None
    given = experiments.of_unit(db, experiment.id, slot.local_date)
    if given is not None:
        name = given.arm
    else:
        first = parse_iso(experiment.started_at).date() + FIRST_DAY
        day = date.fromisoformat(slot.local_date)
        if day < first:
            return None
        week = (day - first).days // 7
        stratum = f"{day:%A}"
        block_id = f"{stratum}|{week // len(arms)}"
        name = _store(
            db, experiment, block_id, week % len(arms), stratum, slot, slot.local_date, now
        )
    if slot.schedule_id in _arm(experiment, name)["schedules"]:
        return Assignment(experiment.id, name)
    return Assignment(
        experiment.id, name, skip=f"experiment {experiment.name}: this day belongs to {name}"
    )


def _store(
    db: Database, experiment: Experiment, block_id: str, position: int, stratum: str, slot: Slot,
    unit: str, now: datetime,
) -> str:  # fmt: skip
    arms = experiment.arms
    order = permutation(experiment.seed, experiment.id, block_id, arms)
    experiments.assign(
        db,
        Row(
            0, experiment.id, experiment.spec_hash, block_id, position, stratum, unit,
            slot.id if unit == slot.slot_key else None, iso(slot.due_at), order[position],
            {arm: 1 / len(arms) for arm in arms}, iso(now),
        ),
        now=now,
    )  # fmt: skip
    return order[position]


def _assignment(experiment: Experiment, name: str, content_type: str) -> Assignment:
    arm = _arm(experiment, name)
    return Assignment(
        experiment.id, name, arm["use_model"], arm["template_versions"].get(content_type),
        arm["model"],
    )  # fmt: skip


def _arm(experiment: Experiment, name: str) -> dict[str, Any]:
    return next(arm for arm in experiment.spec["arms"] if arm["name"] == name)


def _need(db: Database, experiment_id: int) -> Experiment:
    experiment = experiments.get(db, experiment_id)
    assert experiment is not None  # noqa: S101  foreign key
    return experiment


def _draw(seed: str, message: str) -> int:
    return int.from_bytes(hmac.new(seed.encode(), message.encode(), hashlib.sha256).digest())
