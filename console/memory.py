"""What the runner and its model take of this machine's memory, looked at now and then."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from console import data
from engine.lab import machine
from engine.service.heartbeat import RUNNER
from engine.store import heartbeats
from engine.store.heartbeats import Heartbeat


@dataclass(frozen=True)
class Memory:
    """Resident bytes; None where the process cannot be seen from here (not running, another
    container). ``model`` is its server, or what the runner started for the embedded one."""

    at: datetime
    runner: int | None
    model: int | None


def now() -> Memory:
    """At most 30 seconds old."""
    settings = data.config()
    with data.reading() as db:
        beat = heartbeats.get(db, RUNNER)
    pid = beat.pid if beat and _is_here(beat) else None
    return _look(pid, settings.llm, str(settings.db))


def _is_here(beat: Heartbeat) -> bool:
    return beat.boot_id == data.clock.boot_id() and beat.age_s(data.clock) < 60


@st.cache_data(ttl=30, max_entries=4, show_spinner=False)
def _look(pid: int | None, backend: str, path: str) -> Memory:
    runner, children = _family(pid) if pid else (None, None)
    model = children if backend == "embedded" else machine.server_bytes(backend, data.config())
    return Memory(data.now(), runner, model)


def _family(pid: int) -> tuple[int | None, int | None]:
    """Resident bytes of a process of ours, and of what it started."""
    import psutil

    try:
        process = psutil.Process(pid)
        if process.uids().real != os.getuid() or "python" not in process.exe().lower():
            return None, None
        children = process.children(recursive=True)
        return process.memory_info().rss, sum(c.memory_info().rss for c in children) or None
    except (psutil.Error, OSError):
        return None, None
