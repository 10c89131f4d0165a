"""``alerts list|ack``: what the operator was told, and what they have dealt with."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from engine.service.alerts import acknowledge
from engine.service.app import App
from engine.store import alerts
from engine.store.database import opened


def add(commands: Any) -> None:
    """Register this group's commands."""
    parser = commands.add_parser("alerts", help="what was told, and what was dealt with")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="alerts that hold now")
    listing.add_argument("--all", action="store_true", help="the last hundred, over or not")
    listing.set_defaults(handler=_list)
    ack = actions.add_parser("ack", help="say that you have dealt with what happened")
    ack.add_argument("id", type=int, help="the alert's id")
    ack.set_defaults(handler=_ack)
    for action in (listing, ack):
        action.add_argument("--json", action="store_true", help="answer in JSON")


def _list(app: App, args: argparse.Namespace) -> None:
    with opened(app.existing(), "ro") as db:
        found = alerts.history(db) if args.all else alerts.open_alerts(db)
    lines = [
        f"{alert.id:>5} {'over' if alert.resolved_at else alert.severity:8} "
        f"{alert.kind:16} since {alert.opened_at}  {alert.message}"
        for alert in found
    ]
    rows = [dataclasses.asdict(alert) for alert in found]
    app.answer(rows, as_json=args.json, text="\n".join(lines) or "No alert holds.")


def _ack(app: App, args: argparse.Namespace) -> None:
    with opened(app.existing()) as db:
        alert = acknowledge(db, args.id, app.actor, app.clock.now())
    row = {"id": alert.id, "kind": alert.kind, "acknowledged_by": app.actor}
    text = f"Alert {alert.id} ({alert.kind}) is dealt with."
    app.answer(row, as_json=args.json, text=text)
