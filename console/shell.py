"""What every page stands in: the gate, the sidebar with the status block, the banner, the notice.

A page guards itself by starting with :func:`open_page`, because on a fresh server a deep link
runs the page's file without the front door (facts: streamlit §1.1, way A).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import streamlit as st

from console import auth, data, pulse, registry, state, status, words
from engine.errors import BuzzError
from engine.service.users import Operator, Role

logger = logging.getLogger(__name__)

# an emoji would be fetched from a foreign host
ICON = Path(__file__).with_name("icon.png")


@dataclass(frozen=True)
class Desk:
    """What a page may rely on: who looks, when, and where they live."""

    operator: Operator
    now: datetime
    zone: ZoneInfo

    @property
    def hour(self) -> datetime:
        """The last full hour: what changes slowly is worked out once in it."""
        return self.now.replace(minute=0, second=0, microsecond=0)

    def may(self, needed: Role) -> bool:
        return self.operator.may(needed)


@contextmanager
def open_page(title: str, caption: str = "") -> Iterator[Desk]:
    """Let a signed-in operator in, draw what every page has, and keep a failure readable.

    The body of the ``with`` does not run for anybody else.
    """
    os.umask(0o077)  # as the runner does: what either writes is its owner's alone
    st.set_page_config(page_title=f"{title} · BTCBuzzBot", page_icon=str(ICON), layout="wide")
    if not state.pop_entered():
        _show_menu()
    with ExitStack() as run:
        try:
            run.enter_context(data.one_run())
            desk = _desk()
            _frame(desk)
        except Exception as error:
            st.title(title, anchor=False)
            _broken(error)
            st.stop()
        st.title(title, anchor=False)
        if caption:
            st.caption(caption)
        _notice()
        try:
            yield desk
        except Exception as error:
            _broken(error)


def _desk() -> Desk:
    reason = auth.unsafe()
    if reason:
        st.title("Closed", anchor=False)
        st.error(reason, icon=":material/gpp_bad:")
        st.stop()
    missing = data.prepare()
    if missing:
        st.title("The database is older than this program", anchor=False)
        st.error(
            f"It lacks {len(missing)} migrations. Run `python runner.py migrate`: it makes a "
            "backup first. Then reload this page.",
            icon=":material/database:",
        )
        st.stop()
    pulse.start()
    operator = auth.current_or_refused()
    if operator is None:
        auth.sign_in_screen()
        st.stop()
    return Desk(operator, data.now(), data.zone())


def _frame(desk: Desk) -> None:
    health = data.health()
    with st.sidebar:
        status.block(desk.operator, health.stop.stopped)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f":material/person: {_name(desk.operator)}")
            if not auth.is_local(desk.operator):
                st.button("Sign out", key="shell.out", type="tertiary", on_click=auth.sign_out)
    status.banner(desk.operator, health)


def _name(operator: Operator) -> str:
    return f"{words.plain(operator.name)} · {operator.role}"


def _notice() -> None:
    notice = state.notice()
    if notice is None:
        return
    icon = {"done": ":material/check:", "refused": ":material/block:"}.get(
        notice.kind, ":material/info:"
    )
    if state.pop_toast():
        st.toast(words.plain(notice.text), icon=icon)
    draw = {"done": st.success, "refused": st.error}.get(notice.kind, st.info)
    draw(words.plain(notice.text), icon=icon)


def _broken(error: Exception) -> None:
    """Say what failed, what still works and what to do; the trace goes to the log."""
    foreseen = isinstance(error, BuzzError | OSError)
    logger.error("a page failed: %s", error, exc_info=None if foreseen else error)
    st.error("This page cannot be shown.", icon=":material/error:")
    st.text(words.failure(error))
    st.caption(
        "The runner works on its own: `python runner.py status` tells whether it is well, "
        "`python runner.py doctor` looks for the cause, `python runner.py stop` stops posting."
    )
    st.button("Try again", key="shell.again", icon=":material/refresh:")


def _show_menu() -> None:
    """Reached by a deep link on a fresh server: give this visit the real menu, too."""
    try:
        registry.navigation()
    except st.errors.StreamlitAPIException:
        logger.debug("the page runs alone, without the front door")
