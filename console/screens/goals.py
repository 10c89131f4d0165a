"""The mission's figures beside their targets, each with the sample it stands on."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import streamlit as st
from sqlite_utils import Database

from console import data, memory, words
from console.memory import Memory
from console.shell import Desk
from engine.learning.judge import Judged, judge
from engine.learning.overview import Engagement, engagement
from engine.store import console_reads, experiments
from engine.store.console_reads import Figures

WINDOW = timedelta(days=7)
ENGAGED = 90
"""Days of the engagement's figure."""
LEAST = 30
"""Cases below which a share is not shown."""
MOST_MEMORY = 10_000_000_000

State = Literal["met", "not met", "open", "no data"]


@dataclass(frozen=True)
class Goal:
    """One figure. ``basis``: its sample. ``open``: neither met nor missed so far."""

    name: str
    target: str
    state: State
    value: str
    basis: str


@dataclass(frozen=True)
class View:
    """What the goals are worked out from."""

    figures: Figures
    memory: Memory
    engagement: Engagement
    judged: Judged | None
    spent_usd: float
    budget_usd: float


def read(desk: Desk, health: data.Health) -> View:
    minute = desk.now.replace(second=0, microsecond=0)
    return View(
        figures=data.remember(
            "figures", lambda db: console_reads.figures(db, minute - WINDOW, desk.now), minute
        ),
        memory=memory.now(),
        engagement=data.remember(
            "engagement", lambda db: engagement(db, desk.hour - timedelta(days=ENGAGED), desk.hour),
            ENGAGED, desk.hour, revision=console_reads.engagement_revision,
        ),
        judged=data.remember(
            "judged", lambda db: _judged(db, desk), desk.hour,
            revision=console_reads.engagement_revision,
        ),
        spent_usd=health.spent_usd,
        budget_usd=health.budget_usd,
    )  # fmt: skip


def _judged(db: Database, desk: Desk) -> Judged | None:
    """The newest experiment that asks for a lift."""
    asked = next((e for e in experiments.listing(db) if e.kind == "writing"), None)
    return judge(db, asked, desk.now) if asked else None


def show(view: View) -> None:
    with st.container(border=True):
        st.subheader("Targets", anchor=False)
        st.caption("Over the last 7 days, where nothing else is said.")
        with st.grid(4, min_column_width=190):
            for goal in goals(view):
                _draw(goal)


def goals(view: View) -> list[Goal]:
    """In the mission's order."""
    figures = view.figures
    return [
        _response(figures),
        _share("Model calls that work", "> 95 %", figures.calls_ok, figures.calls, lambda s: s > 0.95, "calls"),
        _share(
            "Drafts refused by checks", "< 2 %", figures.drafts_rejected, figures.drafts,
            lambda s: s < 0.02, "drafts",
        ),
        _share(
            "Slots filled in time", "≥ 99 %", figures.slots_filled, figures.slots_ended,
            lambda s: s >= 0.99, "slots",
        ),
        _unexplained(figures),
        _memory(view.memory),
        _engagement(view),
        _spend(view),
    ]  # fmt: skip


def _response(figures: Figures) -> Goal:
    name, target, n = "Response time", "< 2 s, median", len(figures.seconds)
    if n < LEAST:
        return _too_few(name, target, n)
    median = statistics.median(figures.seconds)
    return Goal(
        name, target, "met" if median < 2 else "not met", words.span(median), f"of {n:,} calls"
    )


def _share(
    name: str, target: str, hits: int, n: int, met: Callable[[float], bool], of: str
) -> Goal:
    if n < LEAST:
        return _too_few(name, target, n)
    state: State = "met" if met(hits / n) else "not met"
    return Goal(name, target, state, f"{100 * hits / n:.1f} %", f"of {n:,} {of}")


def _unexplained(figures: Figures) -> Goal:
    name, target, n = "Slots lost without a reason", "0", figures.slots_ended
    if not n:
        return _too_few(name, target, n, least=1)
    lost = figures.slots_unexplained
    return Goal(
        name, target, "not met" if lost else "met", str(lost), f"of {words.count(n, 'slot')}"
    )


def _memory(found: Memory) -> Goal:
    name, target = "Memory", "< 10 GB"
    if found.runner is None:
        return Goal(name, target, "no data", "no runner seen from here", "")
    total = found.runner + (found.model or 0)
    told = f"runner {words.mb(found.runner)}, " + (
        f"model {words.mb(found.model)}" if found.model else "no model process"
    )
    state: State = "met" if total < MOST_MEMORY else "not met"
    return Goal(name, target, state, words.mb(total), f"{told}; one look")


def _engagement(view: View) -> Goal:
    """The lift is claimed by an experiment alone; the rate beside it only describes."""
    name, target = "Engagement", "+40 %"
    rate = view.engagement.overall
    if view.judged is not None:
        main = view.judged.main
        state: State = {"shown": "met", "excluded": "not met"}.get(main.lights.kpi, "open")  # type: ignore[assignment]
        if main.ratio is None or main.ci_low is None or main.ci_high is None:
            return Goal(
                name, target, "no data", main.state, f"of {words.count(main.pairs, 'pair')}"
            )
        value = f"{100 * (main.ratio - 1):+.0f} %"
        ends = f"{100 * (main.ci_low - 1):+.0f} to {100 * (main.ci_high - 1):+.0f} %"
        return Goal(name, target, state, value, f"{ends}, of {words.count(main.pairs, 'pair')}")
    if rate.rate is None or rate.low is None or rate.high is None:
        return _too_few(name, target, rate.posts, least=10, of="posts on X at 48 h")
    ends = f"{100 * rate.low:.2f} to {100 * rate.high:.2f} %"
    return Goal(
        name, target, "open", f"{100 * rate.rate:.2f} % rate",
        f"{ends}, of {words.count(rate.posts, 'post')}; no experiment",
    )  # fmt: skip


def _spend(view: View) -> Goal:
    name, target = "Spend this month", f"≤ {words.usd(view.budget_usd)}"
    state: State = "met" if view.spent_usd <= view.budget_usd else "not met"
    return Goal(name, target, state, words.usd(view.spent_usd), "every charge counted")


def _too_few(name: str, target: str, n: int, *, least: int = LEAST, of: str = "") -> Goal:
    return Goal(name, target, "no data", words.not_enough(n, least), of)


_DRAWN: dict[State, tuple[str, str]] = {
    "met": ("green", ":material/check_circle:"),
    "not met": ("red", ":material/cancel:"),
    "open": ("gray", ":material/radio_button_unchecked:"),
}


def _draw(goal: Goal) -> None:
    with st.container(gap="xxsmall"):
        st.caption(f"{words.plain(goal.name)} ({words.plain(goal.target)})")
        if goal.state == "no data":
            st.markdown(f":gray[{words.plain(goal.value)}]")
        else:
            color, icon = _DRAWN[goal.state]
            word = "not shown yet" if goal.state == "open" else goal.state
            st.markdown(f"**{words.plain(goal.value)}** :{color}[{icon} {word}]")
        if goal.basis:
            st.caption(words.plain(goal.basis))
