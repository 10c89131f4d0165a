"""Fixtures of the fault tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.clock import FakeClock
from tests.faults.rig import Rig
from tests.faults.x_server import XServer


@pytest.fixture
def x(tmp_path: Path, clock: FakeClock) -> Iterator[XServer]:
    """An X whose clock is the bot's."""
    with XServer(tmp_path / "x.jsonl", now=clock.now) as server:
        yield server


@pytest.fixture
def rig(db_path: Path, clock: FakeClock, x: XServer) -> Iterator[Rig]:
    """A running bot on an empty database and that X."""
    bot = Rig(db_path, clock, x)
    yield bot
    bot.end()
