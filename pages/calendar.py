"""Calendar: what is planned, what became of it, and the rules behind it."""

import streamlit as st

from console import shell
from console.screens import calendar

with shell.open_page("Calendar") as desk:
    view = calendar.read(desk)
    calendar.week(desk, view)
    st.subheader("Schedules", anchor=False)
    calendar.plans(desk, view)
    st.subheader("Rules for each kind of post", anchor=False)
    calendar.rules(desk, view)
