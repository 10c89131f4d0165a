"""The first run: three steps with live checks, and a button that fills sample data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from console import actions, data, models, parts, words
from console.shell import Desk
from engine.config import X_KEYS
from engine.errors import BuzzError

State = Literal["ready", "open", "broken"]


@dataclass(frozen=True)
class Step:
    """One of the three things a bot needs."""

    title: str
    icon: str
    state: State
    said: str
    todo: str


def show(desk: Desk) -> None:
    """Nothing is stored yet: what is ready, what is missing, and what to type."""
    st.markdown("Welcome. Three things make the bot run; each is looked at as you read.")
    with st.grid(3, min_column_width=260):
        for step in (_model(), _market(), _x()):
            _step(step)
    with st.container(border=True):
        st.markdown("**Start it**")
        st.code("python runner.py run", language=None)
        st.caption(
            "The first post is written at the next slot, or at once: `python runner.py once`"
        )
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            "**Or look around first.** A made-up week, marked as sample, removed in one click."
        )
        st.button(
            parts.main_action("Fill a sample week"), key="welcome.sample", icon=":material/science:",
            on_click=actions.fill_sample, disabled=not desk.may("admin"),
        )  # fmt: skip


def _step(step: Step) -> None:
    color, icon, word = {
        "ready": ("green", ":material/check_circle:", "ready"),
        "open": ("gray", ":material/radio_button_unchecked:", "not yet"),
    }.get(step.state, ("red", ":material/error:", "not working"))
    with st.container(border=True, height="stretch"):
        st.markdown(f"{step.icon} **{words.plain(step.title)}**")
        st.markdown(f":{color}[{icon} {word}] {words.plain(step.said)}")
        st.caption(words.plain(step.todo))


def _model() -> Step:
    name = data.model_in_force()
    healthy, said = _health(name)
    return Step(
        "1. A model", ":material/smart_toy:", "ready" if healthy else "broken", f"{name}. {said}",
        "The embedded model needs nothing. For a larger one set BTCBUZZ_LLM=ollama and BTCBUZZ_MODEL.",
    )  # fmt: skip


@st.cache_data(ttl=10, show_spinner="Asking the model")
def _health(name: str) -> tuple[bool, str]:
    try:
        health = models.load(name).model.health()
    except BuzzError as error:
        return False, str(error)
    return health.ok, health.message


def _market() -> Step:
    with data.reading() as db:
        beat = data.runner_age(db)
    if beat is None:
        return Step(
            "2. A market", ":material/show_chart:", "open", "Nobody has read a price yet.",
            "The runner reads four exchanges. Where none answers it plays the shipped sample market.",
        )  # fmt: skip
    return Step(
        "2. A market", ":material/show_chart:", "open",
        f"The runner was alive {words.since(beat)} and has stored no price so far.",
        "It looks every two minutes; python runner.py doctor says what it cannot reach.",
    )  # fmt: skip


def _x() -> Step:
    settings = data.config()
    if settings.publisher == "dry_run":
        return Step(
            "3. X", ":material/public:", "ready", "Dry run: posts stay on this machine.",
            "To post for real set the four X keys and BTCBUZZ_PUBLISHER=x.",
        )  # fmt: skip
    missing = [key for key in X_KEYS if key not in settings.x_keys]
    return Step(
        "3. X", ":material/public:", "broken" if missing else "ready",
        f"Keys missing: {', '.join(missing)}." if missing else "All four keys are set.",
        "Keys come from the environment and are never stored or shown.",
    )  # fmt: skip
