"""A loopback server that speaks Ollama's protocol, with every quirk of the facts' §2.7 on order.

>>> with OllamaServer([FakeModel("llama3:8b", load_s=0.2)]) as server:
...     server.reply = Reply("Bitcoin holds.", first_token_s=0.05, token_s=0.01)
...     server.next.append(Reply(status=503, error="server busy, please try again."))
...     ...  # the first call is answered busy, all later ones with the text

Durations in the final record are measured here as the real server measures them, so a harness
can be checked against them; ``Reply.metrics`` overrides any field. Ours, not a third party's: the
official ``ollama`` client is what checks it (tests/llm/test_official_client.py).
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.model_http import Answering, Loopback

CREATED = "2026-11-22T12:00:00.000000Z"
VERSION = "0.33.9"


@dataclass(frozen=True)
class FakeModel:
    """A model the server has. ``load_s``: seconds a (re)load takes; ``gpu_share``: of its memory
    while loaded; ``thinks``: accepts ``think: true``."""

    name: str
    size: int = 4_000_000_000
    digest: str = "a" * 64
    family: str = "llama"
    parameter_size: str = "8.0B"
    quantization: str = "Q4_0"
    load_s: float = 0.0
    gpu_share: float = 1.0
    thinks: bool = False


@dataclass(frozen=True)
class Reply:
    """What a generate call is answered.

    text         the answer; a str is cut into tokens after each space, a sequence is the tokens
    thinking     thought tokens that come first (they count against num_predict)
    first_token_s, token_s   delay before the first token (prefill), before each later one
    empty_first  an empty chunk comes before the first token, as from the real server
    metrics      overrides of the final record; None takes a field out
    done_reason  in place of "stop"; ``length`` by num_predict comes by itself
    final        False: the stream ends without its ``done`` record
    error_after  after so many tokens comes the line ``{"error": error}``, the status stays 200
    status       not 200: answered at once with ``{"error": error}``
    raw          these bytes instead of any protocol, with status 200
    reset_after  after so many tokens the connection is reset; 0 is before any byte of an answer
    cut          stream slices of so many bytes, through characters and lines
    logprob      log-probability reported for every token
    """

    text: str | Sequence[str] = "Bitcoin keeps its own time. 🟠"
    thinking: Sequence[str] = ()
    first_token_s: float = 0.0
    token_s: float = 0.0
    empty_first: bool = True
    metrics: Mapping[str, Any] = field(default_factory=dict)
    done_reason: str = "stop"
    final: bool = True
    error_after: int | None = None
    status: int = 200
    error: str = ""
    raw: bytes | None = None
    reset_after: int | None = None
    cut: int = 0
    logprob: float = -0.5

    def tokens(self) -> list[str]:
        if not isinstance(self.text, str):
            return list(self.text)
        words = self.text.split(" ")
        return [f" {word}" if at else word for at, word in enumerate(words) if word or at]


class OllamaServer(Loopback):
    """The server. ``next`` is answered first, in order; then ``reply``, a Reply or a function of
    the request's body. ``calls`` holds every call, ``loads`` every (model, num_ctx) load: a
    changed num_ctx loads anew. ``pulls``: model name -> the NDJSON records of its pull."""

    def __init__(
        self,
        models: Sequence[FakeModel] = (FakeModel("llama3:8b"),),
        reply: Reply | Callable[[dict[str, Any]], Reply] | None = None,
    ) -> None:
        super().__init__(_Handler)
        self.models = {model.name: model for model in models}
        self.reply: Reply | Callable[[dict[str, Any]], Reply] = reply or Reply()
        self.next: deque[Reply] = deque()
        self.loaded: dict[str, int] = {}
        self.loads: list[tuple[str, int]] = []
        self.pulls: dict[str, list[dict[str, Any]]] = {}

    def reply_to(self, body: dict[str, Any]) -> Reply:
        if self.next:
            return self.next.popleft()
        return self.reply(body) if callable(self.reply) else self.reply

    def load(self, model: FakeModel, num_ctx: int) -> int:
        """Load if it is not loaded so; nanoseconds it took."""
        started = time.perf_counter_ns()
        if self.loaded.get(model.name) != num_ctx:
            time.sleep(model.load_s)
            self.loaded[model.name] = num_ctx
            self.loads.append((model.name, num_ctx))
        return time.perf_counter_ns() - started

    def requests(self) -> list[dict[str, Any]]:
        """Bodies of the generate calls that had a prompt."""
        bodies = [call.body for call in self.calls if call.path == "/api/generate" and call.body]
        return [body for body in bodies if body.get("prompt")]


def pull_records(*, completed: bool = True, error: str = "") -> list[dict[str, Any]]:
    """A pull's records: with or without ``completed``, or ending in an error after the manifest."""
    if error:
        return [{"status": "pulling manifest"}, {"error": error}]
    layer: dict[str, Any] = {"status": "pulling aaaa", "digest": "sha256:aaaa", "total": 100}
    return [
        {"status": "pulling manifest"},
        layer,
        {**layer, "completed": 100} if completed else layer,
        {"status": "verifying sha256 digest"},
        {"status": "writing manifest"},
        {"status": "success"},
    ]


