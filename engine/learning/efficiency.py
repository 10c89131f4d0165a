"""How much of a person's time a published post takes, from the audit trail.

An operator's actions that follow one another within five minutes are one sitting; its length,
and half a minute for the look before its first action, is working time. It is a lower bound on
thinking and an upper bound on clicking, and says so.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from engine.clock import parse_iso
from engine.store import effort, settings

SAME_SITTING = timedelta(minutes=5)
FIRST_LOOK = timedelta(seconds=30)
KPI_SAVED = 0.5
LEAST_POSTS = 20


@dataclass(frozen=True)
class Efficiency:
    """Of posts published in a span. None: too few posts, or nothing to compare with.

    ``saved``: share of the minutes by hand that is not spent any more; ``edit_distance``: median
    share of characters changed in edited posts (Levenshtein over the longer text).
    """

    posts: int
    minutes_per_post: float | None
    unedited: float | None
    edit_distance: float | None
    manual_minutes: float | None
    saved: float | None

    @property
    def sentence(self) -> str:
        """The mission's 50 % as a measured number, or why there is none."""
        if self.minutes_per_post is None:
            return f"Not enough data: {self.posts} published posts, {LEAST_POSTS} are needed."
        spent = f"{self.minutes_per_post:.1f} minutes of operator time a published post"
        if self.saved is None:
            return (
                f"{spent} over {self.posts} posts. By hand: not measured; set "
                "learning.manual_minutes to compare."
            )
        met = "met" if self.saved >= KPI_SAVED else "not met"
        return (
            f"{spent} over {self.posts} posts, {self.saved:.0%} less than the "
            f"{self.manual_minutes:g} minutes by hand that were entered. 50% less: {met}."
        )


def efficiency(db: Database, since: datetime, until: datetime) -> Efficiency:
    """Measure the span."""
    posts = effort.published(db, since, until)
    manual = float(settings.get(db, "learning.manual_minutes")) or None
    if len(posts) < LEAST_POSTS:
        return Efficiency(len(posts), None, None, None, manual, None)
    spent = working_time(effort.actions(db, since, until)).total_seconds() / 60 / len(posts)
    edited = [post_id for post_id, was_edited in posts if was_edited]
    return Efficiency(
        len(posts),
        spent,
        1 - len(edited) / len(posts),
        _distance(db, edited),
        manual,
        1 - spent / manual if manual else None,
    )


def working_time(actions: Sequence[tuple[str, str, str]]) -> timedelta:
    """Of (actor, at, subject), each actor's in order of time."""
    total = timedelta()
    actor, last = "", None
    for name, at, _ in actions:
        moment = parse_iso(at)
        together = name == actor and last is not None and moment - last <= SAME_SITTING
        total += moment - last if together and last is not None else FIRST_LOOK
        actor, last = name, moment
    return total


def _distance(db: Database, edited: Sequence[int]) -> float | None:
    from rapidfuzz.distance import Levenshtein

    texts = [found for post_id in edited if (found := effort.edited_texts(db, post_id))]
    if not texts:
        return None
    return statistics.median(Levenshtein.normalized_distance(old, new) for old, new in texts)
