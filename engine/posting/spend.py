"""What X costs, and how much and how often may be posted.

Prices and caps are settings (facts: x-api §2, "Pay-per-use price list"). A post's price is
charged when its attempt begins and returned when it is known that X did not take it; an unsure
attempt stays charged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlite_utils import Database

from engine.clock import parse_iso
from engine.store import attempts, spend
from engine.store import settings as stored_settings

MICRO = 1_000_000

# Wider than X's own link finder on purpose: a missed link costs thirteen times the price.
_LINK = re.compile(r"(?i)\bhttps?://\S|\bwww\.\w|\b[a-z0-9][a-z0-9-]*\.[a-z]{2,}\b")
_CASHTAG = re.compile(r"(?<![\w$])\$[A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?(?!\w)")


@dataclass(frozen=True)
class Pause:
    """Posting must wait until then, or (``until`` None) until the setting changes."""

    guard: str  # daily_cap | hourly_cap | min_gap
    reason: str
    until: datetime | None = None


def has_link(text: str) -> bool:
    """Whether X may bill the text as one with a URL; bare domains count."""
    return _LINK.search(text) is not None


def cashtags(text: str) -> list[str]:
    """``$BTC`` and the like; X allows one a post."""
    return _CASHTAG.findall(text)


def cost_of_post(text: str, settings: Mapping[str, Any]) -> float:
    """US dollars for publishing ``text``."""
    key = "posting.cost_post_url_usd" if has_link(text) else "posting.cost_post_usd"
    return float(settings[key])


def month_of(now: datetime) -> tuple[datetime, datetime]:
    """First moments of this calendar month and of the next, UTC."""
    start = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return start, (start + timedelta(days=32)).replace(day=1)


def month_to_date(db: Database, now: datetime, publisher: str | None = None) -> float:
    """US dollars charged since the first of the month; of one publisher, or of all."""
    return spend.total(db, *month_of(now), publisher) / MICRO


def over_budget(
    db: Database, text: str, settings: Mapping[str, Any], now: datetime, publisher: str
) -> str | None:
    """Why ``text`` does not fit into this month's budget, or None if it does."""
    budget = float(settings["posting.monthly_budget_usd"])
    cost = cost_of_post(text, settings)
    spent = spend.total(db, *month_of(now), publisher)
    if spent + round(cost * MICRO) > round(budget * MICRO):
        return (
            f"budget: {spent / MICRO:.3f} of {budget:.2f} USD are spent this month, "
            f"this post costs {cost:.3f}"
        )
    return None


def room_for_another(db: Database, now: datetime, publisher: str) -> str | None:
    """Why not even the cheapest post fits this month's budget; asked before writing one."""
    return over_budget(db, "", stored_settings.get_all(db), now, publisher)


def pause_for(
    db: Database, account: str, settings: Mapping[str, Any], now: datetime
) -> Pause | None:
    """Why the account must wait: minimum gap, then the caps of any hour and any 24 hours."""
    gap = timedelta(seconds=float(settings["posting.min_gap_s"]))
    last = attempts.nth_sent(db, account, 1, now - gap)
    if last:
        return Pause(
            "min_gap", f"{gap.total_seconds():g} s between two posts", parse_iso(last) + gap
        )
    for guard, key, window in (
        ("hourly_cap", "posting.hourly_cap", timedelta(hours=1)),
        ("daily_cap", "posting.daily_cap", timedelta(days=1)),
    ):
        cap = int(settings[key])
        reason = f"{cap} posts in {window.total_seconds() / 3600:g} h"
        if cap == 0:
            return Pause(guard, reason)
        full_since = attempts.nth_sent(db, account, cap, now - window)
        if full_since:
            return Pause(guard, reason, parse_iso(full_since) + window)
    return None


def charge_post(
    db: Database,
    text: str,
    settings: Mapping[str, Any],
    *,
    publisher: str,
    attempt_id: int,
    now: datetime,
) -> None:
    """Charge the price of publishing ``text`` to its attempt."""
    spend.insert(
        db,
        publisher=publisher,
        kind="post_url" if has_link(text) else "post",
        quantity=1,
        usd_micros=round(cost_of_post(text, settings) * MICRO),
        attempt_id=attempt_id,
        now=now,
    )


def return_post(db: Database, attempt_id: int, *, now: datetime) -> None:
    """X did not take the post of this attempt: give its price back."""
    charged = spend.of_attempt(db, attempt_id)
    if charged and charged[1]:
        publisher, micros = charged
        spend.insert(
            db,
            publisher=publisher,
            kind="returned",
            quantity=1,
            usd_micros=-micros,
            attempt_id=attempt_id,
            now=now,
        )


def charge_reads(
    db: Database,
    kind: str,
    quantity: int,
    settings: Mapping[str, Any],
    *,
    publisher: str,
    now: datetime,
    attempt_id: int | None = None,
) -> None:
    """Charge reads: ``kind`` is ``read``, ``own_read`` or ``user_read``."""
    if quantity:
        spend.insert(
            db,
            publisher=publisher,
            kind=kind,
            quantity=quantity,
            usd_micros=round(float(settings[f"posting.cost_{kind}_usd"]) * MICRO) * quantity,
            attempt_id=attempt_id,
            now=now,
        )
