"""Recorded markets: a CSV played back as snapshots, and the sample market that ships with the bot.

Everything a recorded snapshot claims is computed from the rows themselves, and is None until the
rows cover the horizon.
"""

from __future__ import annotations

import csv
import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from engine.clock import parse_iso
from engine.errors import UsageError
from engine.records import Facts, Quote, Snapshot, World

COLUMNS = ("time_utc", "price_usd", "volume_24h_usd", "market_cap_usd")
_MAX_ROWS = 1_000_000

# recordings are made hourly, a few minutes off
_SLACK = timedelta(minutes=30)
_SLACK_1H = timedelta(minutes=10)
_LARGEST_GAP = timedelta(hours=2)


@dataclass(frozen=True)
class MarketRow:
    """One line of a recording."""

    at: datetime
    price_usd: float
    volume_24h_usd: float | None = None
    market_cap_usd: float | None = None


def read_market_csv(path: Path) -> list[MarketRow]:
    """The rows of a recording with the header :data:`COLUMNS`, in order of time.

    Volume and cap may be empty.

    Raises: UsageError naming the line that cannot be read.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return _rows(path.name, csv.DictReader(file))
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}). Check the path.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} is not a CSV file in UTF-8. Give a market recording.") from error


def _rows(name: str, reader: csv.DictReader[str]) -> list[MarketRow]:
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise UsageError(f"{name} lacks the columns {', '.join(missing)}. Add them.")
    rows: list[MarketRow] = []
    for line in reader:
        if len(rows) == _MAX_ROWS:
            raise UsageError(f"{name} has more than {_MAX_ROWS:,} rows. Split it.")
        try:
            row = MarketRow(
                at=parse_iso(line["time_utc"]),
                price_usd=_dollars(line["price_usd"]),
                volume_24h_usd=_maybe_dollars(line["volume_24h_usd"]),
                market_cap_usd=_maybe_dollars(line["market_cap_usd"]),
            )
            if rows and row.at <= rows[-1].at:
                raise ValueError("its time is not after the line before")
        except (ValueError, TypeError) as error:
            raise UsageError(
                f"{name}, line {reader.line_num}: {error}. Correct or remove it."
            ) from error
        rows.append(row)
    if not rows:
        raise UsageError(f"{name} has no rows. Give a market recording.")
    return rows


def _dollars(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or value <= 0:
        raise ValueError(f"{text} is not an amount above zero")
    return value


def _maybe_dollars(text: str) -> float | None:
    return _dollars(text) if text else None


def snapshots(
    rows: Sequence[MarketRow],
    *,
    world: World = "replay",
    source: str = "recording",
    ath: tuple[float, date] | None = None,
) -> Iterator[Snapshot]:
    """One snapshot a row, oldest first.

    ``ath``: the all-time high before the first row, if known; rows that pass it become the new
    one. Without it no snapshot claims one.
    """
    times = [row.at for row in rows]
    for index, row in enumerate(rows):
        if ath and row.price_usd > ath[0]:
            ath = (row.price_usd, row.at.date())
        hour_ago = _near(times, index, timedelta(hours=1), _SLACK_1H)
        day_ago = _near(times, index, timedelta(hours=24), _SLACK)
        week_ago = _near(times, index, timedelta(days=7), _SLACK)
        high, low = _range(rows, times, day_ago, index)
        yield Snapshot(
            facts=Facts(
                as_of=row.at,
                price_usd=row.price_usd,
                change_1h_pct=_change(rows, hour_ago, index),
                change_24h_pct=_change(rows, day_ago, index),
                change_7d_pct=_change(rows, week_ago, index),
                high_24h=high,
                low_24h=low,
                volume_24h_usd=row.volume_24h_usd,
                market_cap_usd=row.market_cap_usd,
                ath_usd=ath[0] if ath else None,
                ath_date=ath[1] if ath else None,
            ),
            world=world,
            quotes=(Quote(source, row.price_usd, row.at),),
        )


def _near(times: list[datetime], index: int, horizon: timedelta, slack: timedelta) -> int | None:
    """The row nearest to ``horizon`` before this one; None if none is within ``slack``."""
    target = times[index] - horizon
    after = bisect_left(times, target)
    near = min(
        (place for place in (after - 1, after) if 0 <= place < index),
        key=lambda place: abs(times[place] - target),
        default=None,
    )
    return near if near is not None and abs(times[near] - target) <= slack else None


def _change(rows: Sequence[MarketRow], before: int | None, index: int) -> float | None:
    """Percent against the row ``before``."""
    if before is None:
        return None
    return (rows[index].price_usd / rows[before].price_usd - 1) * 100


def _range(
    rows: Sequence[MarketRow], times: list[datetime], day_ago: int | None, index: int
) -> tuple[float | None, float | None]:
    """High and low since the row a day ago; None where a hole in the rows could hide them."""
    if day_ago is None:
        return None, None
    window = range(day_ago, index + 1)
    if any(times[place] - times[place - 1] > _LARGEST_GAP for place in window[1:]):
        return None, None
    prices = [rows[place].price_usd for place in window]
    return max(prices), min(prices)
