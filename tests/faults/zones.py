"""An independent calendar of local times, and the whole world compared with it.

``python -m tests.faults.zones --all`` checks two years of slots in every IANA zone. The oracle
only ever turns UTC into local time and never looks at folds: a local time means the first UTC
minute at which the zone's clocks show it or have passed it.
"""

from __future__ import annotations

import argparse
import sys
import time as timer
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from engine.service.schedule import occurrences
from engine.store.schedules import Plan, Schedule

TIMES = ("00:00", "00:30", "01:30", "02:00", "02:30", "03:00", "12:00", "23:45")
START = date(2026, 1, 1)
DAYS = 730

TRICKY = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",  # changes its clocks with a half-hour offset
    "America/Havana",  # gap at midnight
    "America/Santiago",  # gap and repeat at midnight
    "America/Nuuk",  # changes at 22:00/23:00 local, repeat across midnight
    "Africa/Cairo",  # gap at midnight, repeat across midnight
    "Africa/Casablanca",  # negative DST over Ramadan
    "Africa/El_Aaiun",
    "Asia/Beirut",  # gap at midnight
    "Asia/Gaza",
    "Asia/Kathmandu",  # +05:45
    "Antarctica/Troll",  # two hours of DST
    "Australia/Lord_Howe",  # half an hour of DST
    "Pacific/Chatham",  # +12:45
    "Pacific/Apia",
    "Pacific/Kiritimati",  # +14
    "Europe/Dublin",  # winter is the "DST"
    "Asia/Jerusalem",
)

_STEP = timedelta(minutes=15)
_MINUTE = timedelta(minutes=1)


def offsets(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[tuple[datetime, timedelta]]:
    """(UTC minute from which it holds, offset), by walking through UTC time."""

    def at(moment: datetime) -> timedelta:
        return moment.astimezone(zone).replace(tzinfo=None) - moment.replace(tzinfo=None)

    here, offset = start, at(start)
    yield here, offset
    while here < end:
        ahead = here + _STEP
        if at(ahead) != offset:
            while at(here) == offset:
                here += _MINUTE
            offset = at(here)
            yield here, offset
        else:
            here = ahead


def calendar(
    zone: ZoneInfo, first: date, days: int, times: tuple[str, ...] = TIMES
) -> dict[tuple[str, str], datetime]:
    """(local date, local time) -> UTC instant, for ``days`` days from ``first``."""
    wanted = [
        (first + timedelta(days=number), text) for number in range(days) for text in sorted(times)
    ]
    start = datetime.combine(first, time(), tzinfo=UTC) - timedelta(days=2)
    pieces = list(offsets(zone, start, start + timedelta(days=days + 4)))
    ends = [begin for begin, _ in pieces[1:]] + [start + timedelta(days=days + 5)]
    found: dict[tuple[str, str], datetime] = {}
    number = 0
    for (begin, offset), end in zip(pieces, ends, strict=True):
        while number < len(wanted):
            day, text = wanted[number]
            utc = datetime.combine(day, time.fromisoformat(text), tzinfo=UTC) - offset
            if utc >= end:
                break
            found[day.isoformat(), text] = max(utc, begin)
            number += 1
    return found


def generated(name: str, first: date, days: int) -> dict[tuple[str, str], datetime]:
    """What our slot generator makes of the same days."""
    start = datetime.combine(first, time(), tzinfo=UTC)
    plan = Plan("zones", name, TIMES, content_type="price")
    slots = occurrences(
        Schedule(1, plan, start, start),
        start - timedelta(days=2),
        start + timedelta(days=days + 2),
        {},
    )
    last = first + timedelta(days=days)
    found: dict[tuple[str, str], datetime] = {}
    for slot in slots:
        if first.isoformat() <= slot.local_date < last.isoformat():
            key = (slot.local_date, slot.local_time)
            if key in found:
                raise AssertionError(f"{name} has {key} twice")
            found[key] = slot.due_at
    return found


def differences(name: str, first: date = START, days: int = DAYS) -> list[str]:
    """Where generator and oracle disagree."""
    ours, theirs = generated(name, first, days), calendar(ZoneInfo(name), first, days)
    return [
        f"{name} {key}: generator {ours.get(key)}, oracle {theirs.get(key)}"
        for key in sorted(ours.keys() | theirs.keys())
        if ours.get(key) != theirs.get(key)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every IANA zone, not only tricky ones")
    names = sorted(available_timezones()) if parser.parse_args().all else TRICKY
    began, wrong = timer.monotonic(), []
    for name in names:
        wrong += differences(name)
    print("\n".join(wrong[:50]))
    print(
        f"{len(names)} zones, {DAYS} days from {START}, {len(names) * DAYS * len(TIMES):,} slots: "
        f"{len(wrong)} differences in {timer.monotonic() - began:.0f} s"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
