"""Blind votes on benchmark texts, and what the model in force sustains until when."""

from __future__ import annotations

import random

import streamlit as st
from sqlite_utils import Database

from console import data, parts, words
from console.actions import act
from console.shell import Desk
from engine.lab import arena as ranking
from engine.lab.arena import Shown
from engine.llm.current import in_force
from engine.service.lab import outlook
from engine.service.users import Operator
from engine.store import arena as rows
from engine.store.arena import VoteChoice

# not the arrow keys: with those one scrolls, and a scroll must not vote
_KEYS: tuple[tuple[VoteChoice, str, str], ...] = (
    ("left", "Left is better", "1"),
    ("tie", "A tie", "2"),
    ("right", "Right is better", "3"),
)


def arena(desk: Desk) -> None:
    """Two accepted texts on one moment, sides drawn at random; who wrote them stays unknown."""
    st.subheader("Blind votes", anchor=False)
    who = desk.operator.name
    with data.showing() as db:
        count = rows.open_pairs(db, who)
        # the seed moves with every vote only, so that a rerun does not change the pair
        pair = ranking.next_pair(db, who, random.Random(f"{who}/{count}"))
        found = ranking.rank(rows.votes(db), random.Random(1), draws=200)
    if pair is None:
        parts.empty(
            "No pair to judge",
            "Pairs come from benchmark runs in which two models, or two recipes, wrote accepted "
            "texts on the same moment.",
            ":material/compare:",
        )
    else:
        _pair(desk, pair, count)
    if found.votes:
        said = found.verdict[:1].upper() + found.verdict[1:]
        st.markdown(f"**{words.plain(said)}** :gray[{words.count(found.votes, 'vote')}]")
        st.dataframe(
            [
                {
                    "contender": item.name, "votes": item.votes, "wins": item.wins,
                    "ties": item.ties, "strength": round(item.strength, 2),
                    "95 % interval": f"{item.interval.low:+.2f} to {item.interval.high:+.2f}",
                }
                for item in found.standings
            ],
            hide_index=True, alt=f"{found.verdict}, by {found.votes} votes.",
        )  # fmt: skip
        st.caption("Strength: log odds to win against the average of them (Bradley–Terry).")


def _pair(desk: Desk, pair: Shown, count: int) -> None:
    st.caption(f"{words.plain(pair.content_type)} · {count} left to judge · one key is a vote")
    for column, text in zip(st.columns(2), (pair.left_text, pair.right_text), strict=True):
        with column:
            parts.as_on_x(text)
    with st.container(horizontal=True):
        for choice, label, key in _KEYS:
            st.button(
                label, key=f"arena.{choice}", shortcut=key, on_click=_vote, args=(pair, choice),
                disabled=not desk.may("editor"),
            )  # fmt: skip


def _vote(pair: Shown, choice: VoteChoice) -> None:
    def work(db: Database, operator: Operator) -> str:
        new = rows.vote(
            db, run_id=pair.run_id, left_place=pair.left_place, right_place=pair.right_place,
            choice=choice, voter=operator.name, now=data.now(),
        )  # fmt: skip
        return "Your vote counts." if new else "You have judged this pair before."

    act("editor", work, shown=True)


_WHAT = {
    "budget": "budget", "disk": "disk", "schedule": "pace of the model", "latency": "seconds a call",
    "rejection": "rejections",
}  # fmt: skip
_OF_A_MODEL = ("schedule", "latency")


def forecast(desk: Desk) -> None:
    """What runs out when, each with the figures it rests on."""
    settings, path = data.config(), data.shown_path()
    st.subheader("Outlook", anchor=False)
    with data.showing() as db:
        model = in_force(db, settings)
    found = data.remember(
        "outlook",
        lambda db: outlook(db, path, settings.publisher, model, desk.now),
        desk.hour,
        model,
    )
    if model.startswith("scripted:"):
        found = [item for item in found if item.what not in _OF_A_MODEL]
        st.caption("The scripted model has no weights: its speed says nothing and is not shown.")
    st.dataframe(
        [
            {
                "what": _WHAT[item.what], "state": item.state, "in words": item.sentence,
                "rests on": item.basis,
            }
            for item in found
        ],
        hide_index=True, alt="; ".join(f"{item.what}: {item.state}" for item in found),
    )  # fmt: skip
