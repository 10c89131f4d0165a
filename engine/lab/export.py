"""A run's figures for programs and people: JSON, CSV, Markdown. Unknown is null, never NaN."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from typing import Any

from engine.lab import figures, machine
from engine.lab.figures import Cell
from engine.lab.quality import Variety
from engine.lab.statistics import Spread
from engine.store.bench import BenchRun


def run_json(run: BenchRun, cells: Sequence[Cell]) -> dict[str, Any]:
    """What ``bench --json`` answers."""
    models = run.context.get("models", {})
    return {
        "run_id": run.id,
        "state": run.state,
        "done": run.done,
        "planned": run.planned,
        "context": run.context,
        "cells": [cell_json(cell, models.get(cell.model, {})) for cell in cells],
    }


def cell_json(cell: Cell, described: dict[str, Any]) -> dict[str, Any]:
    """One cell, flat where the contract says so (DESIGN: ``bench``), the rest beside it."""
    return {
        "model": cell.model,
        "content_type": cell.content_type,
        "recipe": cell.recipe,
        "template_version_id": cell.version_id,
        "n_planned": cell.n_planned,
        "n_ok": cell.n_ok,
        "n_error": cell.n_error,
        "n_truncated": cell.n_truncated,
        "n_empty": cell.n_empty,
        "n_accepted": cell.n_accepted,
        "accepted_interval": _ends(cell.acceptance.interval) if cell.n_done else None,
        "seconds_median": _known(cell.seconds.median),
        "seconds": _spread(cell.seconds),
        "seconds_per_accepted": _known(cell.seconds_per_accepted),
        "ttft_s_median": _known(cell.ttft.median),
        "first_answer_s_median": _known(cell.first_answer.median),
        "server_s_median": _known(cell.server_s.median),
        "decode_tok_s": _known(cell.decode_tok_s),
        "decode": _spread(cell.decode),
        "prefill_tok_s": _known(cell.prefill_tok_s),
        "prefill_note": cell.prefill_note,
        "reloads": cell.reloads,
        "harness_s": _known(cell.harness_s),
        "cold": vars(cell.cold) if cell.cold else None,
        "memory_bytes": machine.memory_bytes(described),
        "rules": dict(cell.quality.rules),
        "voice": _known(cell.quality.voice),
        "fact_errors": cell.quality.fact_errors.hits,
        "variety": variety_json(cell.quality.variety),
        "lights": {
            "under_2_s": figures.speed_light(cell),
            "under_10_gb": figures.memory_light(machine.memory_bytes(described)),
            "over_95_pct": figures.acceptance_light(cell),
        },
    }


def variety_json(variety: Variety) -> dict[str, Any]:
    """How alike the texts are."""
    return {
        "n": variety.n,
        "distinct_1": variety.distinct_1,
        "distinct_2": variety.distinct_2,
        "compression_ratio": variety.compression,
        "self_bleu": variety.self_bleu,
        "near_duplicates": variety.near.hits,
    }


def run_csv(run: BenchRun, cells: Sequence[Cell]) -> str:
    """One line a cell; objects stay out, an unknown figure is an empty field."""
    rows = [_flat(row) for row in run_json(run, cells)["cells"]]
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]) if rows else ["model"])
    writer.writeheader()
    writer.writerows({key: _cell_text(value) for key, value in row.items()} for row in rows)
    return out.getvalue()


def run_markdown(run: BenchRun, cells: Sequence[Cell]) -> str:
    """The table of a run."""
    models = run.context.get("models", {})
    head = (
        "| model | type | recipe | ok / error / cut / empty | accepted (95 %) | "
        "median s (min to max) | s per accepted | first token s | decode tok/s | prefill tok/s | "
        "cold s | memory | < 2 s | < 10 GB | > 95 % |"
    )
    lines = [head, "|" + " --- |" * 15]
    for cell in cells:
        used = machine.memory_bytes(models.get(cell.model, {}))
        spread, rate = cell.seconds, cell.acceptance
        low, high = rate.interval.low, rate.interval.high
        fields = (
            cell.model,
            cell.content_type,
            cell.recipe,
            f"{cell.n_ok} / {cell.n_error} / {cell.n_truncated} / {cell.n_empty}",
            f"{rate.hits} of {rate.n} ({100 * low:.0f} to {100 * high:.0f} %)",
            f"{figure(spread.median)} ({figure(spread.low)} to {figure(spread.high)})",
            figure(cell.seconds_per_accepted),
            figure(cell.ttft.median),
            figure(cell.decode_tok_s),
            figure(cell.prefill_tok_s),
            figure(cell.cold.wall_s if cell.cold and cell.cold.outcome == "ok" else None),
            f"{used / 1e6:,.0f} MB" if used else "unknown",
            figures.speed_light(cell),
            figures.memory_light(used),
            figures.acceptance_light(cell),
        )
        lines.append(f"| {' | '.join(field.replace('|', '/') for field in fields)} |")
    return "\n".join(lines)


def figure(value: float | None) -> str:
    """Three significant digits, or a dash where nothing is known."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _spread(spread: Spread) -> dict[str, Any]:
    return {
        "n": spread.n,
        "median": _known(spread.median),
        "min": _known(spread.low),
        "max": _known(spread.high),
        "p95": _known(spread.p95),
        "median_interval": _ends(spread.interval),
    }


def _ends(interval: Any) -> list[float] | None:
    return [interval.low, interval.high] if interval else None


def _known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in row.items() if not isinstance(value, dict)}
    ends = plain.pop("accepted_interval") or [None, None]
    lights = row["lights"]
    return {
        **plain,
        "accepted_low": ends[0],
        "accepted_high": ends[1],
        **row["variety"],
        **lights,
    }


def _cell_text(value: Any) -> Any:
    # a spreadsheet must not read a server's words as a formula
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@" else value
