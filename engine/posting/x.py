"""The publisher that posts to X, and reads the account's own timeline back."""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.clock import Clock, SystemClock
from engine.config import Config
from engine.errors import PostingStopped
from engine.posting.classify import KEYS_REFUSED, classify, classify_silence, json_of, retry_at
from engine.posting.publisher import Answer, SeenPost, TimelineRead
from engine.posting.x_client import NoReply, Reply, XClient, error_words

EPOCH_MS = 1_288_834_974_657
"""X's ids count milliseconds from here, in bits 22 and up (facts: reliability §2.4)."""

PAGE = 100
MOST_PAGES = 32
"""X shows the newest 3,200 posts of an account (facts: x-api)."""

READ_TIMEOUT_S = 20.0


class XPublisher:
    """Posts to the account that the keys belong to."""

    name = "x"
    lags = True

    def __init__(self, config: Config, clock: Clock | None = None) -> None:
        """Raises: ConfigError for missing keys."""
        self._client = XClient(config)
        self._clock = clock or SystemClock()
        self.account = self._client.user_id
        self.public = config.public

    def publish(self, text: str, *, timeout_s: float, before_send: Callable[[], None]) -> Answer:
        try:
            reply = self._client.post(text, timeout_s=timeout_s, before_send=before_send)
        except PostingStopped as stop:
            return Answer("not_sent", str(stop))
        except NoReply as silence:
            return classify_silence(silence)
        return classify(reply, self._clock.now())

    def timeline(self, *, newest_known_id: str | None, since: datetime | None) -> TimelineRead:
        params = {
            "max_results": str(PAGE),
            "exclude": "retweets,replies",
            "tweet.fields": "created_at,entities",
        }
        after = _since_id(newest_known_id, since)
        if after is not None:
            params["since_id"] = str(after)
        posts: list[SeenPost] = []
        resources = 0
        for _ in range(MOST_PAGES):
            page = self._page(params)
            posts += page.posts
            resources += page.resources
            if not page.complete:
                return TimelineRead(
                    False, tuple(posts), resources, page.reason, page.retry_at, page.trip
                )
            if not page.reason or after is None:
                return TimelineRead(True, tuple(posts), resources)
            params["pagination_token"] = page.reason
        return TimelineRead(False, tuple(posts), resources, "more pages than are read")

    def created_at(self, x_post_id: str) -> datetime | None:
        return time_of(x_post_id)

    def _page(self, params: dict[str, str]) -> TimelineRead:
        """One page; ``reason`` of a complete one is the token of the next page."""
        route = f"/2/users/{self.account}/tweets"
        try:
            reply = self._client.get(route, params, timeout_s=READ_TIMEOUT_S)
        except NoReply as silence:
            return TimelineRead(False, reason=f"no reply: {silence}")
        if reply.status != 200:
            return self._no_page(reply)
        body = json_of(reply.body)
        posts = _posts(body)
        if posts is None:
            return TimelineRead(False, reason="X's answer is not a whole page")
        return TimelineRead(True, posts, len(posts), str(body["meta"].get("next_token") or ""))

    def _no_page(self, reply: Reply) -> TimelineRead:
        reason = f"X answered {reply.status}: {error_words(json_of(reply.body))}"
        if reply.status == 429:
            return TimelineRead(
                False, reason=reason, retry_at=retry_at(reply.headers, self._clock.now())
            )
        if reply.status == 401:
            return TimelineRead(False, reason=reason, trip=KEYS_REFUSED)
        return TimelineRead(False, reason=reason)


def time_of(x_post_id: str) -> datetime | None:
    """X's time of making a post, read from its id; None if it is not such an id."""
    if not x_post_id.isdecimal() or int(x_post_id) >= 1 << 63:
        return None
    return datetime.fromtimestamp(0, UTC) + timedelta(
        milliseconds=(int(x_post_id) >> 22) + EPOCH_MS
    )


def id_at(moment: datetime) -> int:
    """The smallest id X gives at that moment."""
    ms = int(moment.timestamp() * 1000)
    return max(ms - EPOCH_MS, 0) << 22


def _since_id(newest_known_id: str | None, since: datetime | None) -> int | None:
    """X's ``since_id`` excludes itself: one less, so that the known post is shown again."""
    ids = []
    if newest_known_id is not None:
        ids.append(int(newest_known_id) - 1)
    if since is not None:
        ids.append(id_at(since))
    return max(min(ids), 1) if ids else None


def _posts(body: Any) -> tuple[SeenPost, ...] | None:
    """The posts of a page, or None where the page is not whole."""
    if not isinstance(body, dict) or body.get("errors"):
        return None
    meta, data = body.get("meta"), body.get("data", [])
    if not isinstance(meta, dict) or not isinstance(data, list):
        return None
    if meta.get("result_count") != len(data):
        return None
    posts = []
    for item in data:
        x_id = item.get("id") if isinstance(item, dict) else None
        moment = time_of(x_id) if isinstance(x_id, str) else None
        if moment is None or not isinstance(item.get("text"), str):
            return None
        posts.append(SeenPost(str(x_id), plain_text(item), moment))
    return tuple(posts)


def plain_text(item: dict[str, Any]) -> str:
    """The text as it was sent: t.co links expanded, HTML entities undone."""
    text = str(item["text"])
    entities = item.get("entities")
    urls = entities.get("urls") if isinstance(entities, dict) else None
    for url in urls if isinstance(urls, list) else []:
        short, long = (
            (url.get("url"), url.get("expanded_url")) if isinstance(url, dict) else ("", "")
        )
        if short and long:
            text = text.replace(str(short), str(long))
    return html.unescape(text)
