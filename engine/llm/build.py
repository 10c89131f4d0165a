"""From a name such as ``ollama:llama3:8b`` to a model ready for use."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.clock import Clock, SystemClock
from engine.config import BACKENDS, Config
from engine.errors import UsageError
from engine.llm.base import Model
from engine.llm.breaker import BreakerModel
from engine.llm.cache import CachedModel
from engine.llm.retry import RetryingModel
from engine.settings import SETTINGS
from engine.store import settings as stored_settings
from engine.store.database import opened


def parse_model_name(name: str) -> tuple[str, str]:
    """``backend:model`` apart; the model's own name may hold colons.

    Raises: UsageError.
    """
    backend, colon, model = name.partition(":")
    if backend not in BACKENDS or not colon or not model.strip():
        raise UsageError(
            f"{name!r} is not a model. Write backend:name, for instance embedded:smollm2 or "
            f"ollama:llama3:8b; backends are {', '.join(BACKENDS)}."
        )
    return backend, model.strip()


def build_backend(
    config: Config, *, name: str | None = None, settings: Mapping[str, Any] | None = None
) -> Model:
    """The bare backend for ``name`` (default: the configured one): no retries, no breaker, no
    cache. What a benchmark measures.

    Raises: UsageError.
    """
    backend, model = parse_model_name(name or config.named_model)
    if backend == "ollama":
        from engine.llm.ollama import OllamaModel

        return OllamaModel(
            config.ollama_url,
            model,
            num_ctx=_value(settings, "model.num_ctx"),
            keep_alive=_value(settings, "model.keep_alive"),
        )
    if backend == "openai":
        from engine.llm.openai_compatible import OpenAIModel

        key = config.openai_key.reveal() if config.openai_key else None
        return OpenAIModel(config.openai_url, model, api_key=key)
    if backend == "embedded":
        from engine.llm import embedded

        if model != embedded.NAME:
            raise UsageError(
                f"The embedded backend has one model, embedded:{embedded.NAME}, not {model!r}. "
                "For other models set BTCBUZZ_LLM=ollama."
            )
        return embedded.EmbeddedModel(threads=config.threads)
    from engine.llm.scripted import ScriptedModel

    return ScriptedModel(model=model)


def build_model(
    config: Config,
    *,
    name: str | None = None,
    db_path: Path | None = None,
    settings: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
    rng: random.Random | None = None,
    cached: bool = False,
) -> Model:
    """The model for ``name`` (default: the configured one), with retries; with ``db_path`` also
    behind its circuit breaker and, if ``cached``, the response cache.

    ``settings``: what :func:`engine.store.settings.get_all` answers; without them the database's,
    without a database the defaults. Raises: UsageError.
    """
    clock = clock or SystemClock()
    if settings is None and db_path is not None:
        with opened(db_path) as db:
            settings = stored_settings.get_all(db)
    model: Model = build_backend(config, name=name, settings=settings)
    model = RetryingModel(model, clock=clock, rng=rng or random.Random())
    if db_path is not None:
        model = BreakerModel(model, db_path=db_path, clock=clock)
        if cached:
            model = CachedModel(model, db_path=db_path, clock=clock)
    return model


def _value(settings: Mapping[str, Any] | None, key: str) -> Any:
    return (settings or {}).get(key, SETTINGS[key].default)
