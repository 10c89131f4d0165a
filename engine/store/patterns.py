"""How often each way of prompting was accepted, in the lab and in production."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlite_utils import Database

from engine.clock import iso, parse_iso


@dataclass(frozen=True)
class Tally:
    """Calls of one content type, template version, recipe, model and temperature.

    ``temperature`` None: the recipe's own (lab). ``seconds``: mean wall seconds of a call.
    """

    source: Literal["lab", "production"]
    content_type: str
    template_id: int
    template: str
    version: int
    recipe: str
    model: str
    temperature: float | None
    n: int
    accepted: int
    seconds: float


_SELECT = """
SELECT ?, c.content_type, t.id, t.name, v.number, {recipe}, c.{model}, {heat}, count(*),
       sum(coalesce(c.verdict = 'pass', 0)), avg(c.{seconds})
FROM {table} c
JOIN template_versions v ON v.id = c.{version}
JOIN prompt_templates t ON t.id = v.template_id
WHERE {where}
GROUP BY c.content_type, v.id, {recipe}, c.{model}, {heat}
"""
_LAB = _SELECT.format(
    recipe="c.recipe_used", model="model", heat="NULL", seconds="wall_s", table="bench_calls",
    version="version_id", where="c.phase = 'warm'",
)  # fmt: skip
_PRODUCTION = _SELECT.format(
    recipe="c.recipe", model="model_name", heat="c.temperature", seconds="completion_time",
    table="generation_params", version="template_version_id",
    where="c.purpose = 'post' AND c.from_cache = 0",
)  # fmt: skip


def tallies(db: Database) -> list[Tally]:
    """By content type, the best share first."""
    rows = db.conn.execute(_LAB, ("lab",)).fetchall()
    rows += db.conn.execute(_PRODUCTION, ("production",)).fetchall()
    found = [Tally(*row) for row in rows]
    return sorted(found, key=lambda item: (item.content_type, -item.accepted / item.n, -item.n))


@dataclass(frozen=True)
class Judged:
    """One production call: when, wall seconds, and whether its text was accepted."""

    at: datetime
    seconds: float
    passed: bool


def judged_since(db: Database, since: datetime) -> list[Judged]:
    """Production calls since then, oldest first, the newest 5,000."""
    rows = db.conn.execute(
        "SELECT created_at, completion_time, coalesce(verdict = 'pass', 0) FROM generation_params "
        "WHERE purpose = 'post' AND from_cache = 0 AND created_at >= ? ORDER BY id DESC LIMIT 5000",
        (iso(since),),
    ).fetchall()
    return [Judged(parse_iso(at), seconds, bool(passed)) for at, seconds, passed in rows[::-1]]


def recent_calls(db: Database, model: str, *, limit: int) -> list[tuple[float, bool]]:
    """Seconds and acceptance of a model's newest production calls."""
    rows = db.conn.execute(
        "SELECT completion_time, coalesce(verdict = 'pass', 0) FROM generation_params "
        "WHERE model_name = ? AND purpose = 'post' AND from_cache = 0 ORDER BY id DESC LIMIT ?",
        (model, limit),
    ).fetchall()
    return [(seconds, bool(passed)) for seconds, passed in rows]


def bench_calls(db: Database, model: str, *, limit: int) -> list[tuple[float, bool]]:
    """The same of its newest benchmark calls with the recipe it uses by itself."""
    rows = db.conn.execute(
        "SELECT wall_s, coalesce(verdict = 'pass', 0) FROM bench_calls WHERE model = ? "
        "AND phase = 'warm' AND recipe = 'auto' ORDER BY id DESC LIMIT ?",
        (model, limit),
    ).fetchall()
    return [(seconds, bool(passed)) for seconds, passed in rows]


def first_row_at(db: Database) -> datetime | None:
    """When the first template was stored: about the database's age. Templates stay for ever."""
    row = db.conn.execute("SELECT created_at FROM template_versions ORDER BY id LIMIT 1").fetchone()
    return parse_iso(row[0]) if row else None
