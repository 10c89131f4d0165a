"""How often each way of prompting was accepted, in the lab and in production."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlite_utils import Database


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
