"""Benchmarks: models compared fairly, and how they do in production. The runner does the work."""

from __future__ import annotations

import statistics
from datetime import timedelta

import streamlit as st
from sqlite_utils import Database

from console import data, models, parts, words
from console.actions import act
from console.shell import Desk
from engine.lab import benchmark
from engine.lab.figures import Cell, acceptance_light, cells, speed_light
from engine.lab.plan import Plan, make_plan
from engine.posting.actors import acting
from engine.records import CONTENT_TYPES
from engine.service.users import Operator
from engine.store import bench, console_reads
from engine.store.bench import BenchRun

WINDOW = timedelta(days=30)
LEAST = 20


def runs(desk: Desk) -> None:
    """Every run, the newest opened; a running one shows how far it is and can be cancelled."""
    with data.showing() as db:
        found = bench.listing(db, kind="bench", limit=10)
    if not found:
        parts.empty(
            "No benchmark has run yet",
            "It compares models on the same recorded market, taking turns, with cold and warm "
            "times. Start one below; the runner does the work.",
            ":material/speed:",
        )
        return
    for number, run in enumerate(found):
        names = ", ".join(Plan.from_dict(run.plan).models)
        title = f"Run {run.id} · {names} · {run.state} · {run.done} of {run.planned} calls"
        box = st.expander(
            words.plain(title), expanded=number == 0, key=f"bench.{run.id}", on_change="rerun"
        )
        if box.open:
            with box:
                _run(desk, run)


def _run(desk: Desk, run: BenchRun) -> None:
    parts.moment(f"asked for by {words.plain(run.actor)}", run.created_at, desk.zone, desk.now)
    if run.error:
        st.warning(words.plain(run.error), icon=":material/warning:")
    if run.state in ("waiting", "running"):
        st.progress(run.done / max(1, run.planned), f"{run.done} of {run.planned}")
        st.button(
            "Cancel", key=f"bench.cancel.{run.id}", icon=":material/cancel:",
            on_click=_cancel, args=(run.id,), disabled=not desk.may("editor"),
        )  # fmt: skip
    with data.showing() as db:
        found = cells(Plan.from_dict(run.plan), bench.calls(db, run.id))
    st.dataframe(_known([_row(cell) for cell in found]), hide_index=True, alt=_finding(found))
    st.caption(
        "Accepted: passes every check; a failed call is not accepted; 95 % interval in brackets. "
        "Cold: the first call after an unload. Per accepted post: all time spent, failures "
        "included, divided by the accepted posts."
    )


def _row(cell: Cell) -> dict[str, object]:
    interval = cell.acceptance.interval
    seconds = cell.seconds
    return {
        "model": cell.model, "kind": cell.content_type, "recipe": cell.recipe,
        "accepted": f"{cell.n_accepted} of {cell.n_done} ({100 * interval.low:.0f}–{100 * interval.high:.0f} %)",
        "over 95 %": acceptance_light(cell),
        "median": "–" if seconds.median is None else f"{words.span(seconds.median)} of {seconds.n}",
        "under 2 s": speed_light(cell),
        "per accepted post": _time(cell.seconds_per_accepted),
        "cold": _time(cell.cold.wall_s if cell.cold else None),
        "tokens/s": "–" if cell.decode_tok_s is None else f"{cell.decode_tok_s:.0f}",
    }  # fmt: skip


def _known(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Without the columns of which no row knows anything, e.g. tokens of a scripted model."""
    empty = {name for name in (rows[0] if rows else ()) if all(row[name] == "–" for row in rows)}
    return [{name: row[name] for name in row if name not in empty} for row in rows]


def _time(seconds: float | None) -> str:
    return "–" if seconds is None else words.span(seconds)


def _finding(found: list[Cell]) -> str:
    timed = [cell for cell in found if cell.seconds_per_accepted]
    if not timed:
        return "No combination has an accepted post yet."
    best = min(timed, key=lambda cell: cell.seconds_per_accepted or 0)
    return f"Least time an accepted post: {best.model}, {best.content_type}, {_time(best.seconds_per_accepted)}."


def start(desk: Desk) -> None:
    """Queue a run for the runner."""
    available = models.names(data.model_in_force())
    with st.form("bench.new"):
        st.markdown("**New benchmark**")
        st.pills(
            "Models", available, selection_mode="multi", default=available[:1], key="bench.models"
        )
        st.text_input(
            "More models", key="bench.more", placeholder="ollama:llama3:8b, ollama:phi",
            help="As backend:name, separated by commas.",
        )  # fmt: skip
        st.pills(
            "Kinds",
            CONTENT_TYPES,
            selection_mode="multi",
            default=["price", "joke"],
            key="bench.kinds",
        )
        st.number_input(
            "Repeats", 1, 200, 20, key="bench.repeats",
            help="Calls of each model for each kind. 73 accepted of 73 show more than 95 %.",
        )  # fmt: skip
        st.form_submit_button("Queue it", disabled=not desk.may("editor"), on_click=_start)


def _start() -> None:
    chosen = {
        part: st.session_state[f"bench.{part}"] for part in ("models", "more", "kinds", "repeats")
    }

    def work(db: Database, operator: Operator) -> str:
        more = [name.strip() for name in chosen["more"].split(",") if name.strip()]
        plan = make_plan(
            db,
            models=[*chosen["models"], *more],
            types=list(chosen["kinds"]),
            repeats=int(chosen["repeats"]),
        )
        run = benchmark.start(
            db, plan, actor=acting(operator, "editor"), clock=data.clock, queued=True
        )
        return f"Run {run} waits for the runner: {plan.planned} calls."

    act("editor", work, shown=True)


def _cancel(run_id: int) -> None:
    def work(db: Database, operator: Operator) -> str:
        asked = bench.ask_to_cancel(db, run_id, now=data.now())
        return f"Run {run_id} ends after its call in flight." if asked else "It had ended already."

    act("editor", work, shown=True)


def production(desk: Desk) -> None:
    """The same models as they did with real slots; not a comparison."""
    rows = data.remember(
        "models", lambda db: console_reads.model_calls(db, desk.hour - WINDOW, desk.now), desk.hour
    )
    st.subheader("In production, last 30 days", anchor=False)
    if not rows:
        st.caption("No model call is stored in these days.")
        return
    st.dataframe(
        [
            {
                "model": row.model,
                "calls": row.calls,
                "worked": words.share(row.ok, row.calls, least=LEAST),
                "accepted by checks": words.share(row.accepted, row.judged, least=LEAST),
                "median time": _time(statistics.median(row.seconds) if row.seconds else None),
            }
            for row in rows
        ],
        hide_index=True, alt=f"{len(rows)} models as they did in production.",
    )  # fmt: skip
    st.caption("Not a comparison: each model met other hours and other prompts.")
