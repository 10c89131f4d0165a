"""What will go wrong, and when, by the bot's own history: each forecast tells its basis.

Trends over days are Theil–Sen slopes (Sen 1968) of daily medians: one odd day does not turn them.
Changes of rates are Fisher's exact test of the last day against the fortnight before. Too little
history is said, not guessed over.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlite_utils import Database

from engine.lab.capacity import Capacity
from engine.lab.statistics import Rate, fisher_less, spread
from engine.store import patterns

What = Literal["budget", "disk", "schedule", "rejection", "latency"]
State = Literal["fine", "ahead", "now", "not enough data"]

LEAST_DAYS = 3
LEAST_CALLS = 20
WARN = timedelta(days=7)
HISTORY = timedelta(days=14)
FAR = timedelta(days=3650)
ALPHA = 0.01


@dataclass(frozen=True)
class Forecast:
    """One thing. ``at``: when it is expected, None where nothing is coming or known."""

    what: What
    state: State
    at: datetime | None
    sentence: str
    basis: str

    def bites_soon(self, now: datetime) -> bool:
        """Whether somebody should hear of it."""
        return self.state == "now" or (self.at is not None and self.at - now <= WARN)


def forecasts(
    db: Database,
    now: datetime,
    *,
    held: Capacity,
    budget_usd: float,
    spent_usd: float,
    month: tuple[datetime, datetime],
    free_bytes: int,
    database_bytes: int,
) -> list[Forecast]:
    """All five, in a fixed order. ``month``: first moments of this one and the next."""
    recent = patterns.judged_since(db, now - HISTORY)
    return [
        budget(now, budget_usd, spent_usd, month),
        disk(now, free_bytes, database_bytes, patterns.first_row_at(db)),
        schedule(now, held, recent),
        rejection(now, recent),
        latency(now, recent),
    ]


def budget(
    now: datetime, limit_usd: float, spent_usd: float, month: tuple[datetime, datetime]
) -> Forecast:
    """This month's spending at its average rate so far."""
    start, end = month
    days = (now - start) / timedelta(days=1)
    basis = f"${spent_usd:.2f} in {days:.0f} days of this month, of ${limit_usd:.2f}"
    if spent_usd >= limit_usd > 0:
        return Forecast("budget", "now", now, "The month's budget is spent.", basis)
    if days < LEAST_DAYS:
        return Forecast("budget", "not enough data", None, "The month is too young to say.", basis)
    left = _days((limit_usd - spent_usd) / (spent_usd / days)) if spent_usd > 0 else FAR
    if now + left >= end:
        return Forecast("budget", "fine", None, "The budget lasts to the month's end.", basis)
    return _ahead("budget", now + left, "The budget runs out", basis)


def disk(now: datetime, free_bytes: int, database_bytes: int, since: datetime | None) -> Forecast:
    """The database's growth since its first row, against the free space."""
    days = (now - since) / timedelta(days=1) if since else 0.0
    basis = (
        f"{database_bytes / 1e6:.1f} MB of database in {days:.0f} days, "
        f"{free_bytes / 1e9:.1f} GB free"
    )
    if days < LEAST_DAYS:
        return Forecast("disk", "not enough data", None, "The database is too young to say.", basis)
    left = _days(free_bytes / max(1.0, database_bytes / days))
    if left >= FAR:
        return Forecast("disk", "fine", None, "The disk lasts for ten years at this rate.", basis)
    return _ahead("disk", now + left, "The disk is full", basis)


