"""Posts over the recorded market, by the real pipeline and the configured model.

``python -m tests.benchmarks.generations FILE.csv [--count 250] [--seeds 31,32,33,34]
[--mix even|shipped] [--no-model] [--out POSTS.jsonl]`` spreads ``count`` orders over all hours of
the file, once for each seed, each time into a new database, and prints one JSON object. An order
is what a slot would be; nothing is stretched: 250 orders over 740 hours are 8 a day. Headlines are
made up (tests/benchmarks/headlines.py) and appear over the same hours. ``--out`` keeps every post
with its facts, for reading.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from engine.clock import PinnedClock, SystemClock
from engine.config import load_config
from engine.market.replay import read_market_csv
from engine.market.replay import snapshots as replayed
from engine.market.sentiment import relevance, sentiment
from engine.records import CONTENT_TYPES, Facts, Snapshot
from engine.service.app import App
from engine.service.fill import NEWS_MAX_AGE_H
from engine.store import news, snapshots
from engine.store.database import opened
from engine.store.generations import StoredCall, listing
from engine.writing.generate import Draft, Order, Writer
from engine.writing.quoting import quotable
from tests.benchmarks.headlines import titles

MIXES = {
    "even": CONTENT_TYPES,
    # the ratios of the setting content.mix as shipped
    "shipped": ("price", "news", "price", "joke", "price", "news", "price", "motivation"),
}


@dataclass(frozen=True)
class Written:
    """One order and what became of it; without a draft ``reason`` says why nobody was asked."""

    content_type: str
    facts: Facts
    draft: Draft | None
    reason: str = ""


class Feed:
    """Headlines that appear one after another over the recorded hours."""

    def __init__(self, rng: random.Random, start: datetime, end: datetime) -> None:
        drawn = titles(rng)
        step = (end - start) / len(drawn)
        self._waiting = [
            news.NewItem(
                link_sha256=hashlib.sha256(title.encode()).hexdigest(),
                world="replay",
                title=title,
                source=source,
                url=None,
                published_at=start + step * number,
                relevance=relevance(title),
                sentiment_lexicon=sentiment(title),
            )
            for number, (title, source) in enumerate(drawn)
        ]

    def next(self, db: Database, facts: Facts, now: datetime) -> news.NewsItem | None:
        """The item that the runner would choose, ours alone from now on."""
        while self._waiting and self._waiting[0].published_at <= now:
            news.insert(db, self._waiting.pop(0), now=now)
        item = news.next_item(
            db,
            now,
            NEWS_MAX_AGE_H,
            world="replay",
            fits=lambda item: quotable(db, item, facts, now),
        )
        if item is not None:
            news.claim_item(db, item.id, now)
        return item


def run(
    app: App, hours: list[Snapshot], count: int, seed: int, mix: str, use_model: bool
) -> Iterator[Written]:
    """``count`` orders over the hours, one after another."""
    app.ready()
    rng, model = random.Random(seed), app.model()
    times = [snapshot.facts.as_of or app.clock.now() for snapshot in hours]
    feed = Feed(rng, times[0], times[-1])
    types = MIXES[mix]
    try:
        for index in range(count):
            place = index * len(hours) // count
            minutes = 60 * (index * len(hours) / count - place)
            clock = PinnedClock(times[place] + timedelta(minutes=minutes))
            content_type, item = types[index % len(types)], None
            writer = Writer(app.db_path, model, clock, rng)
            with opened(app.db_path) as db:
                stored = snapshots.insert(db, hours[place], now=clock.now())
                if content_type == "news":
                    item = feed.next(db, stored.facts, clock.now())
            if content_type == "news" and item is None:
                yield Written("news", stored.facts, None, "no fresh headline that may be quoted")
                continue
            if item is not None and use_model:
                item = writer.read_mood(item)
            draft = writer.write(Order(content_type, stored, news=item, use_model=use_model))
            yield Written(content_type, stored.facts, draft, draft.reason)
    finally:
        model.close()


def figures(orders: list[Written], calls: list[StoredCall]) -> dict[str, Any]:
    """Counts in all and by type; every share with its n."""
    rejected = Counter(rule for call in calls for rule in set(_rules(call)))
    firsts = [call for call in calls if call.candidate == 1 and call.purpose == "post"]
    return {
        **_counts(orders),
        "by_type": {
            name: _counts([order for order in orders if order.content_type == name])
            for name in CONTENT_TYPES
        },
        "rejections_by_rule": dict(rejected.most_common()),
        "first_candidates": len(firsts),
        "under_the_limit_at_first_try": sum(
            not any(rule.startswith("length.") for rule in _rules(call)) for call in firsts
        ),
        "on_voice_at_first_try": sum(
            not any(rule.startswith("voice.") for rule in _rules(call)) for call in firsts
        ),
        "skipped_because": dict(
            Counter(
                order.reason for order in orders if order.draft is None or not order.draft.post_id
            )
        ),
    }


def _counts(orders: list[Written]) -> dict[str, Any]:
    """``asked``: orders for which a model was called; others had nothing new to choose from, or
    were to be written without one."""
    drafts = [order.draft for order in orders if order.draft is not None]
    kept = [draft for draft in drafts if draft.post_id is not None]
    asked = [draft for draft in drafts if draft.attempts]
    return {
        "orders": len(orders),
        "asked": len(asked),
        "first_try": sum(draft.origin == "model" and draft.attempts == 1 for draft in asked),
        "by_model": sum(draft.origin == "model" for draft in asked),
        "rejected_in_the_end": sum(draft.origin != "model" for draft in asked),
        "backup": sum(draft.origin == "backup" for draft in kept),
        "stored": len(kept),
        "skipped": len(orders) - len(kept),
        "distinct": len({draft.text for draft in kept}),
    }


def _rules(call: StoredCall) -> list[str]:
    return [finding["rule"] for finding in call.findings if finding["severity"] != "warn"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--count", type=int, default=250, help="orders for each seed")
    parser.add_argument("--seeds", default="31,32,33,34")
    parser.add_argument("--mix", choices=MIXES, default="even")
    parser.add_argument("--no-model", action="store_true", help="backup posts alone, to compare")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    hours = [
        snapshot
        for snapshot in replayed(read_market_csv(args.file), world="replay")
        if snapshot.facts.change_24h_pct is not None
    ]
    orders: list[Written] = []
    calls: list[StoredCall] = []
    began = time.perf_counter()
    for seed in map(int, args.seeds.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            config = load_config({**os.environ, "BTCBUZZ_DB": str(Path(folder) / "bench.db")})
            app = App(config, clock=SystemClock())
            for written in run(app, hours, args.count, seed, args.mix, not args.no_model):
                orders.append(written)
                _keep(args.out, seed, written)
                if len(orders) % 50 == 0:
                    print(len(orders), file=sys.stderr, flush=True)
            with opened(app.db_path, "ro") as db:
                calls += listing(db, limit=100_000)
    took = [order.draft.seconds for order in orders if order.draft]
    answer = figures(orders, calls) | {
        "mix": args.mix,
        "orders_a_day": round(args.count / (len(hours) / 24), 1),
        "seeds": args.seeds,
        "model": None if args.no_model else config.llm,
        "seconds_median": round(statistics.median(took), 3),
        "seconds_in_all": round(time.perf_counter() - began),
    }
    print(json.dumps(answer, indent=2))


def _keep(out: Path | None, seed: int, written: Written) -> None:
    if out is None or written.draft is None:
        return
    known = {k: v for k, v in written.facts.to_dict().items() if v is not None}
    row = {
        "seed": seed,
        "type": written.content_type,
        "origin": written.draft.origin,
        "attempts": written.draft.attempts,
        "text": written.draft.text,
        "facts": known,
    }
    with out.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
