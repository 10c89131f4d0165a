"""Is the wall clock to be trusted? Wall time and boot time are watched side by side.

Facts: reliability-and-security §2.5. Suspend moves both clocks, so it is no step. A step is
noted; a jump of more than an hour forward, or a year before this program was built, means that
nothing may be posted until the clock is back or the operator vouches for it.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from engine.clock import Clock, iso, parse_iso
from engine.errors import BuzzError
from engine.log import event
from engine.store import service_state
from engine.store.database import opened

logger = logging.getLogger(__name__)

ClockState = Literal["steady", "stepped", "untrusted"]

BUILD_YEAR = 2026
STEP_S = 2.0
FORWARD_LIMIT_S = 3_600.0
REMEMBER_S = 60.0


@dataclass(frozen=True)
class Reading:
    """Both clocks at one instant."""

    wall: datetime
    boottime: float
    boot_id: str

    @classmethod
    def of(cls, clock: Clock) -> Reading:
        return cls(clock.now(), clock.boottime(), clock.boot_id())

    @property
    def start(self) -> float:
        """Wall time at which this boot began, epoch seconds: still while the clock is steady."""
        return self.wall.timestamp() - self.boottime

    def to_text(self) -> str:
        return json.dumps([iso(self.wall), self.boottime, self.boot_id])

    @classmethod
    def from_text(cls, text: str) -> Reading:
        wall, boottime, boot_id = json.loads(text)
        return cls(parse_iso(wall), float(boottime), str(boot_id))


class ClockWatch:
    """Judges the clock each time it is asked.

    With ``db_path`` the last trusted reading outlives a restart of the process, and
    :func:`confirm` reaches a running one. A new boot starts without a past.
    """

    def __init__(self, clock: Clock, db_path: Path | None = None) -> None:
        self._clock, self._db_path = clock, db_path
        self._trusted: Reading | None = self._stored()
        self._last: Reading | None = self._trusted
        self._saved_at: float | None = None
        self.state: ClockState = "steady"

    def check(self) -> ClockState:
        """``steady``, ``stepped`` (noted, work goes on) or ``untrusted`` (post nothing)."""
        now = Reading.of(self._clock)
        before, self.state = self.state, self._judge(now)
        if self.state == "untrusted" and before == "untrusted":
            self._trusted = self._stored() or self._trusted
            self.state = self._judge(now)
        if self.state != before and self.state != "steady":
            moved = now.start - self._last.start if self._last else 0.0
            event(logger, logging.WARNING, f"clock {self.state}", moved_s=round(moved, 1))
        self._last = now
        if self.state != "untrusted":
            self._trust(now)
        return self.state

    def _judge(self, now: Reading) -> ClockState:
        if now.wall.year < BUILD_YEAR:
            return "untrusted"
        trusted, last = _of_boot(self._trusted, now), _of_boot(self._last, now)
        if trusted and now.start - trusted.start > FORWARD_LIMIT_S:
            return "untrusted"
        if last and abs(now.start - last.start) > STEP_S:
            return "stepped"
        return "steady"

    def _trust(self, now: Reading) -> None:
        """Keep the furthest forward line of this boot, so that a wrong step back can be undone."""
        trusted = _of_boot(self._trusted, now)
        if trusted is None or now.start >= trusted.start - STEP_S:
            self._trusted = trusted = now
        if self._db_path is None or (
            self._saved_at is not None and 0 <= now.boottime - self._saved_at < REMEMBER_S
        ):
            return
        try:
            with opened(self._db_path) as db:
                service_state.put(db, service_state.CLOCK_TRUSTED, trusted.to_text(), now.wall)
            self._saved_at = now.boottime
        except (BuzzError, sqlite3.Error) as error:
            logger.debug("the clock's reading was not stored: %s", error)

    def _stored(self) -> Reading | None:
        if self._db_path is None:
            return None
        try:
            with opened(self._db_path) as db:
                text = service_state.get(db, service_state.CLOCK_TRUSTED)
            return Reading.from_text(text) if text else None
        except (BuzzError, sqlite3.Error, ValueError) as error:
            logger.debug("the clock's last reading cannot be read: %s", error)
            return None


def _of_boot(reading: Reading | None, now: Reading) -> Reading | None:
    """``reading`` if its boot time can be compared with ``now``'s."""
    return reading if reading and reading.boot_id == now.boot_id else None


def confirm(db_path: Path, clock: Clock) -> None:
    """The operator vouches for the clock as it is now; a running watch takes it up."""
    with opened(db_path) as db:
        service_state.put(db, service_state.CLOCK_TRUSTED, Reading.of(clock).to_text(), clock.now())
