"""Posts over the recorded market, by the real pipeline and the configured model.

``python -m tests.benchmarks.generations FILE.csv [--count 200] [--seed 7] [--no-model] [--show N]``
spreads the posts over the four types and over all hours of the file and prints one JSON object:
first-try acceptance, distinct texts, rejections by rule, seconds per accepted post. ``--show``
prints that many posts, evenly spread, with their facts, for reading.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.clock import PinnedClock, SystemClock
from engine.config import load_config
from engine.market.news import collect_sample
from engine.market.replay import read_market_csv
from engine.market.replay import snapshots as replayed
from engine.records import CONTENT_TYPES, Snapshot
from engine.service.app import App
from engine.store import news, settings, snapshots
from engine.store.database import opened
from engine.store.generations import listing
from engine.writing.generate import Draft, Order, Writer


def orders(app: App, hours: list[Snapshot], count: int) -> Iterator[tuple[Order, PinnedClock]]:
    """``count`` orders over all hours; news orders get a sample headline each."""
    for index in range(count):
        snapshot = hours[index * len(hours) // count]
        content_type = CONTENT_TYPES[index % len(CONTENT_TYPES)]
        clock = PinnedClock(snapshot.facts.as_of or app.clock.now())
        item = None
        with opened(app.db_path) as db:
            stored = snapshots.insert(db, snapshot, now=clock.now())
            if content_type == "news":
                collect_sample(db, clock, inspect=lambda title: [])
                item = news.next_item(db, clock.now(), 48, world="sample", min_relevance=0)
                if item is None:
                    content_type = "price"
                else:
                    news.claim_item(db, item.id, clock.now())
        yield Order(content_type, stored, news=item), clock


def run(app: App, hours: list[Snapshot], count: int, seed: int, use_model: bool) -> list[Draft]:
    """Write ``count`` posts, each at its own recorded hour."""
    app.ready()
    rng, model = random.Random(seed), app.model()
    drafts = []
    try:
        for order, clock in orders(app, hours, count):
            order = replace(order, use_model=use_model)
            drafts.append(Writer(app.db_path, model, clock, rng).write(order))
            if len(drafts) % 50 == 0:
                print(f"{len(drafts)} of {count}", file=sys.stderr)
    finally:
        model.close()
    return drafts


def figures(app: App, drafts: list[Draft], seconds: float) -> dict[str, Any]:
    """Counts in all and by type; every share with its n."""
    kept = [draft for draft in drafts if draft.post_id is not None]
    with opened(app.db_path, "ro") as db:
        calls = listing(db, limit=100_000)
    rejected = Counter(
        finding["rule"]
        for call in calls
        for finding in call.findings
        if finding["severity"] != "warn"
    )
    by_type = {
        name: {
            "posts": sum(d.content_type == name for d in drafts),
            "first_try": sum(d.content_type == name and _first_try(d) for d in drafts),
            "distinct": len({d.text for d in kept if d.content_type == name}),
        }
        for name in CONTENT_TYPES
    }
    return {
        "posts": len(drafts),
        "stored": len(kept),
        "first_try": sum(_first_try(draft) for draft in drafts),
        "backup": sum(draft.origin == "backup" for draft in drafts),
        "distinct": len({draft.text for draft in kept}),
        "by_type": by_type,
        "rejections_by_rule": dict(rejected.most_common()),
        "seconds_per_accepted": round(seconds / max(1, len(kept)), 3),
        "seconds_median": round(statistics.median(draft.seconds for draft in drafts), 3),
    }


def _first_try(draft: Draft) -> bool:
    return draft.origin == "model" and draft.attempts == 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--no-model", action="store_true", help="backup posts alone, to compare")
    parser.add_argument("--show", type=int, default=0)
    args = parser.parse_args()
    hours = [
        snapshot
        for snapshot in replayed(read_market_csv(args.file), world="replay")
        if snapshot.facts.change_24h_pct is not None
    ]
    with tempfile.TemporaryDirectory() as folder:
        config = load_config({**os.environ, "BTCBUZZ_DB": str(Path(folder) / "bench.db")})
        app = App(config, clock=SystemClock())
        began = time.perf_counter()
        drafts = run(app, hours, args.count, args.seed, not args.no_model)
        answer = figures(app, drafts, time.perf_counter() - began)
        answer |= {"seed": args.seed, "model": None if args.no_model else config.llm}
        answer["voice_threshold"] = _threshold(app)
        for index in range(args.show):
            _show(app, drafts[index * len(drafts) // args.show])
    print(json.dumps(answer, indent=2))


def _threshold(app: App) -> float:
    with opened(app.db_path, "ro") as db:
        return float(settings.get(db, "content.voice_threshold"))


def _show(app: App, draft: Draft) -> None:
    with opened(app.db_path, "ro") as db:
        snapshot = snapshots.get(db, draft.snapshot_id or 0)
    assert snapshot is not None
    known = {k: v for k, v in snapshot.facts.to_dict().items() if v is not None}
    print(f"[{draft.content_type}] {draft.text}\n    {json.dumps(known)}\n")


if __name__ == "__main__":
    main()
