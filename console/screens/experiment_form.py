"""Starting an experiment: a question, its two sides, and how long it may run."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import streamlit as st
from sqlite_utils import Database

from console import data
from console.actions import act
from console.shell import Desk
from engine.errors import UsageError
from engine.learning import spec
from engine.learning.spec import Arm, Design, Kind
from engine.llm.build import parse_model_name
from engine.records import CONTENT_TYPES
from engine.service.users import Operator
from engine.store import schedules, templates

MODEL, FAIR, PROMPTS, MODELS, DAYS = (
    "Does the model beat the templates?",
    "Is the measuring itself fair (A/A)?",
    "Is one prompt better than another?",
    "Is one model better than another?",
    "Is one schedule better than another?",
)
KINDS: dict[str, Kind] = {MODEL: "writing", FAIR: "aa", PROMPTS: "writing", MODELS: "writing", DAYS: "schedule"}  # fmt: skip
LEAST_PAIRS_OF_DAYS = 10
"""Days are few: 28 of them are 14 pairs."""

Sides = Callable[[Database], tuple[tuple[Arm, ...], tuple[str, ...]]]


def start(desk: Desk) -> None:
    """Frozen when it starts. What is asked for depends on the question, so that comes first."""
    st.markdown("**New experiment**")
    question = st.selectbox("Question", list(KINDS), key="experiment.question")
    with st.form("experiment.new"):
        sides = _sides(question)
        st.text_input("Name", key="experiment.name", placeholder=question)
        with st.grid(2, min_column_width=180):
            st.number_input("Least days", 14, 90, 14, key="experiment.min_days")
            st.number_input("Most days", 14, 365, 60, key="experiment.max_days")
        st.caption("It cannot be edited once it runs. Its arms stay hidden in the queue.")
        st.form_submit_button(
            "Start", disabled=not desk.may("approver"), on_click=_start, args=(question, sides)
        )


def _sides(question: str) -> Sides:
    if question == PROMPTS:
        return _prompts()
    if question == MODELS:
        st.text_input("Baseline model", key="experiment.one", placeholder="embedded:smollm2")
        st.text_input("Other model", key="experiment.other", placeholder="ollama:llama3:8b")
        return _model_arms
    if question == DAYS:
        with data.showing() as db:
            names = [row.plan.name for row in schedules.listing(db)]
        st.selectbox("Baseline schedule", names, key="experiment.one")
        st.selectbox("Other schedule", names, key="experiment.other", index=min(1, len(names) - 1))
        return _schedule_arms
    arms = (Arm("a"), Arm("b")) if question == FAIR else (Arm("template", False), Arm("model"))
    return lambda db: (arms, CONTENT_TYPES)


def _prompts() -> Sides:
    with data.showing() as db:
        versions = {
            f"{template.name} version {version.number}": (template.purpose, version.id)
            for template in templates.listing(db)
            for version in templates.versions(db, template.id)
            if template.purpose in CONTENT_TYPES
        }
    st.selectbox("Baseline prompt", list(versions), key="experiment.one")
    st.selectbox("Other prompt", list(versions), key="experiment.other")

    def arms(db: Database) -> tuple[tuple[Arm, ...], tuple[str, ...]]:
        chosen = [_entered("one"), _entered("other")]
        purposes = {versions[name][0] for name in chosen if name in versions}
        if len(purposes) != 1:
            raise UsageError("Choose two prompts for the same kind of post.")
        (purpose,) = purposes
        return (
            tuple(Arm(name, template_versions={purpose: versions[name][1]}) for name in chosen),
            (purpose,),
        )

    return arms


def _model_arms(db: Database) -> tuple[tuple[Arm, ...], tuple[str, ...]]:
    names = [_entered("one"), _entered("other")]
    for name in names:
        parse_model_name(name)
    return tuple(Arm(name, model=name) for name in names), CONTENT_TYPES


def _schedule_arms(db: Database) -> tuple[tuple[Arm, ...], tuple[str, ...]]:
    ids = {row.plan.name: row.id for row in schedules.listing(db)}
    names = [_entered("one"), _entered("other")]
    return tuple(Arm(name, schedules=(ids[name],)) for name in names), CONTENT_TYPES


def _entered(part: str) -> str:
    return str(st.session_state.get(f"experiment.{part}") or "").strip()


def _start(question: str, sides: Sides) -> None:
    def work(db: Database, operator: Operator) -> str:
        arms, content_types = sides(db)
        kind = KINDS[question]
        design = Design(
            _entered("name") or question, kind, arms, content_types,
            min_days=int(st.session_state["experiment.min_days"]),
            max_days=int(st.session_state["experiment.max_days"]),
            min_pairs=LEAST_PAIRS_OF_DAYS if kind == "schedule" else 20,
        )  # fmt: skip
        begun = spec.start(db, design, seed=secrets.token_hex(32), actor=operator, now=data.now())
        return f"{begun.name} runs; its seed is committed as {begun.seed_hash[:16]}."

    act("approver", work, shown=True)
