"""Signing in: local passwords, OIDC with an allow-list, or the local operator on loopback.

Facts: streamlit §1.4, reliability-and-security §5.4. OIDC proves who someone is; only the
allow-list in the database lets them in.
"""

from __future__ import annotations

import sqlite3

import streamlit as st

from console import data, state, words
from engine.config import is_loopback
from engine.errors import BuzzError, PermissionDenied
from engine.service import users
from engine.service.users import Operator
from engine.store import users as user_rows


def unsafe() -> str | None:
    """Why this server must not show anything, whoever asks; None where its settings are sound."""
    if not st.get_option("server.enableXsrfProtection"):
        return "server.enableXsrfProtection is off. Turn it on in .streamlit/config.toml."
    if _public() and not st.get_option("server.allowedHosts"):
        return (
            "The console is bound to a public address and accepts any host name. List yours "
            "under server.allowedHosts in .streamlit/config.toml."
        )
    return None


def current() -> Operator | None:
    """Who is signed in in this tab, with the role they have now; None means: show the sign-in."""
    with data.reading() as db:
        operator = state.operator()
        if operator is not None:
            operator = users.still(db, operator)
        if operator is None and _oidc() and st.user.is_logged_in:
            operator = users.sign_in_by_identity(
                db,
                str(st.user.get("iss", "")),
                str(st.user.get("email", "")),
                verified=st.user.get("email_verified") is True,
            )
        if operator is None and not _public() and not _oidc():
            operator = users.local_operator(db)
    state.set_operator(operator)
    return operator


def current_or_refused() -> Operator | None:
    """:func:`current`; a refused identity is told on the sign-in screen."""
    try:
        return current()
    except PermissionDenied as error:
        st.session_state["auth.refusal"] = str(error)
        return None


def sign_in_screen() -> None:
    """The only thing someone sees who is not signed in."""
    _, middle, _ = st.columns([1, 1.4, 1])
    with middle:
        st.title("Sign in", anchor=False)
        st.caption("BTCBuzzBot console")
        refusal = st.session_state.pop("auth.refusal", None)
        if refusal:
            st.error(refusal, icon=":material/lock:")
        if _oidc():
            st.button("Sign in with your provider", on_click=st.login, width="stretch")
            if st.user.is_logged_in:
                st.button("Leave this account of the provider", on_click=st.logout, type="tertiary")
        if _has_passwords():
            with st.form("auth.form", border=True):
                st.text_input("Name", key="auth.name", autocomplete="username")
                st.text_input(
                    "Password", type="password", key="auth.password",
                    autocomplete="current-password",
                )  # fmt: skip
                st.form_submit_button("Sign in", on_click=_try, width="stretch")
        elif not _oidc():
            st.error(
                "The console is bound to a public address and nobody can sign in yet. Set "
                "BTCBUZZ_PASSWORD and restart: it becomes the password of the user admin.",
                icon=":material/gpp_bad:",
            )


def sign_out() -> None:
    state.set_operator(None)
    if _oidc() and st.user.is_logged_in:
        st.logout()


def is_local(operator: Operator) -> bool:
    """True for the unnamed operator of a console without users."""
    return operator.name == users.LOCAL


def _try() -> None:
    name = str(st.session_state.get("auth.name", ""))
    password = str(st.session_state.get("auth.password", ""))
    st.session_state["auth.password"] = ""
    try:
        with data.writing() as db:
            state.set_operator(users.sign_in(db, name, password, now=data.now()))
    except (BuzzError, sqlite3.Error) as error:
        st.session_state["auth.refusal"] = words.failure(error)


def _has_passwords() -> bool:
    """Whether anybody could sign in by name; else the form would only mislead."""
    with data.reading() as db:
        return any(user.has_password and not user.disabled_at for user in user_rows.listing(db))


def _public() -> bool:
    return not is_loopback(st.get_option("server.address"))


def _oidc() -> bool:
    try:
        return "auth" in st.secrets
    except FileNotFoundError:
        return False
