"""What an operator may change while the bot runs: one registry of keys, types and ranges.

Values live in the table ``settings`` (:mod:`engine.store.settings`) as JSON; a key without a row
has its default. ``python runner.py settings list`` prints this registry.
"""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass
from typing import Any, Literal

from engine.errors import UsageError
from engine.records import CONTENT_TYPES

Kind = Literal["number", "whole", "yes_no", "choice", "text", "object"]

_SECRET_LIKE = re.compile(r"(?i)(secret|password|token|api[_-]?key|bearer)")


@dataclass(frozen=True)
class Setting:
    """One key: its default, kind, allowed range or choices, and a sentence for people."""

    default: Any
    kind: Kind
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()


def _number(default: float, low: float, high: float, help: str) -> Setting:
    return Setting(default, "number", help, low, high)


def _whole(default: int, low: int, high: int, help: str) -> Setting:
    return Setting(default, "whole", help, low, high)


_AUTONOMY = ("draft_only", "approve", "auto")

SETTINGS: dict[str, Setting] = {
    # market
    "market.max_age_s": _number(300, 10, 86_400, "older source data is not used in a snapshot"),
    "market.max_spread_pct": _number(1.5, 0.1, 20, "sources further apart hold the snapshot back"),
    "market.min_sources": _whole(1, 1, 4, "how many price sources a snapshot needs"),
    "market.poll_s": _whole(120, 30, 3_600, "seconds between two reads of the market"),
    "market.keep_days": _whole(
        30, 7, 3_650, "how long snapshots and headlines are kept that nothing rests on"
    ),
    "trend.flat_pct": _number(0.5, 0, 10, "24 h moves smaller than this are called flat"),
    "trend.strong_pct": _number(4.0, 0.5, 50, "24 h moves larger than this are called strong"),
    "events.extra_priority": _whole(
        80, 0, 101, "events from this priority get a post of their own; 101 means none does"
    ),
    "events.level_step_usd": _whole(
        1_000, 100, 100_000, "a price that crosses a multiple of this many dollars is an event"
    ),
    "events.move_1h_pct": _number(2.0, 0.1, 50, "moves of this size in an hour are an event"),
    "events.move_24h_pct": _number(5.0, 0.1, 90, "moves of this size in 24 hours are an event"),
    "events.fear_greed_points": _whole(
        2, 1, 50, "points the index must have moved for a change of its class to be an event"
    ),
    "events.fee_high": _number(60, 1, 10_000, "fast fees from this many sat/vB are an event"),
    "events.milestone_blocks": _whole(
        10_000, 100, 210_000, "block heights divisible by this are an event"
    ),
    "events.halving_step_pct": _whole(
        5, 1, 50, "percent of the way to the next halving between two events"
    ),
    "events.per_day": _whole(
        6, 0, 100, "most events in 24 hours; half of them small ones, records always count"
    ),
    "events.cool_down_factor": _number(
        1.0, 0, 100, "stretches the time for which the same event is not told again"
    ),
    # writing
    "content.mix": Setting(
        {"price": 4, "joke": 1, "motivation": 1, "news": 2},
        "object",
        "how often each content type is written, as ratios",
    ),
    "content.max_attempts": _whole(3, 1, 10, "rejections before a backup post is used"),
    "content.best_of": _whole(1, 1, 8, "candidates written for a post; the best passing one wins"),
    "content.lead_s": _number(
        1_800, 0, 86_400, "how long before its time a post that a person approves is written"
    ),
    "content.max_seconds": _number(60, 1, 600, "time one post may take to write"),
    "content.recipe": Setting(
        "auto", "choice", "how much the model writes", choices=("auto", "menu", "slots", "free")
    ),
    "content.voice_threshold": _number(0.6, 0, 1, "voice scores below this are rejected"),
    "generation.price": Setting({}, "object", "model parameters for price posts"),
    "generation.joke": Setting({}, "object", "model parameters for jokes"),
    "generation.motivation": Setting({}, "object", "model parameters for motivation"),
    "generation.news": Setting({}, "object", "model parameters for news posts"),
    "model.current": Setting("", "text", "model that writes, backend:name; empty: BTCBUZZ_MODEL"),
    "model.keep_alive": Setting("10m", "text", "how long Ollama keeps the model loaded"),
    "model.num_ctx": _whole(4096, 512, 131_072, "context window asked of the server, always one"),
    "model.timeout_s": _number(60, 1, 600, "longest wait for one model call"),
    "breaker.failures": _whole(5, 1, 100, "failures in a row that turn the model off"),
    "breaker.cooling_s": _number(60, 1, 86_400, "first cooling period; doubles each time"),
    "breaker.cooling_max_s": _number(3_600, 1, 86_400, "longest cooling period"),
    # autonomy
    "autonomy.price": Setting("approve", "choice", "who lets price posts out", choices=_AUTONOMY),
    "autonomy.joke": Setting("approve", "choice", "who lets jokes out", choices=_AUTONOMY),
    "autonomy.motivation": Setting(
        "approve", "choice", "who lets motivation out", choices=_AUTONOMY
    ),
    "autonomy.news": Setting("approve", "choice", "who lets news posts out", choices=_AUTONOMY),
    "autonomy.trust_after": _whole(
        5, 0, 100, "approvals in a row a model and template need before auto (on X never below 5)"
    ),
    # posting
    "posting.min_gap_s": _number(900, 0, 86_400, "least time between two posts"),
    "posting.hourly_cap": _whole(4, 0, 100, "most posts in any hour"),
    "posting.daily_cap": _whole(12, 0, 500, "most posts in any 24 hours"),
    "posting.quiet_period_s": _number(
        900, 0, 86_400, "how long an unsure attempt is looked for before it counts as absent"
    ),
    "posting.reconcile_reads": _whole(3, 1, 20, "full reads of the timeline that prove absence"),
    "posting.repost_when_absent": Setting(
        False, "yes_no", "send an absent attempt again instead of holding it for the operator"
    ),
    "posting.slot_grace_s": _number(900, 0, 86_400, "how late a slot may still be filled"),
    "posting.price_slot_grace_s": _number(300, 0, 86_400, "the same for price posts"),
    "posting.max_price_drift_pct": _number(1.0, 0.01, 50, "price move that makes a post stale"),
    "posting.max_snapshot_age_s": _number(3_600, 10, 86_400, "snapshot age that makes it stale"),
    "posting.on_stale": Setting(
        "rerender", "choice", "what a stale price post becomes", choices=("rerender", "expire")
    ),
    "posting.draft_ttl_s": _number(43_200, 60, 2_592_000, "a waiting post expires after this"),
    "posting.attempt_timeout_s": _number(30, 0.1, 300, "longest wait for X's answer"),
    "posting.monthly_budget_usd": _number(5.0, 0, 100_000, "most money per calendar month (UTC)"),
    "posting.cost_post_usd": _number(0.015, 0, 10, "price of a post without a link"),
    "posting.cost_post_url_usd": _number(0.20, 0, 10, "price of a post with a link"),
    "posting.cost_read_usd": _number(0.005, 0, 10, "price of reading one post"),
    "posting.cost_own_read_usd": _number(0.001, 0, 10, "price of reading one own post"),
    "posting.cost_user_read_usd": _number(0.010, 0, 10, "price of reading a user"),
    # learning
    "learning.collect": Setting(True, "yes_no", "read engagement of own posts"),
    "learning.holdout_pct": _number(10, 0, 50, "share of slots kept on templates for ever"),
    "learning.manual_minutes": _number(
        0, 0, 600, "minutes a post took by hand before the bot; 0: nobody measured it"
    ),
    "learning.mix_by_bandit": Setting(False, "yes_no", "let the bandit set the content mix"),
    # lab
    "lab.drift_every_h": _number(24, 0, 8_760, "hours between two drift watches; 0 switches off"),
    # alerts and service
    "alerts.repeat_s": _number(21_600, 60, 604_800, "the same alert is repeated after this"),
    "alerts.slow_response_s": _number(10, 0.1, 600, "slower model answers raise an alert"),
    "alerts.spend_pct": _number(80, 1, 100, "share of the budget that raises an alert"),
    "service.tick_s": _number(1.0, 0.05, 60, "pause between two looks at the clock"),
    "service.heartbeat_stale_s": _number(30, 1, 3_600, "older heartbeats mean: not alive"),
    "service.min_free_mb": _whole(
        200, 1, 1_000_000, "below this free disk space slots are skipped and no backup is made"
    ),
    "api.allow_public": Setting(
        False, "yes_no", "let the API listen beyond this machine (a token must exist, use TLS)"
    ),
    "api.allowed_hosts": Setting("", "text", "names the API answers to beside its own address"),
    "api.rate_per_minute": _whole(6_000, 1, 1_000_000, "requests a token may make in a minute"),
    "api.address_rate_per_minute": _whole(
        12_000, 1, 1_000_000, "requests an address may make in a minute"
    ),
    "api.generate_timeout_s": _number(90, 1, 600, "longest wait of POST generate for its text"),
    "backup.keep": _whole(7, 1, 365, "how many backups are kept"),
}


