"""A running API: uvicorn on loopback, the scripted model, one writing lane, a real database."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.clock import SystemClock
from engine.config import SOURCE_HOSTS, Config
from engine.llm.current import CurrentModel
from engine.records import Facts
from engine.service import heartbeat, tokens
from engine.service.api.server import ApiServer
from engine.service.desk import MarketDesk
from engine.service.fill import Filler, Written
from engine.service.jobs import Jobs
from engine.store import settings
from engine.store.database import opened
from engine.writing.generate import Writer
from engine.writing.shipped import ensure_templates

CLOSED = dict.fromkeys(SOURCE_HOSTS, "http://127.0.0.1:9")


class Service:
    """The runner's part that the API needs, and what tests want to do with it."""

    def __init__(self, db_path: Path) -> None:
        self.db_path, self.clock = db_path, SystemClock()
        self.config = Config(db=db_path, llm="scripted", model="scripted", sources=CLOSED, feeds=())
        with opened(db_path) as db:
            ensure_templates(db, now=self.clock.now())
        self.model = CurrentModel(self.config, db_path, self.clock)
        rng = random.Random(7)
        writer = Writer(db_path, self.model, self.clock, rng)
        desk = MarketDesk(db_path, self.config, self.clock)
        self.filler = Filler(db_path, writer, desk, self.clock, rng, "dry_run")
        self.jobs = Jobs(db_path, self.clock)
        self.write: Callable[[str, Facts | None], Written] = self.filler.write_now
        self._servers: list[ApiServer] = []
        self.server = self.start()

    def start(self) -> ApiServer:
        server = ApiServer(
            ("127.0.0.1", 0), self.config, self.clock,
            lambda kind, facts: self.write(kind, facts),
            lambda work: self.jobs.in_turn("writing", work),
        )  # fmt: skip
        self._servers.append(server)
        return server

    def stop(self) -> None:
        for server in self._servers:
            server.stop()
        self.jobs.stop(5)
        self.model.close()

    def token(self, *scopes: str) -> str:
        with opened(self.db_path) as db:
            return tokens.create(
                db, name="tests", scopes=scopes or ("all",), actor="tests", now=self.clock.now()
            )[1]

    def put(self, key: str, value: Any) -> None:
        with opened(self.db_path) as db:
            settings.put(db, key, value, actor="tests", now=self.clock.now())

    def beat(self) -> None:
        with opened(self.db_path) as db:
            heartbeat.beat(db, self.clock, 1)

    def client(self, *scopes: str, token: str | None = None) -> httpx.Client:
        """A caller with these scopes (all of them where none is named)."""
        text = token if token is not None else self.token(*scopes)
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.server.port}",
            headers={"Authorization": f"Bearer {text}"} if text else {},
            timeout=20,
        )


@pytest.fixture
def service(db_path: Path) -> Iterator[Service]:
    held = Service(db_path)
    yield held
    held.stop()


@pytest.fixture
def api(service: Service) -> Iterator[httpx.Client]:
    """A caller who may do everything."""
    with service.client() as client:
        yield client
