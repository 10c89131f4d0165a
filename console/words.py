"""How the console says things: states, times, money, numbers; and text made safe for markdown."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from engine.clock import parse_iso
from engine.errors import BuzzError

Color = Literal["green", "yellow", "red", "blue", "gray", "violet", "orange"]


@dataclass(frozen=True)
class Word:
    """A state as people read it: word, icon and colour always go together."""

    text: str
    icon: str
    color: Color


_POST = {
    "draft": Word("draft", ":material/edit_note:", "gray"),
    "validated": Word("draft", ":material/edit_note:", "gray"),
    "pending_approval": Word("awaiting approval", ":material/hourglass_top:", "blue"),
    "approved": Word("approved", ":material/thumb_up:", "green"),
    "publishing": Word("sending", ":material/send:", "blue"),
    "posted": Word("posted", ":material/check_circle:", "green"),
    "rejected": Word("rejected", ":material/block:", "red"),
    "expired": Word("expired", ":material/timer_off:", "gray"),
    "unknown": Word("sending", ":material/help:", "yellow"),
    "held": Word("held", ":material/front_hand:", "yellow"),
    "failed": Word("failed", ":material/error:", "red"),
    "abandoned": Word("failed", ":material/delete:", "gray"),
}
_SLOT = {
    "due": Word("planned", ":material/schedule:", "blue"),
    "claimed": Word("writing", ":material/edit:", "blue"),
    "filled": Word("filled", ":material/check_circle:", "green"),
    "missed": Word("missed", ":material/event_busy:", "red"),
    "skipped": Word("skipped", ":material/skip_next:", "yellow"),
}
_STEP = {
    "validated": "passed the checks",
    "pending_approval": "offered for approval",
    "publishing": "sending",
    "unknown": "outcome unknown",
}
_VERDICT = {
    "pass": Word("checks passed", ":material/verified:", "green"),
    "reject": Word("rejected by checks", ":material/block:", "red"),
    "error": Word("check failed", ":material/report:", "yellow"),
}
CONTENT = {
    "price": Word("price", ":material/show_chart:", "orange"),
    "joke": Word("joke", ":material/mood:", "violet"),
    "motivation": Word("motivation", ":material/flag:", "green"),
    "news": Word("news", ":material/newspaper:", "blue"),
}

WORLD = {
    "sample": Word("sample market", ":material/science:", "yellow"),
    "replay": Word("replayed market", ":material/replay:", "yellow"),
}


def post_word(state: str) -> Word:
    return _POST.get(state, Word(state, ":material/help:", "gray"))


def slot_word(state: str) -> Word:
    return _SLOT.get(state, Word(state, ":material/help:", "gray"))


def verdict_word(verdict: str) -> Word:
    return _VERDICT.get(verdict, Word(verdict, ":material/help:", "gray"))


def content_word(content_type: str) -> Word:
    return CONTENT.get(content_type, Word(content_type, ":material/article:", "gray"))


def step(what: str) -> str:
    """A step in a post's life, as the audit names it, for people."""
    return _STEP.get(what, what.replace("_", " "))


_MARKDOWN = re.compile(r"([!-/:-@\[-`{-~])")
_LINKISH = re.compile(r"(?i)(https?|ftp|mailto|www|xmpp)(?=[:.])|(?<=\S)@(?=\S)")
_BREAKER = "\u2060"  # word joiner: invisible, ends what would be made a link


def plain(text: str) -> str:
    """``text`` so that markdown shows exactly its characters: nothing bold, linked or embedded.

    Every ASCII punctuation mark is escaped; what the renderer would turn into a link by itself
    (addresses, e-mails) gets an invisible joiner, because escapes do not stop that.
    """
    broken = _LINKISH.sub(lambda match: match.group(0) + _BREAKER, text)
    escaped = _MARKDOWN.sub(r"\\\1", broken.replace("\r\n", "\n"))
    # leading spaces would make a code block, lone line ends would vanish
    lines = [
        re.sub(r"^[ \t]+", lambda m: "\u00a0" * len(m.group(0)), line)
        for line in escaped.split("\n")
    ]
    return "  \n".join(line or "\u00a0" for line in lines)


def marked(text: str, color: Color) -> str:
    """Markdown of ``text`` on a coloured ground."""
    return f":{color}-background[{plain(text)}]"


