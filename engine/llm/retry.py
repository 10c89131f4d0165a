"""Trying again where that can help: exponential backoff with full jitter, within one time limit."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import replace

from engine.clock import Clock
from engine.errors import ModelCancelled, ModelError
from engine.llm.base import Generation, GenerationRequest, Model
from engine.llm.wrapper import Wrapper


class RetryingModel(Wrapper):
    """Up to ``retries`` more tries of a retryable failure, all within the request's ``timeout_s``.

    The wait before try n is random between 0 and ``base_s`` x 2^n, at most ``cap_s`` (full jitter:
    AWS Architecture Blog, "Exponential Backoff And Jitter", 2015). Once ``on_text`` has been given
    text, nothing is retried: its reader would see two beginnings.
    """

    def __init__(
        self,
        inner: Model,
        *,
        clock: Clock,
        rng: random.Random,
        retries: int = 2,
        base_s: float = 0.5,
        cap_s: float = 8.0,
    ) -> None:
        super().__init__(inner)
        self._clock = clock
        self._rng = rng
        self._retries = retries
        self._base_s = base_s
        self._cap_s = cap_s
        self._closed = threading.Event()

    def generate(
        self, request: GenerationRequest, on_text: Callable[[str], None] | None = None
    ) -> Generation:
        self._closed.clear()
        deadline = self._clock.boottime() + request.timeout_s
        spoken = False

        def forward(piece: str) -> None:
            nonlocal spoken
            spoken = True
            if on_text is not None:
                on_text(piece)

        hear = forward if on_text is not None else None
        for attempt in range(self._retries + 1):
            left = deadline - self._clock.boottime()
            try:
                return self.inner.generate(replace(request, timeout_s=max(0.001, left)), hear)
            except ModelError as error:
                wait = self._rng.uniform(0, min(self._cap_s, self._base_s * 2**attempt))
                too_late = self._clock.boottime() + wait >= deadline
                if not error.retryable or spoken or too_late or attempt == self._retries:
                    raise
            if self._clock.wait(self._closed, wait):
                raise ModelCancelled(f"{self.name} was closed between two tries.")
        raise AssertionError("the last try returns or raises")

    def close(self) -> None:
        self._closed.set()
        super().close()
