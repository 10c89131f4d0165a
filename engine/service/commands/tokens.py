"""``token create|list|revoke``: who may use the REST API."""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import Any

from engine.service import tokens
from engine.service.app import App
from engine.store import tokens as rows
from engine.store.database import opened


def add(commands: Any) -> None:
    """Register this group's commands."""
    parser = commands.add_parser("token", help="tokens of the REST API")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="a new token, shown this once")
    create.add_argument(
        "--scopes", required=True, help=f"comma separated: {', '.join(tokens.SCOPES)}; or all"
    )
    create.add_argument("--name", default="api", help="who will use it (api)")
    create.add_argument("--days", type=int, help="days until it expires (never)")
    create.set_defaults(handler=_create)
    listing = actions.add_parser("list", help="all tokens, without their secrets")
    listing.set_defaults(handler=_list)
    revoke = actions.add_parser("revoke", help="end a token at once")
    revoke.add_argument("id")
    revoke.set_defaults(handler=_revoke)
    for action in (create, listing, revoke):
        action.add_argument("--json", action="store_true", help="answer in JSON")


def _create(app: App, args: argparse.Namespace) -> None:
    with opened(app.ready()) as db:
        token, text = tokens.create(
            db,
            name=args.name,
            scopes=[part.strip() for part in args.scopes.split(",") if part.strip()],
            actor=app.actor,
            now=app.clock.now(),
            lifetime=None if args.days is None else timedelta(days=args.days),
        )
    row = {"id": token.id, "token": text, "scopes": token.scopes, "expires_at": token.expires_at}
    lines = [text, f"Token {token.id} for {', '.join(token.scopes)}. It is not shown again."]
    app.answer(row, as_json=args.json, text="\n".join(lines))


def _list(app: App, args: argparse.Namespace) -> None:
    now = app.clock.now()
    with opened(app.ready(), "ro") as db:
        found = rows.listing(db)
    shown = [
        {
            "id": token.id,
            "name": token.name,
            "scopes": token.scopes,
            "live": token.is_live(now),
            "created_at": token.created_at,
            "expires_at": token.expires_at,
            "revoked_at": token.revoked_at,
            "last_used_at": token.last_used_at,
        }
        for token in found
    ]
    lines = [
        f"{row['id']}  {'live' if row['live'] else 'dead':4}  {row['name']:20} "
        f"{','.join(token.scopes)}  last used {row['last_used_at'] or 'never'}"
        for row, token in zip(shown, found, strict=True)
    ]
    app.answer(shown, as_json=args.json, text="\n".join(lines) or "There are no tokens.")


def _revoke(app: App, args: argparse.Namespace) -> None:
    with opened(app.ready()) as db:
        tokens.revoke(db, args.id, actor=app.actor, now=app.clock.now())
    app.answer({"id": args.id, "live": False}, as_json=args.json, text=f"Token {args.id} is dead.")
