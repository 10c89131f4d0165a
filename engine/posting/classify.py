"""What X's reply to a post means (facts: reliability-and-security §2.3, x-api §2 "Errors").

Only a reply that proves something is taken as proof; everything else is ``unknown``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.posting.publisher import Answer
from engine.posting.x_client import NoReply, Reply, error_words

LONGEST_WAIT = timedelta(hours=24)
SHORTEST_WAIT = timedelta(seconds=5)
USUAL_WAIT = timedelta(minutes=15)

KEYS_REFUSED = "X does not accept the keys (401). Renew them, then resume."

_WINDOWS = ("x-rate-limit", "x-app-limit-24hour", "x-user-limit-24hour")
_AMBIGUOUS_4XX = (408, 409, 425)
_ACCOUNT_GONE = ("suspended", "locked", "deactivated")


def classify(reply: Reply, now: datetime) -> Answer:
    """The meaning of a reply to POST /2/tweets."""
    status = reply.status
    body = json_of(reply.body)
    words = error_words(body)
    said = f"X answered {status}" + (f": {words}" if words else "")
    if 200 <= status < 300:
        x_id = _new_id(body)
        return Answer("posted", x_post_id=x_id) if x_id else Answer("unknown", f"{said}, no id")
    if status >= 500 or status < 400 or status in _AMBIGUOUS_4XX:
        return Answer("unknown", said)
    if status == 429:
        return Answer("wait", said, retry_at=retry_at(reply.headers, now))
    if status == 402:
        trip = "X has no credits left for this account (402). Buy credits, then resume."
        return Answer("wait", said, retry_at=now + USUAL_WAIT, trip=trip)
    if status == 401:
        return Answer("refused", said, trip=KEYS_REFUSED)
    if status == 403:
        low = words.lower()
        if "duplicate content" in low:
            return Answer("unknown", said, duplicate=True)
        if any(word in low for word in _ACCOUNT_GONE):
            trip = f"X has closed the account to posts: {words}. Settle it with X, then resume."
            return Answer("refused", said, trip=trip)
    return Answer("refused", said)


def classify_silence(silence: NoReply) -> Answer:
    """The meaning of no reply: nothing left, or nobody knows."""
    return Answer("unknown" if silence.left else "not_sent", str(silence))


def retry_at(headers: Mapping[str, str], now: datetime) -> datetime:
    """When to call again after a 429: the latest reset among the windows that are used up.

    Without a usable header :data:`USUAL_WAIT`; never less than :data:`SHORTEST_WAIT`, never more
    than :data:`LONGEST_WAIT`.
    """
    used_up, any_reset = [], []
    for window in _WINDOWS:
        reset = _moment(headers.get(f"{window}-reset"))
        if reset is None:
            continue
        any_reset.append(reset)
        if (headers.get(f"{window}-remaining") or "").strip() == "0":
            used_up.append(reset)
    wanted = max(used_up or any_reset, default=now + USUAL_WAIT)
    return min(max(wanted, now + SHORTEST_WAIT), now + LONGEST_WAIT)


def json_of(body: bytes) -> Any:
    """The JSON value of a body, or None."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _new_id(body: Any) -> str | None:
    data = body.get("data") if isinstance(body, dict) else None
    x_id = data.get("id") if isinstance(data, dict) else None
    is_id = isinstance(x_id, str) and x_id.isascii() and x_id.isdecimal() and len(x_id) <= 19
    return x_id if is_id else None


def _moment(text: str | None) -> datetime | None:
    try:
        seconds = float(text or "")
        if not math.isfinite(seconds) or seconds <= 0:
            return None
        return datetime.fromtimestamp(min(seconds, 4e9), UTC)
    except (ValueError, OverflowError, OSError):
        return None