class _Handler(Answering):
    server: OllamaServer

    def do_GET(self) -> None:
        self.server.calls.append(self.read_call())
        if self.path == "/api/version":
            self.send_json(200, {"version": VERSION})
        elif self.path == "/api/tags":
            self.send_json(200, {"models": [_tag(model) for model in self.server.models.values()]})
        elif self.path == "/api/ps":
            self.send_json(200, {"models": self._loaded()})
        elif self.path == "/":
            self.send_body(200, b"Ollama is running", "text/plain; charset=utf-8")
        else:
            self.send_body(404, b"404 page not found", "text/plain")

    def do_POST(self) -> None:
        call = self.read_call()
        self.server.calls.append(call)
        body = call.body or {}
        if call.path == "/api/pull":
            self._pull(body)
        elif call.path not in ("/api/generate", "/api/show"):
            self.send_body(404, b"404 page not found", "text/plain")
        elif (model := self._model(body.get("model", ""))) is None:
            self.send_json(404, {"error": f"model '{body.get('model')}' not found"})
        elif call.path == "/api/show":
            self.send_json(200, _shown(model))
        else:
            self._generate(model, body)

    def _generate(self, model: FakeModel, body: dict[str, Any]) -> None:
        refusal = _refusal(model, body)
        if refusal:
            self.send_json(*refusal)
            return
        num_ctx = body.get("options", {}).get("num_ctx", 4096)
        if not body.get("prompt"):
            self._load_or_unload(model, body, num_ctx)
            return
        reply = self.server.reply_to(body)
        if reply.reset_after == 0:
            self.reset()
        elif reply.status != 200:
            self.send_json(reply.status, {"error": reply.error})
        elif reply.raw is not None:
            self.send_body(200, reply.raw, "application/x-ndjson")
        elif body.get("stream", True):
            self._stream(model, body, reply, num_ctx)
        else:
            self.send_json(200, _joined(list(self._records(model, body, reply, num_ctx))))
        if body.get("keep_alive") == 0:
            self.server.loaded.pop(model.name, None)

    def _load_or_unload(self, model: FakeModel, body: dict[str, Any], num_ctx: int) -> None:
        if body.get("keep_alive") == 0:
            self.server.loaded.pop(model.name, None)
            reason = "unload"
        else:
            self.server.load(model, num_ctx)
            reason = "load"
        record = _chunk(model, "") | {"done": True, "done_reason": reason}
        if body.get("stream", True):
            self.send_stream([_line(record)], "application/x-ndjson")
        else:
            self.send_json(200, record)

    def _stream(self, model: FakeModel, body: dict[str, Any], reply: Reply, num_ctx: int) -> None:
        records = self._records(model, body, reply, num_ctx)
        try:
            self.send_stream(map(_line, records), "application/x-ndjson", cut=reply.cut)
        except _Reset:
            self.reset()

    def _records(
        self, model: FakeModel, body: dict[str, Any], reply: Reply, num_ctx: int
    ) -> Iterator[dict[str, Any]]:
        started = time.perf_counter_ns()
        load_ns = self.server.load(model, num_ctx)
        if reply.empty_first:
            yield _chunk(model, "")
        prefill_from = time.perf_counter_ns()
        time.sleep(reply.first_token_s)
        decode_from = time.perf_counter_ns()
        limit = body.get("options", {}).get("num_predict", -1)
        thoughts = [("thinking", token) for token in reply.thinking]
        tokens = [*thoughts, *(("response", token) for token in reply.tokens())]
        cut_short = 0 <= limit < len(tokens)
        written = 0
        for kind, token in tokens[:limit] if cut_short else tokens:
            if reply.error_after == written:
                break
            if reply.reset_after == written:
                raise _Reset
            time.sleep(reply.token_s if written else 0.0)
            record = _chunk(model, token if kind == "response" else "")
            if kind == "thinking":
                record["thinking"] = token
            if body.get("logprobs"):
                record["logprobs"] = [{"token": token, "logprob": reply.logprob}]
            written += 1
            yield record
        if reply.error_after is not None:
            yield {"error": reply.error or "model runner has unexpectedly stopped"}
            return
        if not reply.final:
            return
        done = time.perf_counter_ns()
        final = _chunk(model, "") | {
            "done": True,
            "done_reason": "length" if cut_short else reply.done_reason,
            "context": [1, 2, 3],
            "total_duration": done - started,
            "load_duration": load_ns,
            "prompt_eval_count": len(str(body["prompt"]).split()),
            "prompt_eval_duration": decode_from - prefill_from,
            "eval_count": written,
            "eval_duration": done - decode_from,
        }
        final |= reply.metrics
        # Go's omitempty: a zero is absent
        yield {
            key: value for key, value in final.items() if value not in (None, 0) or key == "done"
        }

    def _pull(self, body: dict[str, Any]) -> None:
        name = body.get("model", "")
        records = self.server.pulls.get(
            name, pull_records(error="pull model manifest: file does not exist")
        )
        if records[-1].get("status") == "success":
            self.server.models[name] = FakeModel(name)
        self.send_stream(map(_line, records), "application/x-ndjson")

    def _model(self, name: str) -> FakeModel | None:
        return self.server.models.get(name if ":" in name else f"{name}:latest")

    def _loaded(self) -> list[dict[str, Any]]:
        return [
            _tag(model)
            | {
                "expires_at": CREATED,
                "size_vram": int(model.size * model.gpu_share),
                "context_length": num_ctx,
            }
            for name, num_ctx in self.server.loaded.items()
            if (model := self.server.models.get(name))
        ]


