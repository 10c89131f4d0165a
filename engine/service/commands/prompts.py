"""``prompts``: the prompt suite against a blessed baseline; versions promoted and rolled back."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from engine.errors import UsageError
from engine.service import change
from engine.service.app import App
from engine.store.database import opened


def add(commands: Any) -> None:
    """Register this group's commands."""
    prompts = commands.add_parser("prompts", help="test prompts, bless results, promote versions")
    steps = prompts.add_subparsers(
        dest="step", metavar="STEP", required=True, parser_class=type(prompts)
    )
    test = steps.add_parser("test", help="run prompt suites and compare with the baseline")
    test.add_argument("--suite", action="append", help="suite by name or JSON file (all shipped)")
    test.add_argument("--models", help="backend:name, comma separated, not the suite's")
    test.add_argument("--repeats", type=int, help="repeats of each case, not the suite's")
    test.add_argument("--versions", help="Template name@number, comma separated")
    test.add_argument("--label", default="production", help="baseline to compare with")
    test.add_argument("--json", action="store_true", help="answer in JSON")
    test.add_argument("--junit", type=Path, help="also write JUnit XML to this file")
    test.set_defaults(handler=_test)
    bless = steps.add_parser("bless", help="make a run the baseline of its suite")
    bless.add_argument("run_id", type=int)
    bless.add_argument("--label", default="production")
    bless.add_argument("--reason", required=True)
    bless.set_defaults(handler=_bless)
    promote = steps.add_parser("promote", help="put a template version into production")
    promote.add_argument("template", help="the template's name")
    promote.add_argument("number", type=int, help="the version's number")
    promote.add_argument("--reason", required=True)
    promote.add_argument("--run", type=int, help="suite run that speaks for it")
    promote.set_defaults(handler=_promote)
    back = steps.add_parser("rollback", help="production goes back one promotion")
    back.add_argument("template", help="the template's name")
    back.add_argument("--reason", required=True)
    back.set_defaults(handler=_rollback)


def _test(app: App, args: argparse.Namespace) -> int:
    from dataclasses import replace

    from engine.lab import suite as lab
    from engine.lab import suite_report
    from engine.llm.base import Model
    from engine.llm.build import build_backend
    from engine.store import settings

    paths = [lab.find(name) for name in args.suite] if args.suite else lab.shipped()
    suites = [lab.read(path) for path in paths]
    if args.repeats is not None:
        if args.repeats < 1:
            raise UsageError("--repeats takes a count from 1.")
        suites = [replace(item, repeats=args.repeats) for item in suites]
    if args.versions:
        chosen = tuple(name.strip() for name in args.versions.split(",") if name.strip())
        suites = [replace(item, versions=chosen) for item in suites]
    path = app.ready()
    built: dict[str, Model] = {}
    reports = []
    try:
        with opened(path) as db:
            rules = settings.get_all(db)
            for item in suites:
                models = {}
                for name in _models(app, args.models, item.models):
                    if name not in built:
                        built[name] = build_backend(app.config, name=name, settings=rules)
                    models[name] = built[name]
                run_id = lab.run(db, item, models, actor=app.actor, clock=app.clock)
                reports.append(_report(db, item, run_id, args.label))
    finally:
        for model in built.values():
            model.close()
    if args.junit:
        args.junit.write_text(suite_report.to_junit(reports), encoding="utf-8")
    good = all(item.good for item in reports)
    answer = {
        "verdict": _verdict([item.outcome for item in reports]),
        "good": good,
        "label": args.label,
        **{key: sum(item.count(key[2:]) for item in reports) for key in _COUNTS},
        "suites": [suite_report.to_json(item) for item in reports],
    }
    text = "\n".join(suite_report.to_text(item) for item in reports)
    app.answer(answer, as_json=args.json, text=text)
    return 0 if good else 1


_COUNTS = ("n_pass", "n_fail", "n_error")


def _report(db: Any, item: Any, run_id: int, label: str) -> Any:
    from engine.lab import suite_report
    from engine.store import suite as rows

    blessed = rows.baseline(db, item.name, label)
    before = (blessed.run_id, rows.results(db, blessed.run_id)) if blessed else None
    return suite_report.report(item, run_id, rows.results(db, run_id), before)


def _verdict(outcomes: list[str]) -> str:
    return next((name for name in ("fail", "error") if name in outcomes), "pass")


def _models(app: App, asked: str | None, own: tuple[str, ...]) -> list[str]:
    """Names to run: asked for, or the suite's, where ``configured`` is the model in force."""
    names = [name.strip() for name in asked.split(",") if name.strip()] if asked else list(own)
    return list(
        dict.fromkeys(app.model_in_force() if name == "configured" else name for name in names)
    )


def _bless(app: App, args: argparse.Namespace) -> int:
    from engine.store import suite as rows

    with opened(app.existing()) as db:
        done = rows.bless(
            db, args.run_id, args.label, reason=args.reason, actor=app.actor, now=app.clock.now()
        )
    app.say(f"run {done.run_id} is the baseline of {done.suite} under {done.label}.")
    return 0


def _promote(app: App, args: argparse.Namespace) -> int:
    from engine.store import suite as rows
    from engine.store import templates

    with opened(app.existing()) as db:
        if args.run is not None and rows.get(db, args.run) is None:
            raise UsageError(f"suite run {args.run} does not exist: it cannot speak for a version.")
        template = templates.by_name(db, args.template)
        versions = templates.versions(db, template.id) if template else []
        version = next((item for item in versions if item.number == args.number), None)
        if version is None:
            raise UsageError(f"{args.template!r} has no version {args.number}.")
        evidence = None if args.run is None else f"suite run {args.run}"
        change.promote(
            db, version.id, reason=args.reason, actor=app.actor, now=app.clock.now(),
            evidence=evidence,
        )  # fmt: skip
    app.say(f"{args.template} version {args.number} is in production.")
    return 0


def _rollback(app: App, args: argparse.Namespace) -> int:
    from engine.store import templates

    with opened(app.existing()) as db:
        template = templates.by_name(db, args.template)
        if template is None:
            raise UsageError(f"there is no template {args.template!r}.")
        change.roll_back(db, template.id, reason=args.reason, actor=app.actor, now=app.clock.now())
        version = templates.labelled(db, template.id)
    app.say(f"{args.template} is back at version {version.number if version else '?'}.")
    return 0
