"""Experiments: what was asked, what the evidence says, and nothing more than it says."""

from __future__ import annotations

import secrets
from datetime import datetime

import streamlit as st
from sqlite_utils import Database

from console import charts, data, parts, words
from console.actions import act
from console.shell import Desk
from engine.learning import spec
from engine.learning.judge import Judged
from engine.learning.overview import Experiments, experiments_page
from engine.learning.spec import Arm, Design
from engine.learning.states import EXPLAINED
from engine.service.users import Operator

QUESTIONS = {
    "Does the model beat the templates?": (
        "writing",
        (Arm("template", use_model=False), Arm("model")),
    ),
    "Is the measuring itself fair (A/A)?": ("aa", (Arm("a"), Arm("b"))),
}
LIGHTS = {
    "shown": (":green", ":material/check_circle:"),
    "excluded": (":red", ":material/cancel:"),
    "not shown": (":gray", ":material/radio_button_unchecked:"),
}


def read(desk: Desk) -> Experiments:
    hour: datetime = desk.now.replace(minute=0, second=0, microsecond=0)
    return data.remember("experiments", lambda db: experiments_page(db, desk.now), hour)


def show(desk: Desk, view: Experiments) -> None:
    """Each experiment with its sentence, three lights, arms and the interval over time."""
    if not view.judged:
        parts.empty(
            "No experiment has been started",
            "It compares two ways of writing on the real account: arms by a committed seed, "
            "hidden in the queue, judged by an interval that holds at every look. Dry-run posts "
            "have no engagement and prove nothing.",
            ":material/labs:",
        )
    for judged in view.judged:
        _one(desk, judged)


def _one(desk: Desk, judged: Judged) -> None:
    experiment, main = judged.experiment, judged.main
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(words.plain(experiment.name), width="content")
            running = experiment.state == "running"
            st.badge(experiment.state, color="blue" if running else "gray")
            parts.moment("since", experiment.started_at, desk.zone, desk.now)
        st.markdown(f"**{words.plain(main.sentence)}**")
        st.caption(words.plain(f"{main.state}: {EXPLAINED[main.state]} {' '.join(main.reasons)}"))
        with st.container(horizontal=True):
            for name, light in (
                ("better", main.lights.better), ("+40 %", main.lights.kpi), ("harm", main.lights.harm)
            ):  # fmt: skip
                color, icon = LIGHTS[light]
                st.markdown(f"{color}[{icon} {words.plain(name)} {light}]", width="content")
        if main.looks:
            charts.draw(charts.interval_over_time(main.looks), key=f"experiment.{experiment.id}")
        st.dataframe(
            [
                {
                    "arm": arm.arm, "slots": arm.assigned, "posted": arm.posted,
                    "48 h old": arm.mature, "written by fallback": arm.fallback,
                }
                for arm in judged.arms
            ],
            hide_index=True, alt=f"{len(judged.arms)} arms, slots given and posts measured.",
        )  # fmt: skip
        for warning in judged.guardrails:
            st.warning(words.plain(warning), icon=":material/warning:")
        st.caption(
            f"specification {experiment.spec_hash[:16]} · seed commitment {experiment.seed_hash[:16]}"
        )
        if running:
            _stop_form(desk, experiment.id)


def _stop_form(desk: Desk, experiment_id: int) -> None:
    key = f"experiment.stop.{experiment_id}"
    with st.form(key), st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Why stop it?", key=f"{key}.why", width=380)
        st.form_submit_button(
            "Stop for good", disabled=not desk.may("approver"), on_click=_stop,
            args=(experiment_id, f"{key}.why"),
        )  # fmt: skip


def _stop(experiment_id: int, key: str) -> None:
    def work(db: Database, operator: Operator) -> str:
        spec.stop(db, experiment_id, reason=st.session_state[key], actor=operator, now=data.now())
        return "The experiment is over; its seed may be checked against its commitment."

    act("approver", work, shown=True)


def start(desk: Desk, view: Experiments) -> None:
    """A question, frozen when it starts; and how long an answer takes on this account."""
    if view.table:
        st.subheader("What can be shown, and when")
        st.caption(words.plain(f"From this account's own noise: {view.noise}"))
        st.dataframe(
            [vars(row) for row in view.table],
            hide_index=True,
            alt="Smallest lift that can be shown by number of days.",
        )
    with st.form("experiment.new"):
        st.markdown("**New experiment**")
        st.selectbox("Question", list(QUESTIONS), key="experiment.question")
        st.text_input("Name", key="experiment.name")
        with st.grid(2, min_column_width=180):
            st.number_input("Least days", 14, 90, 14, key="experiment.min_days")
            st.number_input("Most days", 14, 365, 60, key="experiment.max_days")
        st.caption("It cannot be edited once it runs. Its arms stay hidden in the queue.")
        st.form_submit_button("Start", disabled=not desk.may("approver"), on_click=_start)


def _start() -> None:
    entered = {
        part: st.session_state[f"experiment.{part}"]
        for part in ("question", "name", "min_days", "max_days")
    }

    def work(db: Database, operator: Operator) -> str:
        kind, arms = QUESTIONS[entered["question"]]
        design = Design(
            entered["name"].strip() or entered["question"], kind, arms,  # type: ignore[arg-type]
            min_days=int(entered["min_days"]), max_days=int(entered["max_days"]),
        )  # fmt: skip
        begun = spec.start(db, design, seed=secrets.token_hex(32), actor=operator, now=data.now())
        return f"{begun.name} runs; its seed is committed as {begun.seed_hash[:16]}."

    act("approver", work, shown=True)
