"""``check`` and ``weigh``: judge a text from standard input."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

from engine.errors import UsageError
from engine.records import CONTENT_TYPES, Facts
from engine.service.app import App

MAX_INPUT = 1_000_000


def add(commands: Any) -> None:
    """Register this group's commands."""
    check = commands.add_parser("check", help="judge a text from standard input against facts")
    check.add_argument("--facts", type=Path, required=True, help="JSON file in the shape of FACTS")
    check.add_argument(
        "--type", choices=CONTENT_TYPES, default="price", help="content type (price)"
    )
    check.add_argument("--json", action="store_true", help="answer in JSON")
    check.set_defaults(handler=_check)
    weigh = commands.add_parser("weigh", help="X's weighted length of standard input")
    weigh.add_argument("--json", action="store_true", help="answer in JSON")
    weigh.set_defaults(handler=_weigh)


def read_facts(path: Path) -> Facts:
    """FACTS from a file.

    Raises: UsageError saying what is wrong with the file.
    """
    try:
        return Facts.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, ValueError) as error:
        raise UsageError(f"{path} is not JSON: {error}.") from error


def read_text(app: App) -> str:
    """Standard input as text, one line end at its end removed.

    Raises: UsageError for bytes that are not UTF-8 or too many of them.
    """
    try:
        text = app.stdin.read(MAX_INPUT + 1)
    except UnicodeDecodeError as error:
        raise UsageError(f"standard input is not UTF-8: {error.reason}.") from error
    if len(text) > MAX_INPUT:
        raise UsageError(f"standard input is longer than {MAX_INPUT:,} characters.")
    return text[:-1] if text.endswith("\n") else text


def _check(app: App, args: argparse.Namespace) -> int:
    from engine.checks.verdict import CheckContext, run_checks
    from engine.checks.voice import load_profile

    facts, text = read_facts(args.facts), read_text(app)
    # judged on its own: no history to repeat, and house style is advice, not a verdict
    verdict = run_checks(text, CheckContext(args.type, facts, load_profile()))
    lines: list[str] = [verdict.outcome]
    lines += [
        f"  {finding.severity} {finding.rule} [{finding.start}:{finding.end}] {finding.message}"
        for finding in verdict.findings
    ]
    app.answer(verdict.to_dict(), as_json=args.json, text="\n".join(lines))
    return 0


def _weigh(app: App, args: argparse.Namespace) -> int:
    from engine.checks.length import weigh

    weight = weigh(read_text(app))
    words = f"{weight.weight} of {weight.limit}" + ("" if weight.valid else ", not valid")
    app.answer(dataclasses.asdict(weight), as_json=args.json, text=words)
    return 0
