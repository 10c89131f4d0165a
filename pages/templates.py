"""Templates: the prompts, their versions and their record."""

import streamlit as st

from console import parts, shell
from console.screens import templates, voice

with shell.open_page("Templates") as desk:
    view = templates.read()
    if view is None:
        parts.empty(
            "No templates yet",
            "The shipped ones are written at the first start: python runner.py migrate",
            ":material/description:",
        )
    else:
        left, right = st.columns([1, 3])
        with left:
            templates.rows(view)
        with right:
            templates.detail(desk, view)
    st.subheader("What every post leans on", anchor=False)
    voice.show(desk)