class _Reset(Exception):
    """The reply orders a reset here."""


_OPTION_TYPES = {
    "num_predict": int,
    "seed": int,
    "top_k": int,
    "num_ctx": int,
    "temperature": float,
}


def _refusal(model: FakeModel, body: dict[str, Any]) -> tuple[int, dict[str, str]] | None:
    """Status and body where the real server rejects the request (facts §2.1, §2.4)."""
    if body.get("raw") and (body.get("system") or body.get("template")):
        return 400, {"error": "raw mode does not support template, system, or context"}
    if body.get("think") is True and not model.thinks:
        return 400, {"error": f'"{model.name}" does not support thinking'}
    for key, kind in _OPTION_TYPES.items():
        value = body.get("options", {}).get(key, kind())
        if not isinstance(value, int | float if kind is float else kind):
            return 500, {"error": f'option "{key}" must be of type {kind.__name__}'}
    return None


def _chunk(model: FakeModel, text: str) -> dict[str, Any]:
    return {"model": model.name, "created_at": CREATED, "response": text, "done": False}


def _joined(records: list[dict[str, Any]]) -> dict[str, Any]:
    """The non-streaming answer: the last record with all text in it."""
    whole = dict(records[-1])
    if "error" not in whole:
        whole["response"] = "".join(record.get("response", "") for record in records)
        thinking = "".join(record.get("thinking", "") for record in records)
        if thinking:
            whole["thinking"] = thinking
    return whole


def _tag(model: FakeModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "model": model.name,
        "modified_at": CREATED,
        "size": model.size,
        "digest": model.digest,
        "details": _details(model),
    }


def _details(model: FakeModel) -> dict[str, Any]:
    return {
        "parent_model": "",
        "format": "gguf",
        "family": model.family,
        "families": [model.family],
        "parameter_size": model.parameter_size,
        "quantization_level": model.quantization,
    }


def _shown(model: FakeModel) -> dict[str, Any]:
    return {
        "modelfile": "",
        "parameters": 'stop "<|eot_id|>"',
        "template": "{{ .Prompt }}",
        "details": _details(model),
        "model_info": {"general.parameter_count": 8_030_261_312, "llama.context_length": 8192},
        "capabilities": ["completion", *(["thinking"] if model.thinks else [])],
        "modified_at": CREATED,
    }


def _line(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"
