"""One look at the market: take a snapshot, store it, note what happened since the last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlite_utils import Database

from engine.clock import Clock
from engine.errors import SnapshotHeld
from engine.market.event_rules import EventRules
from engine.market.events import EventState, detect_events
from engine.market.replay import sample_snapshot
from engine.market.snapshot import Sources, take_snapshot
from engine.records import Snapshot
from engine.store import market_events, settings, snapshots
from engine.store.database import write_tx
from engine.store.market_events import MarketEvent


@dataclass(frozen=True)
class MarketStatus:
    """``live``: real sources agree; ``sample``: the shipped market plays; ``held``: no proof now.

    ``reason`` says why, for people; empty when live.
    """

    state: Literal["live", "sample", "held"]
    reason: str = ""


@dataclass(frozen=True)
class WatchResult:
    """``snapshot`` is stored and has its id; None when held. ``events`` are stored too."""

    status: MarketStatus
    snapshot: Snapshot | None = None
    events: tuple[MarketEvent, ...] = ()


def watch(db: Database, sources: Sources, clock: Clock, rules: Mapping[str, Any]) -> WatchResult:
    """Look at the live market; ``rules`` are the settings in force (``store.settings.get_all``).

    Never raises for trouble with the market: that is the state ``held`` and its reason. Takes at
    most ``sources.time_cap_s`` seconds, outside any transaction.
    """
    try:
        taken = take_snapshot(sources, clock, rules)
    except SnapshotHeld as held:
        return WatchResult(MarketStatus("held", held.reason))
    stored, events = record(db, taken, clock)
    return WatchResult(MarketStatus("live"), stored, events)


def watch_sample(db: Database, clock: Clock, reason: str) -> WatchResult:
    """The same on the shipped sample market; ``reason`` is why it plays."""
    stored, events = record(db, sample_snapshot(clock.now()), clock)
    return WatchResult(MarketStatus("sample", reason), stored, events)


def record(
    db: Database, snapshot: Snapshot, clock: Clock
) -> tuple[Snapshot, tuple[MarketEvent, ...]]:
    """Store a snapshot with the events it brings, in one transaction.

    One that is not newer than the newest of its world is not stored again: that newest one is
    answered, without events.
    """
    now = clock.now()
    with write_tx(db):
        previous = snapshots.latest(db, world=snapshot.world)
        # one dated after now was stored under a wrong clock and must not block the right one
        if previous and _as_of(snapshot) <= _as_of(previous) <= now:
            return previous, ()
        stored = snapshots.insert(db, snapshot, now=now)
        state = EventState.from_dict(market_events.load_state(db, snapshot.world))
        rules = EventRules.from_settings(settings.get_all(db))
        events, state = detect_events(previous, stored, state, rules)
        if previous:
            events = market_events.insert(db, events, previous=previous, current=stored)
        market_events.save_state(db, snapshot.world, state.to_dict(), now=now)
    return stored, tuple(events)


def _as_of(snapshot: Snapshot) -> datetime:
    assert snapshot.facts.as_of is not None  # noqa: S101  a snapshot has a time
    return snapshot.facts.as_of
