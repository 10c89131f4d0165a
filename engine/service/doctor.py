"""``doctor``: everything that must be right, each with what to do where it is not.

No secret is ever shown, nothing is repaired. Facts: reliability-and-security §4, §5.3, §5.4, §5.6.
"""

from __future__ import annotations

import shutil
import sqlite3
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from engine.clock import Clock, parse_iso
from engine.config import X_KEYS, Config, is_loopback
from engine.errors import BuzzError, LockHeld
from engine.llm.base import Model
from engine.posting import killswitch
from engine.posting.lock import HostLock
from engine.service import backup, heartbeat, schedule
from engine.service.clockwatch import ClockWatch
from engine.store import (
    alerts,
    audit,
    news,
    schedules,
    service_state,
    settings,
    snapshots,
)
from engine.store.database import file_system_of, opened, quick_check, refuse_read_only
from engine.store.migrations import pending, refuse_newer

State = Literal["ok", "warn", "fail"]

WAL_RESET_FIXED = (3, 51, 3)
BACKUP_AGE_H = 48.0
NEWS_AGE_H = 24.0
OLLAMA_PORT = 11434


@dataclass(frozen=True)
class Check:
    """One finding; ``message`` says what is so, and what to do where it is not ``ok``."""

    name: str
    state: State
    message: str


@dataclass(frozen=True)
class Patient:
    """What is examined. ``model`` is None where none is configured to be asked;
    ``streamlit_config`` is the file that binds the console."""

    config: Config
    clock: Clock
    model: Model | None
    streamlit_config: Path

    @property
    def path(self) -> Path:
        return self.config.db


def diagnose(patient: Patient) -> list[Check]:
    """Run every check; one that cannot be made is a ``fail`` of its own, never a silence."""
    checks = []
    for name, look in CHECKS.items():
        try:
            state, message = look(patient)
        except (BuzzError, sqlite3.Error, OSError) as error:
            state, message = "fail", str(error)
        checks.append(Check(name, state, message))
    return checks


Answer = tuple[State, str]


def _database(patient: Patient) -> Answer:
    if not patient.path.exists():
        return "fail", f"{patient.path} does not exist. Run `runner.py migrate`."
    with opened(patient.path) as db:
        refuse_read_only(db, patient.path)
        damage = quick_check(db)
    if damage:
        return "fail", f"{patient.path} is damaged ({damage}). Stop, then `runner.py restore`."
    return "ok", f"{patient.path} is sound, on {file_system_of(patient.path)}."


def _schema(patient: Patient) -> Answer:
    with opened(patient.path, "ro") as db:
        refuse_newer(db)
        waiting = pending(db)
    if waiting:
        return "fail", f"{len(waiting)} migrations are missing. Run `runner.py migrate`."
    return "ok", "The schema is up to date."


def _sqlite(patient: Patient) -> Answer:
    if sqlite3.sqlite_version_info < WAL_RESET_FIXED:
        return "warn", (
            f"SQLite {sqlite3.sqlite_version} can, very rarely, damage a database when two "
            "connections write and checkpoint at once (fixed in 3.51.3). Daily backups are made; "
            "prefer a Python with a newer SQLite."
        )
    return "ok", f"SQLite {sqlite3.sqlite_version}."


def _lock(patient: Patient) -> Answer:
    with opened(patient.path, "ro") as db:
        alive = heartbeat.is_alive(db, patient.clock)
    try:
        HostLock(patient.path).probe()
    except LockHeld:
        if alive:
            return "ok", "One runner works on this database."
        return "warn", (
            "A runner holds the lock but its heartbeat is old: it hangs or was paused. "
            "Look at its log; `kill -CONT` or restart it."
        )
    if alive:
        return "fail", (
            "The runner's heart beats but its lock is free: the lock file was removed. "
            "Restart the runner."
        )
    return "warn", "No runner works on this database. Start it with `runner.py run`."


def _clock(patient: Patient) -> Answer:
    past = patient.path if patient.path.exists() else None
    state = ClockWatch(patient.clock, past).check()
    now = f"{patient.clock.now():%Y-%m-%d %H:%M:%S} UTC"
    if state == "untrusted":
        return "fail", (
            f"The clock says {now}, which it cannot have reached. Correct it (time "
            "synchronisation on?), or confirm it with `runner.py resume`."
        )
    return "ok", f"The clock says {now}."


def _disk(patient: Patient) -> Answer:
    with opened(patient.path, "ro") as db:
        least = int(settings.get(db, "service.min_free_mb"))
    free = shutil.disk_usage(patient.path.parent).free / 1e6
    if free < least:
        return "fail", f"{free:,.0f} MB are free, {least} MB must be. Free some space."
    return "ok", f"{free:,.0f} MB are free."


def _modes(patient: Patient) -> Answer:
    path = patient.path
    files = [path, path.with_name(path.name + "-wal"), *backup.listing(path)]
    readable = [file for file in files if file.exists() and file.stat().st_mode & 0o077]
    if readable:
        return "warn", f"Others may read {readable[0]}. Run `chmod 600 {readable[0]}`."
    return "ok", "Only the owner can read the database and its backups."


def _keys(patient: Patient) -> Answer:
    if patient.config.publisher == "dry_run":
        return "ok", "Dry run: no keys are needed, nothing goes to X."
    missing = [key for key in X_KEYS if key not in patient.config.x_keys]
    if missing:
        return "fail", f"{', '.join(missing)} not set. Put them into the environment."
    return "ok", "All four keys of X are set."


def _audit(patient: Patient) -> Answer:
    with opened(patient.path, "ro") as db:
        problem = audit.verify_chain(db)
    if problem:
        return "fail", f"{problem}. Somebody wrote past the program; run `runner.py verify`."
    return "ok", "The audit trail is whole."


