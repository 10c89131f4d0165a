"""What the pages Experiments and Engagement show, as frozen records.

Groups (hours, hashtags, types, models) were not drawn by lot, so their numbers describe and never
claim; each carries how many posts it stands on, and below ten there is no number at all.
"""

from __future__ import annotations

import json
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlite_utils import Database

from engine.learning.audience import Growth, growth
from engine.learning.efficiency import Efficiency, efficiency
from engine.learning.judge import Judged, judge
from engine.learning.measure import log_rate
from engine.learning.mix import Estimate
from engine.learning.power import PairNoise, Resolution, own_noise, resolution
from engine.learning.strategy import KINDS, estimates
from engine.store import experiments, metrics
from engine.store.metrics import AGES_H, Measured

Strength = Literal["not enough data", "weak", "fair", "strong"]

WEAK_FROM, FAIR_FROM, STRONG_FROM = 10, 30, 100
BEST = 5
MATURED_BY = 0.97


@dataclass(frozen=True)
class Matured:
    """Share of a post's impressions at 7 days that it had at an age: median, 5th and 95th."""

    age_h: int
    posts: int
    median: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Group:
    """Posts that share something. ``rate`` is the typical (geometric-mean) engagement rate with
    its 95 % interval; None where there are too few posts."""

    name: str
    posts: int
    strength: Strength
    rate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Ranked:
    """One post with its counts at 48 hours."""

    post_id: int
    text: str
    content_type: str
    posted_at: str
    impressions: int
    engagements: int


@dataclass(frozen=True)
class Engagement:
    """The page Engagement. ``ready_at_48h``: whether 48 h hold 97 % of what 7 days bring."""

    posts: int
    overall: Group
    followers: Growth
    maturing: tuple[Matured, ...]
    ready_at_48h: bool | None
    by_type: tuple[Group, ...]
    by_hour: tuple[Group, ...]
    by_hashtag: tuple[Group, ...]
    by_model: tuple[Group, ...]
    best: tuple[Ranked, ...]
    worst: tuple[Ranked, ...]
    effort: Efficiency


def engagement(db: Database, since: datetime, until: datetime) -> Engagement:
    """Everything posted in that span that is 48 hours old, at most the newest 5,000 posts."""
    posts = metrics.mature(db, since, until)
    ranked = sorted(posts, key=lambda post: (_y(post), post.post_id), reverse=True)
    maturing = _maturing(metrics.curves(db, since, until))
    at_48 = next(row for row in maturing if row.age_h == 48)
    split = min(BEST, len(ranked) // 2)
    return Engagement(
        posts=len(posts),
        overall=_group("all posts", [_y(post) for post in posts]),
        followers=growth(metrics.followers_since(db, until - timedelta(days=90))),
        maturing=maturing,
        ready_at_48h=None if at_48.median is None else at_48.median >= MATURED_BY,
        by_type=_groups(posts, lambda post: [post.content_type]),
        by_hour=_groups(posts, lambda post: [f"{post.hour}:00"]),
        by_hashtag=_groups(posts, lambda post: json.loads(post.hashtags) or ["(none)"]),
        by_model=_groups(posts, lambda post: [post.model or "template"]),
        best=tuple(_ranked(post) for post in ranked[:split]),
        worst=tuple(_ranked(post) for post in ranked[::-1][:split]),
        effort=efficiency(db, since, until),
    )


def strength_of(posts: int) -> Strength:
    """How much a group's number can bear."""
    if posts < WEAK_FROM:
        return "not enough data"
    return "weak" if posts < FAIR_FROM else "fair" if posts < STRONG_FROM else "strong"


def _engagements(post: Measured) -> int:
    counts = post.counts
    return counts.likes + counts.reposts + counts.replies + counts.quotes + counts.bookmarks


def _y(post: Measured) -> float:
    return log_rate(_engagements(post), post.counts.impressions)


def _ranked(post: Measured) -> Ranked:
    return Ranked(
        post.post_id, post.text, post.content_type, post.posted_at, post.counts.impressions,
        _engagements(post),
    )  # fmt: skip


def _groups(
    posts: Sequence[Measured], names: Callable[[Measured], Iterable[str]]
) -> tuple[Group, ...]:
    """Sorted by name, so that no order suggests a winner."""
    values: dict[str, list[float]] = defaultdict(list)
    for post in posts:
        for name in names(post):
            values[name].append(_y(post))
    return tuple(_group(name, ys) for name, ys in sorted(values.items()))


def _group(name: str, ys: Sequence[float]) -> Group:
    strength = strength_of(len(ys))
    if strength == "not enough data":
        return Group(name, len(ys), strength, None, None, None)
    from scipy.special import stdtrit

    mean = statistics.fmean(ys)
    wide = float(stdtrit(len(ys) - 1, 0.975)) * statistics.stdev(ys, mean) / math.sqrt(len(ys))
    ends = (math.exp(value) for value in (mean, mean - wide, mean + wide))
    return Group(name, len(ys), strength, *ends)


def _maturing(rows: Sequence[tuple[int, int, float, int]]) -> tuple[Matured, ...]:
    by_post: dict[int, dict[int, int]] = defaultdict(dict)
    for post_id, age_h, _, impressions in rows:
        by_post[post_id][age_h] = impressions
    whole = [ages for ages in by_post.values() if ages.get(AGES_H[-1], 0) > 0]
    return tuple(_matured(age, whole) for age in AGES_H)


def _matured(age_h: int, whole: Sequence[dict[int, int]]) -> Matured:
    shares = sorted(ages[age_h] / ages[AGES_H[-1]] for ages in whole if age_h in ages)
    if len(shares) < WEAK_FROM:
        return Matured(age_h, len(shares), None, None, None)
    low, high = (shares[round(q * (len(shares) - 1))] for q in (0.05, 0.95))
    return Matured(age_h, len(shares), statistics.median(shares), low, high)


@dataclass(frozen=True)
class Mixed:
    """What the bandit's records say of one kind of choice: Hájek means of log rate."""

    kind: str
    arms: tuple[tuple[str, Estimate | None], ...]


@dataclass(frozen=True)
class Experiments:
    """The page Experiments: what runs and ran, the table of what can be shown when, the mix."""

    judged: tuple[Judged, ...]
    noise: PairNoise
    table: tuple[Resolution, ...]
    mix: tuple[Mixed, ...]


def experiments_page(db: Database, now: datetime, *, most: int = 10) -> Experiments:
    """The newest experiments judged now."""
    noise = own_noise(db, now)
    per_day = _posts_per_day(db, now)
    return Experiments(
        tuple(judge(db, one, now) for one in experiments.listing(db)[:most]),
        noise,
        tuple(resolution(noise.sd, per_day)),
        tuple(Mixed(kind, tuple(estimates(db, kind, now).items())) for kind in KINDS),
    )


def _posts_per_day(db: Database, now: datetime) -> float:
    """Of the last four weeks on X; 4 where there were none."""
    days = 28
    posts = metrics.count_on_x(db, now - timedelta(days=days), now)
    return posts / days if posts else 4.0
