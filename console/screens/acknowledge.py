"""The button under an alert of something that happened: it stays until a person dealt with it."""

from __future__ import annotations

import streamlit as st

from console import actions
from console.shell import Desk
from engine.service.alerts import EVENTS
from engine.store.alerts import Alert


def is_asked(alert: Alert) -> bool:
    """Whether only a person's word ends it."""
    return alert.kind in EVENTS and alert.resolved_at is None


def button(desk: Desk, alert: Alert, where: str) -> None:
    """Drawn under alerts that ask for it; ``where`` tells two drawings of one alert apart."""
    if is_asked(alert):
        st.button(
            "Acknowledge", key=f"{where}.acknowledge.{alert.id}", icon=":material/done:",
            help="You have looked at it and done what was needed. It is written to the audit.",
            disabled=not desk.may("approver"), on_click=actions.acknowledge, args=(alert.id,),
        )  # fmt: skip
