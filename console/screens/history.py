"""History: find any post, see where every word of it came from, take the rows along."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import streamlit as st

from console import data, exports, parts, state
from console.shell import Desk
from engine.errors import StoreError
from engine.records import CONTENT_TYPES
from engine.store import search
from engine.store.posts import Post
from engine.store.search import Filters, Found

STATES: dict[str, tuple[str, ...]] = {
    "posted": ("posted",),
    "awaiting approval": ("pending_approval",),
    "approved": ("approved", "publishing"),
    "draft": ("draft", "validated"),
    "rejected": ("rejected",),
    "expired": ("expired",),
    "held": ("held", "unknown"),
    "failed": ("failed", "abandoned"),
}
MOST_EXPORTED = 5_000


@dataclass(frozen=True)
class View:
    """One page of what was found."""

    filters: Filters
    found: Found
    behind: bool


def ask(desk: Desk) -> Filters:
    """The search line and the filters; both live in the address, so a search can be shared."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Search all texts", key="q", bind="query-params",
            placeholder="words, or how they begin", on_change=_first_page,
            help="Every word must occur; the beginning of a word is enough.",
        )  # fmt: skip
        became = st.selectbox(
            "Became", list(STATES), index=None, key="became", bind="query-params",
            placeholder="anything", on_change=_first_page, width=190,
        )  # fmt: skip
        kind = st.selectbox(
            "Kind", CONTENT_TYPES, index=None, key="kind", bind="query-params",
            placeholder="any", on_change=_first_page, width=140,
        )  # fmt: skip
        origin = st.selectbox(
            "Written by", ("model", "backup", "operator"), index=None, key="by",
            bind="query-params", placeholder="anyone", on_change=_first_page, width=140,
        )  # fmt: skip
        days = st.date_input(
            "Written between", [], key="history.days", on_change=_first_page, width=270
        )
    start, end = _bounds(days, desk)
    return Filters(text or "", STATES.get(became or "", ()), kind, origin, start, end)


def read(filters: Filters) -> View:
    """Bring the index up to date, then look; a database that cannot be written is still read."""
    behind = False
    if filters.text:
        with data.showing() as db:
            behind = search.is_behind(db)
        if behind:
            behind = not _caught_up()
    cursor = state.cursor("history")
    with data.showing() as db:
        return View(filters, search.find(db, filters, cursor=cursor), behind)


def _caught_up() -> bool:
    try:
        with data.writing_shown() as db:
            search.catch_up(db)
            return not search.is_behind(db)
    except (sqlite3.Error, StoreError):
        return False


def results(desk: Desk, view: View) -> None:
    """The rows of this page, and the ways on."""
    if view.behind:
        st.info("The newest texts are still being indexed; search again in a moment.")
    if not view.found.posts:
        parts.empty(
            "Nothing found",
            "Every post is kept here for ever, whatever became of it. Loosen the filters.",
            ":material/search_off:",
        )
        return
    for post in view.found.posts:
        _row(desk, post)
    with st.container(horizontal=True):
        if state.cursor("history") is not None:
            st.button(
                "Newest", key="history.first", icon=":material/first_page:", on_click=_first_page
            )
        if view.found.cursor is not None:
            st.button(
                "Older", key="history.older", icon=":material/chevron_right:",
                on_click=state.set_cursor, args=("history", view.found.cursor),
            )  # fmt: skip
        _exports(view)


def _row(desk: Desk, post: Post) -> None:
    with st.container(border=True, gap="xsmall"):
        st.text(post.text)
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            parts.badges(parts.about(post))
            parts.moment(
                f"post {post.id} ·", post.posted_at or post.created_at, desk.zone, desk.now
            )
            st.button(
                "Where it came from", key=f"history.open.{post.id}", type="tertiary",
                icon=":material/account_tree:", on_click=_open, args=(post.id,),
            )  # fmt: skip


def _exports(view: View) -> None:
    for name, mime, write in (
        ("CSV", "text/csv", exports.to_csv),
        ("JSON", "application/json", exports.to_json),
    ):
        st.download_button(
            name, partial(_export, write, view.filters), f"posts.{name.lower()}", mime,
            key=f"history.{name}", icon=":material/download:", on_click="ignore",
            help=f"What was found, the newest {MOST_EXPORTED:,} at most.",
        )  # fmt: skip


def _export(write: Callable[[list[dict[str, Any]]], bytes], filters: Filters) -> bytes:
    return write(_rows(filters))


def _rows(filters: Filters) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor: int | None = None
    with data.showing() as db:
        while len(rows) < MOST_EXPORTED:
            page = search.find(db, filters, cursor=cursor, limit=500)
            rows += [dataclasses.asdict(post) for post in page.posts]
            if page.cursor is None:
                break
            cursor = page.cursor
    return rows[:MOST_EXPORTED]


def _bounds(days: Any, desk: Desk) -> tuple[datetime | None, datetime | None]:
    chosen = tuple(days) if isinstance(days, list | tuple) else (days,)
    if len(chosen) != 2:
        return None, None
    first, last = chosen
    return data.day_bounds(first, desk.zone)[0], data.day_bounds(last, desk.zone)[1]


def _first_page() -> None:
    state.set_cursor("history", None)


def _open(post_id: int) -> None:
    st.query_params["post"] = str(post_id)


def opened() -> int | None:
    """The post asked for by the address, e.g. ``/history?post=12``."""
    asked = st.query_params.get("post", "")
    return int(asked) if asked.isdecimal() and len(asked) < 15 else None


def close() -> None:
    st.query_params.pop("post", None)