def highlighted(text: str, spans: Sequence[tuple[int, int, Color]]) -> str:
    """Markdown of ``text`` with coloured spans (code-point offsets); overlaps are dropped."""
    parts, at = [], 0
    for start, end, color in sorted(spans):
        if start < at or end <= start or end > len(text) or "\n" in text[start:end]:
            continue
        parts.append(plain(text[at:start]) if start > at else "")
        parts.append(marked(text[start:end], color))
        at = end
    parts.append(plain(text[at:]) if at < len(text) else "")
    return "".join(parts)


def ago(moment: str | datetime | None, now: datetime) -> str:
    """``4 s ago``, ``12 min ago``; ``in 23 min`` for what comes; ``never`` for None."""
    if moment is None:
        return "never"
    seconds = (now - _moment(moment)).total_seconds()
    return since(seconds) if seconds >= 0 else f"in {span(-seconds)}"


def since(seconds: float) -> str:
    """An age as people say it: ``just now``, ``4 s ago``."""
    if seconds < 1:
        return "just now"
    return f"{seconds:.0f} s ago" if seconds < 10 else f"{span(seconds)} ago"


def span(seconds: float) -> str:
    """A duration in its largest sensible unit."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.0005 else "< 1 ms"
    for limit, unit, name in ((90, 1, "s"), (90 * 60, 60, "min"), (36 * 3600, 3600, "h")):
        if seconds < limit:
            return (
                f"{seconds / unit:.0f} {name}"
                if seconds >= 10 or unit > 1
                else f"{seconds:.1f} {name}"
            )
    return f"{seconds / 86_400:.0f} days"


def local(moment: str | datetime | None, zone: ZoneInfo, *, now: datetime | None = None) -> str:
    """``14:00`` today, ``Mon 14:00`` this week, else ``22 Nov 2026 14:00``, in ``zone``."""
    if moment is None:
        return "–"
    there = _moment(moment).astimezone(zone)
    if now is not None:
        here = now.astimezone(zone)
        if there.date() == here.date():
            return f"{there:%H:%M}"
        if abs(there - here) < timedelta(days=6):
            return f"{there:%a %H:%M}"
    return f"{there.day} {there:%b %Y %H:%M}"


def utc(moment: str | datetime | None) -> str:
    """The same moment for the hover: ``2026-11-22 14:00:00 UTC``."""
    return "–" if moment is None else f"{_moment(moment):%Y-%m-%d %H:%M:%S} UTC"


def city(zone: ZoneInfo) -> str:
    """``Vilnius`` for ``Europe/Vilnius``."""
    return zone.key.rsplit("/", 1)[-1].replace("_", " ")


def usd(amount: float | None) -> str:
    """``$67,432.18``; cents only where they matter."""
    if amount is None:
        return "–"
    return f"${amount:,.0f}" if abs(amount) >= 100_000 else f"${amount:,.2f}"


def mb(size: int) -> str:
    """``48 MB``; ``1.2 GB`` from a thousand on."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def pct(value: float | None, *, signed: bool = False) -> str:
    """``−2.31 %``, with a true minus."""
    if value is None:
        return "–"
    return f"{value:+.2f} %".replace("-", "−") if signed else f"{value:.2f} %".replace("-", "−")


def chance(p: float) -> str:
    """``p = 0.034``; ``p < 0.001`` where more digits would say nothing."""
    return f"p = {p:.3f}" if p >= 0.001 else "p < 0.001"


def share(hits: int, n: int, *, least: int = 1) -> str:
    """``97.4 % of 312``; below ``least`` cases ``not enough data (12 of 73)``."""
    if n < max(least, 1):
        return not_enough(n, max(least, 1))
    return f"{100 * hits / n:.1f} % of {n:,}"


def not_enough(n: int, least: int) -> str:
    return f"not enough data ({n:,} of {least:,})"


def short(text: str, most: int) -> str:
    """At most ``most`` characters, cut at a word, with an ellipsis where something is left out."""
    if len(text) <= most:
        return text
    return text[: most - 1].rsplit(" ", 1)[0] + "…"


def failure(error: Exception) -> str:
    """What an operator reads of an error: its own sentence where the engine foresaw it, else what
    answered and where to look."""
    if isinstance(error, BuzzError):
        return str(error)
    if isinstance(error, sqlite3.Error | OSError):
        who = "database" if isinstance(error, sqlite3.Error) else "system"
        return f"The {who} answered: {error}. Try again; if it stays, run python runner.py doctor."
    return f"An unexpected {type(error).__name__} happened; the details are in the log."


def count(n: int, one: str, many: str | None = None) -> str:
    """``1 post``, ``3 posts``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def _moment(moment: str | datetime) -> datetime:
    return parse_iso(moment) if isinstance(moment, str) else moment
