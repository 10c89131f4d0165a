"""What the model in force sustains against what the schedule asks, and whether a model fits."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from engine.errors import UsageError
from engine.lab.figures import Light
from engine.lab.statistics import Interval, bootstrap
from engine.llm.base import ModelInfo
from engine.store import patterns, slots

SEED_PER_HOUR = 4
"""The mission asks for at least four generations an hour."""
LEAST = 20
OVERHEAD = 1.2
"""Weights are not all: context and buffers take about a fifth more (a rule of thumb)."""


@dataclass(frozen=True)
class Capacity:
    """Posts an hour. ``sustained`` None: fewer than 20 calls, or none accepted.

    ``basis`` says which calls it rests on.
    """

    model: str
    n: int
    accepted: int
    sustained: float | None
    interval: Interval | None
    asked: int
    light: Light
    basis: str


def capacity(db: Database, model: str, now: datetime) -> Capacity:
    """Of ``model`` by its last production calls, else by its last benchmark calls.

    Asked is the fullest hour of the schedule's next 24, and never less than the seed's four.
    """
    asked = max(SEED_PER_HOUR, _fullest_hour(db, now))
    calls = patterns.recent_calls(db, model, limit=100)
    basis = f"the last {len(calls)} calls in production"
    if len(calls) < LEAST:
        calls = patterns.bench_calls(db, model, limit=200)
        basis = f"the last {len(calls)} benchmark calls"
    accepted = sum(passed for _, passed in calls)
    if len(calls) < LEAST or not accepted:
        basis = f"{basis}; {LEAST} with an accepted one are needed"
        return Capacity(model, len(calls), accepted, None, None, asked, "not enough data", basis)
    ends = bootstrap(calls, _per_hour, random.Random(1), draws=400)
    light: Light = (
        "met" if ends.low >= asked else "not met" if ends.high < asked else "not enough data"
    )
    return Capacity(model, len(calls), accepted, _per_hour(calls), ends, asked, light, basis)


def refuse_too_large(info: ModelInfo, ram_bytes: int) -> None:
    """Raises: UsageError with the figures when a model cannot fit into this machine's memory."""
    if info.size_bytes is None or info.size_bytes * OVERHEAD <= ram_bytes:
        return
    raise UsageError(
        f"{info.backend}:{info.name} needs about {info.size_bytes * OVERHEAD / 1e9:.1f} GB "
        f"({info.size_bytes / 1e9:.1f} GB of weights and a fifth for context), this machine has "
        f"{ram_bytes / 1e9:.1f} GB. Take a smaller model or a stronger quantisation, or add "
        "--anyway if a graphics card holds the rest."
    )


def _per_hour(calls: Sequence[tuple[float, bool]]) -> float:
    seconds = sum(each for each, _ in calls)
    return 3600 * sum(passed for _, passed in calls) / seconds if seconds else 0.0


def _fullest_hour(db: Database, now: datetime) -> int:
    coming = slots.between(db, now, now + timedelta(hours=24))
    hours = Counter(slot.due_at.replace(minute=0, second=0, microsecond=0) for slot in coming)
    return max(hours.values(), default=0)
