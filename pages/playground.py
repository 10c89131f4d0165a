"""Playground: try a prompt without fear."""

import streamlit as st

from console import shell
from console.screens import playground, tries

with shell.open_page("Playground") as desk:
    view = playground.read()
    left, right = st.columns([1, 2])
    with left:
        asked = playground.ask(desk, view)
    with right:
        tries.results(desk, asked)
