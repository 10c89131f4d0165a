"""Writes of the console: callbacks that call the engine and say in one sentence what happened.

The engine decides and checks the role again; nothing here looks at a state before acting, so a
double click or a second tab cannot act twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import streamlit as st
from sqlite_utils import Database

from console import data, state, words
from engine.errors import BuzzError, PermissionDenied
from engine.posting import killswitch
from engine.service import alerts, users
from engine.service.users import Operator, Role

logger = logging.getLogger(__name__)


def act(needed: Role, work: Callable[[Database, Operator], str], *, shown: bool = False) -> bool:
    """Do ``work`` as whoever is signed in and tell its answer, or tell why not.

    ``shown`` works on what the screens show (sample data, if that is on), else always on the
    bot's own database. The role is always read from the latter.
    """
    try:
        operator = state.operator()
        if operator is None:
            raise PermissionDenied("You are signed out. Sign in, then try again.")
        with data.writing() as db:
            operator = users.require(db, operator, needed)
        with data.writing_shown() if shown else data.writing() as db:
            said = work(db, operator)
    except Exception as error:
        if not isinstance(error, BuzzError):
            logger.error("an action failed: %s", error, exc_info=error)
        state.tell("refused", words.failure(error))
        return False
    state.tell("done", said)
    return True


def stop_posting() -> None:
    def work(db: Database, operator: Operator) -> str:
        killswitch.stop(
            data.config().db, actor=operator, reason="stopped in the console", now=data.now()
        )
        return "Posting is stopped. Nothing goes out until someone resumes it."

    act("editor", work)


def resume_posting() -> None:
    def work(db: Database, operator: Operator) -> str:
        killswitch.resume(
            data.config().db, actor=operator, confirm=killswitch.CONFIRM, now=data.now()
        )
        return "Posting goes on. Approved posts go out at their time."

    act("approver", work)


def acknowledge(alert_id: int) -> None:
    """A person has dealt with what an alert tells of."""

    def work(db: Database, operator: Operator) -> str:
        done = alerts.acknowledge(db, alert_id, operator, data.now())
        return f"The alert of {done.kind.replace('_', ' ')} is over."

    act("approver", work)


def fill_sample() -> None:
    from engine.service import sample

    def work(db: Database, operator: Operator) -> str:
        with st.spinner("A week is being written, checked and posted in a dry run"):
            sample.fill(data.sample_path(), now=data.now())
        return "A sample week is shown. It is kept apart and removed in one click."

    act("admin", work)


def remove_sample() -> None:
    from engine.service import sample

    def work(db: Database, operator: Operator) -> str:
        sample.remove(data.sample_path())
        return "Sample data is removed. You see your own bot again."

    act("admin", work)
