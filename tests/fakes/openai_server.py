"""A loopback server that speaks OpenAI's protocol in three accents, and a balancer before several.

>>> with OpenAIServer(flavour="vllm") as one, OpenAIServer(flavour="vllm") as two:
...     with Balancer([one.url, two.url]) as front:
...         ...  # calls to front.url alternate; one.stop() makes every other call a 502
"""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from tests.fakes.model_http import Answering, Loopback


@dataclass(frozen=True)
class Reply:
    """What a completion call is answered.

    text         the answer; a str is cut into tokens before each space, a sequence is the tokens
    first_token_s, token_s   delay before the first token, before each later one
    finish       finish reason; ``length`` by max_tokens comes by itself; None: the stream just ends
    usage        overrides of the usage record; None as a value takes a field out
    error_after  after so many tokens comes an error event, the status stays 200
    status       not 200: answered at once with an OpenAI error body
    raw          these bytes instead of any protocol, with status 200
    reset_after  after so many tokens the connection is reset; 0 is before any byte of an answer
    cut          stream slices of so many bytes
    """

    text: str | Sequence[str] = "Bitcoin keeps its own time. 🟠"
    first_token_s: float = 0.0
    token_s: float = 0.0
    finish: str | None = "stop"
    usage: Mapping[str, Any] = field(default_factory=dict)
    error_after: int | None = None
    status: int = 200
    error: str = ""
    raw: bytes | None = None
    reset_after: int | None = None
    cut: int = 0

    def tokens(self) -> list[str]:
        if not isinstance(self.text, str):
            return list(self.text)
        words = self.text.split(" ")
        return [f" {word}" if at else word for at, word in enumerate(words) if word or at]


class OpenAIServer(Loopback):
    """The server. ``next`` is answered first, in order; then ``reply``, a Reply or a function of
    the request's body. ``calls`` holds every call. ``flavour`` says whose server it imitates."""

    def __init__(
        self,
        models: Sequence[str] = ("qwen",),
        reply: Reply | Callable[[dict[str, Any]], Reply] | None = None,
        *,
        flavour: Literal["llama.cpp", "vllm", "openai"] = "openai",
        key: str = "",
    ) -> None:
        super().__init__(_Handler)
        self.models = list(models)
        self.reply: Reply | Callable[[dict[str, Any]], Reply] = reply or Reply()
        self.next: deque[Reply] = deque()
        self.flavour = flavour
        self.key = key

    def reply_to(self, body: dict[str, Any]) -> Reply:
        if self.next:
            return self.next.popleft()
        return self.reply(body) if callable(self.reply) else self.reply

    def requests(self) -> list[dict[str, Any]]:
        """Bodies of the completion calls."""
        return [call.body for call in self.calls if call.body is not None]


class _Handler(Answering):
    server: OpenAIServer

    def do_GET(self) -> None:
        self.server.calls.append(self.read_call())
        flavour = self.server.flavour
        if not self._allowed():
            return
        if self.path == "/v1/models":
            listed = [{"id": name, "object": "model"} for name in self.server.models]
            self.send_json(200, {"object": "list", "data": listed})
        elif self.path == "/props" and flavour == "llama.cpp":
            self.send_json(200, {"default_generation_settings": {"n_ctx": 2048}})
        elif self.path == "/version" and flavour == "vllm":
            self.send_json(200, {"version": "0.12.0"})
        elif flavour == "openai":  # LM Studio answers 200 to what it does not know
            self.send_json(200, {"error": f"Unexpected endpoint or method. (GET {self.path})"})
        else:
            self.send_json(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        call = self.read_call()
        self.server.calls.append(call)
        body = call.body or {}
        if not self._allowed():
            return
        if self.path not in ("/v1/chat/completions", "/v1/completions"):
            self.send_json(404, {"detail": "Not Found"})
        elif body.get("model") not in self.server.models:
            self._fail(404, f"The model `{body.get('model')}` does not exist.")
        else:
            self._complete(body, chat="chat" in self.path)

    def _complete(self, body: dict[str, Any], *, chat: bool) -> None:
        reply = self.server.reply_to(body)
        if reply.reset_after == 0:
            self.reset()
        elif reply.status != 200:
            self._fail(reply.status, reply.error)
        elif reply.raw is not None:
            self.send_body(200, reply.raw, "text/event-stream")
        else:
            try:
                events = self._events(body, reply, chat=chat)
                self.send_stream(events, "text/event-stream", cut=reply.cut)
            except _Reset:
                self.reset()

    def _events(self, body: dict[str, Any], reply: Reply, *, chat: bool) -> Iterator[bytes]:
        started = time.perf_counter()
        tokens = reply.tokens()
        limit = body.get("max_tokens") or len(tokens)
        if chat:
            yield _event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
        time.sleep(reply.first_token_s)
        first = time.perf_counter()
        for number, token in enumerate(tokens[:limit]):
            if reply.error_after == number:
                break
            if reply.reset_after == number:
                raise _Reset
            time.sleep(reply.token_s if number else 0.0)
            piece = {"delta": {"content": token}} if chat else {"text": token}
            yield _event({"choices": [{"index": 0, "finish_reason": None, **piece}]})
        if reply.error_after is not None:
            yield _event({"error": {"message": reply.error or "engine died", "code": 500}})
            return
        if reply.finish is None:
            return
        finish = "length" if limit < len(tokens) else reply.finish
        last = {"delta": {}} if chat else {"text": ""}
        yield _event({"choices": [{"index": 0, "finish_reason": finish, **last}]})
        prompt = str(body.get("prompt") or body.get("messages"))
        usage = {"prompt_tokens": len(prompt.split()), "completion_tokens": min(limit, len(tokens))}
        usage |= reply.usage
        closing: dict[str, Any] = {
            "choices": [],
            "usage": {key: value for key, value in usage.items() if value is not None},
        }
        if self.server.flavour == "llama.cpp":
            closing["timings"] = {
                "prompt_ms": (first - started) * 1000,
                "predicted_ms": (time.perf_counter() - first) * 1000,
            }
        yield _event(closing)
        yield b"data: [DONE]\n\n"

    def _allowed(self) -> bool:
        good = not self.server.key or self.headers["Authorization"] == f"Bearer {self.server.key}"
        if not good:
            self._fail(401, "Invalid API Key")
        return good

    def _fail(self, status: int, message: str) -> None:
        self.send_json(status, {"error": {"message": message, "type": "error", "code": status}})


class _Reset(Exception):
    """The reply orders a reset here."""


class Balancer:
    """One address before several servers, taken in turn, connection by connection; a server that
    refuses is answered for with 502 (counted in ``refused``), one that dies breaks the connection.
    """

    def __init__(self, upstreams: Sequence[str]) -> None:
        self._ports = [urlsplit(url).port or 80 for url in upstreams]
        self._turn = 0
        self.refused = 0
        self._listener = socket.create_server(("127.0.0.1", 0))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            port = self._ports[self._turn % len(self._ports)]
            self._turn += 1
            threading.Thread(target=self._forward, args=(client, port), daemon=True).start()

    def _forward(self, client: socket.socket, port: int) -> None:
        with client:
            try:
                upstream = socket.create_connection(("127.0.0.1", port))
            except OSError:
                self.refused += 1
                client.recv(65_536)
                client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                return
            with upstream:
                other = {client: upstream, upstream: client}
                while True:
                    ready, _, _ = select.select([client, upstream], [], [])
                    for side in ready:
                        try:
                            data = side.recv(65_536)
                            other[side].sendall(data)
                        except OSError:
                            return
                        if not data:
                            return


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"
