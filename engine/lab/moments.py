"""Recorded moments of the market on which models are compared: always the same, so that runs of
different days and machines are comparable."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from engine.errors import UsageError
from engine.market.replay import read_market_csv, sample_snapshot, snapshots
from engine.records import Facts, Headline, Snapshot
from engine.resources import data_path

COUNT = 12
_START = datetime(2026, 11, 1, 9, tzinfo=UTC)
_STEP = timedelta(hours=59)  # walks through all hours of the day and all of the sample's weather


@cache
def shipped() -> tuple[Snapshot, ...]:
    """:data:`COUNT` moments of the sample market, each with a headline of the sample world."""
    return tuple(_with_headline(sample_snapshot(_START + n * _STEP), n) for n in range(COUNT))


def recorded(path: Path, count: int = COUNT) -> tuple[Snapshot, ...]:
    """``count`` moments of a market recording, evenly spread over the hours that know their day.

    Raises: UsageError.
    """
    known = [
        item
        for item in snapshots(read_market_csv(path))
        if item.facts.change_24h_pct is not None and item.facts.high_24h is not None
    ]
    if not known:
        raise UsageError(f"{path} covers less than a day. Give a longer recording.")
    step = max(1, len(known) // count)
    return tuple(_with_headline(item, n) for n, item in enumerate(known[::step][:count]))


def from_facts(rows: Sequence[dict[str, object]]) -> tuple[Snapshot, ...]:
    """Moments as a plan stores them. Raises: UsageError."""
    return tuple(Snapshot(Facts.from_dict(dict(row)), "replay") for row in rows)


def _with_headline(snapshot: Snapshot, number: int) -> Snapshot:
    news = json.loads(data_path("sample_news.json").read_text(encoding="utf-8"))
    titles = news["titles"]
    headline = Headline(titles[number % len(titles)], news["source"])
    return replace(snapshot, facts=replace(snapshot.facts, headline=headline), world="replay")
