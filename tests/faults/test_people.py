"""F19 to F21 and F36: clicks that come twice, decisions that race, switches, the same text again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import pytest

from engine.clock import SystemClock
from engine.errors import BuzzError, QueueConflict
from engine.posting import killswitch, queue
from engine.posting.publisher import Answer
from engine.records import Verdict
from engine.store import posts
from engine.store.database import opened, write_tx
from engine.store.posts import NewPost
from tests.faults.rig import Rig, add_waiting
from tests.faults.x_server import Act, XServer


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Results or BuzzErrors of calls started together."""
    barrier = threading.Barrier(len(calls))
    results: list[object] = [None] * len(calls)

    def run(index: int, call: Callable[[], object]) -> None:
        barrier.wait()
        try:
            results[index] = call()
        except BuzzError as error:
            results[index] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_f19_of_many_clicks_one_approves_and_the_others_hear_by_whom(rig: Rig) -> None:
    for number in range(5):
        post_id = add_waiting(rig.db_path, rig.clock.now(), f"Text {'abcde'[number]}.")

        def click(name: str, post_id: int = post_id) -> object:
            with opened(rig.db_path) as db:
                return queue.approve(db, post_id, revision=1, actor=name, now=rig.clock.now())

        results = at_once(*[lambda name=name: click(name) for name in ("anna", "ben", "anna")])
        refused = [result for result in results if isinstance(result, QueueConflict)]
        assert len(refused) == 2
        winner = rig.post(post_id).approved_by
        assert all(f"already approved by {winner}" in str(error) for error in refused)
        assert all(error.state == "approved" for error in refused)


def test_f19_a_replayed_approval_of_a_posted_post_is_told_so(rig: Rig) -> None:
    post_id = rig.approved()
    rig.round()
    with opened(rig.db_path) as db, pytest.raises(QueueConflict, match="already posted by runner"):
        queue.approve(db, post_id, revision=1, actor="anna", now=rig.clock.now())


@pytest.mark.parametrize("other", ["edit", "reject", "unapprove"])
def test_f20_a_decision_that_races_with_the_claim_has_exactly_one_winner(
    rig: Rig, x: XServer, other: str
) -> None:
    for number in range(8):
        text = f"Text {'abcdefgh'[number]}."
        post_id = rig.approved(text)

        def decide(post_id: int = post_id, number: int = number) -> str:
            with opened(rig.db_path) as db:
                now = rig.clock.now()
                if other == "edit":
                    return queue.edit(
                        db, post_id, revision=1, text=f"New {number}", verdict=Verdict(),
                        actor="anna", now=now,
                    ).state  # fmt: skip
                if other == "reject":
                    return queue.reject(
                        db, post_id, revision=1, reason="no", actor="anna", now=now
                    ).state
                return queue.unapprove(db, post_id, revision=1, actor="anna", now=now).state

        before = len(x.accepted())
        decided, done = at_once(decide, rig.round)
        sent = x.accepted()[before:]
        if isinstance(decided, QueueConflict):
            assert sent == [text]
            assert done.kind == "posted"  # type: ignore[attr-defined]
            assert decided.state in ("publishing", "posted")
        else:
            assert sent == []
            assert rig.post(post_id).state == decided


def test_f20_the_text_that_goes_out_is_the_text_that_was_approved(rig: Rig, x: XServer) -> None:
    """An edit drops the approval; only the new yes lets the new text out."""
    post_id = rig.approved("The old text.")
    now = rig.clock.now()
    with opened(rig.db_path) as db:
        queue.edit(
            db, post_id, revision=1, text="The new text.", verdict=Verdict(), actor="anna", now=now
        )
        assert rig.round().kind == "idle"
        with pytest.raises(QueueConflict):
            queue.approve(db, post_id, revision=1, actor="anna", now=now)
        queue.approve(db, post_id, revision=2, actor="anna", now=now)
    assert rig.round().kind == "posted"
    assert x.accepted() == ["The new text."]


