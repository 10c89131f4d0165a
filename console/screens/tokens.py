"""Tokens of the REST API: who holds which scopes until when. A new one is shown once."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st
from sqlite_utils import Database

from console import data, parts, state, words
from console.actions import act
from console.shell import Desk
from engine.posting.actors import acting
from engine.service import tokens
from engine.service.tokens import SCOPES
from engine.service.users import Operator
from engine.store import tokens as rows
from engine.store.tokens import Token

LIFETIMES: dict[str, timedelta | None] = {
    "30 days": timedelta(days=30),
    "90 days": timedelta(days=90),
    "1 year": timedelta(days=365),
    "until revoked": None,
}


def show(desk: Desk) -> None:
    """Every token without its secret, and for admins the way to make and end one."""
    st.caption(
        "A token lets another program use the REST API (`python runner.py run --api`). Only its "
        "hash is stored; no token can approve a post or pass by the queue."
    )
    if desk.may("admin"):
        _new()
    else:
        st.info("Tokens are made and revoked by an admin.", icon=":material/lock:")
    with data.reading() as db:
        found = rows.listing(db)
    if not found:
        parts.empty(
            "No token yet",
            "Nobody can use the REST API before there is one.",
            ":material/key:",
        )
    for token in reversed(found):
        _token(desk, token)


def _token(desk: Desk, token: Token) -> None:
    live = token.is_live(desk.now)
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.text(token.name)
        word = "live" if live else "revoked" if token.revoked_at else "expired"
        st.badge(word, color="green" if live else "gray", icon=_ICONS[word])
        st.caption(words.plain(f"{', '.join(token.scopes)} · id {token.id}"))
        parts.moment(
            "last used" if token.last_used_at else "never used", token.last_used_at, desk.zone,
            desk.now,
        )  # fmt: skip
        if token.expires_at:
            parts.moment("expires", token.expires_at, desk.zone, desk.now)
        if live and desk.may("admin"):
            st.button(
                "Revoke", key=f"token.revoke.{token.id}", icon=":material/key_off:",
                type="tertiary", on_click=_revoke, args=(token.id,),
            )  # fmt: skip


_ICONS = {
    "live": ":material/check_circle:",
    "revoked": ":material/block:",
    "expired": ":material/timer_off:",
}


def _new() -> None:
    with st.form("token.new"):
        st.markdown("**New token**")
        with st.grid(2, min_column_width=240):
            st.text_input("Name", key="token.name", help="Who will use it?")
            st.selectbox("Valid for", list(LIFETIMES), 1, key="token.lifetime")
        st.pills("May", list(SCOPES), selection_mode="multi", key="token.scopes")
        st.caption(words.plain(" · ".join(f"{name}: {what}" for name, what in SCOPES.items())))
        made = st.form_submit_button("Create token")
    if made:
        _create()


def _create() -> None:
    """Not a callback: the secret lives in this one drawing of the page and nowhere else."""
    secret = ""

    def work(db: Database, operator: Operator) -> str:
        nonlocal secret
        token, secret = tokens.create(
            db, name=st.session_state["token.name"], scopes=st.session_state["token.scopes"],
            actor=acting(operator, "admin"), now=data.now(),
            lifetime=LIFETIMES[st.session_state["token.lifetime"]],
        )  # fmt: skip
        return f"Token {token.name} is made."

    if not act("admin", work):
        st.rerun()
    state.clear_notice()
    st.success("Copy it now: it is shown this once and cannot be read again.")
    st.code(secret, language=None)


def _revoke(token_id: str) -> None:
    def work(db: Database, operator: Operator) -> str:
        tokens.revoke(db, token_id, actor=acting(operator, "admin"), now=data.now())
        return "The token is revoked: its next request is refused."

    act("admin", work)
