"""How alike the posts of each week are: a model that drifts into sameness shows here."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from console import charts, data, words
from console.shell import Desk
from engine.checks.repetition import sameness

WINDOW = timedelta(weeks=12)


def trend(desk: Desk) -> None:
    """Different word pairs by week; a falling line is a voice that narrows."""
    st.subheader("How varied the posts are, week by week", anchor=False)
    weeks = data.remember("sameness", lambda db: sameness(db, desk.hour, WINDOW), desk.hour)
    if len(weeks) < 2:
        st.caption("A trend needs posts in two weeks at least.")
        return
    charts.draw(charts.variety(weeks), key="sameness")
    st.caption(f"Over the first {words.count(weeks[0].words, 'word')} of each week.")
