"""A market on loopback and what talks to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.clock import FakeClock
from engine.config import Config, load_config
from engine.market.http import Fetcher
from engine.market.snapshot import Sources, build_sources
from engine.settings import SETTINGS
from tests.fakes.market_server import MarketServer, running

DEFAULTS = {key: setting.default for key, setting in SETTINGS.items()}


@pytest.fixture
def server(clock: FakeClock) -> Iterator[MarketServer]:
    """All sources agree on one market at the clock's time."""
    with running() as market:
        market.market(clock.now())
        yield market


@pytest.fixture
def config(server: MarketServer) -> Config:
    return load_config(server.env())


@pytest.fixture
def fetcher(clock: FakeClock) -> Fetcher:
    """Short waits; the caps themselves are what the tests are about."""
    return Fetcher(clock, connect_s=1.0, read_s=0.3, total_s=0.5)


@pytest.fixture
def sources(config: Config, clock: FakeClock, fetcher: Fetcher) -> Sources:
    return build_sources(config, clock, fetcher=fetcher)
