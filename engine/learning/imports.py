"""Engagement exported elsewhere, taken in from a CSV file: same rules as what is read from X.

Columns: ``x_post_id, age_hours, impressions, likes, reposts, replies, quotes, bookmarks``. Only
posts that this database sent to X are known; a stored age is never overwritten.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database

from engine.errors import UsageError
from engine.learning.engagement import hours_since
from engine.learning.table import COUNTS, checked_rows, read_age, read_count
from engine.store import metrics
from engine.store.database import write_tx
from engine.store.metrics import AGES_H, Counts

NEEDED = ("x_post_id", "age_hours", *COUNTS[:-1])


@dataclass(frozen=True)
class Imported:
    """Rows stored, rows whose age was stored before or is too young, rows of unknown posts."""

    stored: int = 0
    passed_over: int = 0
    unknown: int = 0


def import_metrics(db: Database, path: Path, now: datetime) -> Imported:
    """Take in a whole file or nothing of it.

    Raises: UsageError, one sentence naming the line.
    """
    stored = passed_over = unknown = 0
    with checked_rows(path, NEEDED) as rows, write_tx(db):
        for row in rows:
            post = metrics.find_post(db, (row["x_post_id"] or "").strip())
            if post is None:
                unknown += 1
                continue
            if _add(db, f"{path.name}, line {rows.line_num}", post, row, now):
                stored += 1
            else:
                passed_over += 1
    return Imported(stored, passed_over, unknown)


def _add(
    db: Database, where: str, post: tuple[int, str], row: dict[str, str], now: datetime
) -> bool:
    age = read_age(where, row["age_hours"] or "")
    if age > hours_since(post[1], now):
        raise UsageError(f"{where}: the post is not {age:g} hours old yet. Correct age_hours.")
    counts = Counts(*(read_count(where, name, row.get(name) or "") for name in COUNTS))
    age_h = max((known for known in AGES_H if known <= age), default=0)
    return age_h > 0 and metrics.add(db, post[0], age_h, age, counts, source="csv", now=now)
