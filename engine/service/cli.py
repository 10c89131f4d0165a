"""The command line: one parser, one module of :mod:`engine.service.commands` per group.

Exit codes: 0 good, 1 failed, 2 bad usage (DESIGN, "Names that others rely on").
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
from collections.abc import Mapping, Sequence

from engine import __version__
from engine.errors import BuzzError, UsageError
from engine.log import set_up_logging
from engine.service.app import App
from engine.service.commands import GROUPS
from engine.store.database import explain


class _Parser(argparse.ArgumentParser):
    """Bad usage in one sentence, exit code 2."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError(f"{message}. See `{self.prog} --help`.")


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = _Parser(prog="runner.py", description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--version", action="version", version=f"btcbuzzbot {__version__}")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=_Parser
    )
    for group in GROUPS:
        group.add(commands)
    return parser


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run one command (default: the process's own arguments); answers its exit code."""
    try:
        args = build_parser().parse_args(sys.argv[1:] if argv is None else argv)
        app = App.from_environment(os.environ if environ is None else environ)
        os.umask(0o077)
        set_up_logging(
            app.config.log_level if getattr(args, "logs", False) else "ERROR",
            secrets=app.config.secrets(),
            file=app.config.log_file,
        )
        return int(args.handler(app, args) or 0)
    except BuzzError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except sqlite3.Error as error:
        print(f"error: {explain(app.db_path, error)}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # the reader went away (`| head`); nothing is wrong, but stdout is no use any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
