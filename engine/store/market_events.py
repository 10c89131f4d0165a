"""Market events and the event engine's memory (:mod:`engine.market.events`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlite_utils import Database

from engine.clock import iso, parse_iso
from engine.records import Snapshot, World, canonical_json
from engine.store.database import write_tx


@dataclass(frozen=True)
class MarketEvent:
    """Something worth a post.

    ``key`` names what must not be told again soon (``level:120000``), ``sentence`` tells it in
    plain words, ``fact_keys`` the FACTS that prove it, ``detail`` its own numbers. The ids are
    None before storing.
    """

    kind: str
    key: str
    at: datetime
    world: World
    priority: int
    sentence: str
    content_type: str
    fact_keys: tuple[str, ...]
    detail: dict[str, Any]
    direction: Literal["up", "down"] | None = None
    id: int | None = None
    snapshot_id: int | None = None
    previous_snapshot_id: int | None = None


_COLUMNS = (
    "id, world, kind, key, at, direction, priority, sentence, content_type, fact_keys, detail, "
    "snapshot_id, previous_snapshot_id"
)


def load_state(db: Database, world: World) -> dict[str, Any]:
    """What the engine remembers of this world; empty at first."""
    row = db.conn.execute("SELECT state FROM event_states WHERE world = ?", (world,)).fetchone()
    return json.loads(row[0]) if row else {}


def save_state(db: Database, world: World, state: dict[str, Any], *, now: datetime) -> None:
    with write_tx(db):
        db.conn.execute(
            "INSERT INTO event_states (world, state, updated_at) VALUES (?, ?, ?) "
            "ON CONFLICT (world) DO UPDATE SET state = excluded.state, "
            "updated_at = excluded.updated_at",
            (world, canonical_json(state), iso(now)),
        )


def insert(
    db: Database, events: Sequence[MarketEvent], *, previous: Snapshot, current: Snapshot
) -> list[MarketEvent]:
    """Store events between two stored snapshots; answers them with their ids."""
    stored = []
    with write_tx(db):
        for event in events:
            cursor = db.conn.execute(
                "INSERT INTO market_events (world, kind, key, at, direction, priority, sentence, "
                "content_type, fact_keys, detail, snapshot_id, previous_snapshot_id) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    event.world,
                    event.kind,
                    event.key,
                    iso(event.at),
                    event.direction,
                    event.priority,
                    event.sentence,
                    event.content_type,
                    canonical_json(list(event.fact_keys)),
                    canonical_json(event.detail),
                    current.id,
                    previous.id,
                ),
            )
            stored.append(
                replace(
                    event,
                    id=cursor.lastrowid,
                    snapshot_id=current.id,
                    previous_snapshot_id=previous.id,
                )
            )
    return stored


def next_event(
    db: Database, now: datetime, *, world: World, max_age_s: float, min_priority: int = 0
) -> MarketEvent | None:
    """The most important event not yet claimed and not older than ``max_age_s``."""
    row = db.conn.execute(
        f"SELECT {_COLUMNS} FROM market_events WHERE world = ? AND claimed_at IS NULL "
        "AND at BETWEEN ? AND ? AND priority >= ? ORDER BY priority DESC, at DESC, id LIMIT 1",
        (world, iso(now - timedelta(seconds=max_age_s)), iso(now), min_priority),
    ).fetchone()
    return _record(row) if row else None


def claim_event(db: Database, event_id: int, now: datetime) -> bool:
    """True for exactly one caller: this event is theirs to write about."""
    return _swap(db, event_id, "claimed_at IS NULL", iso(now))


def release_event(db: Database, event_id: int) -> bool:
    """Give a claimed event back, because no post came of it."""
    return _swap(db, event_id, "claimed_at IS NOT NULL", None)


def recent(db: Database, *, world: World | None = None, limit: int = 50) -> list[MarketEvent]:
    """Newest first."""
    where, values = ("WHERE world = ?", (world,)) if world else ("", ())
    rows = db.conn.execute(
        f"SELECT {_COLUMNS} FROM market_events {where} ORDER BY id DESC LIMIT ?", (*values, limit)
    ).fetchall()
    return [_record(row) for row in rows]


def _swap(db: Database, event_id: int, only_if: str, claimed_at: str | None) -> bool:
    with write_tx(db):
        cursor = db.conn.execute(
            f"UPDATE market_events SET claimed_at = ? WHERE id = ? AND {only_if}",
            (claimed_at, event_id),
        )
    return cursor.rowcount == 1


def _record(row: tuple[Any, ...]) -> MarketEvent:
    names = [name.strip() for name in _COLUMNS.split(",")]
    values = dict(zip(names, row, strict=True))
    values["at"] = parse_iso(values["at"])
    values["fact_keys"] = tuple(json.loads(values["fact_keys"]))
    values["detail"] = json.loads(values["detail"])
    return MarketEvent(**values)
