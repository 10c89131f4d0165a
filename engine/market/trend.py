"""Which way the market goes, from the changes over several horizons.

A move counts by its size relative to its horizon: thresholds are given for 24 hours and scale with
the square root of time, as the spread of a random walk does. The 24 h change leads; the seven-day
change confirms it or tempers it; the last hour is reported and decides only when nothing longer is
known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from engine.records import Facts

Direction = Literal["bull", "bear", "sideways"]
Strength = Literal["mild", "strong"]
Sign = Literal[-1, 0, 1]

# name of the FACTS key, hours, words for people
_HORIZONS = (
    ("change_1h_pct", 1, "in one hour"),
    ("change_24h_pct", 24, "in 24 hours"),
    ("change_7d_pct", 168, "over seven days"),
)


@dataclass(frozen=True)
class Trend:
    """``sign_*``: -1 down, 0 flat, 1 up, None unknown. ``sentence`` says nothing FACTS cannot prove."""

    direction: Direction
    strength: Strength
    sign_1h: Sign | None
    sign_24h: Sign | None
    sign_7d: Sign | None
    sentence: str


def detect(facts: Facts, *, flat_pct: float, strong_pct: float) -> Trend:
    """The trend behind ``facts``.

    ``flat_pct`` and ``strong_pct`` are percent over 24 h (settings ``trend.*``): smaller moves are
    flat, larger ones strong. The direction never contradicts the sign of the longest-standing
    known lead (24 h, else 7 d, else 1 h); with nothing known it is sideways.
    """
    sizes = {
        key: _size(getattr(facts, key), hours, flat_pct, strong_pct) for key, hours, _ in _HORIZONS
    }
    hour, day, week = (sizes[key] for key, _, _ in _HORIZONS)
    level = _level(hour, day, week)
    return Trend(
        direction="bull" if level > 0 else "bear" if level < 0 else "sideways",
        strength="strong" if abs(level) == 2 else "mild",
        sign_1h=_sign(hour),
        sign_24h=_sign(day),
        sign_7d=_sign(week),
        sentence=_sentence(facts),
    )


def _size(change: float | None, hours: int, flat_pct: float, strong_pct: float) -> int | None:
    """-2 strongly down .. 2 strongly up."""
    if change is None:
        return None
    scale = math.sqrt(hours / 24)
    size = 2 if abs(change) > strong_pct * scale else 1 if abs(change) > flat_pct * scale else 0
    return size if change > 0 else -size


def _level(hour: int | None, day: int | None, week: int | None) -> int:
    if day is None:
        return week if week is not None else hour or 0
    if day == 0 or week is None:
        return day
    if day * week >= 0:
        # a strong week behind a mild day in the same direction is a strong trend
        return max(day, week, key=abs)
    # against the week, only a strong day makes a trend, and a mild one
    return int(math.copysign(1, day)) if abs(day) == 2 else 0


def _sign(size: int | None) -> Sign | None:
    if size is None:
        return None
    return 1 if size > 0 else -1 if size < 0 else 0


def _sentence(facts: Facts) -> str:
    parts = [
        _words(change, words)
        for key, _, words in reversed(_HORIZONS)
        if (change := getattr(facts, key)) is not None
    ]
    if not parts:
        return "No change over any horizon is known."
    text = ", ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _words(change: float, words: str) -> str:
    shown = f"{abs(change):.1f}"
    if shown == "0.0":
        return f"flat {words}"
    return f"{'up' if change > 0 else 'down'} {shown}% {words}"
