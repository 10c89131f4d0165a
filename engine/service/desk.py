"""The market desk: which snapshot a draft may stand on now, live or, in private, sample."""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from engine.checks import injection
from engine.clock import Clock
from engine.config import Config
from engine.log import event
from engine.records import Facts, Snapshot
from engine.store import settings, snapshots
from engine.store.database import opened

if TYPE_CHECKING:
    from engine.market.http import Fetcher
    from engine.market.news import NewsResult
    from engine.market.snapshot import Sources
    from engine.market.watch import WatchResult

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Footing:
    """A stored snapshot to write on, or None with the reason why there is none."""

    snapshot: Snapshot | None
    reason: str = ""


class MarketDesk:
    """Reads the market for the runner.

    Sample data stands in only while nothing that is written can become public
    (:attr:`engine.config.Config.public`).
    """

    def __init__(self, db_path: Path, config: Config, clock: Clock) -> None:
        self._db_path, self._config, self._clock = db_path, config, clock
        self._lock = Lock()
        self._fetched: Sources | None = None
        self._fetcher: Fetcher | None = None

    def poll(self) -> WatchResult:
        """Read all sources once; store the snapshot, live or in private sample, and its events."""
        from engine.market.snapshot import build_sources
        from engine.market.watch import watch, watch_sample

        with self._lock, opened(self._db_path) as db:
            # kept: a source that asked us to wait is remembered by its fetcher
            self._fetched = self._fetched or build_sources(self._config, self._clock)
            result = watch(db, self._fetched, self._clock, settings.get_all(db))
            if result.snapshot is not None:
                return result
            event(logger, logging.WARNING, "no live snapshot", reason=result.status.reason)
            if self._config.public:
                return result
            return watch_sample(db, self._clock, result.status.reason)

    def read_news(self) -> NewsResult:
        """Read all feeds and store what is new; failing feeds are logged."""
        from engine.market.http import Fetcher
        from engine.market.news import collect

        self._fetcher = self._fetcher or Fetcher(self._clock)
        with opened(self._db_path) as db:
            result = collect(
                db, self._fetcher, self._clock, inspect=_instructions, feeds=self._config.feeds
            )
        for failure in result.failed:
            event(logger, logging.WARNING, "feed failed", reason=failure)
        return result

    def read_sample_news(self) -> NewsResult:
        """The sample world's headlines of the last day."""
        from engine.market.news import collect_sample

        with opened(self._db_path) as db:
            return collect_sample(db, self._clock, inspect=_instructions)

    def footing(self) -> Footing:
        """The newest live snapshot that is fresh, else what a new look at the market gives."""
        with opened(self._db_path) as db:
            newest = snapshots.latest(db, world="live")
            age_limit = float(settings.get(db, "market.max_age_s"))
        if newest is not None and self._is_fresh(newest.facts.as_of, age_limit):
            return Footing(newest)
        result = self.poll()
        reason = result.status.reason
        if result.status.state == "sample":
            reason = f"sample market in place of live data: {reason}"
        return Footing(result.snapshot, reason)

    def _is_fresh(self, as_of: datetime | None, age_limit: float) -> bool:
        if as_of is None:
            return False
        return timedelta(0) <= self._clock.now() - as_of <= timedelta(seconds=age_limit)


def _instructions(title: str) -> list[str]:
    return [finding.rule for finding in injection.flags(title)]


def given_facts(db_path: Path, facts: Facts, clock: Clock) -> Snapshot:
    """A snapshot of facts that the operator gave; stored where it has a price to prove.

    Its world is ``replay``: nobody measured it here, so it can never become public.
    """
    if facts.as_of is None:
        facts = dataclasses.replace(facts, as_of=clock.now())
    snapshot = Snapshot(facts, "replay", notes=("facts given by the operator",))
    if facts.price_usd is None:
        return snapshot
    with opened(db_path) as db:
        return snapshots.insert(db, snapshot, now=clock.now())
