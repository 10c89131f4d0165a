"""From schedules to slots, and each slot to its end: planned ahead, claimed once, never in bursts.

Facts: reliability-and-security §2.5 and §4 ("schedule 1.2.2 used honestly"). The truth is the
table ``slots``; whoever ticks only asks what is due. Unlike cron and Temporal, a repeated hour
fires once and a time that a day lacks fires at the first valid instant.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta

from sqlite_utils import Database

from engine.clock import doubling_s, iso, jittered_s
from engine.service.localtime import instant_of
from engine.store import schedules, settings, slots
from engine.store.database import write_tx
from engine.store.schedules import Plan, Schedule
from engine.store.slots import Change, Slot, SlotEnd, Wanted

AWAY_S = 150.0
"""A longer pause between two sweeps means that nobody was there to work."""

CATCH_UP = timedelta(days=31)
"""Slots of a longer absence are not written out one by one."""

RETRY_FIRST_S = 30.0
RETRY_LONGEST_S = 480.0

DEFAULT_TIMES = ("00:00", "04:00", "08:00", "12:00", "16:00", "20:00")

_GOLDEN = (math.sqrt(5) - 1) / 2
_DAY = timedelta(days=1)
_SWEPT = "swept"


def ensure_default_schedule(db: Database, zone: str, now: datetime) -> None:
    """Give a database without any schedule one of six posts a day.

    Raises: UsageError for a bad zone.
    """
    with write_tx(db):
        if not schedules.listing(db):
            schedules.insert(db, Plan("default", zone, DEFAULT_TIMES), now=now)


def save_schedule(db: Database, schedule_id: int | None, plan: Plan, now: datetime) -> int:
    """Store a new plan (``schedule_id`` None) or change one, and plan its slots anew.

    Slots up to now are written out by the old plan first, so that none of them is forgotten.

    Raises: UsageError.
    """
    with write_tx(db):
        plan_slots(db, now)
        if schedule_id is None:
            schedule_id = schedules.insert(db, plan, now=now)
        else:
            schedules.update(db, schedule_id, plan, now=now)
        plan_slots(db, now)
    return schedule_id


def plan_slots(
    db: Database, now: datetime, horizon_h: float = 48, mix: Mapping[str, float] | None = None
) -> Change:
    """Write the slots of the coming hours; again and again gives the same slots.

    ``mix`` are ratios of content types (default: the setting content.mix). A changed schedule or
    mix changes only slots still to come that nobody has touched.
    """
    mix = mix or settings.get(db, "content.mix")
    until = now + timedelta(hours=horizon_h)
    total = Change()
    with write_tx(db):
        for schedule in schedules.listing(db):
            name = f"planned:{schedule.id}"
            start = max(
                slots.mark(db, name) or schedule.created_at, schedule.updated_at, now - CATCH_UP
            )
            wanted = list(occurrences(schedule, start, until, mix))
            change = slots.align(db, schedule.id, wanted, after=start, until=until, now=now)
            slots.raise_mark(db, name, now)
            total = Change(
                total.added + change.added,
                total.changed + change.changed,
                total.removed + change.removed,
            )
    return total


def occurrences(
    schedule: Schedule, after: datetime, until: datetime, mix: Mapping[str, float]
) -> Iterator[Wanted]:
    """The schedule's slots with ``after < due_at <= until``, day by day."""
    plan, zone = schedule.plan, schedule.zone
    day = after.astimezone(zone).date() - _DAY
    last = until.astimezone(zone).date() + _DAY
    while plan.enabled and day <= last:
        if day.isoweekday() in plan.days:
            types = (
                [plan.content_type] * len(plan.times)
                if plan.content_type
                else draw_types(schedule.id, day, len(plan.times), mix)
            )
            for text, content_type in zip(plan.times, types, strict=True):
                due_at = instant_of(day, time.fromisoformat(text), zone)
                if after < due_at <= until:
                    yield Wanted(day.isoformat(), text, plan.zone, due_at, content_type)
        day += _DAY


def draw_types(schedule_id: int, day: date, count: int, mix: Mapping[str, float]) -> list[str]:
    """Content types of one day's ``count`` slots, always the same for the same arguments.

    Systematic sampling: ``count`` evenly spaced points on the line of ratios give every type its
    share of the day, rounded up or down; the golden ratio shifts the points from day to day, so
    that shares hold over the days too; a shuffle seeded by the day keeps types from sticking to
    hours.
    """
    names = [name for name in sorted(mix) if mix[name] > 0]
    total = math.fsum(mix[name] for name in names)
    edges, reached = [], 0.0
    for name in names:
        reached += mix[name] / total
        edges.append(reached)
    shift = ((day.toordinal() + schedule_id) * _GOLDEN) % 1
    types = [
        next((name for name, edge in zip(names, edges, strict=True) if point < edge), names[-1])
        for point in ((shift + index) / count for index in range(count))
    ]
    seed = hashlib.sha256(f"{schedule_id}|{day}".encode()).digest()
    random.Random(seed).shuffle(types)
    return types


