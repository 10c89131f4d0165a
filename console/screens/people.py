"""Accounts: who may enter, as what; changed by admins, one's own password by anyone."""

from __future__ import annotations

import streamlit as st
from sqlite_utils import Database

from console import auth, data, parts, words
from console.actions import act
from console.shell import Desk
from engine.service import users
from engine.service.users import ROLES, Operator
from engine.store import users as user_rows
from engine.store.users import Identity, User


def show(desk: Desk) -> None:
    with data.reading() as db:
        people, identities = user_rows.listing(db), user_rows.identities(db)
    if auth.is_local(desk.operator):
        st.info(
            "Nobody needs to sign in, because the console only answers on this machine. The "
            "first account ends that: make it an admin and remember its password.",
            icon=":material/lock_open:",
        )
    else:
        _own_password()
    admin = desk.may("admin")
    for user in people:
        _user(desk, user, admin)
    if admin:
        _create(first=not people)
        if people:
            _identities(people, identities)


def _user(desk: Desk, user: User, admin: bool) -> None:
    key = f"user.{user.id}"
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.text(user.name)
        closed = user.disabled_at is not None
        st.badge("closed" if closed else user.role, color="gray" if closed else "blue")
        parts.moment("since", user.created_at, desk.zone, desk.now)
        if admin:
            st.selectbox(
                f"Role of {words.plain(user.name)}", ROLES, ROLES.index(user.role), key=f"{key}.role",
                label_visibility="collapsed", width=140, on_change=_role, args=(user.name, f"{key}.role"),
            )  # fmt: skip
            st.button(
                "Reopen" if closed else "Close account", key=f"{key}.close", type="tertiary",
                on_click=_disable, args=(user.name, not closed),
            )  # fmt: skip


def _create(*, first: bool) -> None:
    with st.form("user.new", clear_on_submit=True):
        st.markdown("**New account**")
        with st.grid(3, min_column_width=180):
            st.text_input("Name", key="user.new.name")
            st.text_input(
                "Password", type="password", key="user.new.password",
                help="At least 8 characters. Empty: signs in through the provider only.",
                autocomplete="new-password",
            )  # fmt: skip
            st.selectbox(
                "Role", ROLES, ROLES.index("admin" if first else "approver"), key="user.new.role"
            )
        st.caption(
            "viewer looks · editor writes and holds · approver lets out · admin changes rules"
        )
        st.form_submit_button("Create account", on_click=_new)


def _own_password() -> None:
    with (
        st.form("user.password", clear_on_submit=True),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        st.text_input(
            "Your new password",
            type="password",
            key="user.password.new",
            autocomplete="new-password",
        )
        st.form_submit_button("Change password", on_click=_password)


def _identities(people: list[User], identities: list[Identity]) -> None:
    st.markdown("**People who may enter through the provider (OIDC)**")
    for identity in identities:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.text(f"{identity.email} of {identity.issuer}, as {identity.user}")
            st.button(
                "Remove",
                key=f"identity.{identity.id}",
                type="tertiary",
                on_click=_revoke,
                args=(identity.id,),
            )
    with st.form("identity.new", clear_on_submit=True):
        with st.grid(3, min_column_width=180):
            st.text_input("E-mail", key="identity.email")
            st.text_input("Issuer", key="identity.issuer", placeholder="https://accounts.example")
            st.selectbox("As", [user.name for user in people], key="identity.user")
        st.form_submit_button("Allow", on_click=_allow)


def _new() -> None:
    entered = {part: st.session_state[f"user.new.{part}"] for part in ("name", "password", "role")}

    def work(db: Database, operator: Operator) -> str:
        user = users.create_user(
            db, name=entered["name"], password=entered["password"] or None, role=entered["role"],
            actor=operator, now=data.now(),
        )  # fmt: skip
        return f"{user.name} may sign in as {user.role}."

    act("admin", work)


def _role(name: str, key: str) -> None:
    def work(db: Database, operator: Operator) -> str:
        users.change_role(db, name, st.session_state[key], actor=operator, now=data.now())
        return f"{name} is {st.session_state[key]} now and must sign in again."

    act("admin", work)


def _disable(name: str, closed: bool) -> None:
    def work(db: Database, operator: Operator) -> str:
        users.disable(db, name, closed, actor=operator, now=data.now())
        return f"The account {name} is {'closed' if closed else 'open again'}."

    act("admin", work)


def _password() -> None:
    typed = st.session_state["user.password.new"]

    def work(db: Database, operator: Operator) -> str:
        users.change_password(db, operator.name, typed, actor=operator, now=data.now())
        return "Your password is changed. Sign in with it."

    act("viewer", work)


def _allow() -> None:
    entered = {part: st.session_state[f"identity.{part}"] for part in ("email", "issuer", "user")}

    def work(db: Database, operator: Operator) -> str:
        users.allow_identity(
            db, issuer=entered["issuer"], email=entered["email"], name=entered["user"],
            actor=operator, now=data.now(),
        )  # fmt: skip
        return f"{entered['email']} may enter as {entered['user']}."

    act("admin", work)


def _revoke(identity_id: int) -> None:
    def work(db: Database, operator: Operator) -> str:
        users.revoke_identity(db, identity_id, actor=operator, now=data.now())
        return "The identity may no longer enter."

    act("admin", work)
