"""The contract of a language model: what every backend is asked and what it answers.

Backends: :mod:`engine.llm.ollama`, :mod:`engine.llm.openai_compatible`,
:mod:`engine.llm.embedded`, :mod:`engine.llm.scripted`. Facts: ollama-and-prompt-testing §2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True)
class Prompt:
    """What the model reads. What never changes comes first (``system``, then the head of
    ``user``), so that the server's prefix cache works.

    ``raw`` prompts bypass the chat template: ``system`` and ``user`` are joined by a blank line
    and completed (few-shot use of small models).
    """

    user: str
    system: str = ""
    raw: bool = False

    def text(self) -> str:
        """One text for storing, hashing and raw completion."""
        return f"{self.system}\n\n{self.user}" if self.system else self.user


@dataclass(frozen=True)
class Options:
    """Sampling parameters, always all sent, so that no Modelfile default slips in."""

    temperature: float = 0.8
    top_p: float = 0.95
    top_k: int = 40
    min_p: float = 0.0
    repeat_penalty: float = 1.05
    max_tokens: int = 120
    seed: int = 0
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class GenerationRequest:
    """One call. ``grammar`` is GBNF, ``json_schema`` a JSON Schema; a backend that cannot honour
    one says so in :attr:`Model.features` and raises ModelRefused when it is asked to.

    ``repeat`` numbers repeats of one prompt; it is part of the cache key and nothing else.
    ``timeout_s`` bounds the whole call, retries included. ``cache_prompt`` false asks for a cold
    prefill; Ollama cannot be told so (facts §0.3). ``logprobs`` asks for the mean log-probability
    of the written tokens, before any grammar (embedded-model §1).
    """

    prompt: Prompt
    options: Options = field(default_factory=Options)
    grammar: str | None = None
    json_schema: dict[str, Any] | None = None
    timeout_s: float = 60.0
    repeat: int = 0
    cache_prompt: bool = True
    logprobs: bool = False


@dataclass(frozen=True)
class Usage:
    """Token counts as the server gave them; None where it did not. ``prompt_tokens`` includes
    the ``cached_tokens``; thinking counts as output."""

    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True)
class Timings:
    """Seconds. ``wall_s`` and ``ttft_s`` (first non-empty text) are measured by the client;
    the rest is the server's own word, None where it gives none."""

    wall_s: float
    ttft_s: float | None = None
    load_s: float | None = None
    prefill_s: float | None = None
    decode_s: float | None = None


@dataclass(frozen=True)
class ModelInfo:
    """One model of a server."""

    name: str
    backend: str
    digest: str | None = None
    parameter_size: str | None = None
    quantization: str | None = None
    size_bytes: int | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Generation:
    """A whole answer: never empty, never without a final record.

    ``finish_reason`` ``length`` is raised as ModelBadReply("truncated") by ``generate``; the
    partial text travels on the error's ``generation`` attribute where there is one.
    """

    text: str
    finish_reason: FinishReason
    usage: Usage
    timings: Timings
    model: ModelInfo
    server_version: str | None = None
    from_cache: bool = False
    mean_logprob: float | None = None


@dataclass(frozen=True)
class Health:
    """Whether the backend can serve now; ``message`` says what to do where it cannot."""

    ok: bool
    message: str
    server_version: str | None = None
    loaded_bytes: int | None = None
    gpu_share: float | None = None


class Model(Protocol):
    """One model of one backend. Calls are blocking and safe from any one thread at a time;
    :meth:`close` may come from another thread and ends a call in flight with ModelCancelled.

    ``name`` is ``backend:model``; ``features`` holds any of ``grammar``, ``json_schema``,
    ``logprobs``, ``server_timings``.
    """

    @property
    def name(self) -> str: ...

    @property
    def backend(self) -> str: ...

    @property
    def features(self) -> frozenset[str]: ...

    def models(self) -> list[ModelInfo]:
        """What the server has. Raises: ModelError."""
        ...

    def info(self) -> ModelInfo:
        """This model itself, with whatever shapes its text: digest, context size, server version.

        May be some seconds old. Raises: ModelError.
        """
        ...

    def health(self) -> Health:
        """Never raises."""
        ...

    def generate(
        self, request: GenerationRequest, on_text: Callable[[str], None] | None = None
    ) -> Generation:
        """Write one answer; ``on_text`` gets each piece of text as it arrives.

        Raises: ModelError; ModelBadReply with ``kind`` ``empty`` or ``truncated`` included.
        """
        ...

    def unload(self) -> None:
        """Free the model's memory where the backend can; else do nothing."""
        ...

    def close(self) -> None:
        """End whatever the backend started. Safe to call twice."""
        ...
