"""A stateful model: operator, runner, X, clock and crash in any order hypothesis can think of.

``python -m tests.faults.model --runs 20000 [--steps 40]``. X is in memory here (its faults over
HTTP have their own tests), so that a run takes milliseconds; the bot's parts are the real ones on
a real database. A crash cuts the runner off before any SQL statement, or around the call to X.
After each run everything must come to its end, and X's list must agree with the bot's rows.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.errors import QueueConflict
from engine.posting import killswitch, queue
from engine.posting.lock import HostLock
from engine.posting.protocol import Poster
from engine.posting.resolve import resolve_held
from engine.posting.states import FINAL
from engine.records import Verdict
from engine.store import attempts, database, posts
from engine.store.audit import verify_chain
from engine.store.database import opened
from tests.faults.memory_x import Crash, MemoryX
from tests.faults.operator import fresh_database
from tests.faults.rig import add_approved, put_settings, scratch

QUIET_S = 900.0
START = datetime(2026, 11, 22, 12, tzinfo=UTC)
FOLDER = scratch()


class Mortal:
    """A connection whose process dies before the n-th statement."""

    left: int | None = None

    def __init__(self, real: Any) -> None:
        self._real = real

    def execute(self, sql: str, *values: Any) -> Any:
        if Mortal.left is not None:
            if Mortal.left <= 0:
                if sql == "ROLLBACK":  # what the kernel and SQLite do for a dead process
                    return self._real.execute(sql)
                raise Crash
            Mortal.left -= 1
        return self._real.execute(sql, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def mortal(connect: Callable[..., Database]) -> Callable[..., Database]:
    def opening(*args: Any, **kwargs: Any) -> Database:
        db = connect(*args, **kwargs)
        db.conn = Mortal(db.conn)  # type: ignore[assignment]
        return db

    return opening


class Machine(RuleBasedStateMachine):
    """One bot, one X, one operator."""

    quiet_s, reads = QUIET_S, 3

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=FOLDER))
        self.path = self.folder / "bot.db"
        shutil.copyfile(_template(self.quiet_s, self.reads), self.path)
        self.rng = random.Random(1)
        self.clock = FakeClock(START)
        self.x = MemoryX(self.clock)
        self.texts = itertools.count()
        self.boots = itertools.count()
        self.lock = HostLock(self.path)
        self._begin()

    def _begin(self) -> None:
        self.lock.acquire()
        self.poster = Poster(self.path, self.x, self.clock, self.lock, rng=self.rng)
        self.poster.recover()

    def _live(self, step: Callable[[], object]) -> None:
        """Let the runner do something; if it dies, a new one begins."""
        try:
            step()
        except Crash:
            Mortal.left, self.x.crash = None, ""
            self.lock.release()
            self._begin()
        finally:
            Mortal.left = None

    # -- the operator ------------------------------------------------------------------------

    @rule()
    def approves_a_new_post(self) -> None:
        add_approved(self.path, self.clock.now(), f"Text number {next(self.texts)}.")

    @rule(pick=st.integers(0, 30), how=st.sampled_from(["edit", "reject", "unapprove", "later"]))
    def changes_their_mind(self, pick: int, how: str) -> None:
        now = self.clock.now()
        with opened(self.path) as db:
            found = posts.listing(db, limit=31)
            if not found:
                return
            post = found[pick % len(found)]
            seen: dict[str, Any] = {"revision": post.revision, "actor": "anna", "now": now}
            try:
                if how == "edit":
                    text = f"Edited number {next(self.texts)}."
                    queue.edit(db, post.id, text=text, verdict=Verdict(), **seen)
                elif how == "reject":
                    queue.reject(db, post.id, reason="no", **seen)
                elif how == "later":
                    later = now + timedelta(minutes=10)
                    queue.schedule_for_later(db, post.id, not_before=later, **seen)
                else:
                    queue.unapprove(db, post.id, **seen)
            except QueueConflict as conflict:
                assert conflict.state == posts.need(db, post.id).state

    @rule()
    def approves_what_waits(self) -> None:
        with opened(self.path) as db:
            for post in posts.listing(db, state="pending_approval"):
                queue.approve(
                    db, post.id, revision=post.revision, actor="anna", now=self.clock.now()
                )

    @rule()
    def stops(self) -> None:
        killswitch.stop(self.path, actor="anna", reason="odd", now=self.clock.now())

    @rule()
    def resumes(self) -> None:
        killswitch.resume(self.path, actor="anna", confirm="resume", now=self.clock.now())

    @rule()
    def settles_what_is_held(self) -> None:
        """By a look at the account, after all lags."""
        now = self.clock.now()
        with opened(self.path) as db:
            for attempt in attempts.unsolved(db, "held"):
                text = posts.need(db, attempt.post_id).text
                mine = [post.x_id for post in self.x.list if post.text == text]
                resolve_held(
                    db, attempt.id, "link" if mine else "confirm_absent",
                    x_post_id=mine[0] if mine else None, actor="anna", now=now,
                )  # fmt: skip

    @rule(repost=st.booleans())
    def sets_what_absence_means(self, repost: bool) -> None:
        put_settings(self.path, self.clock.now(), posting__repost_when_absent=repost)

    # -- the runner --------------------------------------------------------------------------

    @rule(times=st.integers(1, 3))
    def posts(self, times: int) -> None:
        with opened(self.path) as db:
            stopped = killswitch.is_on(db, self.path)
        before = self.x.sends
        for _ in range(times):
            self._live(self.poster.post_next)
        assert not stopped or self.x.sends == before

    @rule()
    def reconciles(self) -> None:
        self._live(self.poster.reconcile)

    @rule(statement=st.integers(0, 70), what=st.sampled_from(["post", "look"]))
    def is_killed(self, statement: int, what: str) -> None:
        step = self.poster.post_next if what == "post" else self.poster.reconcile
        Mortal.left = statement
        self._live(step)

    @rule(where=st.sampled_from(["before", "after"]))
    def is_killed_around_the_call(self, where: str) -> None:
        self.x.crash = where
        self._live(self.poster.post_next)
        self.x.crash = ""

    # -- X and the clock ---------------------------------------------------------------------

    @rule(
        taking=st.booleans(),
        answer=st.sampled_from(
            ["posted", "posted", "unknown", "not_sent", "wait", "refused", "trip"]
        ),
        lag_s=st.sampled_from([0.0, 30.0, QUIET_S - 1]),
        reads=st.sampled_from(["whole", "whole", "broken"]),
    )
    def x_changes(self, taking: bool, answer: str, lag_s: float, reads: str) -> None:
        self.x.taking, self.x.answer, self.x.reads = taking, answer, reads
        # posts already taken keep the promise of their time: lags only shrink within a run
        self.x.lag_s = min(lag_s, self.x.lag_s) if self.x.list else lag_s

    @rule(seconds=st.sampled_from([1.0, 20.0, 400.0, 460.0, 1_000.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def the_machine_reboots(self) -> None:
        self.lock.release()
        self.clock.reboot(f"boot {next(self.boots)}")
        self.clock.advance(30)
        self._begin()

    # -- what must hold ----------------------------------------------------------------------

    @invariant()
    def nothing_is_on_x_twice(self) -> None:
        doubled = [text for text, n in Counter(p.text for p in self.x.list).items() if n > 1]
        assert doubled == []

    def teardown(self) -> None:
        try:
            self._end_well()
        finally:
            self.lock.release()
            shutil.rmtree(self.folder)

    def _end_well(self) -> None:
        """In peace everything comes to its end, and both sides agree."""
        x = self.x
        x.taking, x.answer, x.reads, x.crash = True, "posted", "whole", ""
        for _ in range(200):
            killswitch.resume(self.path, actor="anna", confirm="resume", now=self.clock.now())
            self.approves_what_waits()
            self.settles_what_is_held()
            self.poster.post_next()
            self.poster.reconcile()
            self.clock.advance(300)
            with opened(self.path) as db:
                states = {post.state for post in posts.listing(db, limit=1_000)}
                if states <= FINAL | {"draft"}:
                    break
        self.nothing_is_on_x_twice()
        with opened(self.path) as db:
            rows = posts.listing(db, limit=1_000)
            assert {post.state for post in rows} <= FINAL | {"draft"}
            known = {post.x_post_id: post.text for post in rows if post.state == "posted"}
            approved = {
                row[0]
                for row in db.conn.execute(
                    "SELECT body_sha256 FROM decisions WHERE decision = 'approved'"
                )
            }
            assert attempts.open_ones(db) == []
            assert verify_chain(db) is None
        assert known == {post.x_id: post.text for post in x.list}
        assert {posts.body_hash(post.text) for post in x.list} <= approved


class Impatient(Machine):
    """The mutant "not seen at once, so again": the model must catch it."""

    quiet_s, reads = 0.0, 1


@cache
def _template(quiet_s: float, reads: int) -> Path:
    """A migrated database to copy; closed, so that no WAL stands beside it."""
    path = Path(tempfile.mkdtemp(dir=FOLDER)) / "bot.db"
    fresh_database(path, quiet_s=quiet_s, reads=reads, **{"posting.draft_ttl_s": 2_592_000})
    return path


def run(runs: int, steps: int, chosen_seed: int | None = None) -> dict[str, Any]:
    """That many runs, the same again for the same seed; raises what hypothesis found, shrunk."""
    began = time.monotonic()
    plain = database.connect
    database.connect = mortal(plain)
    try:
        run_state_machine_as_test(
            Machine if chosen_seed is None else seed(chosen_seed)(Machine),
            settings=settings(
                max_examples=runs,
                stateful_step_count=steps,
                deadline=None,
                database=None,
                print_blob=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        database.connect = plain
        Mortal.left = None
    return {
        "runs": runs,
        "steps": steps,
        "seed": chosen_seed,
        "seconds": round(time.monotonic() - began, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    chosen = options.seed
    if chosen is None:
        chosen = random.SystemRandom().randrange(1 << 31)
    print(f"seed {chosen}", file=sys.stderr)  # also where a run ends in what hypothesis found
    print(json.dumps(run(options.runs, options.steps, chosen)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
