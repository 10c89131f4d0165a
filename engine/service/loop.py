"""The runner: takes the host lock, recovers, then turns the crank until it is told to stop."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from engine.checks import policy
from engine.errors import BuzzError, DatabaseUnusable
from engine.log import event
from engine.posting import queue
from engine.posting.lock import HostLock
from engine.posting.protocol import Poster
from engine.records import Facts
from engine.service import alerts, backup, heartbeat, memory, notify, retention, schedule, watchdog
from engine.service.app import App
from engine.service.clockwatch import ClockWatch
from engine.service.desk import MarketDesk
from engine.service.fill import Filler, Written
from engine.service.health import FileGuard
from engine.service.jobs import Job, Jobs
from engine.service.lab import LabWorker
from engine.service.learner import Learner
from engine.store import settings
from engine.store.database import explain, opened
from engine.writing.generate import Writer

if TYPE_CHECKING:
    from engine.service.api.server import ApiServer

logger = logging.getLogger(__name__)

STOP_WITHIN_S = 25.0
"""SIGTERM ends the runner within 30 s; the rest is for closing the model and the database."""


class Runner:
    """One runner on one database. Build, :meth:`run` until ``stop`` is set, done.

    ``tell`` hears of every draft; ``first`` names a content type to write at once; ``api`` is
    the address where the REST API listens, None for none.
    """

    def __init__(
        self,
        app: App,
        stop: threading.Event,
        tell: Callable[[Written], None] = lambda written: None,
        first: str | None = None,
        api: tuple[str, int] | None = None,
    ) -> None:
        self._api_address = api
        self.api: ApiServer | None = None
        self._app, self._stop, self._first = app, stop, first
        path, clock = app.db_path, app.clock
        self.model = app.current_model()
        self.desk = MarketDesk(path, app.config, clock)
        writer = Writer(path, self.model, clock, app.rng)
        self._learner = Learner(app)
        self._lab = LabWorker(app)
        self.filler = Filler(
            path, writer, self.desk, clock, app.rng, app.config.publisher, tell,
            self._learner.writer_with,
        )  # fmt: skip
        self.jobs = Jobs(path, clock)
        self._tell = tell
        self._lock = HostLock(path)
        self._clockwatch = ClockWatch(clock, path)
        self._guard = FileGuard(path)
        self._unstored = alerts.Unstored(clock)

    def run(self) -> list[str]:
        """Work until told to stop; every slot and attempt is left in a named state.

        Answers the names of jobs that did not end in time: their threads still run, and what they
        leave is settled by the next start, as after a crash.

        Raises: LockHeld when another runner lives; StoreError when the database is unusable.
        """
        memory.keep_little()
        with self._lock:
            try:
                self._start()
                watchdog.notify("READY=1")
                while not self._stop.is_set():
                    self._tick()
                    self._app.clock.wait(self._stop, self._tick_s)
            except DatabaseUnusable as error:
                notify.tell(self._app.db_path, self._app.config, self._app.clock, str(error))
                raise
            finally:
                late = self._finish()
        return late

    def _start(self) -> None:
        app, path = self._app, self._app.db_path
        self.poster = Poster(
            path,
            app.publisher(),
            app.clock,
            self._lock,
            rng=app.rng,
            rerender=self.filler.rewrite,
            policy_version=policy.POLICY_VERSION,
        )
        self.poster.recover()
        with opened(path) as db:
            now = app.clock.now()
            schedule.recover_claimed(db, now)
            schedule.plan_slots(db, now)
            self._tick_s = float(settings.get(db, "service.tick_s"))
            poll_s = float(settings.get(db, "market.poll_s"))
        for job in (
            Job("slots", self._tick_s, "writing", self._fill, quiet=True),
            Job("events", 30, "writing", self._write_events, quiet=True),
            Job("sweep", 15, "care", self._sweep, quiet=True),
            Job("rewrites", 10, "writing", self.poster.renew_waiting, quiet=True),
            Job("posting", self._tick_s, "posting", self.poster.post_next, quiet=True),
            Job("reconcile", 20, "posting", self.poster.reconcile, quiet=True),
            Job("market", poll_s, "market", self.desk.poll),
            Job("news", 900, "market", self.desk.read_news),
            Job("plan", 300, "care", self._plan),
            Job("engagement", 300, "learning", self._learner.collect),
            Job("lab", 5, "lab", self._lab.work, quiet=True),
            Job("drift", 600, "lab", self._lab.watch, quiet=True),
            Job("alerts", 60, "care", self._alerts, quiet=True),
            Job("backup", 3_600, "care", self._backup),
            Job("memory", 300, "care", memory.give_back, quiet=True),
        ):
            self.jobs.add(job)
        if self._first is not None:
            self.jobs.start(Job("first post", 0, "writing", self._write_first))
        if self._api_address is not None:
            self._serve(self._api_address)
        event(logger, logging.INFO, "runner started", db=str(path), publisher=app.config.publisher)

    def _tick(self) -> None:
        app = self._app
        self._guard.check()
        state = self._clockwatch.check()
        if state == "stepped":
            self.jobs.restart_timers()
        self.poster.clock_trusted = state != "untrusted"
        try:
            with opened(app.db_path) as db:
                heartbeat.beat(db, app.clock, os.getpid(), {"failures": self.jobs.failures})
            self._unstored.stored()
        except (BuzzError, sqlite3.Error) as error:
            # the disk may be full: say so and go on, the guards stop posting
            event(logger, logging.ERROR, "no heartbeat written", error=str(error))
            if self._unstored.failed():
                said = f"Nothing can be stored: {explain(app.db_path, error)}"
                tell = partial(notify.tell, app.db_path, app.config, app.clock, said)
                self.jobs.start(Job("tell", 0, "telling", tell))
        watchdog.notify("WATCHDOG=1")
        self.jobs.tick()

    def _finish(self) -> list[str]:
        watchdog.notify("STOPPING=1")
        if self.api is not None:
            self.api.stop()
        self._lab.close()
        late = self.jobs.stop(STOP_WITHIN_S)
        if late:
            event(logger, logging.WARNING, "jobs still at work at the end", jobs=late)
        self._learner.close()
        self.model.close()
        return late

    # -- jobs --------------------------------------------------------------------------------

    def _trusted(self) -> bool:
        """Slots are judged by the wall clock: while it is wrong they are left alone."""
        return self._clockwatch.state != "untrusted"

    def _fill(self) -> None:
        self.model.refresh()
        if self._trusted():
            self.filler.fill_due(self._stop.is_set)

    def _write_events(self) -> None:
        if self._trusted():
            self.filler.write_events()

    def _sweep(self) -> None:
        """Here too, for a writer that is busy for long must not look like an absence."""
        if self._trusted():
            with opened(self._app.db_path) as db:
                schedule.sweep(db, self._app.clock.now())

    def _plan(self) -> None:
        if not self._trusted():
            return
        now = self._app.clock.now()
        self._learner.prepare()
        with opened(self._app.db_path) as db:
            schedule.plan_slots(db, now)
            queue.expire_due(db, now)
            retention.forget(db, now)

    def _alerts(self) -> None:
        app = self._app
        if self._unstored.lasts:
            return  # what was sent could not be marked as sent, and would be sent every minute
        alerts.evaluate_and_send(app.db_path, app.config, app.clock, self._clockwatch.state)

    def _backup(self) -> None:
        backup.daily(self._app.db_path, self._app.clock)

    def _serve(self, address: tuple[str, int]) -> None:
        from engine.service.api.server import ApiServer

        app = self._app
        self.api = ApiServer(
            address,
            app.config,
            app.clock,
            self._write_now,
            lambda work: self.jobs.in_turn("writing", work),
        )

    def _write_now(self, content_type: str, facts: Facts | None) -> Written:
        self.model.refresh()
        written = self.filler.write_now(content_type, facts)
        self._tell(written)
        return written

    def _write_first(self) -> None:
        self._tell(self.filler.write_now(self._first or "price"))
