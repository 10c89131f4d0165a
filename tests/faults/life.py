"""One life of a runner's posting half, in a process of its own that may be killed at any instant.

``python -m tests.faults.life`` is a nursery: it imports everything once, then forks a child for
each JSON line it reads. It never opens a database itself, so the children inherit no locks of
SQLite (facts: reliability §6, method notes).
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

import tweepy  # noqa: F401  imported here once, not in every child
from sqlite_utils import Database

import engine.posting.x_session  # noqa: F401
from engine.clock import SystemClock
from engine.posting import queue
from engine.posting.claim import Stand, claim
from engine.posting.lock import HostLock
from engine.posting.outcome import settle
from engine.posting.protocol import Poster
from engine.posting.x import XPublisher
from engine.records import Verdict
from engine.service import schedule
from engine.store import approvals, attempts, database, posts, slots
from engine.store.posts import NewPost
from tests.faults.rig import x_config

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Plan:
    """What a child does.

    It kills itself before the SQL statement number ``kill_at`` (0: never), or before the first
    one that holds the last of ``kill_after`` once the others have been seen in this order.
    With ``pause`` it stops itself (SIGSTOP) there instead. ``naive`` posts first and marks
    afterwards.
    """

    db: str
    url: str
    seconds: float
    kill_at: int = 0
    kill_after: tuple[str, ...] = ()
    naive: bool = False
    pause: bool = False


class Nursery:
    """Starts children quickly; used with ``with``."""

    def __enter__(self) -> Nursery:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.life"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
            bufsize=1,
        )
        self._read()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def start(self, plan: Plan) -> int:
        """A new child; answers its pid."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(asdict(plan)) + "\n")
        self._process.stdin.flush()
        return int(self._read())

    def ended(self) -> int:
        """Wait for the child; its exit status, negative for a signal."""
        return int(self._read())

    def _read(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the nursery has died")
        return line.strip()


def kill(pid: int) -> None:
    """SIGKILL; a child that has just ended by itself is fine."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def main() -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.close(0)
            status = 1
            try:
                live(Plan(**json.loads(line)))
                status = 0
            except BaseException as error:
                print(f"life: {type(error).__name__}: {error}", file=sys.stderr)
            finally:
                os._exit(status)
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def live(plan: Plan) -> None:
    """Lock, recover, then fill, post and reconcile until there is nothing to do or time is up."""
    path, clock, rng = Path(plan.db), SystemClock(), random.Random()
    if plan.kill_at or plan.kill_after:
        _die_at(plan)
    until = time.monotonic() + plan.seconds
    # the connection of another thread of the runner: no closing empties the WAL meanwhile
    with HostLock(path) as lock, database.opened(path):
        publisher = XPublisher(x_config(plan.url, path), clock)
        if plan.naive:
            poster: Poster = _NaivePoster(path, publisher, clock, lock, rng=rng)
        else:
            poster = Poster(path, publisher, clock, lock, rng=rng)
        poster.recover()
        with database.opened(path) as db:
            schedule.recover_claimed(db, clock.now())
        while time.monotonic() < until:
            _fill(path, clock)
            done = poster.post_next()
            looked = poster.reconcile()
            if done.kind in ("idle", "stopped", "waiting") and not looked and _is_settled(path):
                break
            if done.kind == "idle":
                time.sleep(0.01)


def _fill(path: Path, clock: SystemClock) -> None:
    """As the service does it, with a writer that needs no model."""
    with database.opened(path) as db:
        for waiting in schedule.due(db, clock.now()):
            slot = schedule.claim(db, waiting.id, clock.now())
            if slot is None:
                continue
            written = slots.post_of(db, slot.id)
            if written is None:
                new = NewPost(
                    "joke", f"A line for slot {slot.slot_key}.", Verdict(), "model", "live",
                    slot_id=slot.id, model_name="m",
                )  # fmt: skip
                written = posts.insert(db, new, actor="writer", now=clock.now())
            post = posts.need(db, written)
            if post.state in ("draft", "validated"):
                queue.submit(db, written, actor="runner", now=clock.now(), publisher="x")
            schedule.finish(db, slot.id, "filled", now=clock.now(), post_id=written)


def _is_settled(path: Path) -> bool:
    with database.opened(path) as db:
        return not attempts.unsolved(db) and not attempts.open_ones(db)


class _NaivePoster(Poster):
    """The mutant "post, then mark": it must be caught."""

    def post_next(self):  # type: ignore[no-untyped-def]
        with database.opened(self._path) as db:
            post = approvals.next_due(db, self._clock.now())
        if post is not None:
            answer = self._publisher.publish(post.text, timeout_s=0.2, before_send=lambda: None)
            with database.opened(self._path) as db:
                stand = Stand(self._path, "x", self._publisher.account, self._lock.epoch)
                claimed = claim(db, stand, self._clock, self._rng)
                if hasattr(claimed, "attempt"):
                    settle(
                        db, claimed.attempt.uuid, answer,
                        now=self._clock.now(), rng=self._rng,
                    )  # fmt: skip
        return super().post_next() if post is None else _Posted()


@dataclass(frozen=True)
class _Posted:
    kind: str = "posted"


def _die_at(plan: Plan) -> None:
    """SIGKILL just before the planned SQL statement of this life."""
    count, wanted = itertools.count(1), list(plan.kill_after)
    end = signal.SIGSTOP if plan.pause else signal.SIGKILL
    plain = database.connect

    def watch(sql: str) -> None:
        if wanted and wanted[0] in sql:
            wanted.pop(0)
            if not wanted:
                os.kill(os.getpid(), end)
        if next(count) == plan.kill_at:
            os.kill(os.getpid(), end)

    def watched(*args, **kwargs) -> Database:  # type: ignore[no-untyped-def]
        db = plain(*args, **kwargs)
        db.conn.set_trace_callback(watch)
        return db

    database.connect = watched


if __name__ == "__main__":
    main()
