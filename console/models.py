"""Models for the playground: built once a process, used by one person at a time, streamed.

A trial never goes through the breaker or the cache, so it can neither turn the production model
off nor be answered from memory.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import streamlit as st

from console import data
from engine.errors import BuzzError
from engine.llm.base import Model
from engine.llm.build import build_backend
from engine.writing import trial
from engine.writing.trial import Setting, Tried


class Stopped(Exception):
    """Somebody pressed Stop, or left the page."""


@dataclass
class Loaded:
    """A model and the lock that keeps calls apart."""

    model: Model
    lock: threading.Lock = field(default_factory=threading.Lock)


@st.cache_resource(
    max_entries=4, show_spinner=False, on_release=lambda loaded: loaded.model.close()
)
def load(name: str) -> Loaded:
    """The bare backend. Raises: UsageError for a name that is none."""
    return Loaded(build_backend(data.config(), name=name))


def in_force() -> Model | None:
    """The model that writes posts, to be asked how it is; None where its name is none."""
    try:
        return load(data.model_in_force()).model
    except BuzzError:
        return None


@st.cache_data(ttl=60, show_spinner=False)
def names(first: str) -> list[str]:
    """Models to choose from: ``first``, then what its server has."""
    found = [first]
    try:
        loaded = load(first)
        with loaded.lock:
            found += [f"{info.backend}:{info.name}" for info in loaded.model.models()]
    except BuzzError:
        pass
    return list(dict.fromkeys([*found, "scripted:scripted"]))


class Run:
    """One streamed call: iterate for pieces of text, then read :attr:`result`.

    The model works in a thread of its own; whoever stops iterating stops the model at its next
    piece.
    """

    def __init__(self, setting: Setting, loaded: Loaded, seed: int, timeout_s: float) -> None:
        self._setting, self._loaded, self._seed, self._timeout = setting, loaded, seed, timeout_s
        self._pieces: queue.Queue[str | None] = queue.Queue()
        self._stop = threading.Event()
        self.result: Tried | None = None
        self.failure: Exception | None = None

    def __iter__(self) -> Iterator[str]:
        thread = threading.Thread(target=self._work, daemon=True)
        thread.start()
        try:
            while (piece := self._pieces.get()) is not None:
                yield piece
        finally:
            self._stop.set()

    def _work(self) -> None:
        try:
            with self._loaded.lock:
                self.result = trial.attempt(
                    self._setting, self._loaded.model, seed=self._seed, clock=data.clock,
                    timeout_s=self._timeout, on_text=self._take,
                )  # fmt: skip
        except Exception as error:  # told by the page; a thread has nobody to raise to
            self.failure = error
        finally:
            self._pieces.put(None)

    def _take(self, piece: str) -> None:
        if self._stop.is_set():
            raise Stopped
        self._pieces.put(piece)
