"""The console's look at the runner: a runner that died cannot say so itself.

One thread a process, from the first page on and whether or not a browser is open.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time

import streamlit as st

from console import data
from engine.errors import BuzzError
from engine.service import alerts, heartbeat, notify
from engine.store.database import opened

logger = logging.getLogger(__name__)

EVERY_S = 60.0


@st.cache_resource(show_spinner=False)
def start() -> threading.Thread:
    """Begin to watch; once a process, however often a page asks."""
    thread = threading.Thread(target=_watch, name="pulse", daemon=True)
    thread.start()
    return thread


def _watch() -> None:
    while True:
        try:
            look()
        except (BuzzError, sqlite3.Error, OSError) as error:
            logger.warning("the runner's pulse could not be looked at: %s", error)
        time.sleep(EVERY_S)


def look() -> None:
    """Raise ``runner_silent`` where the runner's pulse is old, end it where it beats; while it is
    silent nobody else delivers alerts, so that is done here too.

    A runner that never ran on this database is no alert: the first page says how to start it.
    """
    settings = data.config()
    if not settings.db.exists():
        return
    with opened(settings.db) as db:
        if heartbeat.age_s(db, data.clock) is None or alerts.watch_heartbeat(db, data.clock):
            return
    notify.deliver(settings.db, settings, data.clock)
