"""``queue list|show|approve|reject``, ``stop`` and ``resume``."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from engine.errors import UsageError
from engine.posting import killswitch, queue
from engine.posting.states import STATES
from engine.service import clockwatch
from engine.service.app import App, plain
from engine.store import generations, posts, snapshots
from engine.store.database import opened
from engine.store.posts import Post


def add(commands: Any) -> None:
    """Register this group's commands."""
    parser = commands.add_parser("queue", help="the approval queue")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="posts, newest first")
    listing.add_argument("--state", choices=sorted(STATES), help="only this state")
    listing.add_argument("--limit", type=_count, default=100, help="at most so many (100)")
    listing.set_defaults(handler=_list)
    show = actions.add_parser("show", help="one post with all that is known of it")
    show.set_defaults(handler=_show)
    approve = actions.add_parser("approve", help="say yes to exactly this text")
    approve.add_argument("--revision", type=int, help="the revision that you read (the newest)")
    approve.set_defaults(handler=_approve)
    reject = actions.add_parser("reject", help="say no, with a reason")
    reject.add_argument("--reason", required=True, help="why; the next draft learns from it")
    reject.add_argument("--revision", type=int, help="the revision that you read (the newest)")
    reject.set_defaults(handler=_reject)
    for action in (show, approve, reject):
        action.add_argument("id", type=int, help="the post's id")
    stop = commands.add_parser("stop", help="stop posting at once (kill switch)")
    stop.add_argument("--reason", default="stopped by the operator", help="what to remember")
    stop.set_defaults(handler=_stop)
    resume = commands.add_parser("resume", help="let posting go on")
    resume.add_argument("--yes", action="store_true", help="confirm without being asked")
    resume.set_defaults(handler=_resume)
    for action in (listing, show, approve, reject, stop, resume):
        action.add_argument("--json", action="store_true", help="answer in JSON")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("give a number from 1 on")
    return number


def brief(post: Post) -> dict[str, Any]:
    """A post as ``queue list`` shows it (DESIGN, "Names that others rely on")."""
    return {
        "id": post.id,
        "revision": post.revision,
        "state": post.state,
        "content_type": post.content_type,
        "text": post.text,
        "scheduled_for": post.scheduled_for,
        "x_post_id": post.x_post_id,
        "verdict": post.verdict,
        "world": post.world,
        "reason": post.state_reason,
    }


def _list(app: App, args: argparse.Namespace) -> None:
    with opened(app.ready(), "ro") as db:
        rows = [brief(post) for post in posts.listing(db, state=args.state, limit=args.limit)]
    lines = [
        f"{row['id']:>5} r{row['revision']:<2} {row['state']:17} {row['content_type']:10} {row['text']}"
        for row in rows
    ]
    app.answer(rows, as_json=args.json, text="\n".join(lines) or "The queue is empty.")


def _show(app: App, args: argparse.Namespace) -> None:
    with opened(app.ready(), "ro") as db:
        post = posts.need(db, args.id)
        calls = generations.of_post(db, post.id)
        snapshot = snapshots.get(db, post.snapshot_id) if post.snapshot_id else None
    row = {
        **dataclasses.asdict(post),
        "facts": snapshot.facts.to_dict() if snapshot else None,
        "generations": [dataclasses.asdict(call) for call in calls],
    }
    lines = [f"{key:20} {plain(value)}" for key, value in dataclasses.asdict(post).items()]
    app.answer(row, as_json=args.json, text="\n".join(lines))


def _approve(app: App, args: argparse.Namespace) -> None:
    with opened(app.ready()) as db:
        revision = args.revision or posts.need(db, args.id).revision
        post = queue.approve(db, args.id, revision=revision, actor=app.actor, now=app.clock.now())
    text = f"Post {post.id} is {post.state}, revision {post.revision}: {post.text}"
    app.answer(brief(post), as_json=args.json, text=text)


def _reject(app: App, args: argparse.Namespace) -> None:
    with opened(app.ready()) as db:
        revision = args.revision or posts.need(db, args.id).revision
        post = queue.reject(
            db, args.id, revision=revision, reason=args.reason, actor=app.actor, now=app.clock.now()
        )
    app.answer(brief(post), as_json=args.json, text=f"Post {post.id} is {post.state}.")


def _stop(app: App, args: argparse.Namespace) -> None:
    path = app.db_path if app.db_path.exists() else app.ready()  # a damaged one must not delay it
    killswitch.stop(path, actor=app.actor, reason=args.reason, now=app.clock.now())
    text = "Posting is stopped. `runner.py resume` lets it go on."
    app.answer({"kill_switch": True, "reason": args.reason}, as_json=args.json, text=text)


def _resume(app: App, args: argparse.Namespace) -> None:
    word = killswitch.CONFIRM
    if not args.yes:
        if not app.stdin.isatty():
            raise UsageError("resume asks for a confirmation: add --yes where nobody can answer.")
        app.say(f"Type {word} to let posting go on:")
        word = app.stdin.readline().strip()
    killswitch.resume(app.ready(), actor=app.actor, confirm=word, now=app.clock.now())
    clockwatch.confirm(app.db_path, app.clock)
    app.answer({"kill_switch": False}, as_json=args.json, text="Posting goes on.")
