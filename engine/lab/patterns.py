"""Which template version, recipe and temperature did best, from lab runs and from production."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from engine.lab.statistics import Rate
from engine.store import patterns as rows
from engine.store import templates
from engine.store.patterns import Tally

LEAST = 20
"""Calls below which no pattern is called better than another."""


@dataclass(frozen=True)
class Best:
    """The best pattern of a content type, or None with the reason."""

    content_type: str
    pattern: Tally | None
    reason: str


def best(tallies: Sequence[Tally]) -> list[Best]:
    """For each content type, the pattern whose interval stands above the runner-up's share."""
    kinds: dict[str, list[Tally]] = {}
    for item in tallies:
        kinds.setdefault(item.content_type, []).append(item)
    return [_best(kind, found) for kind, found in kinds.items()]


def fill_scores(db: Database) -> int:
    """Write ``performance_score`` (share accepted by the checks, lab and production together) and
    its n for every template; answers how many have one."""
    known: dict[int, Rate] = {}
    for item in rows.tallies(db):
        before = known.get(item.template_id, Rate(0, 0))
        known[item.template_id] = Rate(before.hits + item.accepted, before.n + item.n)
    for template_id, rate in known.items():
        templates.score(db, template_id, performance=rate.share, n=rate.n)
    return len(known)


def document(db: Database, now: datetime) -> str:
    """Markdown of all tallies, the best of each type first."""
    tallies = rows.tallies(db)
    blocks = [
        "# Prompt patterns",
        "Written by `python runner.py bench patterns` on "
        f"{now:%Y-%m-%d} from stored lab runs and production calls. Accepted means accepted by "
        "every check; 95 % Wilson intervals. Calls that failed count as not accepted.",
        "## What did best",
        "\n".join(_told(item) for item in best(tallies)) or "No call is stored.",
        "## All of it",
        _table(tallies),
        "Recipe menu: the model chooses among vetted lines under a grammar. Slots: it writes around "
        "placeholders that code fills. Free: it writes every word. The checks are the same.",
        "`prompt_templates.performance_score` is the share in this table over all rows of a "
        "template, `performance_n` the calls it rests on.",
    ]
    return "\n\n".join(blocks) + "\n"


def _best(kind: str, found: list[Tally]) -> Best:
    enough = [item for item in found if item.n >= LEAST]
    if not enough:
        return Best(kind, None, f"not enough data (no pattern has {LEAST} calls)")
    ranked = sorted(enough, key=lambda item: -_rate(item).interval.low)
    first = ranked[0]
    if len(ranked) == 1:
        return Best(kind, first, "the only pattern with enough calls")
    if _rate(first).interval.low > _rate(ranked[1]).interval.high:
        return Best(kind, first, "its interval stands above every other with as many calls")
    return Best(kind, None, f"no clear best: intervals of the first two overlap ({_name(first)})")


def _told(item: Best) -> str:
    if item.pattern is None:
        return f"- {item.content_type}: {item.reason}."
    return f"- {item.content_type}: {_name(item.pattern)}, {_share(item.pattern)}; {item.reason}."


def _rate(item: Tally) -> Rate:
    return Rate(item.accepted, item.n)


def _name(item: Tally) -> str:
    return f"{item.template} version {item.version}, {item.recipe}, {item.model}"


def _share(item: Tally) -> str:
    interval = _rate(item).interval
    low, high = interval.low, interval.high
    return f"{item.accepted} of {item.n} ({100 * low:.0f} to {100 * high:.0f} %)"


def _table(tallies: Sequence[Tally]) -> str:
    lines = [
        "| type | template | recipe | model | temperature | from | accepted (95 %) | mean s |",
        "|" + " --- |" * 8,
    ]
    for item in tallies:
        heat = "recipe's" if item.temperature is None else f"{item.temperature:g}"
        lines.append(
            f"| {item.content_type} | {item.template} v{item.version} | {item.recipe} | "
            f"{item.model} | {heat} | {item.source} | {_share(item)} | {item.seconds:.2f} |"
        )
    return "\n".join(lines)
