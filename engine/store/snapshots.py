"""Market snapshots: stored once, never changed, found by id or by time."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from datetime import datetime

from sqlite_utils import Database

from engine.clock import iso, parse_iso
from engine.records import Facts, Quote, Snapshot, World, canonical_json
from engine.store.database import write_tx

_COLUMNS = "id, world, spread_pct, facts, quotes, notes"


def insert(db: Database, snapshot: Snapshot, *, now: datetime) -> Snapshot:
    """Store; answers the snapshot with its id."""
    facts = snapshot.facts
    if facts.as_of is None or facts.price_usd is None:
        raise ValueError("a snapshot needs a time and a price")
    quotes = [{**dataclasses.asdict(quote), "as_of": iso(quote.as_of)} for quote in snapshot.quotes]
    with write_tx(db):
        cursor = db.conn.execute(
            "INSERT INTO snapshots (as_of, world, price_usd, spread_pct, facts, quotes, notes, "
            "created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                iso(facts.as_of),
                snapshot.world,
                facts.price_usd,
                snapshot.spread_pct,
                canonical_json(facts.to_dict()),
                canonical_json(quotes),
                canonical_json(list(snapshot.notes)),
                iso(now),
            ),
        )
    return dataclasses.replace(snapshot, id=cursor.lastrowid)


def get(db: Database, snapshot_id: int) -> Snapshot | None:
    row = db.conn.execute(
        f"SELECT {_COLUMNS} FROM snapshots WHERE id = ?", (snapshot_id,)
    ).fetchone()
    return _record(row) if row else None


def latest(db: Database, *, world: World | None = None) -> Snapshot | None:
    """The newest snapshot of one world, or of any."""
    where, values = ("WHERE world = ?", (world,)) if world else ("", ())
    row = db.conn.execute(
        f"SELECT {_COLUMNS} FROM snapshots {where} ORDER BY as_of DESC, id DESC LIMIT 1", values
    ).fetchone()
    return _record(row) if row else None


def between(db: Database, start: datetime, end: datetime, *, world: World) -> list[Snapshot]:
    """Snapshots with ``start <= as_of <= end``, oldest first, at most 10,000."""
    rows = db.conn.execute(
        f"SELECT {_COLUMNS} FROM snapshots WHERE world = ? AND as_of BETWEEN ? AND ? "
        "ORDER BY as_of, id LIMIT 10000",
        (world, iso(start), iso(end)),
    ).fetchall()
    return [_record(row) for row in rows]


def _record(row: sqlite3.Row | tuple[object, ...]) -> Snapshot:
    snapshot_id, world, spread, facts, quotes, notes = row
    return Snapshot(
        facts=Facts.from_dict(json.loads(str(facts))),
        world=world,  # type: ignore[arg-type]
        quotes=tuple(
            Quote(**{**quote, "as_of": parse_iso(quote["as_of"])})
            for quote in json.loads(str(quotes))
        ),
        spread_pct=float(spread),  # type: ignore[arg-type]
        notes=tuple(json.loads(str(notes))),
        id=snapshot_id,  # type: ignore[arg-type]
    )
