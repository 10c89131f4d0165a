"""A local time of day as an instant: the two days a year that are not 24 hours long.

Facts: reliability-and-security §2.5. A repeated time means its first occurrence; a time that a
day does not have means the first valid instant after the gap.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)


def instant_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The UTC instant at which ``zone``'s clocks first show that day and time, or have passed it."""
    local = datetime.combine(day, at, tzinfo=zone)  # fold=0: the first occurrence
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return instant
    return _end_of_gap(local)


def _end_of_gap(local: datetime) -> datetime:
    """The transition that swallowed ``local``, found by halving, to the second.

    PEP 495: in a gap, fold=0 reads with the offset before it and lands behind the transition,
    fold=1 with the offset after it and lands before.
    """
    behind = local.replace(fold=0).astimezone(UTC)
    before = local.replace(fold=1).astimezone(UTC)
    old_offset = before.astimezone(local.tzinfo).utcoffset()
    while behind - before > _SECOND:
        middle = before + (behind - before) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(local.tzinfo).utcoffset() == old_offset:
            before = middle
        else:
            behind = middle
    return behind
