"""Whether a post that speaks of the price still tells the truth."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.records import Snapshot
from engine.store.posts import Post

_DOLLARS = re.compile(r"\$\s?\d")


@dataclass(frozen=True)
class Freshness:
    """``stale`` with a reason, or fresh with none."""

    stale: bool
    reason: str = ""


FRESH = Freshness(False)


def judge(
    post: Post,
    snapshot: Snapshot | None,
    latest: Snapshot | None,
    settings: Mapping[str, Any],
    now: datetime,
) -> Freshness:
    """Judge ``post`` by the snapshot that proved it and the latest one of the same world.

    Only a price post can go stale, or another one with a dollar amount that a snapshot proved.
    """
    if post.content_type != "price" and not (snapshot and _DOLLARS.search(post.text)):
        return FRESH
    if snapshot is None or snapshot.facts.as_of is None or not snapshot.facts.price_usd:
        return Freshness(True, "no stored snapshot proves its numbers")
    age = (now - snapshot.facts.as_of).total_seconds()
    oldest = float(settings["posting.max_snapshot_age_s"])
    if age > oldest:
        return Freshness(True, f"its snapshot is {age / 60:.0f} min old, allowed {oldest / 60:.0f}")
    if latest is not None and latest.facts.price_usd:
        drift = abs(latest.facts.price_usd / snapshot.facts.price_usd - 1) * 100
        most = float(settings["posting.max_price_drift_pct"])
        if drift > most:
            return Freshness(True, f"the price moved {drift:.2f} %, allowed {most:g} %")
    return FRESH
