"""What every route stands on."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from fastapi import Request

from engine.clock import Clock
from engine.config import Config
from engine.records import Facts
from engine.service.api.limits import Limiter
from engine.service.api.reads import Reads
from engine.service.fill import Written
from engine.service.metrics import Metrics
from engine.store import settings

T = TypeVar("T")

BASE = "/api/v1"


@dataclass
class Api:
    """One API of one runner.

    ``write`` writes one post at once; ``in_turn`` runs work on the runner's writing lane, after
    whatever is being written there.
    """

    config: Config
    clock: Clock
    write: Callable[[str, Facts | None], Written]
    in_turn: Callable[[Callable[[], Any]], Future[Any]]
    hosts: frozenset[str]
    waiting: int = 0
    run: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        self.reads = Reads(self.config.db, self.clock)
        self.limiter = Limiter(self.config.db, self.clock)
        self.metrics = Metrics(self.clock)

    @property
    def db_path(self) -> Path:
        return self.config.db

    def setting(self, key: str) -> Any:
        """The value in force; for the event loop."""
        return self.reads.get("settings", settings.get_all)[key]


def api_of(request: Request) -> Api:
    """The API behind a request."""
    api: Api = request.app.state.api
    return api
