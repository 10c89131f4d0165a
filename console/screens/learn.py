"""Benchmarks, Experiments, Engagement before there is evidence: what production already tells,
and what starts the rest. Nothing is estimated from nothing."""

from __future__ import annotations

import statistics
from datetime import timedelta

import streamlit as st

from console import data, parts, words
from console.shell import Desk
from engine.store import console_reads

WINDOW = timedelta(days=30)
LEAST = 20


def benchmarks(desk: Desk) -> None:
    """Models as they did in production; a fair comparison needs a benchmark run."""
    parts.empty(
        "No benchmark has run yet",
        "It compares models on the same recorded market, interleaved, with cold and warm times. "
        "Start one: python runner.py bench --models embedded:smollm2 --types price,joke --repeats 20",
        ":material/speed:",
    )
    hour = desk.now.replace(minute=0, second=0, microsecond=0)
    rows = data.remember(
        "models", lambda db: console_reads.model_calls(db, hour - WINDOW, desk.now), hour
    )
    st.subheader("In production, last 30 days")
    if not rows:
        st.caption("No model call is stored in these days.")
        return
    st.dataframe(
        [
            {
                "model": row.model,
                "calls": row.calls,
                "worked": words.share(row.ok, row.calls, least=LEAST),
                "accepted by checks": words.share(row.accepted, row.judged, least=LEAST),
                "seconds, median": round(statistics.median(row.seconds), 2) if row.seconds else None,
            }
            for row in rows
        ],
        hide_index=True, alt=f"{len(rows)} models as they did in production.",
    )  # fmt: skip
    st.caption("Not a comparison: each model met other hours and other prompts.")


def experiments(desk: Desk) -> None:
    parts.empty(
        "No experiment has been started",
        "An experiment compares two ways of writing on the real account: arms by a committed "
        "seed, hidden in the queue, judged by an interval that holds at every look. It needs "
        "posts on X with engagement; dry-run posts have none.",
        ":material/labs:",
    )


def engagement(desk: Desk) -> None:
    """Counts of posts are known; what readers did is not, until it was collected."""
    parts.empty(
        "No engagement has been collected",
        "It is read from X at 1, 6, 24, 48 hours and 7 days after a post. Dry-run posts have "
        "none, and none is made up. Post to X (BTCBUZZ_PUBLISHER=x) or import a CSV.",
        ":material/favorite:",
    )
    hour = desk.now.replace(minute=0, second=0, microsecond=0)
    rows = data.remember(
        "posted", lambda db: console_reads.posted_by_kind(db, hour - WINDOW, desk.now), hour
    )
    st.subheader("Posted, last 30 days")
    if not rows:
        st.caption("Nothing was posted in these days.")
        return
    st.dataframe(
        [{"kind": kind, "written by": origin, "posts": n} for kind, origin, n in rows],
        hide_index=True, alt=f"{sum(row[2] for row in rows)} posts by kind and writer.",
    )  # fmt: skip
