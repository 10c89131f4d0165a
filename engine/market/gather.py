"""Asking several sources at once, for a bounded time."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from engine.errors import SourceError


class Readable(Protocol):
    """What can be asked: every source of :mod:`engine.market.sources`, a news feed."""

    @property
    def name(self) -> str: ...

    def read(self, now: datetime) -> Any:
        """Raises: SourceError."""
        ...


def ask_all(sources: Sequence[Readable], now: datetime, time_cap_s: float) -> list[Any]:
    """Each source's answer, or the SourceError it ended in, in the order of ``sources``.

    Answers after ``time_cap_s`` seconds at the latest; who is late has failed.
    """
    arrived: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()

    def ask(place: int, source: Readable) -> None:
        try:
            arrived.put((place, source.read(now)))
        except SourceError as error:
            arrived.put((place, error))
        except Exception as error:
            # an answer we misread must not take the other sources down
            reason = f"its answer could not be read ({type(error).__name__}: {error})"
            arrived.put((place, SourceError(source.name, reason)))

    # daemon threads: one that still waits when the cap is up must not hold the process's end
    for place, source in enumerate(sources):
        threading.Thread(target=ask, args=(place, source), daemon=True).start()
    answers: list[Any] = [SourceError(source.name, "no answer in time") for source in sources]
    deadline = time.monotonic() + time_cap_s
    for _ in sources:
        try:
            place, answer = arrived.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        answers[place] = answer
    return answers
