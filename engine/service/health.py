"""How the service is, as numbers and states: for ``status``, the API and a watchdog outside."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from engine.clock import Clock, iso
from engine.errors import DatabaseUnusable
from engine.service import heartbeat, schedule
from engine.store import alerts, approvals, breakers, slots
from engine.store.database import identity


@dataclass(frozen=True)
class Status:
    """``next_slot``: when, ISO-8601 UTC; ``breaker``: the worst state of any model; ``counts``:
    posts by state; ``slots``: slots by state; ``alerts``: what holds now, ``kind`` or
    ``kind:key``."""

    alive: bool
    heartbeat_age_s: float | None
    kill_switch: bool
    breaker: str
    next_slot: str | None
    next_content_type: str | None
    counts: dict[str, int]
    slots: dict[str, int]
    alerts: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {**asdict(self), "alerts": list(self.alerts)}


def status(db: Database, clock: Clock, *, kill_switch: bool) -> Status:
    """Read the state of everything; ``kill_switch`` is :func:`engine.posting.killswitch.is_on`."""
    age = heartbeat.age_s(db, clock)
    ahead = schedule.next_slot(db, clock.now())
    states = {row.state for row in breakers.get_all(db)}
    return Status(
        alive=heartbeat.is_alive(db, clock),
        heartbeat_age_s=None if age is None else round(age, 1),
        kill_switch=kill_switch,
        breaker=next((state for state in ("open", "half_open") if state in states), "closed"),
        next_slot=iso(ahead.due_at) if ahead else None,
        next_content_type=ahead.content_type if ahead else None,
        counts=approvals.counts(db),
        slots=slots.counts(db),
        alerts=tuple(
            f"{alert.kind}:{alert.key}" if alert.key else alert.kind
            for alert in alerts.open_alerts(db)
        ),
    )


class FileGuard:
    """Notices that the database file was removed, moved or replaced while the runner works.

    Opening a path that is gone would quietly begin an empty database (fault F30), so ask the
    guard before each round of work. It compares device and inode and opens nothing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._identity = identity(path)

    def check(self) -> None:
        """Raises: DatabaseUnusable where the file is not the one it was."""
        found = identity(self._path)
        if self._identity is None or found != self._identity:
            fate = "is gone" if found is None else "was replaced by another file"
            raise DatabaseUnusable(
                f"{self._path} {fate} while the runner worked on it; the runner stops. Put the "
                "file back, or run `runner.py restore`, then start again."
            )
