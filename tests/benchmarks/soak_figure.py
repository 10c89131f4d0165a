"""The soak's figure: one panel a measure over minutes, the weather behind them. Plain SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT = 1_000, 150, 20
TOP, HEIGHT, GAP = 130, 84, 18
INK, FAINT, LINE = "#24292f", "#57606a", "#b35900"
BANDS = ("#f6f8fa", "#eaeef2")
PANELS = (
    ("rss_mb", "memory, MB"),
    ("handles", "open handles"),
    ("threads", "threads"),
    ("wal_mb", "WAL, MB"),
    ("db_mb", "database, MB"),
    ("heartbeat_s", "heartbeat age, s"),
    ("gap_s", "longest tick gap, s"),
)


def draw(rows: Sequence[Mapping[str, Any]]) -> str:
    """An SVG document; rows have ``seconds``, ``phase`` and the panels' measures."""
    longest = float(rows[-1]["seconds"]) or 1.0
    scale = (WIDTH - LEFT - RIGHT) / longest
    bottom = TOP + len(PANELS) * (HEIGHT + GAP) - GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 46}" '
        'font-family="system-ui, sans-serif" font-size="12" role="img">',
        "<title>The soak: what the runner used, and what was going wrong</title>",
        f'<rect width="{WIDTH}" height="{bottom + 46}" fill="#ffffff"/>',
        *_bands(rows, scale, bottom),
    ]
    for number, (name, title) in enumerate(PANELS):
        parts += _panel(rows, name, title, scale, TOP + number * (HEIGHT + GAP))
    for minute in range(0, int(longest // 60) + 1, 5):
        x = LEFT + minute * 60 * scale
        parts.append(_text(x, bottom + 18, str(minute), "middle", FAINT))
    parts += [_text(LEFT, bottom + 36, "minutes", "start", FAINT), "</svg>", ""]
    return "\n".join(parts)


def _bands(rows: Sequence[Mapping[str, Any]], scale: float, bottom: float) -> list[str]:
    """A strip a phase with its name on end above it."""
    parts = []
    for number, (name, group) in enumerate(groupby(rows, key=lambda row: str(row["phase"]))):
        seconds = [float(row["seconds"]) for row in group]
        x, width = LEFT + seconds[0] * scale, max(1.0, (seconds[-1] - seconds[0]) * scale)
        fill = BANDS[number % 2]
        parts.append(
            f'<rect x="{x:.1f}" y="{TOP - 8}" width="{width:.1f}" height="{bottom - TOP + 8}" '
            f'fill="{fill}"/>'
        )
        middle = x + width / 2 + 4
        parts.append(
            f'<text transform="translate({middle:.1f} {TOP - 14}) rotate(-90)" fill="{FAINT}">'
            f"{escape(name)}</text>"
        )
    return parts


def _panel(
    rows: Sequence[Mapping[str, Any]], name: str, title: str, scale: float, top: float
) -> list[str]:
    most = max(float(row[name]) for row in rows) or 1.0
    points = " ".join(
        f"{LEFT + float(row['seconds']) * scale:.1f},{top + HEIGHT * (1 - float(row[name]) / most):.1f}"
        for row in rows
    )
    base = top + HEIGHT
    return [
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}" stroke="#d0d7de"/>',
        f'<polyline points="{points}" fill="none" stroke="{LINE}" stroke-width="1.5"/>',
        _text(LEFT - 10, top + HEIGHT / 2 + 4, title, "end", INK),
        _text(LEFT - 10, top + 10, f"{most:g}", "end", FAINT),
        _text(LEFT - 10, base, "0", "end", FAINT),
    ]


def _text(x: float, y: float, text: str, anchor: str, fill: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}">{escape(text)}</text>'
    )
