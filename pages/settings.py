"""Settings & health: the weekly hour."""

import streamlit as st

from console import shell
from console.screens import people, settings, tokens

TABS = {
    "Health": settings.health,
    "Settings": settings.rules,
    "People": people.show,
    "Tokens": tokens.show,
    "Audit": settings.trail,
    "Backups": settings.backups,
    "Logs": lambda desk: settings.logs(),
}

with shell.open_page("Settings & health") as desk:
    tabs = st.tabs(list(TABS), key="tab", bind="query-params", on_change="rerun")
    for tab, draw in zip(tabs, TABS.values(), strict=True):
        if tab.open:
            with tab:
                draw(desk)
