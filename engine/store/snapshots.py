"""Market snapshots: stored once, never changed, forgotten when nothing rests on them."""

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


def prune(db: Database, before: datetime, *, most: int = 2_000) -> int:
    """Forget snapshots of times before that moment that no post, revision, model call or event
    rests on, oldest first; answers how many. The newest of each world stays."""
    ids = db.conn.execute(
        "SELECT id FROM snapshots s WHERE as_of < ? "
        "AND id NOT IN (SELECT max(id) FROM snapshots GROUP BY world) "
        "AND NOT EXISTS (SELECT 1 FROM posts WHERE snapshot_id = s.id) "
        "AND NOT EXISTS (SELECT 1 FROM post_revisions WHERE snapshot_id = s.id) "
        "AND NOT EXISTS (SELECT 1 FROM generation_params WHERE snapshot_id = s.id) "
        "AND NOT EXISTS (SELECT 1 FROM market_events WHERE snapshot_id = s.id) "
        "AND NOT EXISTS (SELECT 1 FROM market_events WHERE previous_snapshot_id = s.id) "
        "ORDER BY id LIMIT ?",
        (iso(before), most),
    ).fetchall()
    if ids:
        with write_tx(db):
            db.conn.executemany("DELETE FROM snapshots WHERE id = ?", ids)
    return len(ids)


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
