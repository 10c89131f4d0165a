"""Outcomes and CSV files for tests of the evidence."""

from __future__ import annotations

import csv
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from engine.learning import simulate as sim
from engine.learning.measure import Outcome

START = datetime(2026, 9, 7, 8, 0, tzinfo=UTC)  # a Monday
HEADER = (
    "block_id", "arm", "posted_at", "age_hours", "impressions", "likes", "reposts", "replies",
    "quotes", "bookmarks",
)  # fmt: skip


def outcomes(
    *, days: int = 28, slots: int = 8, lift: float = 1.0, seed: int = 1, log_size: float = 6.5,
    reach: float = 1.0,
) -> list[Outcome]:  # fmt: skip
    """One simulated experiment, arms ``template`` and ``LLM``; ``reach`` multiplies the
    impressions of the latter."""
    rng = np.random.default_rng(seed)
    world = sim.make_world(rng, 1, days, slots, log_size)
    arm = sim.pairs_by_slot(rng, world)
    world = sim.World(world.log_impressions + math.log(reach) * arm, world.log_rate)
    posts = sim.play(rng, world, arm, math.log(lift))
    return [
        Outcome(
            f"{day // 2}/{slot}",
            "LLM" if arm[0, day, slot] else "template",
            START + timedelta(days=day, hours=24 * slot / slots),
            48.5,
            int(posts.impressions[0, day, slot]),
            int(posts.engagements[0, day, slot]),
        )
        for day in range(days)
        for slot in range(slots)
    ]


def pairs_with(differences: list[float], *, size: int = 10**9) -> list[Outcome]:
    """Outcomes whose pair differences of y are these, but for rounding at that size."""
    rows = []
    for index, d in enumerate(differences):
        at = START + timedelta(hours=12 * index)
        for arm, shift in (("A", -d / 2), ("B", d / 2)):
            engagements = round(size * 0.02 * math.exp(shift))
            rows.append(Outcome(str(index), arm, at, 50.0, size, engagements))
    return rows


def write_csv(path: Path, rows: list[Outcome], *, ages: tuple[float, ...] = (48.5,)) -> Path:
    """As an operator exports it; the baseline's first row comes first."""
    first = next(row for row in rows if row.arm in ("template", "A"))
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(HEADER)
        for row in [first, *(row for row in rows if row is not first)]:
            for age in ages:
                out.writerow(
                    (row.block, row.arm, row.posted_at.isoformat(), age, row.impressions,
                     row.likes, row.reposts, row.replies, row.quotes, row.bookmarks)
                )  # fmt: skip
    return path
