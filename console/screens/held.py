"""Attempts of which nobody knows whether X took them: a person says what is so."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from console import data, parts, queue_actions, words
from console.shell import Desk
from engine.store import attempts, console_reads
from engine.store.attempts import Attempt
from engine.store.posts import Post


@dataclass(frozen=True)
class Stuck:
    """A post and its unsolved attempt."""

    post: Post
    attempt: Attempt


def show(desk: Desk) -> None:
    """Nothing while there is none."""
    with data.showing() as db:
        stuck = [
            Stuck(post, found[-1])
            for post in console_reads.in_state(db, console_reads.STUCK)
            if (found := attempts.of_post(db, post.id))
        ]
    for item in stuck:
        _one(desk, item)


def _one(desk: Desk, item: Stuck) -> None:
    post, attempt = item.post, item.attempt
    with st.container(border=True):
        st.markdown(f":yellow[:material/front_hand:] **Did post {post.id} reach X?**")
        parts.as_on_x(post.text)
        parts.moment(
            f"sent to {words.plain(attempt.account)}", attempt.started_at, desk.zone, desk.now
        )
        if attempt.reason:
            st.caption(words.plain(attempt.reason))
        if attempt.outcome != "held":
            st.caption("The runner is still looking for it on the timeline; wait for its word.")
            return
        st.markdown("Look at the account's timeline, then say what is so:")
        _answers(desk, attempt)


def _answers(desk: Desk, attempt: Attempt) -> None:
    allowed, key = desk.may("approver"), f"held.{attempt.id}.id"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        where = "in the dry run" if attempt.publisher == "dry_run" else "or address on X"
        st.text_input(f"It is there: its id {where}", key=key, width=340)
        st.button(
            "Link it", key=f"held.{attempt.id}.link", icon=":material/link:", disabled=not allowed,
            on_click=queue_actions.resolve, args=(attempt.id, "link", key),
        )  # fmt: skip
        st.button(
            "Confirm absent", key=f"held.{attempt.id}.absent", icon=":material/search_off:",
            disabled=not allowed, on_click=queue_actions.resolve,
            args=(attempt.id, "confirm_absent"), help="The approved text may then be sent again.",
        )  # fmt: skip
        st.button(
            "Abandon", key=f"held.{attempt.id}.abandon", icon=":material/delete:",
            disabled=not allowed, on_click=queue_actions.resolve, args=(attempt.id, "abandon"),
            help="It is left as it is and never sent again.",
        )  # fmt: skip
