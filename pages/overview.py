"""Overview: the first minute of the day."""

import streamlit as st

from console import shell
from console.screens import goals, overview, welcome

with shell.open_page("Overview") as desk:
    view = overview.read(desk)
    if view.empty:
        welcome.show(desk)
    else:
        overview.tiles(desk, view)
        left, right = st.columns([2, 1])
        with left:
            overview.market(desk, view)
        with right:
            overview.needs_you(desk, view)
            overview.coming(desk, view)
        goals.show(view.goals)
        overview.latest(desk, view)
