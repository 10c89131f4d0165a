"""A response cache: the same request to the same model gets the stored answer.

The key holds everything that shapes the text and the repeat's number, so that repeats of one
prompt stay repeats (facts: ollama-and-prompt-testing §1, promptfoo#360). Failures are never kept.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from engine.clock import Clock
from engine.llm.base import Generation, GenerationRequest, Model, ModelInfo, Timings, Usage
from engine.llm.wrapper import Wrapper
from engine.records import canonical_json
from engine.store import responses
from engine.store.database import opened

MAX_BYTES = 16 * 1024 * 1024


class CachedModel(Wrapper):
    """Asks the database before the model. A hit is marked ``from_cache``, has the stored token
    counts and no server timings: it says nothing about speed."""

    def __init__(
        self, inner: Model, *, db_path: Path, clock: Clock, max_bytes: int = MAX_BYTES
    ) -> None:
        super().__init__(inner)
        self._db_path = db_path
        self._clock = clock
        self._max_bytes = max_bytes

    def generate(
        self, request: GenerationRequest, on_text: Callable[[str], None] | None = None
    ) -> Generation:
        started = time.perf_counter()
        key = cache_key(self.inner.info(), request)
        with opened(self._db_path) as db:
            stored = responses.find(db, key, now=self._clock.now())
        if stored is not None:
            hit = _load(stored)
            if on_text is not None:
                on_text(hit.text)
            return replace(hit, timings=Timings(wall_s=time.perf_counter() - started))
        made = self.inner.generate(request, on_text)
        with opened(self._db_path) as db:
            responses.keep(
                db,
                key,
                json.dumps(asdict(made)),
                max_bytes=self._max_bytes,
                now=self._clock.now(),
            )
        return made


def cache_key(model: ModelInfo, request: GenerationRequest) -> str:
    """SHA-256 over model (name, digest, context size, server version) and request; the time
    limit and the server's own prefix cache do not shape the text."""
    shape = {"model": asdict(model), "request": asdict(request)}
    for name in ("timeout_s", "cache_prompt"):
        del shape["request"][name]
    return hashlib.sha256(canonical_json(shape).encode()).hexdigest()


def _load(stored: str) -> Generation:
    fields = json.loads(stored)
    fields["usage"] = Usage(**fields["usage"])
    fields["timings"] = Timings(**fields["timings"])
    fields["model"] = ModelInfo(**fields["model"])
    return Generation(**{**fields, "from_cache": True})
