"""Gathering a streamed answer and judging whether it counts as one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from engine.errors import ModelBadReply
from engine.llm.base import FinishReason, Generation, ModelInfo, Timings, Usage
from engine.llm.fields import number, storable


class Collector:
    """Text as it arrives. ``ttft_s``: seconds from construction to the first non-empty text or
    thought, on this machine's clock (facts: ollama-and-prompt-testing §3, point 4)."""

    def __init__(self, name: str, on_text: Callable[[str], None] | None) -> None:
        self.started = time.perf_counter()
        self.ttft_s: float | None = None
        self._name = name
        self._on_text = on_text
        self._pieces: list[str] = []
        self._thinking = False

    def add(self, piece: object) -> None:
        """One piece of the answer; None and "" are silence.

        Raises: ModelBadReply for anything that is not text.
        """
        if piece is None or piece == "":
            return
        if not isinstance(piece, str):
            raise ModelBadReply(
                "garbled", f"{self._name} sent text that is not text. Check the server's version."
            )
        self._mark()
        self._pieces.append(piece)
        if self._on_text is not None:
            self._on_text(storable(piece))

    def thought(self, piece: object) -> None:
        """Thinking is not part of the answer, but it is the first sign of life."""
        if piece:
            self._mark()
            self._thinking = True

    def timings(
        self, said: dict[str, Any], per_s: float, *, prefill: str, decode: str, load: str = ""
    ) -> Timings:
        """Our clock's times beside those that the server ``said``, ``per_s`` of its units a second."""

        def seconds(key: str) -> float | None:
            value = number(said.get(key))
            return None if value is None else value / per_s

        return Timings(
            wall_s=time.perf_counter() - self.started,
            ttft_s=self.ttft_s,
            load_s=seconds(load),
            prefill_s=seconds(prefill),
            decode_s=seconds(decode),
        )

    def finished(
        self,
        *,
        finish: object,
        usage: Usage,
        timings: Timings,
        model: ModelInfo,
        server_version: str | None,
        logprobs: list[float] | None = None,
    ) -> Generation:
        """The whole answer.

        Raises: ModelBadReply: ``no_final`` without a finish reason, ``empty``, ``truncated``.
        """
        text = storable("".join(self._pieces))
        reason: FinishReason = "length" if finish == "length" else "stop"
        generation = Generation(
            text=text,
            finish_reason=reason,
            usage=usage,
            timings=timings,
            model=model,
            server_version=server_version,
            mean_logprob=sum(logprobs) / len(logprobs) if logprobs else None,
        )
        if not finish:
            raise ModelBadReply(
                "no_final",
                f"{self._name} stopped without a final record, so its text may be cut. "
                "If this repeats, look at the server's log.",
                generation,
            )
        if not text.strip():
            spent = " It spent its tokens thinking." if self._thinking else ""
            raise ModelBadReply(
                "empty",
                f"{self._name} wrote nothing.{spent} "
                "Raise max_tokens, or take a model that does not think.",
                generation,
            )
        if reason == "length":
            raise ModelBadReply(
                "truncated",
                f"{self._name} ran into its limit of tokens, so the text is cut. "
                "Raise max_tokens, or ask for less.",
                generation,
            )
        return generation

    def _mark(self) -> None:
        if self.ttft_s is None:
            self.ttft_s = time.perf_counter() - self.started
