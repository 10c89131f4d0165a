"""A model around a model: everything is the inner one's, until a subclass says otherwise."""

from __future__ import annotations

from collections.abc import Callable

from engine.llm.base import Generation, GenerationRequest, Health, Model, ModelInfo


class Wrapper:
    """Delegates the whole contract to ``inner``."""

    def __init__(self, inner: Model) -> None:
        self.inner = inner

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def backend(self) -> str:
        return self.inner.backend

    @property
    def features(self) -> frozenset[str]:
        return self.inner.features

    def models(self) -> list[ModelInfo]:
        return self.inner.models()

    def info(self) -> ModelInfo:
        return self.inner.info()

    def health(self) -> Health:
        return self.inner.health()

    def generate(
        self, request: GenerationRequest, on_text: Callable[[str], None] | None = None
    ) -> Generation:
        return self.inner.generate(request, on_text)

    def unload(self) -> None:
        self.inner.unload()

    def close(self) -> None:
        self.inner.close()
