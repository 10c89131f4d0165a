"""The first run: three steps with live checks, and a button that fills sample data."""

from __future__ import annotations

import streamlit as st

from console import actions
from console.shell import Desk


def show(desk: Desk) -> None:
    st.markdown("Welcome. Three things make the bot run.")
    st.button("Fill a sample week", on_click=actions.fill_sample, disabled=not desk.may("admin"))
