"""Time as an argument: the real clock, a fake one for tests, and the one text form of a moment.

Two clocks are kept apart (facts: reliability-and-security §2.5): wall time, which can be set,
for what people read; boot time, which counts suspend and never goes back, for ages and leases.
"""

from __future__ import annotations

import random
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Where the engine reads time."""

    def now(self) -> datetime:
        """Wall time, aware, UTC."""
        ...

    def boottime(self) -> float:
        """Seconds since boot, suspend included; only differences mean anything."""
        ...

    def boot_id(self) -> str:
        """Names this boot: boot times of different boots cannot be compared."""
        ...

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait until ``event`` is set or ``seconds`` have passed; true if it was set."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def boottime(self) -> float:
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

    def boot_id(self) -> str:
        try:
            return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except OSError:  # not Linux: a process-wide constant still tells restarts apart
            return "unknown-boot"

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return event.wait(seconds)


class FakeClock:
    """A clock that moves only when told; shipped because simulations use it as tests do."""

    def __init__(self, now: datetime, boottime: float = 1000.0, boot_id: str = "fake-boot") -> None:
        self._now = now.astimezone(UTC)
        self._boottime = boottime
        self._boot_id = boot_id

    def now(self) -> datetime:
        return self._now

    def boottime(self) -> float:
        return self._boottime

    def boot_id(self) -> str:
        return self._boot_id

    def wait(self, event: threading.Event, seconds: float) -> bool:
        if not event.is_set():
            self.advance(seconds)
        return event.is_set()

    def advance(self, seconds: float) -> None:
        """Let both clocks run on."""
        self._now += timedelta(seconds=seconds)
        self._boottime += seconds

    def set_wall(self, now: datetime) -> None:
        """Step the wall clock alone, as an operator or NTP would."""
        self._now = now.astimezone(UTC)

    def reboot(self, boot_id: str) -> None:
        """Start boot time anew, as a restart of the machine does."""
        self._boottime = 1.0
        self._boot_id = boot_id


class PinnedClock(SystemClock):
    """Wall time pinned to a recorded moment, boot time real: replays measure true durations."""

    def __init__(self, now: datetime) -> None:
        self._pinned = now.astimezone(UTC)

    def now(self) -> datetime:
        return self._pinned


def doubling_s(tries: int, first_s: float, longest_s: float) -> float:
    """Seconds before the next try after so many failures: ``first_s``, doubled each time, capped."""
    return min(first_s * 2.0 ** min(max(tries - 1, 0), 30), longest_s)


def jittered_s(pause_s: float, rng: random.Random) -> float:
    """``pause_s`` give or take a fifth: what failed together does not come back together."""
    return pause_s * rng.uniform(0.8, 1.2)


def iso(moment: datetime) -> str:
    """``2026-11-22T14:00:00.000Z``: fixed width, UTC, so that text order is time order.

    Raises: ValueError for a naive datetime.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone cannot be stored")
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def parse_iso(text: str) -> datetime:
    """The moment behind any ISO-8601 text with a zone (``Z`` or an offset).

    Raises: ValueError for anything else, a naive time included.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.astimezone(UTC)
