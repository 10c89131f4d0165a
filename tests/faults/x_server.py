"""A loopback X: accepts posts, shows timelines, checks signatures, and fails on demand.

Its log is an append-only file of JSON lines outside the bot's database: the oracle of every fault
test (facts: reliability-and-security §3). ``accepted`` is written before the reply is begun.

Run by itself: ``python -m tests.faults.x_server --port 8099 --log /tmp/x.jsonl``.
"""

from __future__ import annotations

import argparse
import contextlib
import html
import json
import os
import re
import socket
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.faults import oauth

EPOCH_MS = 1_288_834_974_657
USER = "4242"
KEYS = {
    "X_API_KEY": "consumer-key-for-tests",
    "X_API_SECRET": "consumer-secret-for-tests",
    "X_ACCESS_TOKEN": f"{USER}-access-token-for-tests",
    "X_ACCESS_TOKEN_SECRET": "access-token-secret-for-tests",
}


@dataclass(frozen=True)
class Act:
    """What the server does with one call.

    ``accept``: whether a post is taken. ``how`` ends the call: ``reply`` (status, headers, body;
    201 and the new id unless told otherwise), ``drop`` the connection, ``stall`` until the server
    closes, ``drip`` a byte now and then, ``truncate`` the body, ``slow`` reply after ``delay_s``.
    """

    accept: bool = True
    how: str = "reply"
    status: int | None = None
    body: Any = None  # JSON value, or bytes as they are
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0


def problem(status: int, title: str, detail: str, kind: str = "about:blank", **headers: str) -> Act:
    """A refusal in X's shape; nothing is accepted."""
    body = {"title": title, "detail": detail, "type": kind, "status": status}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Act(accept=False, status=status, body=body, headers=named)


DUPLICATE = problem(
    403, "Forbidden", "You are not allowed to create a Tweet with duplicate content."
)


@dataclass
class Stored:
    """A post on this X."""

    id: str
    text: str
    at: datetime
    seen_from: datetime
    metrics: dict[str, int] = field(default_factory=dict)


