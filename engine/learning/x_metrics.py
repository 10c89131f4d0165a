"""Reading engagement from X: slices of the account's own timeline, the cheapest read there is.

Facts: x-api §2 ("Pay-per-use price list", "Metrics"). Field names are being renamed there, so both
are read. Private counts come only for posts of the last 30 days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.clock import Clock
from engine.config import Config
from engine.posting.classify import KEYS_REFUSED, json_of, retry_at
from engine.posting.x_client import NoReply, Reply, XClient, error_words
from engine.store.metrics import Counts

PAGE = 100
MOST_PAGES = 5
READ_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Reading:
    """What one question brought. ``complete``: every asked post was shown or is not there.

    ``counts`` by id on X; ``gone`` ids that X says it does not have; ``resources`` is billed.
    """

    complete: bool
    counts: dict[str, Counts] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    resources: int = 0
    reason: str = ""
    retry_at: datetime | None = None
    trip: str | None = None


class XMetrics:
    """Reads counts of one account's posts; from one thread at a time."""

    def __init__(self, config: Config, clock: Clock) -> None:
        """Raises: ConfigError for missing keys."""
        self._client = XClient(config)
        self._clock = clock
        self.account = self._client.user_id

    def slice(self, oldest_id: str, newest_id: str, *, private: bool) -> Reading:
        """Own posts from ``oldest_id`` to ``newest_id``, both included."""
        params = {
            "max_results": str(PAGE),
            "exclude": "retweets,replies",
            "since_id": str(int(oldest_id) - 1),
            "until_id": str(int(newest_id) + 1),
            "tweet.fields": _fields(private),
        }
        counts: dict[str, Counts] = {}
        resources = 0
        for _ in range(MOST_PAGES):
            body = self._get(f"/2/users/{self.account}/tweets", params)
            if isinstance(body, Reading):
                return body
            page = _posts(body)
            resources += len(page)
            counts |= page
            token = _meta(body).get("next_token")
            if not isinstance(token, str):
                return Reading(True, counts, resources=resources)
            params["pagination_token"] = token
        return Reading(False, counts, resources=resources, reason="more pages than are read")

    def lookup(self, ids: Sequence[str]) -> Reading:
        """At most 100 posts by id, and which of them X does not have."""
        params = {"ids": ",".join(ids), "tweet.fields": _fields(False)}
        body = self._get("/2/tweets", params)
        if isinstance(body, Reading):
            return body
        counts = _posts(body)
        errors = body.get("errors")
        gone = {
            str(error.get("resource_id"))
            for error in (errors if isinstance(errors, list) else [])
            if isinstance(error, dict) and str(error.get("type", "")).endswith("resource-not-found")
        }
        return Reading(True, counts, frozenset(gone & set(ids)), len(counts))

    def followers(self) -> int | Reading:
        """How many follow the account, or why that is not known."""
        body = self._get("/2/users/me", {"user.fields": "public_metrics"})
        if isinstance(body, Reading):
            return body
        data = body.get("data")
        metrics = data.get("public_metrics") if isinstance(data, dict) else None
        count = _count(metrics, "followers_count") if isinstance(metrics, dict) else None
        return Reading(False, reason="X gave no count of followers") if count is None else count

    def _get(self, route: str, params: dict[str, str]) -> dict[str, Any] | Reading:
        """The body of a good reply, or a reading that says what was wrong."""
        try:
            reply = self._client.get(route, params, timeout_s=READ_TIMEOUT_S)
        except NoReply as silence:
            return Reading(False, reason=f"no reply: {silence}")
        body = json_of(reply.body)
        if reply.status != 200:
            return self._refused(reply, body)
        if not isinstance(body, dict):
            return Reading(False, reason="X's answer is not a JSON object")
        return body

    def _refused(self, reply: Reply, body: Any) -> Reading:
        reason = f"X answered {reply.status}: {error_words(body)}"
        wait = retry_at(reply.headers, self._clock.now()) if reply.status == 429 else None
        trip = KEYS_REFUSED if reply.status == 401 else None
        return Reading(False, reason=reason, retry_at=wait, trip=trip)


def _fields(private: bool) -> str:
    return "public_metrics" + (",non_public_metrics" if private else "")


def _meta(body: dict[str, Any]) -> dict[str, Any]:
    meta = body.get("meta")
    return meta if isinstance(meta, dict) else {}


def _posts(body: dict[str, Any]) -> dict[str, Counts]:
    """The posts of a page whose public counts are all there."""
    data = body.get("data")
    found = {}
    for item in data if isinstance(data, list) else []:
        counts = _counts(item) if isinstance(item, dict) else None
        if counts is not None:
            found[str(item.get("id"))] = counts
    return found


def _counts(item: dict[str, Any]) -> Counts | None:
    public = item.get("public_metrics")
    if not isinstance(public, dict):
        return None
    private = item.get("non_public_metrics")
    private = private if isinstance(private, dict) else {}
    impressions = _count(public, "impression_count")
    likes = _count(public, "like_count")
    reposts = _count(public, "repost_count", "retweet_count")
    replies = _count(public, "reply_count")
    quotes = _count(public, "quote_count")
    if None in (impressions, likes, reposts, replies, quotes):
        return None
    return Counts(
        impressions or 0, likes or 0, reposts or 0, replies or 0, quotes or 0,
        _count(public, "bookmark_count") or 0,  # the youngest of the counts; older servers lack it
        _count(private, "url_link_clicks"),
        _count(private, "user_profile_clicks"),
    )  # fmt: skip


def _count(values: dict[str, Any], *names: str) -> int | None:
    for name in names:
        value = values.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    return None
