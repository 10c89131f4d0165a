"""What one browser tab remembers, behind typed doors; no page touches ``st.session_state`` itself
except through a widget's key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from engine.service.doctor import Check
from engine.service.users import Operator
from engine.writing.trial import Tried

Kind = Literal["done", "refused", "info"]


@dataclass(frozen=True)
class Notice:
    """What an action did, told in a toast and in the page until the next action."""

    kind: Kind
    text: str


def operator() -> Operator | None:
    return st.session_state.get("auth.operator")


def set_operator(operator: Operator | None) -> None:
    if operator is None:
        st.session_state.pop("auth.operator", None)
    else:
        st.session_state["auth.operator"] = operator


def enter() -> None:
    """The front door ran in this script run."""
    st.session_state["shell.entered"] = True


def pop_entered() -> bool:
    """True if the page was reached through the front door in this script run."""
    return bool(st.session_state.pop("shell.entered", False))


def tell(kind: Kind, text: str) -> None:
    """Say what happened; shown once as a toast and kept in the page."""
    st.session_state["shell.notice"] = Notice(kind, text)
    st.session_state["shell.toast"] = True


def notice() -> Notice | None:
    return st.session_state.get("shell.notice")


def pop_toast() -> bool:
    return bool(st.session_state.pop("shell.toast", False))


def clear_notice() -> None:
    st.session_state.pop("shell.notice", None)
    pop_toast()


def chosen(name: str) -> int | None:
    """The row picked in a list, e.g. ``chosen("queue")``."""
    return st.session_state.get(f"chosen.{name}")


def choose(name: str, row_id: int | None) -> None:
    st.session_state[f"chosen.{name}"] = row_id
    clear_mode(name)


def mode(name: str) -> str:
    """What is going on in a screen: ``""`` for nothing, else e.g. ``edit`` or ``reject``."""
    return str(st.session_state.get(f"mode.{name}", ""))


def set_mode(name: str, value: str) -> None:
    st.session_state[f"mode.{name}"] = value


def clear_mode(name: str) -> None:
    st.session_state.pop(f"mode.{name}", None)


def remember_undo(approved: list[tuple[int, int]]) -> None:
    """What the last approval in this tab approved: (post id, revision) pairs."""
    st.session_state["queue.undo"] = approved


def undoable() -> list[tuple[int, int]]:
    return list(st.session_state.get("queue.undo", []))


def place(name: str) -> int:
    """Where in a list one was; stays when the row leaves the list."""
    return int(st.session_state.get(f"place.{name}", 0))


def set_place(name: str, at: int) -> None:
    st.session_state[f"place.{name}"] = at


def cursor(name: str) -> int | None:
    """Where the shown page of a long list begins; None for the newest."""
    return st.session_state.get(f"cursor.{name}")


def set_cursor(name: str, at: int | None) -> None:
    st.session_state[f"cursor.{name}"] = at


def replay(call_id: int) -> None:
    """The playground is asked to repeat this call."""
    st.session_state["playground.replay"] = call_id


def replaying() -> int | None:
    return st.session_state.get("playground.replay")


def stop_replay() -> None:
    st.session_state.pop("playground.replay", None)


def examined() -> list[Check]:
    """What the doctor said when it was last asked in this tab."""
    return list(st.session_state.get("doctor.said", []))


def set_examined(checks: list[Check]) -> None:
    st.session_state["doctor.said"] = checks


@dataclass(frozen=True)
class Try:
    """One text of the playground: its stored call, what came of it, the headline it is about."""

    call_id: int
    tried: Tried
    news_item_id: int | None


def tries() -> list[Try]:
    """What the playground wrote in this tab."""
    return list(st.session_state.get("playground.tries", []))


def set_tries(found: list[Try]) -> None:
    st.session_state["playground.tries"] = found
