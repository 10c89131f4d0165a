"""Settings as form fields: the registry says the kind, the range and the sentence."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import streamlit as st

from console import data, words
from console.actions import act
from engine.errors import UsageError
from engine.service import change
from engine.service.users import Operator
from engine.settings import SETTINGS, Setting


def form(name: str, keys: Iterable[str], values: dict[str, Any], *, editable: bool) -> None:
    """A form for ``keys`` with one Save; widget keys are ``name.key``."""
    keys = list(keys)
    with st.form(f"{name}.form", border=False):
        with st.grid(2, min_column_width=280):
            for key in keys:
                _field(f"{name}.{key}", key, SETTINGS[key], values[key], editable)
        st.form_submit_button(
            "Save", key=f"{name}.save", disabled=not editable, on_click=_save, args=(name, keys)
        )


def _field(widget: str, key: str, setting: Setting, value: Any, editable: bool) -> None:
    label = key.split(".", 1)[1].replace("_", " ").capitalize()
    help = f"{setting.help} ({key}; default {_shown(setting.default)})"
    common: dict[str, Any] = {
        "label": label, "key": widget, "help": words.plain(help), "disabled": not editable,
    }  # fmt: skip
    if setting.kind == "whole":
        st.number_input(
            value=int(value), min_value=_whole(setting.low), max_value=_whole(setting.high),
            step=1, **common,
        )  # fmt: skip
    elif setting.kind == "number":
        st.number_input(
            value=float(value), min_value=setting.low, max_value=setting.high, format="%g",
            **common,
        )  # fmt: skip
    elif setting.kind == "yes_no":
        st.toggle(value=bool(value), **common)
    elif setting.kind == "choice":
        st.selectbox(
            options=setting.choices, index=setting.choices.index(value),
            format_func=lambda choice: str(choice).replace("_", " "), **common,
        )  # fmt: skip
    elif setting.kind == "text":
        st.text_input(value=str(value), **common)
    else:
        st.text_area(value=json.dumps(value, indent=1), height=120, **common)


def _save(name: str, keys: list[str]) -> None:
    def work(db: Any, operator: Operator) -> str:
        values = {key: _typed(key, st.session_state[f"{name}.{key}"]) for key in keys}
        changed = change.change_settings(db, values, actor=operator, now=data.now())
        if not changed:
            return "Nothing was changed."
        return f"Saved: {', '.join(changed)}. The runner follows at its next look."

    act("admin", work)


def _typed(key: str, value: Any) -> Any:
    if SETTINGS[key].kind != "object":
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise UsageError(f"{key} is not JSON: {error}.") from error


def _shown(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict) else f"{value}"


def _whole(limit: float | None) -> int | None:
    return None if limit is None else int(limit)