def check_setting(key: str, value: Any) -> Any:
    """``value`` as it is stored for ``key``.

    Raises: UsageError for an unknown key, a wrong type or a value out of range.
    """
    if key not in SETTINGS:
        near = difflib.get_close_matches(key, SETTINGS, 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        if _SECRET_LIKE.search(key):
            hint = " Secrets belong in the environment, never in the database."
        raise UsageError(f"{key} is not a setting.{hint} `settings list` shows them all.")
    setting = SETTINGS[key]
    if setting.kind in ("number", "whole"):
        return _checked_number(key, setting, value)
    if setting.kind == "yes_no":
        if not isinstance(value, bool):
            raise UsageError(f"{key} takes true or false.")
    elif setting.kind == "choice":
        if value not in setting.choices:
            raise UsageError(f"{key} takes one of {', '.join(setting.choices)}.")
    elif setting.kind == "text":
        if not isinstance(value, str) or len(value) > 1_000:
            raise UsageError(f"{key} takes a text of at most 1,000 characters.")
    elif not isinstance(value, dict):
        raise UsageError(f"{key} takes a JSON object.")
    elif key == "content.mix":
        _check_mix(value)
    return value


def _checked_number(key: str, setting: Setting, value: Any) -> float | int:
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    whole = setting.kind == "whole"
    if not good or (whole and value != int(value)):
        raise UsageError(f"{key} takes a {'whole ' if whole else ''}number.")
    assert setting.low is not None and setting.high is not None  # noqa: S101  by construction
    if not setting.low <= value <= setting.high:
        raise UsageError(f"{key} takes {setting.low:g} to {setting.high:g}, not {value:g}.")
    return int(value) if whole else float(value)


def _check_mix(value: dict[str, Any]) -> None:
    for name, ratio in value.items():
        if name not in CONTENT_TYPES:
            raise UsageError(f"content.mix knows {', '.join(CONTENT_TYPES)}, not {name}.")
        if isinstance(ratio, bool) or not isinstance(ratio, int | float) or not 0 <= ratio <= 1e6:
            raise UsageError(f"content.mix.{name} takes a number from 0.")
    if not any(value.values()):
        raise UsageError("content.mix needs at least one ratio above 0.")
