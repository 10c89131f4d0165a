"""Ollama by its own ``/api/generate``. Facts: ollama-and-prompt-testing §2, all of it.

Every request carries the one ``num_ctx`` of this process: another value would make the server
load the model anew. Ollama caches the prompt's prefix always, so ``cache_prompt`` cannot be
honoured; benchmarks change the prompt's head instead.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from engine.errors import (
    ModelBadReply,
    ModelBusy,
    ModelError,
    ModelNotFound,
    ModelRefused,
    ModelUnreachable,
)
from engine.llm.base import Generation, GenerationRequest, Health, ModelInfo, Usage
from engine.llm.collect import Collector
from engine.llm.fields import items, number, shortened, table, whole, words
from engine.llm.wire import BadStatus, Caller

IDENTITY_S = 30.0  # how long digest and version count as known
LOAD_TIMEOUT_S = 300.0  # Ollama's own OLLAMA_LOAD_TIMEOUT


@dataclass
class _Final:
    """What the last record said, and the log-probabilities on the way."""

    record: dict[str, Any] = field(default_factory=dict)
    logprobs: list[float] = field(default_factory=list)


class OllamaModel:
    """One model of the Ollama server at ``base_url``.

    ``num_ctx``: context window in tokens. ``keep_alive``: seconds, or a Go duration such as
    ``10m``; how long the server keeps the model in memory after a call.
    """

    backend = "ollama"
    features = frozenset({"json_schema", "logprobs", "server_timings"})

    def __init__(
        self, base_url: str, model: str, *, num_ctx: int = 4096, keep_alive: str = "10m"
    ) -> None:
        self.name = f"ollama:{model}"
        self._model = model
        self._num_ctx = num_ctx
        self._keep_alive = _keep_alive(keep_alive)
        self._identity: tuple[float, ModelInfo] | None = None
        self._caller = Caller(
            base_url,
            who="Ollama",
            advice="Start it with `ollama serve`, or correct BTCBUZZ_OLLAMA_URL.",
        )

    def models(self) -> list[ModelInfo]:
        listed = table(self._get("/api/tags")).get("models")
        if not isinstance(listed, list):
            raise ModelBadReply(
                "garbled",
                f"{self._caller.base_url} does not list models as Ollama does. "
                "Correct BTCBUZZ_OLLAMA_URL.",
            )
        return [_listed(item) for item in items(listed) if words(item.get("name"))]

    def info(self) -> ModelInfo:
        if self._identity is None or time.monotonic() - self._identity[0] > IDENTITY_S:
            version = self._version()
            full = self._full_name()
            found = next((item for item in self.models() if item.name == full), None)
            if found is None:
                raise self._not_found(f"it has no model {full}")
            details = {**found.details, "num_ctx": self._num_ctx, "server_version": version}
            self._identity = (
                time.monotonic(),
                replace(found, name=self._model, details=details),
            )
        return self._identity[1]

    def health(self) -> Health:
        version = None
        try:
            version = self._version()
            self._identity = None
            self.info()
            loaded = self._loaded()
        except ModelError as error:
            return Health(False, str(error), version)
        if loaded is None:
            return Health(True, f"Ollama {version} has {self._model}, not loaded yet", version)
        size, in_vram = whole(loaded.get("size")), whole(loaded.get("size_vram")) or 0
        share = in_vram / size if size else None
        return Health(True, f"Ollama {version} has {self._model} loaded", version, size, share)

    def generate(
        self, request: GenerationRequest, on_text: Callable[[str], None] | None = None
    ) -> Generation:
        if request.grammar is not None:
            raise ModelRefused(
                "Ollama takes no GBNF grammar. Use the recipe slots or free, or the embedded model."
            )
        collector = Collector(self.name, on_text)
        final = _Final()
        try:
            with self._caller.ndjson(
                "/api/generate", self._body(request), timeout_s=request.timeout_s
            ) as records:
                _read(records, collector, final)
        except BadStatus as error:
            raise self._error(error) from error
        timings = collector.timings(
            final.record,
            1e9,
            prefill="prompt_eval_duration",
            decode="eval_duration",
            load="load_duration",
        )
        info = self._info_or_name()
        return collector.finished(
            finish=(final.record.get("done_reason") or "stop") if final.record else None,
            usage=Usage(
                prompt_tokens=whole(final.record.get("prompt_eval_count")),
                cached_tokens=whole(final.record.get("prompt_eval_cached_count")),
                output_tokens=whole(final.record.get("eval_count")),
            ),
            timings=timings,
            model=info,
            server_version=info.details.get("server_version"),
            logprobs=final.logprobs,
        )

    def preload(self) -> float:
        """Load the model; seconds it took on this machine's clock, for the server tells none.

        Raises: ModelError.
        """
        started = time.perf_counter()
        self._manage(self._keep_alive, LOAD_TIMEOUT_S)
        return time.perf_counter() - started

    def unload(self) -> None:
        self._manage(0, 30.0)

    def close(self) -> None:
        self._caller.cancel()

    def _body(self, request: GenerationRequest) -> dict[str, Any]:
        prompt, options = request.prompt, request.options
        body: dict[str, Any] = {
            "model": self._model,
            "stream": True,
            "think": False,
            "truncate": False,  # a prompt too long is an error, never one without its beginning
            "shift": False,
            "keep_alive": self._keep_alive,
            "options": {
                "num_predict": options.max_tokens,
                "temperature": options.temperature,
                "top_p": options.top_p,
                "top_k": options.top_k,
                "min_p": options.min_p,
                "typical_p": 1.0,
                "repeat_penalty": options.repeat_penalty,
                "repeat_last_n": 64,
                "presence_penalty": 0.0,
                "frequency_penalty": 0.0,
                "seed": options.seed,
                "stop": list(options.stop),
                "num_ctx": self._num_ctx,
            },
        }
        if prompt.raw:  # system and template are refused together with raw
            body |= {"prompt": prompt.text(), "raw": True}
        else:
            body["prompt"] = prompt.user
            if prompt.system:
                body["system"] = prompt.system
        if request.json_schema is not None:
            body["format"] = request.json_schema
        if request.logprobs:
            body["logprobs"] = True
        return body

    def _manage(self, keep_alive: float | str, timeout_s: float) -> None:
        """A call without a prompt: loads the model, or with ``keep_alive`` 0 unloads it."""
        body = {
            "model": self._model,
            "stream": False,
            "keep_alive": keep_alive,
            "options": {"num_ctx": self._num_ctx},
        }
        try:
            self._caller.post("/api/generate", body, timeout_s=timeout_s)
        except BadStatus as error:
            raise self._error(error) from error

    def _info_or_name(self) -> ModelInfo:
        """The identity as far as it can be had: a written text is not lost for want of it."""
        try:
            return self.info()
        except ModelError:
            return ModelInfo(self._model, self.backend, details={"num_ctx": self._num_ctx})

    def _full_name(self) -> str:
        return self._model if ":" in self._model.rpartition("/")[2] else f"{self._model}:latest"

    def _version(self) -> str:
        version = words(table(self._get("/api/version")).get("version"))
        if version is None:
            raise ModelBadReply(
                "garbled",
                f"{self._caller.base_url} is not an Ollama server. Correct BTCBUZZ_OLLAMA_URL.",
            )
        return version

    def _loaded(self) -> dict[str, Any] | None:
        """This model's entry in ``/api/ps``, None while it is not in memory."""
        entries = items(table(self._get("/api/ps")).get("models"))
        return next((item for item in entries if item.get("name") == self._full_name()), None)

    def _get(self, path: str) -> Any:
        try:
            return self._caller.get(path)
        except BadStatus as error:
            raise self._error(error) from error

    def _not_found(self, said: str) -> ModelNotFound:
        return ModelNotFound(
            f"Ollama does not have {self._model!r} ({said}). Run `ollama pull {self._model}`."
        )

    def _error(self, error: BadStatus) -> ModelError:
        status, said = error.status, error.message
        if status == 404 and "model" in said:
            return self._not_found(said)
        if status == 404:
            return ModelRefused(
                f"{self._caller.base_url} is not an Ollama server ({said}). "
                "Correct BTCBUZZ_OLLAMA_URL."
            )
        if status in (429, 503):
            return ModelBusy(f"Ollama is busy ({said}). Wait, or raise OLLAMA_MAX_QUEUE there.")
        if status in (401, 403):
            return ModelRefused(
                f"Ollama refuses this caller ({said}). For a cloud model sign in with "
                "`ollama signin`; behind a proxy let it set the Host header to localhost."
            )
        if status == 500 and ("memory" in said or "must be of type" in said):
            return ModelRefused(
                f"Ollama cannot run {self._model} so ({said}). Take a smaller model or "
                "a smaller model.num_ctx."
            )
        if status < 500:
            return ModelRefused(
                f"Ollama rejects the request ({said}). Change the prompt or the parameter it names."
            )
        return ModelUnreachable(
            f"Ollama failed: HTTP {status}, {said}. Look at its log (`journalctl -u ollama`)."
        )


def _read(records: Iterator[dict[str, Any]], collector: Collector, final: _Final) -> None:
    for record in records:
        if "error" in record:
            raise ModelBadReply(
                "error_line",
                f"Ollama broke off: {shortened(record['error'])}. Look at its log if this repeats.",
            )
        collector.thought(record.get("thinking"))
        collector.add(record.get("response"))
        found = (number(item.get("logprob")) for item in items(record.get("logprobs")))
        final.logprobs += [value for value in found if value is not None]
        if record.get("done"):
            final.record = record
            return


def _listed(item: dict[str, Any]) -> ModelInfo:
    details = table(item.get("details"))
    family = words(details.get("family"))
    return ModelInfo(
        name=words(item.get("name")) or "",
        backend="ollama",
        digest=words(item.get("digest")),
        parameter_size=words(details.get("parameter_size")),
        quantization=words(details.get("quantization_level")),
        size_bytes=whole(item.get("size")),
        details={"family": family} if family else {},
    )


def _keep_alive(text: str) -> float | str:
    """Ollama wants a unit in a text and takes a bare number of seconds only as a number."""
    try:
        return float(text)
    except ValueError:
        return text