def _model(patient: Patient) -> Answer:
    if patient.model is None:
        return "warn", "No model was asked. Posts come from templates without one."
    health = patient.model.health()
    return ("ok" if health.ok else "fail"), f"{patient.model.name}: {health.message}"


def _ollama_bound(patient: Patient) -> Answer:
    """Ollama has no authentication: a socket open to the network serves strangers."""
    if patient.config.llm != "ollama":
        return "ok", "Ollama is not in use."
    import psutil

    parts = urlsplit(patient.config.ollama_url)
    port = parts.port or OLLAMA_PORT
    if not is_loopback(parts.hostname):
        return "warn", (
            f"Ollama is asked at {parts.hostname}, which others may reach: it has no "
            "password. Keep it on a private network."
        )
    public = [
        row.laddr.ip
        for row in psutil.net_connections(kind="tcp")
        if row.status == psutil.CONN_LISTEN
        and row.laddr
        and row.laddr.port == port
        and not is_loopback(row.laddr.ip)
    ]
    if public:
        return "warn", (
            f"Port {port} listens on {public[0]}: the network can use your model. "
            "Set OLLAMA_HOST=127.0.0.1 where Ollama starts."
        )
    return "ok", "Ollama listens on this machine only."


def _slots(patient: Patient) -> Answer:
    with opened(patient.path, "ro") as db:
        ahead = schedule.next_slot(db, patient.clock.now())
        active = any(row.plan.enabled for row in schedules.listing(db))
    if ahead:
        return "ok", f"Next: {ahead.content_type}, {ahead.due_at:%Y-%m-%d %H:%M} UTC."
    if active:
        return "warn", "No slot is planned yet: the runner plans them once it runs."
    return "warn", "No schedule is enabled. Enable one in the console."


def _zones(patient: Patient) -> Answer:
    with opened(patient.path, "ro") as db:
        zones = sorted({row.plan.zone for row in schedules.listing(db)})
    for zone in zones:
        schedules.zone_of(zone)
    return "ok", f"Schedules run on {', '.join(zones) or 'no zone yet'}; times are stored in UTC."


def _feeds(patient: Patient) -> Answer:
    now = patient.clock.now()
    with opened(patient.path, "ro") as db:
        market = snapshots.latest(db)
        items = news.listing(db, limit=1)
        limit = float(settings.get(db, "posting.max_snapshot_age_s"))
    if market is None or market.facts.as_of is None:
        return "warn", "No market data is stored yet."
    age = (now - market.facts.as_of).total_seconds()
    said = f"Market data ({market.world}) is {age / 60:.0f} min old"
    if items:
        hours = (now - parse_iso(items[0].published_at)).total_seconds() / 3600
        said += f", the newest headline {hours:.0f} h"
        if hours > NEWS_AGE_H and age <= limit:
            return "warn", f"{said}: no feed brings anything. Check BTCBUZZ_FEEDS."
    if age > limit:
        return "warn", f"{said}: posts with prices are skipped. Check the network."
    return "ok", f"{said}."


def _backups(patient: Patient) -> Answer:
    newest = next(iter(backup.listing(patient.path)), None)
    if newest is None:
        return "warn", "There is no backup yet. The runner makes one a day; `runner.py backup`."
    hours = (patient.clock.now() - backup.created_at(newest)).total_seconds() / 3600
    age = f"{hours:.0f} h old" if hours >= 1 else "less than an hour old"
    if hours > BACKUP_AGE_H:
        return "warn", f"The newest backup is {age}. Run `runner.py backup`."
    return "ok", f"The newest backup is {age}."


def _console(patient: Patient) -> Answer:
    file = patient.streamlit_config
    if not file.exists():
        return "warn", f"{file} is missing: Streamlit would listen on all addresses. Put it back."
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        return "fail", f"{file} cannot be read ({error}). Put the shipped file back."
    server, client = found.get("server", {}), found.get("client", {})
    wrong = [
        name
        for name, good in (
            ("server.address", is_loopback(server.get("address", ""))),
            ("server.allowedHosts", bool(server.get("allowedHosts"))),
            ("server.enableXsrfProtection", server.get("enableXsrfProtection", True) is True),
            ("server.enableCORS", server.get("enableCORS", True) is True),
            ("client.showErrorDetails", client.get("showErrorDetails") in ("none", False)),
        )
        if not good
    ]
    if wrong:
        return "fail", f"{', '.join(wrong)} in {file} opens the console to others. Correct it."
    return "ok", "The console answers on this machine only."


def _posting(patient: Patient) -> Answer:
    with opened(patient.path, "ro") as db:
        switch = killswitch.status(db, patient.path)
        why = service_state.get(db, service_state.RECONCILE_REQUIRED)
        holding = alerts.open_alerts(db)
    if switch.stopped:
        return "warn", f"Posting is stopped: {switch.reason}. `runner.py resume` lets it go on."
    if why and patient.config.publisher == "x":
        return "warn", f"Posting to X compares with it first, because {why}."
    if holding:
        return "warn", f"{len(holding)} alerts hold: {', '.join(row.kind for row in holding)}."
    return "ok", "Posting is on and no alert holds."


CHECKS: dict[str, Callable[[Patient], Answer]] = {
    "database": _database,
    "schema": _schema,
    "sqlite": _sqlite,
    "lock": _lock,
    "clock": _clock,
    "disk": _disk,
    "file modes": _modes,
    "keys": _keys,
    "audit": _audit,
    "model": _model,
    "ollama": _ollama_bound,
    "next slot": _slots,
    "time zones": _zones,
    "feeds": _feeds,
    "backups": _backups,
    "console": _console,
    "posting": _posting,
}
