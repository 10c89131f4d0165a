"""Every read of the console, and the only place that caches one.

A connection lives as long as one run of a page, or outside of one as long as one read (facts:
streamlit §1.6). What is cached is keyed by the database's own counters, so a read is repeated
exactly when something was written.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st
from sqlite_utils import Database

from engine.clock import Clock, SystemClock
from engine.config import Config, load_config
from engine.errors import DatabaseUnusable
from engine.llm.current import in_force
from engine.posting import killswitch, spend
from engine.service import users
from engine.service.app import App
from engine.service.heartbeat import RUNNER
from engine.store import console_reads, heartbeats, slots
from engine.store import settings as store_settings
from engine.store.console_reads import Waiting
from engine.store.database import connect, opened
from engine.store.migrations import pending
from engine.store.posting import Switch
from engine.store.slots import Slot

T = TypeVar("T")

clock: Clock = SystemClock()


class _Shared(threading.local):
    """What one run of a page opens and works out once; None outside of one. A run is one thread."""

    connections: dict[Path, Database] | None = None
    config: Config | None = None
    health: dict[bool, Health] | None = None


_shared = _Shared()


@contextmanager
def one_run() -> Iterator[None]:
    """Around a run of a page: its reads share a connection, which ends with it."""
    connections: dict[Path, Database] = {}
    _shared.config, _shared.health = config(), {}
    _shared.connections = connections
    try:
        yield
    finally:
        _shared.connections = _shared.config = _shared.health = None
        for db in connections.values():
            db.close()


def config() -> Config:
    """The process's settings. Raises: ConfigError."""
    if _shared.config is not None:
        return _shared.config
    named = ("BTCBUZZ_", "X_", "OLLAMA_")
    return _config(tuple(item for item in os.environ.items() if item[0].startswith(named)))


@lru_cache(maxsize=8)
def _config(environ: tuple[tuple[str, str], ...]) -> Config:
    """Read once for each environment: a page asks a dozen times."""
    return load_config(dict(environ))


def now() -> datetime:
    return clock.now()


def zone() -> ZoneInfo:
    """The reader's own time zone, as their browser tells it."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, TypeError):
        return ZoneInfo("UTC")


def sample_path() -> Path:
    """Where sample data lives: a database of its own, so that no real row can be touched by it."""
    path = config().db
    return path.with_name(f"{path.stem}.sample{path.suffix}")


def sample_shown() -> bool:
    return sample_path().exists()


def shown_path() -> Path:
    """The database behind the screens."""
    return sample_path() if sample_shown() else config().db


@contextmanager
def reading() -> Iterator[Database]:
    """A read-only connection to the bot's own database: people, health, settings."""
    with _read(config().db) as db:
        yield db


@contextmanager
def showing() -> Iterator[Database]:
    """A read-only connection to what the screens show: the same, or the sample data."""
    with _read(shown_path()) as db:
        yield db


@contextmanager
def _read(path: Path) -> Iterator[Database]:
    if _shared.connections is None:
        with opened(path, "ro") as db:
            yield db
        return
    if path not in _shared.connections:
        _shared.connections[path] = _connected(path)
    yield _shared.connections[path]


def _connected(path: Path) -> Database:
    try:
        return connect(path, "ro")
    except DatabaseUnusable as error:
        if path != sample_path():
            raise
        raise DatabaseUnusable(
            "The sample data cannot be read. Remove it with the button above: your own posts are "
            "in another file."
        ) from error


@contextmanager
def writing() -> Iterator[Database]:
    """A connection to the bot's own database, for one action; see console/actions.py."""
    with opened(config().db) as db:
        yield db


@contextmanager
def writing_shown() -> Iterator[Database]:
    """The same to what the screens show."""
    with opened(shown_path()) as db:
        yield db


def prepare() -> tuple[str, ...]:
    """Make a missing database, and the first user if a password is set.

    An existing database is not migrated here while it may be in use: answers the names of the
    migrations it lacks.
    """
    settings = config()
    if not settings.db.exists():
        App(settings, clock=clock).ready()
    return _prepared(str(settings.db), settings.db.stat().st_ino)


@st.cache_resource(max_entries=8)
def _prepared(path: str, inode: int) -> tuple[str, ...]:
    """Once for each file a process meets: argon2 is slow on purpose."""
    settings = config()
    with opened(settings.db) as db:
        missing = tuple(pending(db))
        if not missing and settings.password is not None:
            users.ensure_first_user(db, settings.password.reveal(), now=now())
    return missing


@dataclass(frozen=True)
class Health:
    """What the status block and the banner tell."""

    alive: bool
    age_s: float | None
    stop: Switch
    breakers: list[tuple[str, str, str | None, str | None]]
    waiting: Waiting
    next_slot: Slot | None
    model: str
    publisher: str
    spent_usd: float
    budget_usd: float
    disk_free_mb: int | None
    least_free_mb: int


def health(*, shown: bool = False) -> Health:
    """Read anew in each run: it is small, and must be true. ``shown``: of what the screens show."""
    if _shared.health is None:
        return _health(shown)
    if shown not in _shared.health:
        _shared.health[shown] = _health(shown)
    return _shared.health[shown]


def _health(shown: bool) -> Health:
    settings, at = config(), now()
    with showing() if shown else reading() as db:
        values = store_settings.get_all(db)
        age = runner_age(db)
        coming = slots.upcoming(db, at, limit=1)
        return Health(
            alive=age is not None and age <= values["service.heartbeat_stale_s"],
            age_s=age,
            stop=killswitch.status(db, settings.db),
            breakers=console_reads.open_breakers(db),
            waiting=console_reads.waiting(db),
            next_slot=coming[0] if coming else None,
            model=in_force(db, settings).partition(":")[2],
            publisher=settings.publisher,
            spent_usd=spend.month_to_date(db, at, settings.publisher),
            budget_usd=float(values["posting.monthly_budget_usd"]),
            disk_free_mb=shutil.disk_usage(settings.db.parent).free // 1_000_000,
            least_free_mb=int(values["service.min_free_mb"]),
        )


def runner_age(db: Database) -> float | None:
    """Seconds since the runner's last sign of life; None before the first."""
    beat = heartbeats.get(db, RUNNER)
    return beat.age_s(clock) if beat else None


def model_in_force() -> str:
    """``backend:name`` of the model that writes posts."""
    with reading() as db:
        return in_force(db, config())


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The local day from midnight to midnight; 23 or 25 hours apart when the clocks change."""
    after = day + timedelta(days=1)
    return datetime.combine(day, time(), zone), datetime.combine(after, time(), zone)


def remember(
    name: str,
    read: Callable[[Database], T],
    *args: object,
    revision: Callable[[Database], str] = console_reads.revision,
) -> T:
    """``read`` of the shown database, kept until anything it may depend on was written.

    ``args`` are everything else that shapes the answer, e.g. filters and the minute;
    ``revision`` names what was written last of what it depends on.
    """
    with showing() as db:
        return _remembered(name, str(shown_path()), revision(db), args, read, db)


# a resource, because records are frozen: nothing is gained by copying them at every look
@st.cache_resource(max_entries=256, show_spinner=False)
def _remembered(
    name: str, path: str, revision: str, args: tuple[object, ...],
    _read: Callable[[Database], T], _db: Database,
) -> T:  # fmt: skip
    return _read(_db)
