"""Engagement: what readers did, described with its sample; only an experiment may claim a cause."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import streamlit as st

from console import charts, data, parts, words
from console.shell import Desk
from engine.learning.overview import Engagement, Group, Ranked, engagement
from engine.store import console_reads

SPANS = {"28 days": 28, "90 days": 90, "1 year": 365}


def read(desk: Desk) -> Engagement:
    days = SPANS[
        st.segmented_control(
            "Posts of the last",
            list(SPANS),
            default="90 days",
            required=True,
            key="engagement.span",
        )
        or "90 days"
    ]
    return data.remember(
        "engagement", lambda db: engagement(db, desk.hour - timedelta(days=days), desk.hour), days, desk.hour,
        revision=console_reads.engagement_revision,
    )  # fmt: skip


def show(desk: Desk, view: Engagement) -> None:
    if not view.posts:
        parts.empty(
            "No engagement has been collected",
            "It is read from X at 1, 6, 24, 48 hours and 7 days after a post. Dry-run posts have "
            "none, and none is made up. Post to X (BTCBUZZ_PUBLISHER=x) or import a CSV.",
            ":material/favorite:",
        )
    st.markdown(words.plain(view.followers.sentence))
    st.markdown(words.plain(view.effort.sentence))
    if not view.posts:
        return
    with st.container(border=True):
        st.subheader("How a post matures", anchor=False)
        st.caption("Line: the median post. Band: from the 5th to the 95th of a hundred posts.")
        charts.draw(charts.maturing(view.maturing), key="engagement.maturing")
    st.subheader(f"{words.count(view.posts, 'post')} at 48 hours, by what they share", anchor=False)
    st.caption("Not drawn by lot: these describe, they do not prove. Below ten posts no number.")
    tabs = st.tabs(["Kind", "Hour", "Hashtag", "Model"])
    groups = (view.by_type, view.by_hour, view.by_hashtag, view.by_model)
    for tab, found in zip(tabs, groups, strict=True):
        with tab:
            _groups(found)
    best, worst = st.columns(2)
    with best:
        _ranked(desk, "Best", view.best)
    with worst:
        _ranked(desk, "Worst", view.worst)


def _groups(found: Sequence[Group]) -> None:
    st.dataframe(
        [
            {
                "group": group.name, "posts": group.posts, "sample": group.strength,
                "engagement rate": "–" if group.rate is None else f"{100 * group.rate:.2f} %",
                "95 % interval": "–" if group.low is None or group.high is None
                else f"{100 * group.low:.2f} to {100 * group.high:.2f} %",
            }
            for group in found
        ],
        hide_index=True, alt=f"{len(found)} groups with their typical engagement rate.",
    )  # fmt: skip


def _ranked(desk: Desk, title: str, found: Sequence[Ranked]) -> None:
    st.markdown(f"**{words.plain(title)}**")
    for post in found:
        with st.container(border=True, gap="xsmall"):
            st.text(post.text)
            st.caption(
                f"{words.count(post.engagements, 'engagement')} of "
                f"{words.count(post.impressions, 'impression')}"
            )
            parts.moment("posted", post.posted_at, desk.zone, desk.now)
