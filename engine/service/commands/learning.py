"""``analyse``: an experiment's table. ``simulate``: what peeking does, and how long a lift takes."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import UsageError
from engine.service.app import App
from engine.store.database import opened

if TYPE_CHECKING:
    from engine.learning.analyse import Comparison

ANSWERED = (
    "pairs", "ratio", "ci_low", "ci_high", "e_value", "p_always_valid", "srm_e_value", "p_better",
    "p_at_least_1_40", "state", "sentence",
)  # fmt: skip
MOST_POSTS = 200_000_000


def add(commands: Any) -> None:
    """Register this group's commands."""
    analyse = commands.add_parser("analyse", help="judge an experiment's table (CSV)")
    analyse.add_argument("file", type=Path, help="columns block_id, arm, posted_at, age_hours, …")
    analyse.add_argument("--json", action="store_true", help="answer in JSON")
    analyse.set_defaults(handler=_analyse)
    simulate = commands.add_parser("simulate", help="how often peeking declares a winner")
    simulate.add_argument("--runs", type=int, default=1000, help="simulated experiments (1000)")
    simulate.add_argument("--days", type=int, default=60, help="days of each (60)")
    simulate.add_argument("--posts-per-day", type=int, default=8, help="posts a day (8)")
    simulate.add_argument("--lift", type=float, default=1.0, help="true ratio; 1.0 is an A/A (1.0)")
    simulate.add_argument("--seed", type=int, default=1, help="seed of the random numbers (1)")
    simulate.add_argument("--json", action="store_true", help="answer in JSON")
    simulate.set_defaults(handler=_simulate)
    engagement = commands.add_parser("engagement", help="take in engagement exported elsewhere")
    engagement.add_argument("do", choices=("import",), help="import a CSV file")
    engagement.add_argument("file", type=Path, help="columns x_post_id, age_hours, impressions, …")
    engagement.add_argument("--json", action="store_true", help="answer in JSON")
    engagement.set_defaults(handler=_import)


def _analyse(app: App, args: argparse.Namespace) -> int:
    from engine.learning.analyse import Posted, compare, compare_all
    from engine.learning.table import read_table

    table = read_table(args.file)
    posted = Posted(table.immature)
    arms = table.arms or ("baseline",)
    if len(arms) == 1:  # one arm alone has nothing to be compared with, which is a state
        results, adjusted = (
            [compare(table.outcomes, arms[0], "(no other arm)", posted=posted)],
            [1.0],
        )
    else:
        results, adjusted = compare_all(table.outcomes, arms, posted=posted)
    rows = [_row(result, p) for result, p in zip(results, adjusted, strict=True)]
    answer = {**rows[0], "comparisons": rows}
    app.answer(answer, as_json=args.json, text="\n".join(row["sentence"] for row in rows))
    return 0


def _row(result: Comparison, adjusted: float) -> dict[str, Any]:
    return {
        **{name: getattr(result, name) for name in ANSWERED},
        "arm": result.arm,
        "baseline": result.baseline,
        "days": result.days,
        "tested_pairs": result.tested,
        "late_posts": result.late,
        "p_holm": adjusted,
        "asymptotic_ci": result.asymptotic,
        "credible_interval": result.credible,
        "lights": dataclasses.asdict(result.lights),
    }


def _simulate(app: App, args: argparse.Namespace) -> int:
    for name, value, least in (
        ("--runs", args.runs, 1), ("--days", args.days, 2),
        ("--posts-per-day", args.posts_per_day, 1), ("--seed", args.seed, 0),
    ):  # fmt: skip
        if value < least:
            raise UsageError(f"{name} takes a whole number from {least}.")
    if not 0.01 <= args.lift <= 100:  # NaN too
        raise UsageError("--lift takes a ratio from 0.01 to 100; 1.0 means no difference.")
    if args.runs * args.days * args.posts_per_day > MOST_POSTS or args.days > 3650:
        raise UsageError(f"That is more than {MOST_POSTS:,} posts. Ask for fewer runs or days.")
    from engine.learning.simulate import simulate

    result = simulate(
        runs=args.runs, days=args.days, posts_per_day=args.posts_per_day, lift=args.lift,
        seed=args.seed,
    )  # fmt: skip
    answer = result.to_dict()
    lines = [
        f"{args.runs} runs, {args.days} days, {args.posts_per_day} posts a day, "
        f"true ratio {args.lift:g}"
    ]
    for name, label in (
        ("ours", "always-valid, after every pair"), ("welch_daily", "Welch test, daily"),
    ):  # fmt: skip
        part = answer[name]
        median = "none" if part["median_days"] is None else f"{part['median_days']:g}"
        lines.append(
            f"  {label:32} a difference declared in {part['verdict_rate']:.1%}, median day {median}"
        )
    app.answer(answer, as_json=args.json, text="\n".join(lines))
    return 0


def _import(app: App, args: argparse.Namespace) -> int:
    from engine.learning.imports import import_metrics

    with opened(app.existing()) as db:
        done = import_metrics(db, args.file, app.clock.now())
    text = (
        f"{done.stored} stored, {done.passed_over} known before or too young, "
        f"{done.unknown} of posts that are not ours"
    )
    app.answer(dataclasses.asdict(done), as_json=args.json, text=text)
    return 0
