"""``run`` the service and ``demo``: runner and console together, nothing needed."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import os
import socket
import subprocess
import textwrap
from pathlib import Path
from typing import Any

from engine.errors import UsageError
from engine.log import set_up_logging
from engine.posting.lock import HostLock
from engine.service import change
from engine.service.app import App
from engine.service.console import start
from engine.service.fill import Written
from engine.service.signals import stop_on_signals
from engine.store import schedules
from engine.store.database import opened, write_tx

API_ADDRESS = "127.0.0.1:8700"
DEMO_DB = Path("data/demo.db")

DEMO_SETTINGS: dict[str, object] = {
    # a dry run has no public to protect: the demo shows posts going out by themselves
    "autonomy.price": "auto",
    "autonomy.joke": "auto",
    "autonomy.motivation": "auto",
    "autonomy.news": "auto",
    "autonomy.trust_after": 0,
    "posting.min_gap_s": 30,
    "posting.hourly_cap": 60,
    "posting.daily_cap": 300,
    "posting.monthly_budget_usd": 100,
}


def add(commands: Any) -> None:
    """Register this group's commands."""
    run = commands.add_parser("run", help="the service: until Ctrl-C or SIGTERM")
    run.add_argument(
        "--api",
        nargs="?",
        const=API_ADDRESS,
        metavar="HOST:PORT",
        help=f"serve the REST API too ({API_ADDRESS})",
    )
    run.set_defaults(handler=_run, logs=True)
    demo = commands.add_parser("demo", help="runner and console, embedded model, dry run")
    demo.add_argument("--port", type=int, default=8501, help="the console's port (8501)")
    demo.add_argument("--no-console", action="store_true", help="the runner alone")
    demo.set_defaults(handler=_demo)
    console = commands.add_parser("console", help="the console alone, beside a running service")
    console.add_argument("--port", type=int, default=8501, help="its port (8501)")
    console.set_defaults(handler=_console)


def _run(app: App, args: argparse.Namespace) -> int:
    from engine.service.loop import Runner

    address = None if args.api is None else parse_address(args.api)
    with stop_on_signals() as stop:
        HostLock(app.db_path).probe()  # a paused runner may hold the database: say who, do not wait
        app.ready()
        late = Runner(app, stop, api=address).run()
    if late:  # a thread that hangs must not keep the process from ending
        logging.shutdown()
        os._exit(0)
    return 0


def parse_address(text: str) -> tuple[str, int]:
    """``HOST:PORT``, ``[IPv6]:PORT`` or a port alone, which means loopback.

    Raises: UsageError.
    """
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65_535:
        raise UsageError(f"{text!r} is not HOST:PORT. For instance {API_ADDRESS}.")
    return host.strip("[]") or "127.0.0.1", int(port)


def _console(app: App, args: argparse.Namespace) -> int:
    begin = start(app.ready(), args.port)
    os.chdir(begin.folder)
    os.execve(begin.command[0], begin.command, begin.environ)  # noqa: S606  becomes the console


def _demo(app: App, args: argparse.Namespace) -> int:
    from engine.service.loop import Runner

    config = dataclasses.replace(app.config, publisher="dry_run")
    if "BTCBUZZ_DB" not in os.environ:
        config = dataclasses.replace(config, db=DEMO_DB)
    app = dataclasses.replace(app, config=config)
    log = config.log_file or config.db.with_suffix(".log")
    config.db.parent.mkdir(parents=True, exist_ok=True)
    # the terminal is for posts; whoever wants to know more finds everything in the file
    set_up_logging(config.log_level, secrets=config.secrets(), file=log, stderr=False)
    with stop_on_signals() as stop:
        _set_up_demo(app)
        console = None if args.no_console else _start_console(app, args.port)
        try:
            app.say(f"Log:     {log}")
            app.say("Writing the first post … (Ctrl-C ends everything)")
            Runner(app, stop, tell=lambda written: _show(app, written), first="price").run()
        finally:
            if console is not None:
                _end(console)
    app.say("Stopped.")
    return 0


def _set_up_demo(app: App) -> None:
    """A new demo database posts by itself, every quarter of an hour."""
    new = not app.db_path.exists()
    app.ready()
    if not new:
        return
    now = app.clock.now()
    quarters = tuple(f"{hour:02d}:{minute:02d}" for hour in range(24) for minute in (0, 15, 30, 45))
    with opened(app.db_path) as db, write_tx(db):
        change.change_settings(db, DEMO_SETTINGS, actor="demo", now=now)
        for row in schedules.listing(db):
            plan = dataclasses.replace(row.plan, times=quarters)
            change.save_schedule(db, row.id, plan, actor="demo", now=now)


def _start_console(app: App, wanted_port: int) -> subprocess.Popen[bytes]:
    port = _free_port(wanted_port)
    begin = start(app.db_path, port)
    process = subprocess.Popen(  # noqa: S603  our own interpreter and file
        begin.command,
        cwd=begin.folder,
        env=begin.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C reaches us alone; we end it in order
    )
    app.say(f"Console: http://127.0.0.1:{port}")
    return process


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return wanted


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(8)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


def _show(app: App, written: Written) -> None:
    """A draft as the person at the terminal sees it."""
    draft = written.draft
    if written.reason:
        app.say(f"  note: {textwrap.shorten(written.reason, 150, placeholder=' …')}")
    if draft is None or draft.post_id is None:
        app.say("  no post this time")
        return
    indented = draft.text.replace("\n", "\n  ")
    app.say(f"\n  {indented}")
    marks = ", ".join(finding.rule for finding in draft.verdict.findings) or "every check green"
    app.say(
        f"  {draft.content_type} · {draft.verdict.outcome} ({marks}) · {written.state} · "
        f"{draft.model or draft.origin} ({draft.recipe}) · try {draft.attempts} · {draft.seconds:.1f} s"
    )