class TestF21KillSwitch:
    """No post starts after the stop is committed; one in flight is recorded."""

    def test_at_random_instants(self, rig: Rig, x: XServer) -> None:
        clock, rng = SystemClock(), random.Random(21)
        for number in range(15):
            for letter in "ab":
                rig.approved(f"Text {number} {letter}.")
            x.choose = lambda: Act(delay_s=rng.uniform(0, 0.01), how="slow")
            ending = threading.Event()

            def rounds(ending: threading.Event = ending) -> None:
                while not ending.is_set():
                    rig.round()

            worker = threading.Thread(target=rounds)
            worker.start()
            time.sleep(rng.uniform(0, 0.04))
            killswitch.stop(rig.db_path, actor="anna", reason="test", now=rig.clock.now())
            stopped_at = clock.boottime()
            time.sleep(0.03)
            ending.set()
            worker.join()
            late = [
                event
                for event in x.events("request")
                if event["method"] == "POST" and event["boottime"] > stopped_at
            ]
            # a call whose last guard was before the commit may still be on its way
            assert len(late) <= 1
            assert all(event["boottime"] < stopped_at + 0.5 for event in late)
            killswitch.resume(rig.db_path, actor="anna", confirm="resume", now=rig.clock.now())
            rig.clock.advance(3_600)  # type: ignore[attr-defined]  # what was not sent is due again
            while rig.round().kind != "idle":
                pass
        assert len(x.accepted()) == len(set(x.accepted())) == 30
        with opened(rig.db_path) as db:
            assert {post.state for post in posts.listing(db)} == {"posted"}

    @pytest.mark.parametrize("how", ["row", "file"])
    def test_set_between_intent_and_sending_nothing_leaves(
        self, rig: Rig, x: XServer, how: str
    ) -> None:
        post_id = rig.approved()
        send = rig.publisher.publish

        def stopped(text: str, *, timeout_s: float, before_send: Callable[[], None]) -> Answer:
            if how == "file":
                killswitch.stop_file(rig.db_path).touch()
            else:
                with opened(rig.db_path) as db:
                    killswitch.record(db, actor="anna", reason="test", now=rig.clock.now())
            return send(text, timeout_s=timeout_s, before_send=before_send)

        rig.publisher.publish = stopped  # type: ignore[method-assign]
        assert rig.round().kind == "not_sent"
        assert x.events("request") == []
        assert rig.round().guard == "kill_switch"
        assert rig.post(post_id).state == "approved"

    def test_a_bare_file_stops_and_resume_removes_it(self, rig: Rig, x: XServer) -> None:
        rig.approved()
        killswitch.stop_file(rig.db_path).touch()
        assert rig.round().guard == "kill_switch"
        killswitch.resume(rig.db_path, actor="anna", confirm="resume", now=rig.clock.now())
        assert rig.round().kind == "posted"


class TestF36SameText:
    """The same text for a reader, as two posts."""

    @pytest.mark.parametrize(
        "again",
        [
            "A coin walks.",
            "a COIN walks.",
            "A  coin\nwalks.",
            "A coin walks.\u200b",
            "Ａ coin walks.",
        ],
    )
    def test_is_refused_when_submitted(self, rig: Rig, again: str) -> None:
        first = rig.approved("A coin walks.")
        new = NewPost("joke", again, Verdict(), "model", "live")
        with opened(rig.db_path) as db:
            second = posts.insert(db, new, actor="writer", now=rig.clock.now())
            assert queue.submit(db, second, actor="runner", now=rig.clock.now()) == "rejected"
        assert rig.post(second).state_reason == f"same text as post {first} (approved)"

    def test_is_refused_after_it_was_posted_for_seven_days(self, rig: Rig) -> None:
        rig.approved("A coin walks.")
        rig.round()
        rig.clock.advance(6 * 86_400)  # type: ignore[attr-defined]
        with pytest.raises(AssertionError):
            rig.approved("A coin walks.")
        rig.clock.advance(2 * 86_400)  # type: ignore[attr-defined]
        assert rig.approved("A coin walks.")

    def test_is_refused_again_in_the_claim(self, rig: Rig, x: XServer) -> None:
        """Even where it got past the queue (here: a key blanked by hand)."""
        rig.approved("A coin walks.")
        with opened(rig.db_path) as db, write_tx(db):
            db.conn.execute("UPDATE posts SET text_key = 'hidden'")
        second = rig.approved("A coin walks.")
        with opened(rig.db_path) as db, write_tx(db):
            db.conn.execute("UPDATE posts SET text_key = ?", (posts.text_key("A coin walks."),))
        assert rig.round().kind == "posted"
        assert rig.round().guard == "not_fit"
        assert rig.post(second).state == "rejected"
        assert x.accepted() == ["A coin walks."]
