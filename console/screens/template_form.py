"""A new version of a template: prompt and typed variables as a form."""

from __future__ import annotations

from typing import Any

import streamlit as st
from sqlite_utils import Database

from console import data
from console.actions import act
from console.shell import Desk
from engine.service import change
from engine.service.users import Operator
from engine.store.templates import TemplateVersion

COLUMNS = ("name", "type", "unit", "required", "low", "high", "choices", "example")


def show(desk: Desk, newest: TemplateVersion) -> None:
    """The newest version as a starting point; variables are a table with types and ranges."""
    key = f"new.{newest.id}"
    with st.form(key):
        st.text_area("System", newest.system, key=f"{key}.system", height=120)
        st.text_area(
            "Prompt",
            newest.body,
            key=f"{key}.body",
            height=200,
            help="Fields stand in braces: {price\\_usd}",
        )
        st.caption("Variables: every field in braces must be one of these.")
        edited = st.data_editor(
            [_row(variable) for variable in newest.variables], key=f"{key}.variables",
            num_rows="dynamic", column_order=COLUMNS, alt="The template's variables.",
            column_config={
                "type": st.column_config.SelectboxColumn(options=["text", "number", "whole", "choice"]),
                "required": st.column_config.CheckboxColumn(default=True),
                "choices": st.column_config.TextColumn(help="separated by commas"),
            },
        )  # fmt: skip
        st.text_input("What is new in it?", key=f"{key}.note")
        if st.form_submit_button("Save as new version", disabled=not desk.may("editor")):
            _save(newest.template_id, key, edited)


def _row(variable: dict[str, Any]) -> dict[str, Any]:
    blank: dict[str, Any] = {"unit": "", "required": True, "low": None, "high": None, "example": ""}
    return {**blank, **variable, "choices": ", ".join(variable.get("choices", ()))}


def variables_of(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the table as variables are stored; empty rows are left out."""
    found = []
    for row in rows:
        if not row.get("name"):
            continue
        kept = {key: row[key] for key in COLUMNS if row.get(key) not in (None, "")}
        kept["choices"] = [
            part.strip() for part in str(row.get("choices") or "").split(",") if part.strip()
        ]
        found.append(
            {**kept, "type": row.get("type") or "text", "required": bool(row.get("required", True))}
        )
    return found


def _save(template_id: int, key: str, rows: list[dict[str, Any]]) -> None:
    def work(db: Database, operator: Operator) -> str:
        version = change.save_version(
            db, template_id, system=st.session_state[f"{key}.system"],
            body=st.session_state[f"{key}.body"], variables=variables_of(rows),
            note=st.session_state[f"{key}.note"], actor=operator, now=data.now(),
        )  # fmt: skip
        return f"Version {version.number} is saved. It is not in production yet."

    act("editor", work, shown=True)
    st.rerun()
