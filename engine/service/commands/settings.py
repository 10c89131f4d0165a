"""``settings list|get|set`` and ``migrate``."""

from __future__ import annotations

import argparse
from typing import Any

from engine.service import change
from engine.service.app import App, plain
from engine.settings import SETTINGS
from engine.store import settings
from engine.store.database import opened


def add(commands: Any) -> None:
    """Register this group's commands."""
    parser = commands.add_parser("settings", help="show or change what the operator may change")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = actions.add_parser("list", help="every setting with its value")
    show.set_defaults(handler=_list)
    get = actions.add_parser("get", help="one value")
    get.add_argument("key")
    get.set_defaults(handler=_get)
    put = actions.add_parser("set", help="change one value; the runner sees it at once")
    put.add_argument("key")
    put.add_argument("value")
    put.set_defaults(handler=_set)
    for action in (show, get, put):
        action.add_argument("--json", action="store_true", help="answer in JSON")
    migrate = commands.add_parser("migrate", help="create the database or bring it up to date")
    migrate.add_argument("--json", action="store_true", help="answer in JSON")
    migrate.set_defaults(handler=_migrate)


def _list(app: App, args: argparse.Namespace) -> None:
    with opened(app.ready(), "ro") as db:
        values = settings.get_all(db)
    rows = [
        {"key": key, "value": values[key], "default": setting.default, "help": setting.help}
        for key, setting in SETTINGS.items()
    ]
    lines = [f"{row['key']:32} {plain(row['value']):12}  {row['help']}" for row in rows]
    app.answer(rows, as_json=args.json, text="\n".join(lines))


def _get(app: App, args: argparse.Namespace) -> None:
    with opened(app.ready(), "ro") as db:
        value = settings.get(db, args.key)
    app.answer({"key": args.key, "value": value}, as_json=args.json, text=plain(value))


def _set(app: App, args: argparse.Namespace) -> None:
    wanted = {args.key: settings.parse_value(args.value)}
    with opened(app.ready()) as db:
        change.change_settings(db, wanted, actor=app.actor, now=app.clock.now())
        value = settings.get(db, args.key)
    text = f"{args.key} is now {plain(value)}."
    app.answer({"key": args.key, "value": value}, as_json=args.json, text=text)


def _migrate(app: App, args: argparse.Namespace) -> None:
    path = app.ready()
    app.answer({"db": str(path)}, as_json=args.json, text=f"{path} is up to date.")
