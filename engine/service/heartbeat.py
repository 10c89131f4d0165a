"""The runner's pulse, written every tick; anybody may read whether it is alive.

The row also remembers when the process behind it changed: more than a few changes a minute mean
a crash loop, or two runners at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlite_utils import Database

from engine.clock import Clock
from engine.store import heartbeats, settings
from engine.store.heartbeats import Heartbeat

RUNNER = "runner"
CHANGES_WITHIN_S = 60.0


def beat(
    db: Database, clock: Clock, pid: int, detail: Mapping[str, Any] | None = None
) -> Heartbeat:
    """Write the runner's pulse; answers it."""
    before = heartbeats.get(db, RUNNER)
    boottime, boot_id = clock.boottime(), clock.boot_id()
    changes: list[float] = []
    if before and before.boot_id == boot_id:
        changes = list(before.detail.get("changes", []))[-9:]
        if before.pid != pid:
            changes.append(boottime)
    now = Heartbeat(
        RUNNER, clock.now(), boot_id, boottime, pid, {**(detail or {}), "changes": changes}
    )
    heartbeats.put(db, now)
    return now


def age_s(db: Database, clock: Clock) -> float | None:
    """Seconds since the last pulse; None if there never was one."""
    pulse = heartbeats.get(db, RUNNER)
    return pulse.age_s(clock) if pulse else None


def is_alive(db: Database, clock: Clock) -> bool:
    """Whether the pulse is younger than service.heartbeat_stale_s."""
    age = age_s(db, clock)
    return age is not None and age <= settings.get(db, "service.heartbeat_stale_s")


def recent_changes(pulse: Heartbeat, clock: Clock) -> int:
    """How often another process took over the pulse within the last minute."""
    if pulse.boot_id != clock.boot_id():
        return 0
    start = clock.boottime() - CHANGES_WITHIN_S
    return sum(moment >= start for moment in pulse.detail.get("changes", []))
