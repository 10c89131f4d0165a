"""Servers that speak OpenAI's protocol: llama.cpp, vLLM, LM Studio and their like.

Facts: ollama-and-prompt-testing §2.6, embedded-model §1. What differs between them is found out
by asking (:meth:`OpenAIModel.flavour`): llama.cpp alone takes a GBNF grammar and tells timings.
Behind a load balancer the address stays one; a dead upstream shows as 502, 503 or a connection
that breaks, which are retryable and, before the first token, harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

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

Flavour = Literal["llama.cpp", "vllm", "openai"]

ANY_MODEL = "default"  # the name that stands for "whatever this server serves"


class OpenAIModel:
    """One model of an OpenAI-compatible server at ``base_url`` (with or without ``/v1``).

    ``flavour`` and ``known`` (what :meth:`info` answers) spare the questions where the caller
    started the server itself.
    """

    backend = "openai"

    def __init__(
        self,
        base_url: str,
        model: str = ANY_MODEL,
        *,
        api_key: str | None = None,
        backend: str = "openai",
        flavour: Flavour | None = None,
        known: ModelInfo | None = None,
        advice: str = "Start the server or correct BTCBUZZ_OPENAI_URL.",
    ) -> None:
        self.backend = backend
        self.name = f"{backend}:{model}"
        self._model = model
        self._flavour = flavour
        self._info = self._known = known
        self._caller = Caller(
            base_url.rstrip("/").removesuffix("/v1"),
            who="The embedded model" if backend == "embedded" else "The model server",
            advice=advice,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else None,
        )

    @property
    def features(self) -> frozenset[str]:
        """Asks the server once; without an answer, what every such server can do."""
        try:
            llama = self.flavour() == "llama.cpp"
        except ModelError:
            llama = False
        extra = {"grammar", "server_timings"} if llama else set()
        return frozenset({"json_schema", "logprobs"} | extra)

    def flavour(self) -> Flavour:
        """What kind of server this is: ``/props`` is llama.cpp's, ``/version`` vLLM's."""
        if self._flavour is None:
            if isinstance(self._probe("/props").get("default_generation_settings"), dict):
                self._flavour = "llama.cpp"
            else:
                self._flavour = "vllm" if "version" in self._probe("/version") else "openai"
        return self._flavour

    def models(self) -> list[ModelInfo]:
        listed = table(self._get("/v1/models")).get("data")
        if not isinstance(listed, list):
            raise ModelBadReply(
                "garbled",
                f"{self._caller.base_url} does not list models as an OpenAI server does. "
                "Correct BTCBUZZ_OPENAI_URL.",
            )
        return [_listed(self.backend, item) for item in items(listed) if words(item.get("id"))]

    def info(self) -> ModelInfo:
        if self._info is None:
            found = {item.name: item for item in self.models()}
            if self._model == ANY_MODEL and found:
                self._info = next(iter(found.values()))
            elif self._model in found:
                self._info = found[self._model]
            else:
                raise ModelNotFound(
                    f"The server at {self._caller.base_url} does not have {self._model!r}. "
                    f"It has: {', '.join(found) or 'no model'}. Set BTCBUZZ_MODEL to one of them."
                )
        return self._info

    def health(self) -> Health:
        try:
            info = self._present()
        except ModelError as error:
            return Health(False, str(error))
        return Health(True, f"{info.name} is served at {self._caller.base_url}")

    def generate(
        self, request: GenerationRequest, on_text: Callable[[str], None] | None = None
    ) -> Generation:
        flavour = self.flavour()
        if request.grammar is not None and flavour != "llama.cpp":
            raise ModelRefused(
                "This server takes no GBNF grammar (only llama.cpp does). "
                "Use the recipe slots or free, or the embedded model."
            )
        info = self.info()
        raw = request.prompt.raw
        path = "/v1/completions" if raw else "/v1/chat/completions"
        collector = Collector(self.name, on_text)
        final: dict[str, Any] = {}
        try:
            with self._caller.sse(
                path, self._body(request, info.name, flavour), timeout_s=request.timeout_s
            ) as events:
                self._read(events, collector, final)
        except BadStatus as error:
            if error.status == 404:  # another model is served there now
                self._info = self._known
            raise self._error(error) from error
        return collector.finished(
            finish=final.get("finish"),
            usage=_usage(table(final.get("usage"))),
            timings=collector.timings(
                table(final.get("timings")), 1_000, prefill="prompt_ms", decode="predicted_ms"
            ),
            model=info,
            server_version=info.details.get("server_version")
            or words(final.get("system_fingerprint")),
            logprobs=final.get("logprobs"),
        )

    def unload(self) -> None:
        """These servers keep their model."""

    def close(self) -> None:
        self._caller.cancel()

    def _body(self, request: GenerationRequest, model: str, flavour: Flavour) -> dict[str, Any]:
        """Every sampling option is sent: each server has defaults of its own. Both names of the
        repeat penalty go out (llama.cpp's and vLLM's); unknown keys are ignored by all."""
        options = request.options
        body: dict[str, Any] = {
            "model": model,
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": options.max_tokens,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "top_k": options.top_k,
            "min_p": options.min_p,
            "repeat_penalty": options.repeat_penalty,
            "repetition_penalty": options.repeat_penalty,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
            "seed": options.seed,
        }
        if options.stop:
            body["stop"] = list(options.stop)
        if request.prompt.raw:
            body["prompt"] = request.prompt.text()
        else:
            system = [{"role": "system", "content": request.prompt.system}]
            body["messages"] = [
                *(system if request.prompt.system else []),
                {"role": "user", "content": request.prompt.user},
            ]
            body["chat_template_kwargs"] = {"enable_thinking": False}
        if request.json_schema is not None:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": request.json_schema, "strict": True},
            }
        if request.logprobs:
            body |= {"logprobs": 1} if request.prompt.raw else {"logprobs": True, "top_logprobs": 1}
        if flavour == "llama.cpp":
            body["cache_prompt"] = request.cache_prompt
            body["repeat_last_n"] = 64
            if request.grammar is not None:
                body["grammar"] = request.grammar
        return body

    def _read(
        self, events: Iterator[dict[str, Any]], collector: Collector, final: dict[str, Any]
    ) -> None:
        logprobs: list[float] = []
        for event in events:
            if "error" in event:
                raise _error_event(event["error"])
            for key in ("usage", "timings", "system_fingerprint"):
                if event.get(key):
                    final[key] = event[key]
            for choice in items(event.get("choices"))[:1]:
                delta = table(choice.get("delta"))
                collector.thought(delta.get("reasoning_content") or delta.get("reasoning"))
                collector.add(delta.get("content") if "text" not in choice else choice["text"])
                logprobs += _logprobs(choice.get("logprobs"))
                if choice.get("finish_reason"):
                    final["finish"] = choice["finish_reason"]
        final["logprobs"] = logprobs

    def _present(self) -> ModelInfo:
        self._info = self._known
        return self.info()

    def _get(self, path: str) -> Any:
        try:
            return self._caller.get(path)
        except BadStatus as error:
            raise self._error(error) from error

    def _probe(self, path: str) -> dict[str, Any]:
        try:
            return table(self._caller.get(path))
        except ModelBadReply:
            return {}
        except BadStatus as error:
            if error.status in (502, 503, 504):  # no answer yet; guessing would stick
                raise self._error(error) from error
            return {}

    def _error(self, error: BadStatus) -> ModelError:
        status, said = error.status, error.message
        where = self._caller.base_url
        if status == 404 and "model" in said.lower():
            return ModelNotFound(
                f"The server at {where} does not have {self._model!r} ({said}). "
                "Set BTCBUZZ_MODEL to one it lists."
            )
        if status == 404:
            return ModelRefused(
                f"{where} has no OpenAI-compatible API ({said}). Correct BTCBUZZ_OPENAI_URL."
            )
        if status in (401, 403):
            return ModelRefused(f"{where} refuses the key ({said}). Set BTCBUZZ_OPENAI_KEY.")
        if status in (429, 503):
            return ModelBusy(f"The server at {where} is busy or loading ({said}). Wait a moment.")
        if status in (400, 413, 422):
            return ModelRefused(
                f"The server at {where} rejects the request ({said}). "
                "Shorten the prompt or change the parameters it names."
            )
        return ModelUnreachable(f"The server at {where} failed: HTTP {status}, {said}. {_LOOK}")


_LOOK = "Look at its log, then restart it."


def _error_event(error: Any) -> ModelBadReply:
    said = shortened(table(error).get("message") or error)
    return ModelBadReply("error_line", f"The server broke off: {said}. {_LOOK}")


def _listed(backend: str, item: dict[str, Any]) -> ModelInfo:
    meta = table(item.get("meta"))
    parameters = whole(meta.get("n_params"))
    details = {
        "owned_by": words(item.get("owned_by")),
        "num_ctx": whole(meta.get("n_ctx")) or whole(item.get("max_model_len")),
    }
    return ModelInfo(
        name=words(item.get("id")) or "",
        backend=backend,
        parameter_size=f"{parameters / 1e6:.0f}M" if parameters else None,
        quantization=words(meta.get("ftype")),
        size_bytes=whole(meta.get("size")),
        details={key: value for key, value in details.items() if value is not None},
    )


def _usage(usage: dict[str, Any]) -> Usage:
    details = table(usage.get("prompt_tokens_details"))
    return Usage(
        prompt_tokens=whole(usage.get("prompt_tokens")),
        cached_tokens=whole(details.get("cached_tokens")),
        output_tokens=whole(usage.get("completion_tokens")),
    )


def _logprobs(value: Any) -> list[float]:
    """llama.cpp and chat replies: ``content[].logprob``; vLLM completions: ``token_logprobs``."""
    listed = table(value).get("token_logprobs")
    each = [item.get("logprob") for item in items(table(value).get("content"))]
    found = [number(item) for item in (listed if isinstance(listed, list) else each)]
    return [item for item in found if item is not None]