def due(db: Database, now: datetime, lead: timedelta = timedelta(0)) -> list[Slot]:
    """Slots to work on now, oldest first; sweeps first, so that no burst follows a sleep.

    A slot whose post a person approves is due ``lead`` before its time: the text is there to be
    read. What goes out by itself is written when its time has come.
    """
    sweep(db, now)
    return [
        slot
        for slot in slots.waiting(db, now + lead)
        if (slot.retry_at is None or slot.retry_at <= now)
        and (slot.due_at <= now or settings.get(db, f"autonomy.{slot.content_type}") != "auto")
    ]


def claim(db: Database, slot_id: int, now: datetime, lead: timedelta = timedelta(0)) -> Slot | None:
    """The slot, now ours to fill; None if somebody else was first or it is not due."""
    with write_tx(db):
        taken = slots.claim(db, slot_id, now, ahead=lead)
        return slots.get(db, slot_id) if taken else None


def finish(
    db: Database,
    slot_id: int,
    state: SlotEnd,
    *,
    now: datetime,
    reason: str | None = None,
    post_id: int | None = None,
) -> bool:
    """Give the slot its end; false if it already has one.

    ``filled`` needs ``post_id``, ``missed`` and ``skipped`` need ``reason`` (ValueError).
    """
    if (state == "filled") != (post_id is not None) or (state != "filled" and not reason):
        raise ValueError("a filled slot needs its post, any other end its reason")
    return slots.end(db, slot_id, state, now=now, reason=reason, post_id=post_id)


def retry_later(
    db: Database, slot_id: int, now: datetime, reason: str, *, rng: random.Random
) -> datetime | None:
    """Give a claimed slot back for another try after a growing pause with jitter.

    Answers when; None if the slot was not claimed. A slot whose grace ends first is missed with
    this reason.
    """
    with write_tx(db):
        slot = slots.get(db, slot_id)
        if slot is None:
            return None
        pause_s = jittered_s(doubling_s(slot.tries, RETRY_FIRST_S, RETRY_LONGEST_S), rng)
        at = now + timedelta(seconds=pause_s)
        return at if slots.give_back(db, slot_id, reason, retry_at=at) else None


def sweep(db: Database, now: datetime) -> list[Slot]:
    """End waiting slots that are past their grace; answers those missed now.

    After an absence (:data:`AWAY_S`) only the latest slot still within its grace is made up.
    """
    last = slots.mark(db, _SWEPT)
    fresh = last is not None and (now - last).total_seconds() < AWAY_S / 2
    if fresh and not slots.waiting(db, now):
        return []  # the ticks between slots write nothing
    with write_tx(db):
        last = slots.mark(db, _SWEPT)
        absence = ""
        if last is not None and (now - last).total_seconds() > AWAY_S:
            absence = f"nobody at work from {iso(last)} to {iso(now)}"
            plan_slots(db, now)  # it may have slots that nobody wrote yet
        grace_s = {
            "price": settings.get(db, "posting.price_slot_grace_s"),
            None: settings.get(db, "posting.slot_grace_s"),
        }
        missed, in_time = [], []
        for slot in slots.waiting(db, now):
            grace = grace_s.get(slot.content_type, grace_s[None])
            if (now - slot.due_at).total_seconds() <= grace:
                in_time.append(slot)
            elif absence and last and slot.due_at > last:
                missed.append((slot, absence))
            else:
                missed.append((slot, f"not started within {grace:g} s" + _last_try(slot)))
        if absence:
            missed += [(slot, f"{absence}; only the latest is made up") for slot in in_time[:-1]]
        for slot, reason in missed:
            slots.end(db, slot.id, "missed", now=now, reason=reason)
        slots.raise_mark(db, _SWEPT, now)
    return [slot for slot, _ in missed]


def _last_try(slot: Slot) -> str:
    return f"; last try: {slot.reason}" if slot.reason else ""


def recover_claimed(db: Database, now: datetime) -> list[Slot]:
    """Settle slots that are claimed though nobody is at work on them; answers them.

    For whoever alone fills slots: after taking the host lock (a process was killed at work), and
    before a new round of work (what came of the last could not be written, the disk was full). A
    slot whose post was stored is filled; any other is due again, and :func:`sweep` judges its
    grace.
    """
    if not slots.claimed(db):
        return []
    with write_tx(db):
        left = slots.claimed(db)
        for slot in left:
            post_id = slots.post_of(db, slot.id)
            if post_id is not None:
                slots.end(db, slot.id, "filled", now=now, post_id=post_id)
            else:
                slots.give_back(db, slot.id, "its work was cut short", retry_at=None)
    return left


def next_slot(db: Database, now: datetime) -> Slot | None:
    """The soonest slot still to come."""
    ahead = slots.upcoming(db, now, limit=1)
    return ahead[0] if ahead else None
