"""The model-selection document, written from stored runs and from nothing else."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.lab import export, figures
from engine.lab.choice import Choice, Option, choose
from engine.lab.figures import Cell
from engine.lab.machine import memory_bytes
from engine.lab.plan import Plan
from engine.records import CONTENT_TYPES
from engine.resources import data_path
from engine.store.bench import BenchCall, BenchRun


@dataclass(frozen=True)
class Evidence:
    """One finished run with its calls."""

    run: BenchRun
    calls: list[BenchCall]

    @property
    def plan(self) -> Plan:
        return Plan.from_dict(self.run.plan)

    @property
    def cells(self) -> list[Cell]:
        return figures.cells(self.plan, self.calls)


_APART = (
    "Models of different runs did not take turns: the machine may have been busier in one run than "
    "in the other, so small differences in seconds between runs mean nothing."
)


def document(found: Sequence[Evidence]) -> str:
    """Markdown: choice, reasons, trade-offs, figures, what was not run, how to repeat it."""
    choice = choose([call for item in found for call in item.calls])
    blocks = [
        "# Model selection",
        "Written by `python runner.py bench report` from stored benchmark runs "
        f"({', '.join(str(item.run.id) for item in found)}); edit the runs, not this file.",
        "## Choice",
        _choice(choice),
        "## Options",
        _options(choice),
        "An option's seconds per accepted post are all seconds its calls took, failed and "
        "rejected ones included, over the posts that passed every check; 95 % intervals by "
        "bootstrap over calls. Accepted means accepted by our checks, not liked by readers.",
        *([_APART] if len(found) > 1 else []),
        "## Trade-offs",
        _trade_offs(found),
    ]
    for item in found:
        blocks += _run(item)
    blocks += ["## Not run", _not_run(found), "## Repeat it", _commands(found)]
    return "\n\n".join(blocks) + "\n"


def _choice(choice: Choice) -> str:
    if choice.option is None:
        return f"**No clear choice**: {choice.reason}."
    return f"**{choice.option.model} with recipe {choice.option.recipe}**: {choice.reason}."


def _options(choice: Choice) -> str:
    lines = [
        "| model | recipe | accepted (95 %) | s per accepted post (95 %) | kinds never accepted |",
        "| --- | --- | --- | --- | --- |",
    ]
    for item in choice.options:
        lines.append(
            f"| {item.model} | {item.recipe} | {_rate(item)} | {_seconds(item)} | "
            f"{', '.join(item.missing) or 'none'} |"
        )
    return "\n".join(lines)


def _rate(item: Option) -> str:
    interval = item.acceptance.interval
    ends = f"{100 * interval.low:.0f} to {100 * interval.high:.0f} %"
    return f"{item.acceptance.hits} of {item.acceptance.n} ({ends})"


def _seconds(item: Option) -> str:
    if item.seconds_per_accepted is None:
        return "none was accepted"
    ends = f" ({item.interval.low:.2f} to {item.interval.high:.2f})" if item.interval else ""
    return f"{item.seconds_per_accepted:.2f}{ends}"


def _trade_offs(found: Sequence[Evidence]) -> str:
    """Quality of each cell: what speed alone hides."""
    lines = [
        "| model | type | recipe | fact errors | voice, mean | distinct-1 / -2 | compression | "
        "self-BLEU | near twins | rules most often broken |",
        "|" + " --- |" * 10,
    ]
    for item in found:
        for cell in item.cells:
            good, many = cell.quality, cell.quality.variety
            rules = ", ".join(f"{rule} {n}" for rule, n in good.rules[:3]) or "none"
            lines.append(
                f"| {cell.model} | {cell.content_type} | {cell.recipe} | "
                f"{good.fact_errors.hits} of {good.fact_errors.n} | {export.figure(good.voice)} | "
                f"{export.figure(many.distinct_1)} / {export.figure(many.distinct_2)} | "
                f"{export.figure(many.compression)} | {export.figure(many.self_bleu)} | "
                f"{many.near.hits} of {many.near.n} | {rules} |"
            )
    lines += [
        "",
        "Variety is of the first 20 texts of a cell with numbers masked: distinct-n higher, "
        "compression ratio and self-BLEU lower is more varied. With recipe menu the model chooses "
        "among vetted phrases and does not write: its variety is that of the menu.",
    ]
    return "\n".join(lines)


def _run(item: Evidence) -> list[str]:
    context = item.run.context
    hardware = context.get("hardware", {})
    machine = (
        f"{hardware.get('cpu')}, {hardware.get('cores')} cores, "
        f"{(hardware.get('ram_bytes') or 0) / 2**30:.0f} GiB, {hardware.get('system')}; "
        f"load average at the start {hardware.get('load_1m')}."
    )
    method = "; ".join(f"{key}: {value}" for key, value in context.get("method", {}).items())
    finished = item.run.finished_at or "unfinished"
    return [
        f"## Run {item.run.id}, {finished[:16].replace('T', ' ')} UTC",
        machine,
        _models(context.get("models", {})),
        export.run_markdown(item.run, item.cells),
        f"Method: {method}. p95 is shown from 20 runs on only (JSON and CSV); the harness took "
        f"{_harness(item.cells)} ms a call beside the model.",
    ]


def _models(models: dict[str, Any]) -> str:
    lines = []
    for name, told in models.items():
        used, share = memory_bytes(told), told.get("gpu_share")
        parts = [
            f"server {told.get('server_version') or 'unknown'}",
            f"digest {(told.get('digest') or 'unknown')[:12]}",
            f"{told.get('parameter_size') or 'unknown size'}, "
            f"{told.get('quantization') or 'unknown quantisation'}",
            f"num_ctx {told.get('num_ctx') or 'unknown'}",
            f"memory {used / 1e6:.0f} MB" if used else "memory unknown",
            f"GPU share {100 * share:.0f} %" if share is not None else "GPU share unknown",
        ]
        lines.append(f"- {name}: {'; '.join(parts)}")
    return "\n".join(lines)


def _harness(cells: Sequence[Cell]) -> str:
    known = [cell.harness_s for cell in cells if cell.harness_s is not None]
    return f"{1000 * sum(known) / len(known):.2f}" if known else "unknown"


def _not_run(found: Sequence[Evidence]) -> str:
    ran = {name for item in found for name in item.plan.models}
    kinds = {subject.content_type for item in found for subject in item.plan.subjects}
    shipped = json.loads(data_path("candidates.json").read_text(encoding="utf-8"))["models"]
    absent = [name for name in shipped if name not in ran]
    lines = []
    if absent:
        lines.append(
            f"- {', '.join(absent)} (the shipped candidates): no figure here is about them. "
            "On a machine with Ollama: `python runner.py bench --models candidates`."
        )
    if not any(name.startswith("ollama:") for name in ran):
        lines.append("- No Ollama server was part of these runs.")
    unasked = [kind for kind in CONTENT_TYPES if kind not in kinds]
    lines += [f"- Content type {kind}." for kind in unasked]
    lines.append("- No human judged these texts; blind votes are in `bench votes`, once there are.")
    return "\n".join(lines)


def _commands(found: Sequence[Evidence]) -> str:
    lines = [f"    {command(item.plan)}" for item in found]
    return "\n".join([*lines, "    python runner.py bench report --out docs/model-selection.md"])


def command(plan: Plan) -> str:
    """The command line that asks for this plan again."""
    kinds = dict.fromkeys(subject.content_type for subject in plan.subjects)
    words = [
        "python", "runner.py", "bench", "--models", ",".join(plan.models),
        "--types", ",".join(kinds), "--recipes", ",".join(plan.recipes),
        "--repeats", str(plan.repeats), "--seed", str(plan.seed), "--new",
    ]  # fmt: skip
    return shlex.join(words + (["--keep-cache"] if plan.cache == "keep" else []))
