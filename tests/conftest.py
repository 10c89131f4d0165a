"""Shared ground of all tests: no network but loopback, no environment, a fresh database."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from pytest_socket import socket_allow_hosts
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.store.database import connect
from engine.store.migrations import migrate

# a busy machine is no finding: examples are judged by what they show, not by how long they took
# the same examples every time, so that a change is judged by what it changed; new ones are looked
# for on purpose: HYPOTHESIS_PROFILE=explore make test
hypothesis_settings.register_profile("project", deadline=None, derandomize=True)
hypothesis_settings.register_profile("explore", deadline=None)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "project"))

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only loopback answers; no setting leaks in from the machine."""
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)
    for name in list(os.environ):
        if name.startswith(("BTCBUZZ_", "X_A", "OLLAMA_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("BTCBUZZ_THREADS", "1")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 11, 22, 12, 0, tzinfo=UTC))


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrated once; tests work on copies of it."""
    path = tmp_path_factory.mktemp("empty") / "bot.db"
    db = connect(path)
    migrate(db)
    db.close()
    return path


@pytest.fixture
def db_path(tmp_path: Path, empty_database: Path) -> Path:
    """A migrated, empty database."""
    return Path(shutil.copy2(empty_database, tmp_path / "bot.db"))


@pytest.fixture
def db(db_path: Path) -> Iterator[Database]:
    database = connect(db_path)
    yield database
    database.close()


@pytest.fixture
def market_csv() -> Path:
    """766 real hours of the market, where they are there."""
    path = SHARED / "data" / "market" / "btc-usd-hourly-2025.csv"
    if not path.exists():
        pytest.skip("the recorded market (shared/data/market) is not beside this checkout")
    return path
