"""``bench``: models compared on recorded moments of the market."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from engine.errors import UsageError
from engine.records import CONTENT_TYPES
from engine.service.app import App
from engine.store.bench import BenchRun
from engine.store.database import opened


def add(commands: Any) -> None:
    """Register this group's commands."""
    bench = commands.add_parser("bench", help="compare models on recorded market moments")
    _bench_options(bench)
    bench.set_defaults(handler=_bench)
    steps = bench.add_subparsers(dest="step", metavar="STEP", parser_class=type(bench))
    listing = steps.add_parser("list", help="the newest runs")
    listing.add_argument("--json", action="store_true", help="answer in JSON")
    listing.set_defaults(handler=_list)
    cancel = steps.add_parser("cancel", help="stop a run after its call in flight")
    cancel.add_argument("run_id", type=int)
    cancel.set_defaults(handler=_cancel)
    report = steps.add_parser("report", help="write the model-selection document")
    report.add_argument("--runs", default="", help="run ids (the newest finished of each model)")
    report.add_argument("--out", type=Path, help="write to this file (the terminal)")
    report.set_defaults(handler=_report)
    patterns = steps.add_parser("patterns", help="which prompts and recipes did best")
    patterns.add_argument("--out", type=Path, help="write to this file (the terminal)")
    patterns.set_defaults(handler=_patterns)
    votes = steps.add_parser("votes", help="the ranking by blind votes")
    votes.add_argument("--json", action="store_true", help="answer in JSON")
    votes.set_defaults(handler=_votes)
    outlook = steps.add_parser("capacity", help="what the model sustains, and what runs out when")
    outlook.add_argument("--json", action="store_true", help="answer in JSON")
    outlook.set_defaults(handler=_capacity)
    export = steps.add_parser("export", help="a stored run as JSON, CSV or Markdown")
    export.add_argument("run_id", type=int)
    export.add_argument("--format", choices=("json", "csv", "markdown"), default="json")
    export.set_defaults(handler=_export)


def _bench_options(bench: argparse.ArgumentParser) -> None:
    bench.add_argument("--models", help="backend:name, comma separated (the one in force)")
    bench.add_argument("--types", default=",".join(CONTENT_TYPES), help="content types (all)")
    bench.add_argument("--repeats", type=int, default=20, help="calls of each combination (20)")
    bench.add_argument("--recipes", default="auto", help="auto, menu, slots, free (auto)")
    bench.add_argument("--versions", default="", help="template version ids (production's)")
    bench.add_argument("--market", type=Path, help="market recording (CSV), not the shipped one")
    bench.add_argument("--seed", type=int, default=1, help="seed of all seeds (1)")
    bench.add_argument("--timeout", type=float, default=60.0, help="seconds a call may take (60)")
    bench.add_argument("--keep-cache", action="store_true", help="leave the prompt cache alone")
    bench.add_argument("--resume", nargs="?", type=int, const=0, help="take up a run (the last)")
    bench.add_argument("--new", action="store_true", help="do not take up an unfinished equal run")
    bench.add_argument("--anyway", action="store_true", help="try models that look too large")
    bench.add_argument("--json", action="store_true", help="answer in JSON")


def _bench(app: App, args: argparse.Namespace) -> int:
    from engine.lab import benchmark, export, figures
    from engine.lab.plan import Plan
    from engine.store import bench

    path = app.ready()
    with opened(path) as db:
        run_id = _asked_for(app, args, db)
    run = benchmark.work(path, run_id, app.config, app.clock, progress=_progress(app))
    with opened(path, "ro") as db:
        cells = figures.cells(Plan.from_dict(run.plan), bench.calls(db, run.id))
    text = f"run {run.id}: {run.state}, {run.done} of {run.planned} calls\n\n"
    app.answer(
        export.run_json(run, cells), as_json=args.json, text=text + export.run_markdown(run, cells)
    )
    return 0 if run.state == "done" else 1


def _asked_for(app: App, args: argparse.Namespace, db: Any) -> int:
    """The run to work on: one to take up, or a new one."""
    from engine.lab import benchmark
    from engine.lab.moments import recorded

    if args.resume is not None:
        return args.resume or _last_unfinished(db).id
    from engine.lab.plan import make_plan

    plan = make_plan(
        db,
        models=_models(app, args.models),
        types=_names(args.types),
        repeats=args.repeats,
        recipes=_names(args.recipes),
        versions=_numbers(args.versions),
        seed=args.seed,
        cache="keep" if args.keep_cache else "defeat",
        timeout_s=args.timeout,
        market=recorded(args.market) if args.market else None,
    )
    if not args.anyway:
        benchmark.refuse_too_large(plan, app.config)
    begun = None if args.new else benchmark.unfinished(db, plan)
    if begun is not None:
        print(f"taking up run {begun.id} after {begun.done} of {begun.planned}", file=app.err)
        return begun.id
    return benchmark.start(db, plan, actor=app.actor, clock=app.clock)


def _models(app: App, asked: str | None) -> list[str]:
    """Names asked for; ``candidates`` stands for the shipped list."""
    import json

    from engine.resources import data_path

    names = _names(asked) if asked is not None else [app.model_in_force()]
    if "candidates" in names:
        shipped = json.loads(data_path("candidates.json").read_text(encoding="utf-8"))["models"]
        at = names.index("candidates")
        names[at : at + 1] = shipped
    return names


