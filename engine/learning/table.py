"""An experiment's table from a CSV file (issue: ``analyse FILE.csv``).

Several ages of a post may stand in it; its value is the first snapshot at 48 hours or later.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engine.clock import parse_iso
from engine.errors import UsageError
from engine.learning.measure import MATURE_H, Outcome

COUNTS = ("impressions", "likes", "reposts", "replies", "quotes", "bookmarks")
NEEDED = ("block_id", "arm", "posted_at", "age_hours", *COUNTS[:-1])
MAX_BYTES = 500_000_000


@dataclass(frozen=True)
class Table:
    """Mature posts, arms in order of first appearance, and how many posts are not mature."""

    outcomes: tuple[Outcome, ...]
    arms: tuple[str, ...]
    immature: int


def read_table(path: Path) -> Table:
    """Read and check a file.

    Raises: UsageError, one sentence naming the line.
    """
    arms: dict[str, None] = {}
    posts: dict[tuple[str, str], dict[float, Outcome]] = {}
    with checked_rows(path, NEEDED) as rows:
        for row in rows:
            where = f"{path.name}, line {rows.line_num}"
            outcome = _outcome(where, row)
            arms.setdefault(outcome.arm)
            _add(where, posts.setdefault((outcome.block, outcome.arm), {}), outcome)
    mature = [
        min((age, outcome) for age, outcome in ages.items() if age >= MATURE_H)[1]
        for ages in posts.values()
        if max(ages) >= MATURE_H
    ]
    return Table(tuple(mature), tuple(arms), len(posts) - len(mature))


@contextmanager
def checked_rows(path: Path, needed: Sequence[str]) -> Iterator[csv.DictReader[str]]:
    """The rows of a CSV file that has the ``needed`` columns; names in lower case.

    Raises: UsageError, also for what goes wrong while the rows are read.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path} is larger than {MAX_BYTES // 10**6} MB. Split it.")
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            header = [column.strip().lower() for column in rows.fieldnames or ()]
            missing = [column for column in needed if column not in header]
            if missing:
                raise UsageError(f"{path.name} lacks the columns {', '.join(missing)}. Add them.")
            if len(set(header)) < len(header):
                raise UsageError(f"{path.name} names a column twice. Keep one of each.")
            rows.fieldnames = header
            yield rows
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text ({error.reason}). Save it as CSV.") from error
    except csv.Error as error:
        raise UsageError(f"{path} is not a CSV file ({error}). Save it as CSV.") from error


def _add(where: str, ages: dict[float, Outcome], outcome: Outcome) -> None:
    for other in ages.values():
        if other.posted_at != outcome.posted_at:
            raise UsageError(
                f"{where}: block {outcome.block} already has a post of arm {outcome.arm}, "
                f"posted at {other.posted_at:%Y-%m-%d %H:%M}. A block holds each arm once."
            )
        break
    if outcome.age_hours in ages:
        raise UsageError(
            f"{where}: block {outcome.block}, arm {outcome.arm} has two rows for the age "
            f"{outcome.age_hours:g} h. Keep one."
        )
    ages[outcome.age_hours] = outcome


def _outcome(where: str, row: dict[str, str | None]) -> Outcome:
    if None in row or any(row[column] is None for column in NEEDED):
        raise UsageError(f"{where} has a wrong number of columns. Correct it.")
    cells = {key: (value or "").strip() for key, value in row.items()}
    for column in ("block_id", "arm"):
        if not cells[column]:
            raise UsageError(f"{where}: {column} is empty. Fill it in.")
    counts = {column: read_count(where, column, cells.get(column, "")) for column in COUNTS}
    return Outcome(
        block=cells["block_id"],
        arm=cells["arm"],
        posted_at=_moment(where, cells["posted_at"]),
        age_hours=read_age(where, cells["age_hours"]),
        **counts,
    )


def _moment(where: str, text: str) -> datetime:
    """ISO-8601; a time without a zone is UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return parse_iso(text) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{where}: posted_at {text[:40]!r} is not a time such as 2026-11-22T14:00:00Z."
        ) from None


def read_age(where: str, text: str) -> float:
    """Hours from 0. Raises: UsageError."""
    try:
        age = float(text)
    except ValueError:
        age = math.nan
    if not (0 <= age < math.inf):
        raise UsageError(f"{where}: age_hours {text[:40]!r} is not a number of hours from 0.")
    return age


def read_count(where: str, column: str, text: str) -> int:
    """A whole number from 0. Raises: UsageError."""
    if column == "bookmarks" and not text:
        return 0  # older exports do not know bookmarks
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (0 <= value < 2**53) or value != int(value):
        raise UsageError(f"{where}: {column} {text[:40]!r} is not a whole number from 0.")
    return int(value)
