"""Reads behind the service's metrics: new model calls, and totals by state."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from engine.clock import iso


@dataclass(frozen=True)
class CallFigures:
    """One model call; ``seconds`` of wall time, ``rules`` of its findings, each once."""

    id: int
    model: str
    outcome: str
    verdict: str
    seconds: float
    rules: tuple[tuple[str, str], ...]  # (rule, severity)


def calls_after(db: Database, call_id: int, *, limit: int = 5_000) -> list[CallFigures]:
    """Model calls with a higher id, oldest first."""
    rows = db.conn.execute(
        "SELECT id, model_name, outcome, coalesce(verdict, 'none'), "
        "completion_time, findings FROM generation_params WHERE id > ? ORDER BY id LIMIT ?",
        (call_id, limit),
    ).fetchall()
    return [CallFigures(row[0], row[1], row[2], row[3], row[4], _rules(row[5])) for row in rows]


def attempts_by_outcome(db: Database) -> dict[str, int]:
    """Attempts to publish; those without an outcome yet are ``open``."""
    rows = db.conn.execute(
        "SELECT coalesce(outcome, 'open'), count(*) FROM attempts GROUP BY outcome"
    )
    return dict(rows.fetchall())


def spend_by_publisher(db: Database, since: datetime) -> dict[str, float]:
    """US dollars charged since a moment."""
    rows = db.conn.execute(
        "SELECT publisher, sum(usd_micros) / 1e6 FROM spend WHERE at >= ? GROUP BY publisher",
        (iso(since),),
    )
    return dict(rows.fetchall())


def _rules(text: str) -> tuple[tuple[str, str], ...]:
    found = {(item["rule"], item["severity"]) for item in json.loads(text)}
    return tuple(sorted(found))
