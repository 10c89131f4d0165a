"""What the operator must hear of: raised, ended, and dealt with by a person.

Every minute each of :mod:`engine.service.conditions` is looked at; delivery is
:mod:`engine.service.notify`. One page of docs/operations.md per kind.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from pathlib import Path

from sqlite_utils import Database

from engine.clock import Clock
from engine.config import Config
from engine.errors import UsageError
from engine.llm.current import in_force
from engine.posting.actors import Who, acting
from engine.service import heartbeat, notify
from engine.service.clockwatch import ClockState
from engine.service.conditions import CONDITIONS, Found, View
from engine.store import alerts, settings
from engine.store.alerts import Alert
from engine.store.audit import audit, state_hash
from engine.store.database import opened, write_tx

logger = logging.getLogger(__name__)

KEPT = timedelta(days=90)
UNSTORED_S = 60.0
TELL_AGAIN_S = 3_600.0
EVENTS = frozenset({"double_post", "late_outcome"})
"""Kinds that tell of something that happened: they end when a person has dealt with it."""


def evaluate_and_send(
    db_path: Path, config: Config, clock: Clock, clock_state: ClockState | None = None
) -> None:
    """Look at every condition, then send what is due. Meant for a job every minute.

    ``clock_state`` is what :class:`~engine.service.clockwatch.ClockWatch` said last.
    """
    with opened(db_path) as db:
        values = settings.get_all(db)
        model = in_force(db, config)
        evaluate(View(db, db_path, config.publisher, clock, clock_state, values, model))
        alerts.prune(db, clock.now() - KEPT)
    notify.deliver(db_path, config, clock)


def evaluate(view: View) -> None:
    """Raise what holds now, end what no longer does; one failing look stops no other."""
    for kind, look in CONDITIONS.items():
        try:
            found = look(view)
            if found is not None:
                apply(view.db, kind, found, view.clock)
        except Exception:
            logger.exception("the condition %s could not be judged", kind)


def apply(db: Database, kind: str, found: list[Found], clock: Clock) -> None:
    """Make the open alerts of ``kind`` exactly those found."""
    now = clock.now()
    for key, severity, message in found:
        alerts.raise_alert(db, kind, key, severity, message, now)
    for alert in alerts.open_alerts(db, kind):
        if alert.key not in {item.key for item in found}:
            alerts.resolve(db, kind, alert.key, now)


def watch_heartbeat(db: Database, clock: Clock) -> bool:
    """For somebody outside the runner (the console): raise or end ``runner_silent``.

    Answers whether the runner is alive.
    """
    age = heartbeat.age_s(db, clock)
    alive = heartbeat.is_alive(db, clock)
    message = (
        "The runner has never run on this database"
        if age is None
        else f"The runner has been silent for {age:.0f} s"
    )
    found = Found("", "critical", f"{message}: nothing is written or posted. Start the runner.")
    apply(db, "runner_silent", [] if alive else [found], clock)
    return alive


class Unstored:
    """When to tell people, past the database, that it takes nothing: after a minute, then hourly."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: float | None = None
        self._told: float | None = None

    @property
    def lasts(self) -> bool:
        """Whether the last write failed."""
        return self._since is not None

    def stored(self) -> None:
        self._since = self._told = None

    def failed(self) -> bool:
        """A write failed; true where it is time to tell."""
        now = self._clock.boottime()
        self._since = now if self._since is None else self._since
        last = self._told
        due = now - self._since >= UNSTORED_S if last is None else now - last >= TELL_AGAIN_S
        if due:
            self._told = now
        return due


def acknowledge(db: Database, alert_id: int, actor: Who, now: datetime) -> Alert:
    """A person has dealt with an alert of :data:`EVENTS`: it is over. Audited.

    Raises: UsageError for one that is unknown, over already, or ends by itself;
    PermissionDenied.
    """
    name = acting(actor, "approver")
    with write_tx(db):
        alert = alerts.get(db, alert_id)
        if alert is None:
            raise UsageError(f"There is no alert {alert_id}. `alerts list` shows those that hold.")
        if alert.resolved_at is not None:
            raise UsageError(f"Alert {alert_id} ({alert.kind}) is over since {alert.resolved_at}.")
        if alert.kind not in EVENTS:
            raise UsageError(
                f"Alert {alert_id} ({alert.kind}) ends by itself when its cause is gone. "
                f"docs/operations.md, {alert.kind}, says what to do."
            )
        alerts.resolve(db, alert.kind, alert.key, now)
        before = state_hash(alert.kind, alert.key, alert.message)
        audit(db, name, "acknowledged", f"alert:{alert_id}", before, None, now)
    return alert