def schedule(now: datetime, held: Capacity, calls: Sequence[patterns.Judged]) -> Forecast:
    """When the model no longer keeps up: now, or where its slowing down meets what is asked."""
    basis = f"{held.basis}; asked: {held.asked} an hour"
    if held.sustained is None:
        return Forecast("schedule", "not enough data", None, "Too few calls to say.", basis)
    told = f"The model sustains {held.sustained:.0f} posts an hour"
    if held.light == "not met":
        return Forecast("schedule", "now", now, f"{told}, fewer than the schedule asks.", basis)
    days, slope = _slope(calls)
    if slope is None or slope <= 0:
        return Forecast("schedule", "fine", None, f"{told} and is not slowing down.", basis)
    share = held.accepted / held.n
    seconds_now = 3600 * share / held.sustained
    most = 3600 * share / held.asked
    left = _days((most - seconds_now) / slope)
    basis += f"; {slope:+.3f} s a day over {days} days"
    if left >= FAR:
        return Forecast("schedule", "fine", None, f"{told}; slowing down too little.", basis)
    return _ahead("schedule", now + left, "The schedule outgrows the model", basis)


def rejection(now: datetime, calls: Sequence[patterns.Judged]) -> Forecast:
    """Whether the last day's texts were rejected more often than those before."""
    new, old = _parts(now, calls)
    new_rate = Rate(sum(call.passed for call in new), len(new))
    old_rate = Rate(sum(call.passed for call in old), len(old))
    basis = f"{new_rate.hits} of {new_rate.n} accepted in 24 h, {old_rate.hits} of {old_rate.n} in the 13 days before"
    if min(new_rate.n, old_rate.n) < LEAST_CALLS:
        return Forecast("rejection", "not enough data", None, "Too few texts to say.", basis)
    if fisher_less(new_rate.hits, new_rate.n, old_rate.hits, old_rate.n) < ALPHA:
        return Forecast("rejection", "now", now, "More texts are rejected than usual.", basis)
    return Forecast("rejection", "fine", None, "Rejections are as usual.", basis)


def latency(now: datetime, calls: Sequence[patterns.Judged]) -> Forecast:
    """Whether the last day's calls took longer than those before, beyond both intervals."""
    new, old = (spread([call.seconds for call in part]) for part in _parts(now, calls))
    basis = f"medians of {new.n} calls in 24 h and {old.n} in the 13 days before"
    if min(new.n, old.n) < LEAST_CALLS or new.interval is None or old.interval is None:
        return Forecast("latency", "not enough data", None, "Too few calls to say.", basis)
    told = f"{new.median:.2f} s, {old.median:.2f} before"
    if new.interval.low > old.interval.high:
        return Forecast("latency", "now", now, f"Calls take longer than usual: {told}.", basis)
    return Forecast("latency", "fine", None, f"Calls take as long as usual: {told}.", basis)


def theil_sen(points: Sequence[tuple[float, float]]) -> float:
    """The median of all slopes between two points.

    Raises: ValueError below two points.
    """
    if len(points) < 2:
        raise ValueError("a slope needs two points")
    return statistics.median(
        (b[1] - a[1]) / (b[0] - a[0])
        for at, a in enumerate(points)
        for b in points[at + 1 :]
        if b[0] != a[0]
    )


def _slope(calls: Sequence[patterns.Judged]) -> tuple[int, float | None]:
    """Days with calls, and seconds a day of their medians; None below five days."""
    days: dict[int, list[float]] = {}
    for call in calls:
        days.setdefault(call.at.toordinal(), []).append(call.seconds)
    if len(days) < 5:
        return len(days), None
    points = [(float(day), statistics.median(found)) for day, found in sorted(days.items())]
    return len(days), theil_sen(points)


def _parts(
    now: datetime, calls: Sequence[patterns.Judged]
) -> tuple[list[patterns.Judged], list[patterns.Judged]]:
    edge = now - timedelta(days=1)
    return [c for c in calls if c.at >= edge], [c for c in calls if c.at < edge]


def _days(number: float) -> timedelta:
    """From now to :data:`FAR`, beyond which nobody plans."""
    return timedelta(days=min(max(number, 0.0), FAR.days))


def _ahead(what: What, at: datetime, told: str, basis: str) -> Forecast:
    return Forecast(what, "ahead", at, f"{told} on {at:%Y-%m-%d} at this rate.", basis)
