"""A model without weights: answers by script, or makes up a valid text from the seed.

Shipped, because the demo without weights, the dry run and the tests use the same one. The same
request always gets the same text.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Callable, Iterable

from engine.errors import ModelRefused
from engine.llm.base import (
    Generation,
    GenerationRequest,
    Health,
    ModelInfo,
    Timings,
    Usage,
)
from engine.llm.collect import Collector
from engine.llm.derive import text_of_grammar, value_of_schema

Answer = str | Exception
Script = Iterable[Answer] | Callable[[GenerationRequest], Answer]

# Without numbers, directions or advice: true on any day.
SENTENCES = (
    "Bitcoin keeps its own time: one block after another.",
    "Patience is a strategy. Bitcoin is a long game.",
    "Bitcoin does not take weekends off, and neither do its jokes.",
    "Every block is a small promise kept. Bitcoin keeps them in order.",
    "I asked Bitcoin for directions. It gave me a block explorer.",
    "Quiet charts teach patience better than loud ones. Stay curious about Bitcoin.",
    "The best time to learn how Bitcoin works is before you need to.",
    "Bitcoin: the only party where proof of work is the dress code.",
)


class ScriptedModel:
    """Answers from ``script`` in turn (a text, or an exception to raise), or from a callable;
    when a list runs out, or without a script, from the request itself.

    ``requests`` holds every request in order.
    """

    backend = "scripted"
    features = frozenset({"grammar", "json_schema"})

    def __init__(self, script: Script = (), *, model: str = "scripted") -> None:
        self.name = f"scripted:{model}"
        self.requests: list[GenerationRequest] = []
        self._info = ModelInfo(model, "scripted", digest="scripted-1")
        self._call = script if callable(script) else None
        self._left = iter(()) if callable(script) else iter(script)

    def models(self) -> list[ModelInfo]:
        return [self._info]

    def info(self) -> ModelInfo:
        return self._info

    def health(self) -> Health:
        return Health(True, "The scripted model always answers", server_version="scripted")

    def generate(
        self, request: GenerationRequest, on_text: Callable[[str], None] | None = None
    ) -> Generation:
        self.requests.append(request)
        collector = Collector(self.name, on_text)
        answer = self._call(request) if self._call else next(self._left, None)
        if isinstance(answer, Exception):
            raise answer
        words = (answer if answer is not None else plausible_text(request)).split(" ")
        for number, word in enumerate(words):
            collector.add(f" {word}" if number else word)
        return collector.finished(
            finish="stop",
            usage=Usage(len(request.prompt.text().split()), None, len(words)),
            timings=Timings(time.perf_counter() - collector.started, collector.ttft_s),
            model=self._info,
            server_version="scripted",
        )

    def unload(self) -> None:
        """There is nothing to free."""

    def close(self) -> None:
        """There is nothing to end."""


def plausible_text(request: GenerationRequest) -> str:
    """A text that honours the request's grammar or schema, else a true sentence on Bitcoin.

    Raises: ModelRefused for a grammar or schema it cannot read.
    """
    choose = random.Random(_seed(request))
    try:
        if request.grammar is not None:
            return text_of_grammar(request.grammar, choose)
        if request.json_schema is not None:
            return json.dumps(value_of_schema(request.json_schema, choose))
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelRefused(f"The grammar or schema cannot be read: {error}. Correct it.") from error
    return choose.choice(SENTENCES)


def _seed(request: GenerationRequest) -> int:
    shape = (request.prompt.text(), request.grammar, request.json_schema, request.options.seed)
    return int.from_bytes(hashlib.sha256(repr(shape).encode()).digest()[:8])