class XServer:
    """Start with ``with``; program with :meth:`next_post` and :meth:`next_read`."""

    def __init__(
        self,
        log: Path,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        refuse_duplicates: bool = False,
        lag_s: float = 0.0,
        port: int = 0,
    ) -> None:
        self.log = log
        self.now = now
        self.refuse_duplicates = refuse_duplicates
        self.lag_s = lag_s
        self.frozen: list[str] | None = None
        self.posts: list[Stored] = []
        self.closing = threading.Event()
        self._post_acts: deque[Act] = deque()
        self._read_acts: deque[Act] = deque()
        self.choose: Callable[[], Act] = Act  # for posts with nothing programmed
        self.hook: Callable[[str], None] = lambda stage: None  # received, accepted, replied
        self._guard = threading.Lock()
        self._sequence = 0
        self._file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        handler = type("Handler", (_Handler,), {"x": self})
        self._http = _Server(("127.0.0.1", port), handler)
        self.port = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> XServer:
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
        os.close(self._file)

    def wrap(self, context: ssl.SSLContext) -> None:
        """From now on speak TLS."""
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.port}"

    # -- programming -------------------------------------------------------------------------

    def next_post(self, *acts: Act) -> None:
        """What to do with the next calls to post, in order; after them, plain acceptance."""
        self._post_acts.extend(acts)

    def next_read(self, *acts: Act) -> None:
        """What to do with the next timeline reads."""
        self._read_acts.extend(acts)

    def forget(self) -> None:
        """Drop what was programmed and not yet used."""
        self._post_acts.clear()
        self._read_acts.clear()

    def freeze(self) -> None:
        """From now on timelines show only what they show now (a stale page)."""
        self.frozen = [post.id for post in self._visible()]

    def thaw(self) -> None:
        self.frozen = None

    def seed(self, text: str, at: datetime) -> str:
        """A post that was there before: made by hand or by an older life of the bot."""
        with self._guard:
            return self._store(text, at).id

    # -- the oracle --------------------------------------------------------------------------

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The log, read back from its file."""
        lines = [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]
        return [line for line in lines if kind is None or line["event"] == kind]

    def accepted(self) -> list[str]:
        """Texts accepted so far, in order, by the log."""
        return [line["text"] for line in self.events("accepted")]

    # -- inside ------------------------------------------------------------------------------

    def write(self, event: str, **data: Any) -> None:
        line = {"event": event, "boottime": time.clock_gettime(time.CLOCK_BOOTTIME), **data}
        os.write(self._file, json.dumps(line, ensure_ascii=False).encode() + b"\n")

    def take(self, reads: bool) -> Act:
        with self._guard:
            queue = self._read_acts if reads else self._post_acts
            if queue:
                return queue.popleft()
            return Act() if reads else self.choose()

    def accept(self, text: str) -> Stored:
        with self._guard:
            stored = self._store(text, self.now())
            self.write("accepted", id=stored.id, text=text)
            return stored

    def is_duplicate(self, text: str) -> bool:
        return self.refuse_duplicates and any(post.text == text for post in self.posts)

    def _store(self, text: str, at: datetime) -> Stored:
        self._sequence += 1
        ms = int(at.timestamp() * 1000) - EPOCH_MS
        stored = Stored(
            str((ms << 22) | (self._sequence & 0x3FFFFF)),
            text,
            at,
            at + timedelta(seconds=self.lag_s),
        )
        self.posts.append(stored)
        return stored

    def _visible(self) -> list[Stored]:
        now = self.now()
        shown = [post for post in self.posts if post.seen_from <= now]
        if self.frozen is not None:
            shown = [post for post in shown if post.id in self.frozen]
        return sorted(shown, key=lambda post: int(post.id), reverse=True)

    def timeline(self, query: dict[str, str]) -> dict[str, Any]:
        since, until = int(query.get("since_id", "0")), int(query.get("until_id", 1 << 63))
        shown = [post for post in self._visible() if since < int(post.id) < until]
        start = int(query.get("pagination_token", "0"))
        size = int(query.get("max_results", "10"))
        page = shown[start : start + size]
        meta: dict[str, Any] = {"result_count": len(page)}
        if start + size < len(shown):
            meta["next_token"] = str(start + size)
        body: dict[str, Any] = {"meta": meta}
        if page:
            body["data"] = [self.show(post, query) for post in page]
        return body

    def show(self, post: Stored, query: dict[str, str]) -> dict[str, Any]:
        text, urls = _shortened(post.text)
        item: dict[str, Any] = {
            "id": post.id,
            "text": text,
            "created_at": f"{post.at:%Y-%m-%dT%H:%M:%S}.000Z",
            "edit_history_tweet_ids": [post.id],
        }
        fields = query.get("tweet.fields", "")
        if urls and "entities" in fields:
            item["entities"] = {"urls": urls}
        if "public_metrics" in fields:
            item["public_metrics"] = {
                "retweet_count": 0,
                "reply_count": 0,
                "like_count": 0,
                "quote_count": 0,
                "bookmark_count": 0,
                "impression_count": 0,
                **post.metrics,
            }
        return item


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # clients die here on purpose


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    x: XServer

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        x = self.x
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        x.write("request", method="POST", path=self.path, port=self.client_address[1])
        if not self._signed():
            return
        if self.path != "/2/tweets":
            self._reply(404, {"title": "Not Found"})
            return
        body = json.loads(raw)
        if set(body) != {"text"}:
            self._reply(400, {"title": "Invalid Request", "detail": f"unknown: {sorted(body)}"})
            return
        x.hook("received")
        act = x.take(reads=False)
        if act.accept and x.is_duplicate(body["text"]):
            act = DUPLICATE
        stored = x.accept(body["text"]) if act.accept else None
        x.hook("accepted")
        default = {"data": {"id": stored.id, "text": body["text"]}} if stored else {}
        self._act(act, act.status or 201, default)
        x.hook("replied")

    def do_GET(self) -> None:
        x = self.x
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        x.write("request", method="GET", path=parts.path, query=query)
        if not self._signed():
            return
        act = x.take(reads=True)
        if parts.path == f"/2/users/{USER}/tweets":
            body = x.timeline(query)
        elif parts.path == "/2/users/me":
            counts = {"followers_count": 10, "following_count": 1, "tweet_count": len(x.posts)}
            body = {
                "data": {"id": USER, "name": "bot", "username": "bot", "public_metrics": counts}
            }
        elif parts.path == "/2/tweets":
            body = self._lookup(query)
        else:
            act, body = Act(status=404), {"title": "Not Found"}
        self._act(act, act.status or 200, body)

    def _lookup(self, query: dict[str, str]) -> dict[str, Any]:
        wanted = query.get("ids", "").split(",")
        by_id = {post.id: post for post in self.x.posts}
        body: dict[str, Any] = {
            "data": [self.x.show(by_id[x_id], query) for x_id in wanted if x_id in by_id]
        }
        gone = [x_id for x_id in wanted if x_id not in by_id]
        if gone:
            body["errors"] = [
                {
                    "title": "Not Found Error",
                    "resource_id": x_id,
                    "type": "https://api.twitter.com/2/problems/resource-not-found",
                }
                for x_id in gone
            ]
        return body

    def _act(self, act: Act, status: int, default: Any) -> None:
        body = default if act.body is None else act.body
        if act.how == "stall":
            self.x.closing.wait()
            self._abort()
        elif act.how == "drop":
            self._abort()
        elif act.how == "truncate":
            self._reply(status, body, act.headers, cut=True)
        elif act.how == "drip":
            self._drip()
        else:
            if act.delay_s:
                self.x.closing.wait(act.delay_s)
            self._reply(status, body, act.headers)

    def _reply(
        self, status: int, body: Any, headers: dict[str, str] | None = None, cut: bool = False
    ) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw[: len(raw) // 2] if cut else raw)
        if cut:
            self._abort()
        self.x.write("replied", status=status)

    def _drip(self) -> None:
        with contextlib.suppress(OSError):
            self.wfile.write(b"HTTP/1.1 201 Created\r\n")
            while not self.x.closing.wait(0.05):
                self.wfile.write(b"X-Drip: 1\r\n")
        self._abort()

    def _abort(self) -> None:
        """Close with a reset, as a broken network does."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.shutdown(socket.SHUT_RDWR)

    def _signed(self) -> bool:
        given = self.headers.get("Authorization", "")
        if oauth.holds(given, self.command, f"{self.x.url}{self.path}", KEYS):
            return True
        self.x.write("bad_signature", path=self.path)
        self._reply(401, {"title": "Unauthorized", "detail": "Unauthorized", "status": 401})
        return False


def _shortened(text: str) -> tuple[str, list[dict[str, str]]]:
    """As X shows a text: links behind t.co, three characters escaped."""
    urls: list[dict[str, str]] = []

    def short(match: re.Match[str]) -> str:
        long = match[0] if "//" in match[0] else f"http://{match[0]}"
        urls.append({"url": f"https://t.co/{len(urls):010d}", "expanded_url": long})
        return urls[-1]["url"]

    linked = re.sub(r"https?://\S+|\b[a-z0-9-]+\.(?:com|org|net)\b", short, text)
    return html.escape(linked, quote=False), urls


def main() -> None:
    parser = argparse.ArgumentParser(description="A loopback X for tests.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path, required=True)
    options = parser.parse_args()
    with XServer(options.log, port=options.port) as server:
        print(server.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
