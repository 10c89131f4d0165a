"""F16 to F18: two runners, a paused one, a lock file that somebody deletes."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.clock import FakeClock
from engine.errors import LockHeld
from engine.posting import spool
from engine.posting.lock import HostLock
from engine.posting.protocol import Poster
from engine.posting.publisher import Answer
from engine.store import attempts
from engine.store.database import opened
from tests.faults.crash import LONGEST_LIFE_S, Campaign
from tests.faults.life import Nursery, Plan
from tests.faults.rig import Rig
from tests.faults.x_server import XServer


def test_f16_the_second_runner_is_refused_and_told_who_holds_the_lock(rig: Rig) -> None:
    with pytest.raises(LockHeld, match=f"pid {os.getpid()} on .*since 2026-11-22T12:00"):
        HostLock(rig.db_path).acquire()
    assert LockHeld.exit_code == 2


def test_f16_the_lock_is_free_again_after_the_holder(rig: Rig) -> None:
    rig.end()
    with HostLock(rig.db_path) as lock:
        assert lock.held


def test_without_the_lock_nothing_is_claimed(rig: Rig) -> None:
    rig.approved()
    rig.end()
    assert rig.round().guard == "lock"


def test_f17_an_attempt_older_than_five_seconds_is_never_sent(
    rig: Rig, x: XServer, clock: FakeClock
) -> None:
    """The process was paused between intent and sending; it does not send when it wakes."""
    post_id = rig.approved()
    send = rig.publisher.publish

    def paused(text: str, *, timeout_s: float, before_send: Callable[[], None]) -> Answer:
        clock.advance(3_600)
        return send(text, timeout_s=timeout_s, before_send=before_send)

    rig.publisher.publish = paused  # type: ignore[method-assign]
    assert rig.round().kind == "not_sent"
    assert x.events("request") == []
    rig.publisher.publish = send  # type: ignore[method-assign]
    clock.advance(60)
    assert rig.round().kind == "posted"
    assert x.accepted() == [rig.post(post_id).text]


def test_f17_a_stopped_process_keeps_the_lock_and_wakes_up_harmless(tmp_path: Path) -> None:
    """SIGSTOP before the POST, a second runner, SIGCONT; by real signals and clocks."""
    with XServer(tmp_path / "x.jsonl") as x, Nursery() as nursery:
        campaign = Campaign(tmp_path, x, nursery, seed=1, mutant="")
        campaign.operator.add_slot()
        campaign.life()
        campaign.operator.work()
        after_intent = ("INSERT INTO attempts", "COMMIT", "FROM kill_switch")
        plan = Plan(
            str(campaign.db_path), x.url, LONGEST_LIFE_S, kill_after=after_intent, pause=True
        )
        pid = nursery.start(plan)
        try:
            until = time.monotonic() + 10
            while "State:\tT" not in Path(f"/proc/{pid}/status").read_text():
                assert time.monotonic() < until
                time.sleep(0.01)
            with pytest.raises(LockHeld):
                HostLock(campaign.db_path).acquire()
            time.sleep(5.1)
        finally:
            os.kill(pid, signal.SIGCONT)
        assert nursery.ended() == 0
        assert x.events("request") == []
        campaign.settle()
        assert len(x.accepted()) == 1


class TestF18TheLockFileIsDeleted:
    """F18: a second runner takes over while the first is between intent and outcome."""

    @pytest.fixture
    def second(self, rig: Rig) -> Callable[[], Poster]:
        def take_over() -> Poster:
            rig.lock.path.unlink()
            lock = HostLock(rig.db_path)
            lock.acquire()
            poster = Poster(rig.db_path, rig.publisher, rig.clock, lock, rng=random.Random(1))
            poster.recover()
            return poster

        return take_over

    def test_in_flight_the_old_runner_still_records_the_fact(
        self, rig: Rig, x: XServer, second: Callable[[], Poster]
    ) -> None:
        post_id = rig.approved("The first text.")
        rig.approved("The second text.")
        others: list[Poster] = []

        def taken(stage: str) -> None:
            if stage == "accepted" and not others:
                others.append(second())
                assert others[0].post_next().guard == "in_flight"

        x.hook = taken
        assert rig.round().kind == "posted"
        assert rig.post(post_id).state == "posted"
        assert rig.round().guard == "epoch"
        assert others[0].post_next().kind == "posted"
        assert x.accepted() == ["The first text.", "The second text."]
        others[0]._lock.release()

    def test_before_sending_the_old_runner_does_not_send(
        self, rig: Rig, x: XServer, second: Callable[[], Poster]
    ) -> None:
        post_id = rig.approved()
        send = rig.publisher.publish
        others: list[Poster] = []

        def overtaken(text: str, *, timeout_s: float, before_send: Callable[[], None]) -> Answer:
            others.append(second())
            return send(text, timeout_s=timeout_s, before_send=before_send)

        rig.publisher.publish = overtaken  # type: ignore[method-assign]
        assert rig.round().kind == "not_sent"
        assert x.events("request") == []
        assert rig.post(post_id).state == "approved"
        others[0]._lock.release()

    def test_a_late_outcome_after_the_deadline_still_counts(
        self, rig: Rig, x: XServer, clock: FakeClock, second: Callable[[], Poster]
    ) -> None:
        """The second runner has called the attempt unsure; the first one's answer settles it."""
        post_id = rig.approved()
        others: list[Poster] = []

        def taken(stage: str) -> None:
            if stage == "accepted":
                others.append(second())
                clock.advance(120)
                others[0].post_next()
                with opened(rig.db_path) as db:
                    assert len(attempts.unsolved(db)) == 1

        x.hook = taken
        assert rig.round().kind == "posted"
        assert rig.post(post_id).x_post_id == x.posts[0].id
        others[0]._lock.release()


def dies(*args: object) -> None:
    raise KeyboardInterrupt


def test_epochs_only_grow(rig: Rig) -> None:
    first = rig.lock.epoch
    rig.restart()
    assert rig.lock.epoch > first


@pytest.mark.parametrize("dies_at_once", [False, True])
def test_an_older_copy_of_the_database_is_noticed(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_at_once: bool
) -> None:
    """The lock file remembers a newer epoch than the copy has, and a runner that dies as soon as
    it has taken its own does not make it forget."""
    with opened(rig.db_path) as db:
        db.conn.execute("VACUUM INTO ?", (str(tmp_path / "copy.db"),))
    rig.restart()
    rig.end()
    for name in ("bot.db-wal", "bot.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "copy.db").replace(rig.db_path)
    rig.approved()
    if dies_at_once:
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(spool, "reserve", dies)
            rig.start()
        rig.end()
    rig.start()
    assert rig.round().guard == "restored"