def _last_unfinished(db: Any) -> BenchRun:
    from engine.store import bench

    found = next((run for run in bench.listing(db) if run.state not in ("done",)), None)
    if found is None:
        raise UsageError("no run is unfinished. `bench list` shows the last ones.")
    return found


def _progress(app: App) -> Any:
    """A line on a terminal, silence elsewhere."""
    shown = app.err is sys.stderr and sys.stderr.isatty()

    def tell(done: int, planned: int) -> None:
        if shown:
            print(f"\r{done} of {planned} ", end="" if done < planned else "\n", file=app.err)

    return tell


def _list(app: App, args: argparse.Namespace) -> int:
    from engine.store import bench

    with opened(app.existing(), "ro") as db:
        runs = bench.listing(db)
    rows = [
        {
            "run_id": run.id,
            "kind": run.kind,
            "state": run.state,
            "done": run.done,
            "planned": run.planned,
            "models": run.plan["models"],
            "created_at": run.created_at,
        }
        for run in runs
    ]
    lines = [
        f"{row['run_id']:4} {row['kind']:6} {row['state']:9} {row['done']} of {row['planned']}  "
        f"{', '.join(row['models'])}  {row['created_at']}"
        for row in rows
    ]
    app.answer(rows, as_json=args.json, text="\n".join(lines) or "No run is stored.")
    return 0


def _cancel(app: App, args: argparse.Namespace) -> int:
    from engine.store import bench

    with opened(app.existing()) as db:
        if not bench.ask_to_cancel(db, args.run_id, now=app.clock.now()):
            raise UsageError(f"run {args.run_id} neither waits nor runs.")
    app.say(f"run {args.run_id} stops after its call in flight.")
    return 0


def _report(app: App, args: argparse.Namespace) -> int:
    from engine.lab.report import Evidence, document
    from engine.store import bench

    with opened(app.existing(), "ro") as db:
        ids = _numbers(args.runs) or bench.newest_of_each_model(db)
        runs = [bench.get(db, run_id) for run_id in ids]
        if not runs or any(run is None or run.state != "done" for run in runs):
            raise UsageError("a report needs finished runs. `bench list` shows them.")
        text = document([Evidence(run, bench.calls(db, run.id)) for run in runs if run])
    return _written(app, text, args.out)


def _patterns(app: App, args: argparse.Namespace) -> int:
    from engine.lab import patterns

    with opened(app.existing()) as db:
        patterns.fill_scores(db)
        text = patterns.document(db, app.clock.now())
    return _written(app, text, args.out)


def _votes(app: App, args: argparse.Namespace) -> int:
    import dataclasses
    import random

    from engine.lab import arena
    from engine.store.arena import votes

    with opened(app.existing(), "ro") as db:
        ranking = arena.rank(votes(db), random.Random(1))
    lines = [f"{ranking.votes} votes: {ranking.verdict}"]
    lines += [
        f"{item.strength:+.2f} ({item.interval.low:+.2f} to {item.interval.high:+.2f})  "
        f"{item.name}: {item.wins} wins, {item.ties} ties of {item.votes}"
        for item in ranking.standings
    ]
    app.answer(dataclasses.asdict(ranking), as_json=args.json, text="\n".join(lines))
    return 0


def _capacity(app: App, args: argparse.Namespace) -> int:
    import dataclasses

    from engine.clock import iso
    from engine.lab.capacity import capacity
    from engine.service import lab

    path, now, model = app.existing(), app.clock.now(), app.model_in_force()
    with opened(path, "ro") as db:
        held = capacity(db, model, now)
        coming = lab.outlook(db, path, app.config.publisher, model, now)
    sustained = "unknown" if held.sustained is None else f"{held.sustained:.0f}"
    lines = [
        f"{model}: {sustained} accepted posts an hour, {held.asked} asked: {held.light} "
        f"({held.basis})"
    ]
    lines += [f"{item.what:9} {item.state:15} {item.sentence} ({item.basis})" for item in coming]
    rows = [
        {**dataclasses.asdict(item), "at": iso(item.at) if item.at else None} for item in coming
    ]
    answer = {"capacity": dataclasses.asdict(held), "forecasts": rows}
    app.answer(answer, as_json=args.json, text="\n".join(lines))
    return 0


def _written(app: App, text: str, out: Path | None) -> int:
    if out is None:
        app.say(text.rstrip())
    else:
        out.write_text(text, encoding="utf-8")
        app.say(f"{out} is written.")
    return 0


def _export(app: App, args: argparse.Namespace) -> int:
    from engine.lab import export, figures
    from engine.lab.plan import Plan
    from engine.store import bench

    with opened(app.existing(), "ro") as db:
        run = bench.get(db, args.run_id)
        if run is None:
            raise UsageError(f"there is no benchmark run {args.run_id}. `bench list` shows them.")
        cells = figures.cells(Plan.from_dict(run.plan), bench.calls(db, run.id))
    if args.format == "csv":
        app.say(export.run_csv(run, cells))
    else:
        text = export.run_markdown(run, cells)
        app.answer(export.run_json(run, cells), as_json=args.format == "json", text=text)
    return 0


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _numbers(text: str) -> list[int]:
    try:
        return [int(name) for name in _names(text)]
    except ValueError as error:
        raise UsageError(f"{text!r} is not a list of numbers.") from error
