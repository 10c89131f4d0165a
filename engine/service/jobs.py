"""Jobs of the runner: short ticks by ``schedule``, work in lanes of one thread each.

``schedule`` is only the tick (facts: reliability §4, "schedule 1.2.2 used honestly"): it decides
*when to look*; what is due stands in the database. A job that fails is logged and recorded and
never stops another; a job that is still at work is not started again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TypeVar

from schedule import Scheduler

from engine.clock import Clock
from engine.log import event
from engine.store import jobs
from engine.store.database import opened

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class Job:
    """``run`` is called every ``every_s`` seconds on the thread of ``lane``."""

    name: str
    every_s: float
    lane: str
    run: Callable[[], object]
    quiet: bool = False  # runs every second or so: only its failures are recorded


class Jobs:
    """All jobs of a runner."""

    def __init__(self, db_path: Path, clock: Clock) -> None:
        self._db_path = db_path
        self._clock = clock
        self._jobs: list[Job] = []
        self._scheduler = Scheduler()
        self._lanes: dict[str, ThreadPoolExecutor] = {}
        self._running: dict[str, Future[None]] = {}
        self._lock = Lock()
        self.failures: dict[str, int] = {}

    def add(self, job: Job) -> None:
        """Register; due at once, then every ``every_s`` seconds."""
        self._jobs.append(job)
        self._plan(job)

    def tick(self) -> None:
        """Start whatever is due; returns at once."""
        self._scheduler.run_pending()

    def restart_timers(self) -> None:
        """Plan all jobs anew: after a step of the wall clock the library would wait it out."""
        self._scheduler.clear()
        for job in self._jobs:
            self._plan(job)

    def start(self, job: Job) -> None:
        """Run in the job's lane unless it still runs."""
        before = self._running.get(job.name)
        if before is not None and not before.done():
            return
        self._running[job.name] = self.in_turn(job.lane, lambda: self._run(job))

    def in_turn(self, lane: str, work: Callable[[], T]) -> Future[T]:
        """Run ``work`` once on the lane's thread, after what waits there.

        Raises: RuntimeError when the jobs have been stopped.
        """
        with self._lock:
            pool = self._lanes.get(lane)
            if pool is None:
                pool = self._lanes[lane] = ThreadPoolExecutor(1, thread_name_prefix=lane)
        return pool.submit(work)

    def stop(self, timeout_s: float) -> list[str]:
        """Take no more work and wait; answers the names of jobs that did not end in time."""
        self._scheduler.clear()
        for lane in self._lanes.values():
            lane.shutdown(wait=False, cancel_futures=True)
        deadline = self._clock.boottime() + timeout_s
        late = []
        for name, future in self._running.items():
            try:
                future.exception(timeout=max(0.0, deadline - self._clock.boottime()))
            except TimeoutError:
                late.append(name)
            except BaseException as error:
                logger.debug("%s ended with %s", name, error)
                continue
        return late

    def _plan(self, job: Job) -> None:
        # the library says whole seconds but computes with any
        self._scheduler.every(job.every_s).seconds.do(self.start, job)  # type: ignore[arg-type]
        self.start(job)

    def _run(self, job: Job) -> None:
        started = self._clock.boottime()
        error: str | None = None  # not the exception: it would hold this frame, and the frame it
        try:
            job.run()
            self.failures.pop(job.name, None)
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
            self.failures[job.name] = self.failures.get(job.name, 0) + 1
            event(
                logger, logging.ERROR, "job failed", job=job.name,
                error=error, in_a_row=self.failures[job.name],
            )  # fmt: skip
            logger.debug("trace of %s", job.name, exc_info=caught)
        if job.quiet and error is None:
            return
        try:
            with opened(self._db_path) as db:
                jobs.record(
                    db, job.name, now=self._clock.now(),
                    seconds=self._clock.boottime() - started,
                    error=error,
                )  # fmt: skip
        except Exception as caught:
            logger.error("the run of %s could not be recorded: %s", job.name, caught)
