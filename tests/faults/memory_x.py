"""An X in memory for the stateful model: no HTTP, so that a run takes milliseconds."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.clock import FakeClock
from engine.errors import PostingStopped
from engine.posting.publisher import Answer, SeenPost, TimelineRead
from engine.posting.x import id_at, time_of


class Crash(BaseException):
    """The process is gone."""


@dataclass
class Taken:
    """A post on this X."""

    x_id: str
    text: str
    at: datetime


class MemoryX:
    """X as the publisher shows it: takes a text or not, answers this or that, shows it later."""

    name = "x"
    account = "42"
    public = True
    lags = True

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.list: list[Taken] = []
        self.sends = 0
        self.taking, self.answer, self.crash = True, "posted", ""
        self.lag_s, self.reads = 0.0, "whole"
        self._ids = itertools.count()

    def publish(self, text: str, *, timeout_s: float, before_send: Callable[[], None]) -> Answer:
        try:
            before_send()
        except PostingStopped as stop:
            return Answer("not_sent", str(stop))
        self._die("before")
        if self.answer == "not_sent":
            return Answer("not_sent", "refused")
        self.sends += 1
        x_id = None
        if self.taking and self.answer in ("posted", "unknown"):
            now = self._clock.now()
            x_id = str(id_at(now) + next(self._ids))
            self.list.append(Taken(x_id, text, now))
        self._die("after")
        self._clock.advance(0.2)
        if self.answer == "posted" and x_id:
            return Answer("posted", x_post_id=x_id)
        if self.answer == "wait":
            return Answer("wait", "429", retry_at=self._clock.now() + timedelta(minutes=5))
        if self.answer == "refused":
            return Answer("refused", "400")
        if self.answer == "trip":
            return Answer("refused", "401", trip="keys")
        return Answer("unknown", "silence")

    def timeline(self, *, newest_known_id: str | None, since: datetime | None) -> TimelineRead:
        if self.reads == "broken":
            return TimelineRead(False, reason="500")
        now = self._clock.now()
        shown = [post for post in self.list if post.at + timedelta(seconds=self.lag_s) <= now]
        starts = [int(newest_known_id)] if newest_known_id else []
        after = min([*starts, *([id_at(since)] if since else [])], default=0)
        shown = [post for post in shown if int(post.x_id) >= after]
        seen = tuple(SeenPost(post.x_id, post.text, post.at) for post in reversed(shown))
        return TimelineRead(True, seen, len(seen))

    def created_at(self, x_post_id: str) -> datetime | None:
        return time_of(x_post_id)

    def _die(self, where: str) -> None:
        if self.crash == where:
            self.crash = ""
            raise Crash
