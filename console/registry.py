"""The pages in their groups; the one place that knows them all."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import Page

# file in pages/, title, icon. No url_path: the address must equal the file's name, or the first
# deep link after a start shows a false "page not found" (facts: streamlit §1.1).
PAGES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Today": (
        ("overview", "Overview", ":material/monitor_heart:"),
        ("queue", "Queue", ":material/inbox:"),
        ("calendar", "Calendar", ":material/calendar_month:"),
    ),
    "Write": (
        ("playground", "Playground", ":material/science:"),
        ("templates", "Templates", ":material/description:"),
    ),
    "Learn": (
        ("benchmarks", "Benchmarks", ":material/speed:"),
        ("experiments", "Experiments", ":material/labs:"),
        ("engagement", "Engagement", ":material/favorite:"),
    ),
    "Keep": (
        ("history", "History", ":material/history:"),
        ("settings", "Settings & health", ":material/tune:"),
    ),
}


def navigation() -> Page:
    """Draw the sidebar's menu; answers the page to run."""
    groups = {
        group: [st.Page(path(name), title=f"{icon} {title}") for name, title, icon in pages]
        for group, pages in PAGES.items()
    }
    # a default page answers at / alone, and its own address would be "not found"
    groups["Today"].append(st.Page(_home, title="Overview", default=True, visibility="hidden"))
    return st.navigation(groups, expanded=True)


def _home() -> None:
    st.switch_page(path("overview"))


def path(name: str) -> str:
    """``pages/queue.py``, as ``st.switch_page`` and ``st.page_link`` want it."""
    return f"pages/{name}.py"
