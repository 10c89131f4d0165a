"""Queue: one post at a time, the list beside it, every action by key."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from sqlite_utils import Database

from console import data, parts, queue_actions, state, words
from console.screens import queue_detail
from console.shell import Desk
from engine.posting import hold
from engine.store import audit, console_reads, posts
from engine.store.audit import AuditEntry
from engine.store.posts import Post

SHOWN = 9
"""Rows of the list around the chosen one; a longer list is a number, not more buttons."""


@dataclass(frozen=True)
class View:
    """What waits, which one is looked at, and what happened lately."""

    waiting: list[Post]
    drafts: list[Post]
    at: int
    detail: queue_detail.Detail | None
    undoable: list[int]
    lately: list[AuditEntry]
    revision: str

    @property
    def post(self) -> Post | None:
        return self.waiting[self.at] if self.waiting else None

    @property
    def green(self) -> list[Post]:
        return [post for post in self.waiting if is_green(post)]


def is_green(post: Post) -> bool:
    """Every check passed without a warning that asks for a look, the model wrote it, and nobody
    keeps it back."""
    passed = post.verdict == "pass" and not post.flags and post.origin != "backup"
    return passed and not hold.is_kept(post)


def read(desk: Desk) -> View:
    waiting, drafts, lately = data.remember(
        "queue", lambda db: (_waiting(db), console_reads.open_drafts(db), _lately(db))
    )
    with data.showing() as db:
        at = _place([post.id for post in waiting])
        undo = [
            post_id
            for post_id, _ in state.undoable()
            if (post := posts.get(db, post_id)) and post.state == "approved"
        ]
        return View(
            waiting=waiting,
            drafts=drafts,
            at=at,
            detail=queue_detail.read(db, waiting[at], desk.now) if waiting else None,
            undoable=undo,
            lately=lately,
            revision=console_reads.revision(db),
        )


def _waiting(db: Database) -> list[Post]:
    """What asks for a decision by its time, then what somebody keeps back."""
    return console_reads.in_state(db, ("pending_approval",)) + console_reads.kept_back(db)


def _lately(db: Database) -> list[AuditEntry]:
    """The last three things that people did to posts."""
    return [
        entry
        for entry in audit.entries(db, limit=12)
        if entry.subject.startswith("post:") and entry.actor not in ("runner", "writer")
    ][:3]


def _place(ids: list[int]) -> int:
    """The chosen post's place; when it has left the list, the one that moved up."""
    chosen = state.chosen("queue")
    if chosen in ids:
        at = ids.index(chosen)
    else:
        at = min(state.place("queue"), max(0, len(ids) - 1))
    state.set_place("queue", at)
    return at


def watch(view: View) -> None:
    """Look every three seconds whether somebody else, or the runner, changed anything."""

    @st.fragment(run_every="3s")
    def look() -> None:
        with data.showing() as db:
            if console_reads.revision(db) != view.revision:
                st.rerun()

    look()


def lately(desk: Desk, view: View) -> None:
    """Undo for one's own last approval, and what people did last."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if view.undoable:
            st.button(
                f"Undo {words.count(len(view.undoable), 'approval')}",
                key="queue.undo.button", icon=":material/undo:", shortcut="U",
                on_click=queue_actions.undo,
            )  # fmt: skip
        for entry in view.lately:
            st.caption(
                words.plain(
                    f"{entry.actor}: {entry.subject.replace(':', ' ')} {words.step(entry.what)} "
                    f"{words.ago(entry.at, desk.now)}"
                ),
                width="content",
            )


def nothing_waits(view: View) -> None:
    parts.empty(
        "Nothing waits for you",
        "New drafts appear here by themselves. The next one is written at the next slot.",
        ":material/done_all:",
    )
    if view.drafts:
        st.caption(f"{words.count(len(view.drafts), 'draft')} being written again.")


def rows(desk: Desk, view: View) -> None:
    """The list: the chosen one and its neighbours, and the way to approve all green ones. While
    one is being edited the list rests: a step aside would lose what was typed."""
    rests = state.mode("queue") == "edit"
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{len(view.waiting)} waiting** · {view.at + 1} of {len(view.waiting)}")
        with st.container(horizontal=True, gap="xsmall"):
            _step("Next", "J", 1, view, rests)
            _step("Previous", "K", -1, view, rests)
        first = max(0, min(view.at - SHOWN // 2, len(view.waiting) - SHOWN))
        for index, post in enumerate(view.waiting[first : first + SHOWN], start=first):
            _row(desk, post, rests, chosen=index == view.at)
        if len(view.waiting) > SHOWN:
            st.caption(f"{len(view.waiting) - SHOWN} more before and after")
        if view.green:
            st.button(
                f"All green: look at {len(view.green)}",
                key="queue.bulk", icon=":material/done_all:", shortcut="B", width="stretch",
                on_click=state.set_mode, args=("queue", "bulk"),
                disabled=rests or not desk.may("approver"),
            )  # fmt: skip


def _step(label: str, key: str, by: int, view: View, rests: bool) -> None:
    to = view.at + by
    inside = 0 <= to < len(view.waiting)
    st.button(
        label, key=f"queue.step.{key}", shortcut=key, width="stretch",
        disabled=rests or not inside,
        on_click=state.choose,
        args=("queue", view.waiting[to].id if inside else None),
    )  # fmt: skip


def _row(desk: Desk, post: Post, rests: bool, *, chosen: bool) -> None:
    when = words.local(
        post.not_before or post.scheduled_for or post.created_at, desk.zone, now=desk.now
    )
    label, icon = (
        (f"{post.content_type} on hold", ":material/pause:")
        if hold.is_kept(post)
        else (f"{when} {post.content_type} ok", ":material/check:")
        if is_green(post)
        else (f"{when} {post.content_type} look", ":material/priority_high:")
    )
    st.button(
        label, key=f"queue.row.{post.id}", icon=icon, width="stretch",
        type="secondary" if chosen else "tertiary", disabled=rests,
        on_click=state.choose, args=("queue", post.id),
    )  # fmt: skip


def bulk(view: View) -> None:
    """All green posts at once, each readable, one key for yes."""
    green = view.green
    with st.container(border=True):
        st.subheader(f"{words.count(len(green), 'post')} passed every check", anchor=False)
        with st.container(horizontal=True):
            st.button(
                parts.main_action(f"Approve these {len(green)}"),
                key="queue.bulk.yes", shortcut="A", icon=":material/done_all:",
                on_click=queue_actions.approve_all,
                args=([(post.id, post.revision) for post in green],),
            )  # fmt: skip
            st.button(
                "Back", key="queue.bulk.no", shortcut="Escape",
                on_click=state.clear_mode, args=("queue",),
            )  # fmt: skip
        for post in green:
            with st.container(border=True, gap="xsmall"):
                st.text(post.text)
                st.caption(f"{post.content_type} · post {post.id} · revision {post.revision}")
