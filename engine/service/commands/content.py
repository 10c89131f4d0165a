"""``once``: one post now. ``replay``: the same pipeline over a recorded market."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from engine.clock import PinnedClock
from engine.errors import UsageError
from engine.records import CONTENT_TYPES, Verdict
from engine.service.app import App, plain
from engine.service.commands.texts import read_facts
from engine.service.desk import MarketDesk
from engine.service.fill import Filler, Written
from engine.store import snapshots
from engine.store.database import opened
from engine.writing.generate import Draft, Order, Writer


def add(commands: Any) -> None:
    """Register this group's commands."""
    once = commands.add_parser("once", help="write one post now and hand it to the queue")
    once.add_argument("--type", choices=CONTENT_TYPES, default="price", help="content type (price)")
    once.add_argument("--facts", type=Path, help="JSON file in the shape of FACTS, not the market")
    once.add_argument("--json", action="store_true", help="answer in JSON")
    once.set_defaults(handler=_once)
    replay = commands.add_parser("replay", help="write posts over a recorded market (CSV)")
    replay.add_argument("file", type=Path, help="columns time_utc, price_usd, volume_24h_usd, …")
    replay.add_argument("--types", default=",".join(CONTENT_TYPES), help="content types, in turn")
    replay.add_argument("--every", type=int, default=1, help="use every n-th hour (1)")
    replay.add_argument("--limit", type=int, default=0, help="write at most so many posts (all)")
    replay.add_argument("--posts", action="store_true", help="include every post in the answer")
    replay.add_argument("--json", action="store_true", help="answer in JSON")
    replay.set_defaults(handler=_replay)


def _once(app: App, args: argparse.Namespace) -> int:
    facts = read_facts(args.facts) if args.facts else None
    path = app.ready()
    model = app.model()
    try:
        writer = Writer(path, model, app.clock, app.rng)
        desk = MarketDesk(path, app.config, app.clock)
        filler = Filler(path, writer, desk, app.clock, app.rng, app.config.publisher)
        written = filler.write_now(args.type, facts)
    finally:
        model.close()
    row = _as_json(written, args.type)
    lines = [row["text"] or "(no post)", f"{row['state']}: {row['verdict']}"]
    lines += [f"  {finding['rule']}: {finding['message']}" for finding in row["findings"]]
    lines += [f"  note: {written.reason}"] if written.reason else []
    app.answer(row, as_json=args.json, text="\n".join(lines))
    return 0 if row["post_id"] is not None else 1


def _as_json(written: Written, content_type: str) -> dict[str, Any]:
    """The answer of ``once`` (DESIGN, "Names that others rely on")."""
    draft = written.draft or Draft(
        None, content_type, "", Verdict(), "none", None, None, 0, 0.0, None
    )
    return {
        "post_id": draft.post_id,
        "content_type": draft.content_type,
        "text": draft.text,
        "state": written.state,
        **draft.verdict.to_dict(),
        "verdict": draft.verdict.outcome if draft.post_id is not None else "error",
        "facts": written.facts.to_dict() if written.facts else None,
        "snapshot_id": draft.snapshot_id,
        "model": draft.model,
        "origin": draft.origin,
        "recipe": draft.recipe,
        "attempts": draft.attempts,
        "seconds": round(draft.seconds, 3),
        "reason": written.reason,
    }


def _replay(app: App, args: argparse.Namespace) -> int:
    from engine.market.replay import read_market_csv
    from engine.market.replay import snapshots as replayed

    types = [name.strip() for name in args.types.split(",") if name.strip()]
    unknown = sorted(set(types) - set(CONTENT_TYPES))
    if unknown or not types or args.every < 1 or args.limit < 0:
        raise UsageError(
            f"--types takes {', '.join(CONTENT_TYPES)}; --every and --limit take counts."
        )
    rows = read_market_csv(args.file)
    path = app.ready()
    model = app.model()
    tally: Counter[str] = Counter()
    texts: list[str] = []
    posts: list[dict[str, Any]] = []
    try:
        for index, snapshot in enumerate(list(replayed(rows, world="replay"))[:: args.every]):
            if snapshot.facts.change_24h_pct is None:
                tally["hours_without_24_h_change"] += 1
                continue
            if args.limit and tally["posts"] >= args.limit:
                break
            content_type = types[index % len(types)]
            clock = PinnedClock(snapshot.facts.as_of or app.clock.now())
            with opened(path) as db:
                stored = snapshots.insert(db, snapshot, now=clock.now())
            draft = Writer(path, model, clock, app.rng).write(Order(content_type, stored))
            _count(tally, draft)
            texts += [draft.text] if draft.post_id is not None else []
            if args.posts:
                posts.append(_as_json(Written(draft, "draft", "", stored.facts), content_type))
    finally:
        model.close()
    answer: dict[str, Any] = {**dict(sorted(tally.items())), "distinct": len(set(texts))}
    if args.posts:
        answer["results"] = posts
    lines = [f"{name:28} {plain(value)}" for name, value in answer.items() if name != "results"]
    app.answer(answer, as_json=args.json, text="\n".join([*lines, *_shown(posts)]))
    return 0


def _count(tally: Counter[str], draft: Draft) -> None:
    tally["posts"] += 1
    tally[f"{draft.content_type}"] += 1
    if draft.post_id is None:
        tally["nothing_passed"] += 1
    elif draft.origin == "backup":
        tally["backup"] += 1
    elif draft.attempts == 1:
        tally["accepted_first_try"] += 1
    else:
        tally["accepted_later"] += 1


def _shown(posts: list[dict[str, Any]]) -> list[str]:
    return [f"{post['content_type']:10} {post['text']}" for post in posts]
