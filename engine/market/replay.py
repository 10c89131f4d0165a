"""Recorded markets: a CSV played back as snapshots, and the sample market that ships with the bot.

Everything a recorded snapshot claims is computed from the rows themselves, and is None until the
rows cover the horizon.
"""

from __future__ import annotations

import csv
import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.clock import parse_iso
from engine.errors import UsageError
from engine.records import Facts, FearGreed, Fees, Quote, Snapshot, World
from engine.resources import data_path

COLUMNS = ("time_utc", "price_usd", "volume_24h_usd", "market_cap_usd")
_MAX_ROWS = 1_000_000

# recordings are made hourly, a few minutes off
_SLACK = timedelta(minutes=30)
_SLACK_1H = timedelta(minutes=10)
_LARGEST_GAP = timedelta(minutes=150)  # one missed hour

SAMPLE_NOTE = "sample market: made up, not the real price"
_SAMPLE_ATH = 109_842.0
_HALVING_BLOCK = 840_000
_HALVING_AT = datetime(2024, 4, 20, 0, 9, tzinfo=UTC)


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
        with path.open(encoding="utf-8-sig", newline="") as file:
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
            if None in line.values():
                raise ValueError("it has too few columns")
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
        yield Snapshot(
            facts=_facts(rows, times, index, ath),
            world=world,
            quotes=(Quote(source, row.price_usd, row.at),),
        )


def _facts(
    rows: Sequence[MarketRow], times: list[datetime], index: int, ath: tuple[float, date] | None
) -> Facts:
    row = rows[index]
    hour_ago = _near(times, index, timedelta(hours=1), _SLACK_1H)
    day_ago = _near(times, index, timedelta(hours=24), _SLACK)
    week_ago = _near(times, index, timedelta(days=7), _SLACK)
    high, low = _range(rows, times, day_ago, index)
    return Facts(
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


def sample_snapshot(now: datetime) -> Snapshot:
    """The shipped sample market at the hour of ``now``, marked ``sample``, not yet stored.

    The 30 recorded days repeat for ever. The rest of a snapshot is made up to fit: the fear &
    greed class follows the week's move, blocks come every ten minutes, fees follow the hour.
    """
    at = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    rows = _sample_rows()
    hours = round((at - rows[0].at) / timedelta(hours=1))
    cycle_start = at - timedelta(hours=hours % len(rows))
    # from 24 h before the start of the day a week ago: enough for every horizon asked below
    recent = [
        replace(rows[(hours - back) % len(rows)], at=at - timedelta(hours=back))
        for back in range(24 * 9, -1, -1)
    ]
    times = [row.at for row in recent]
    last = len(recent) - 1
    ath = (_SAMPLE_ATH, (cycle_start - timedelta(days=12)).date())
    midnight = _facts(recent, times, last - at.hour, ath)
    facts = replace(
        _facts(recent, times, last, ath),
        fear_greed=_sample_mood(midnight.change_7d_pct or 0.0),
        **_sample_chain(at),
    )
    quotes = (Quote("sample", recent[-1].price_usd, at),)
    return Snapshot(facts, "sample", quotes, notes=(SAMPLE_NOTE,))


@lru_cache(maxsize=1)
def _sample_rows() -> list[MarketRow]:
    return read_market_csv(data_path("sample_market.csv"))


def _sample_mood(change_7d_pct: float) -> FearGreed:
    value = round(min(95.0, max(5.0, 50 + 4 * change_7d_pct)))
    edges = ((25, "Extreme Fear"), (46, "Fear"), (55, "Neutral"), (75, "Greed"))
    return FearGreed(value, next((name for edge, name in edges if value < edge), "Extreme Greed"))


def _sample_chain(at: datetime) -> dict[str, Any]:
    height = max(0, _HALVING_BLOCK + (at - _HALVING_AT) // timedelta(minutes=10))
    epoch, done = divmod(height, 2016)
    swing = math.sin(at.hour / 24 * 2 * math.pi)
    fast = round(6 + 4 * swing + epoch % 5)
    return {
        "block_height": height,
        "fees": Fees(fast, max(2, fast - 2), max(1, fast - 4)),
        "hashrate_ehs": round(1_040 + 12 * math.sin(epoch) + 4 * swing, 1),
        "difficulty_change_pct": round(3 * math.sin(epoch), 2),
        "retarget_blocks": 2016 - done,
    }
