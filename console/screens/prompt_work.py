"""Under a prompt in the playground: what differs from production, and saving it as a version."""

from __future__ import annotations

import streamlit as st
from sqlite_utils import Database

from console import data, words
from console.actions import act
from console.screens.templates import diff
from console.shell import Desk
from engine.service import change
from engine.service.users import Operator
from engine.store.templates import Template, TemplateVersion


def label(template: Template, version: TemplateVersion) -> str:
    """How the playground names a version in its list."""
    return f"{template.name} · version {version.number}"


def compare(live: TemplateVersion | None, version: TemplateVersion) -> None:
    """The chosen version against the one in production; drawn only when opened."""
    if live is None or live.id == version.id:
        return
    box = st.expander("What differs from production", key="play.diff", on_change="rerun")
    if box.open:
        with box:
            st.code(diff(live, version), language="diff", wrap_lines=True)


def save_as(
    desk: Desk, template: Template, base: TemplateVersion, kind: str, text: str | None
) -> None:
    """A form that saves a changed prompt as the template's next version. ``text`` is the free
    prompt, where one was typed; its fields in braces must be among the template's variables."""
    box = st.expander(
        "Change it, save it as a version",
        icon=":material/save:",
        key="play.save",
        on_change="rerun",
    )
    if not box.open:
        return
    key = f"play.save.{base.id}.{'free' if text is not None else 'version'}"
    with box, st.form(key, border=False):
        st.caption(
            f"It becomes the next version of {words.plain(template.name)}; production stays as "
            "it is until somebody promotes it."
        )
        st.text_area("System", base.system, key=f"{key}.system", height=110)
        st.text_area("Prompt", text or base.body, key=f"{key}.body", height=180)
        st.caption(words.plain("Fields: " + " ".join(f"{{{v['name']}}}" for v in base.variables)))
        st.text_input("What is new in it?", key=f"{key}.note")
        st.form_submit_button(
            "Save as version", on_click=_save, args=(template, base, kind, key),
            disabled=not desk.may("editor"),
        )  # fmt: skip


def _save(template: Template, base: TemplateVersion, kind: str, key: str) -> None:
    def work(db: Database, operator: Operator) -> str:
        version = change.save_version(
            db, template.id, system=st.session_state[f"{key}.system"],
            body=st.session_state[f"{key}.body"], variables=list(base.variables),
            note=st.session_state[f"{key}.note"], actor=operator, now=data.now(),
        )  # fmt: skip
        st.session_state[f"play.prompt.{kind}"] = label(template, version)
        return f"Version {version.number} of {template.name} is saved and chosen here."

    act("editor", work, shown=True)
