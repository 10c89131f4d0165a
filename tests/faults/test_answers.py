"""F05 to F09: answers that are lost, late or broken and prove nothing, judged from X's own log."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from engine.clock import FakeClock, iso, parse_iso
from engine.store import alerts, attempts
from engine.store.database import opened
from tests.faults.rig import Rig
from tests.faults.x_server import Act, XServer

SILENT = ("stall", "drip")


def test_an_accepted_post_is_posted_with_its_id(rig: Rig, x: XServer) -> None:
    post_id = rig.approved("Hello & <welcome>, read bitcoin.org")
    assert rig.round().kind == "posted"
    post = rig.post(post_id)
    assert (post.state, post.x_post_id) == ("posted", x.posts[0].id)
    assert x.accepted() == [post.text]
    assert rig.round().kind == "idle"
    assert rig.spent() == pytest.approx(0.20)


@pytest.mark.parametrize(
    "act",
    [
        Act(how="drop"),
        Act(how="stall"),
        Act(how="drip"),
        Act(how="truncate"),
        Act(body=b"<html>gateway</html>"),
        Act(body={"data": {"text": "no id"}}),
        Act(body={"data": {"id": 12}}),
        Act(body=["a list"]),
        Act(status=500, body={}),
        Act(status=502, body=b"bad gateway"),
        Act(status=503, body=[]),
        Act(status=504, body=b""),
        Act(status=302, headers={"Location": "http://127.0.0.1:1/"}),
        Act(status=408, body={}),
        Act(status=599, body={}),
    ],
    ids=lambda act: f"{act.how}-{act.status}-{str(act.body)[:12]}",
)
class TestAmbiguous:
    """F05, F06, F07, F08, F09: the answer is lost or proves nothing."""

    def test_f05_f08_f09_accepted_is_found_and_never_sent_again(
        self, rig: Rig, x: XServer, act: Act
    ) -> None:
        """F05, F08, F09: the post is on X; it is linked, and nothing is sent twice."""
        post_id = rig.approved()
        if act.how in SILENT:
            rig.impatient()
        x.next_post(act)
        assert rig.round().kind == "unknown"
        assert rig.round().kind == "idle"
        assert rig.reconcile_until_decided() == ["posted"]
        assert rig.post(post_id).x_post_id == x.posts[0].id
        assert len(x.accepted()) == 1

    def test_f06_f07_f08_not_accepted_is_held_for_the_operator(
        self, rig: Rig, x: XServer, act: Act
    ) -> None:
        """F06, F07, F08: X does not have it; after the quiet period a person decides."""
        post_id = rig.approved()
        if act.how in SILENT:
            rig.impatient()
        x.next_post(Act(False, act.how, act.status, act.body, act.headers))
        assert rig.round().kind == "unknown"
        assert rig.reconcile_until_decided()[-1] == "held"
        assert rig.post(post_id).state == "held"
        assert x.accepted() == []
        with opened(rig.db_path) as db:
            assert [alert.kind for alert in alerts.open_alerts(db)] == ["held_attempt"]


def test_f06_an_absent_post_is_sent_again_once_where_the_setting_says_so(
    rig: Rig, x: XServer
) -> None:
    rig.settings(posting__repost_when_absent=True)
    post_id = rig.approved()
    x.next_post(Act(accept=False, how="drop"))
    assert rig.round().kind == "unknown"
    assert rig.reconcile_until_decided()[-1] == "absent"
    assert rig.round().kind == "posted"
    assert x.accepted() == [rig.post(post_id).text]
    assert [attempt.outcome for attempt in rig.attempts(post_id)] == ["absent", "posted"]
    assert rig.spent() < 0.03  # the first price was given back


def test_f07_a_silent_server_ends_at_the_deadline_and_blocks_no_other_thread(
    rig: Rig, x: XServer
) -> None:
    rig.approved()
    rig.impatient()
    x.next_post(Act(how="stall"))
    worker = threading.Thread(target=rig.round)
    worker.start()
    beats = 0
    while worker.is_alive() and beats < 1_000:
        with opened(rig.db_path) as db:  # the loop's heartbeat: writes while the call hangs
            db.conn.execute("UPDATE kill_switch SET reason = reason")
            db.conn.commit()
        beats += 1
        worker.join(0.02)
    assert not worker.is_alive()
    assert beats > 3


def test_f09_an_id_that_belongs_to_another_post_is_not_believed(rig: Rig, x: XServer) -> None:
    first = rig.approved("The first text.")
    rig.round()
    taken = rig.post(first).x_post_id
    second = rig.approved("The second text.")
    x.next_post(Act(body={"data": {"id": taken, "text": "The second text."}}))
    assert rig.round().kind == "unknown"
    assert rig.reconcile_until_decided() == ["posted"]
    assert rig.post(second).x_post_id == x.posts[1].id
    assert len(x.accepted()) == 2


def test_three_unsure_attempts_within_a_day_stop_posting(rig: Rig, x: XServer) -> None:
    for number in range(4):
        rig.approved(f"Text number {'abcd'[number]}.")
    x.next_post(*[Act(how="drop")] * 3)
    assert [rig.round().kind for _ in range(4)] == ["unknown"] * 3 + ["stopped"]
    assert rig.is_stopped()


def test_the_skew_between_both_clocks_is_measured(
    db_path: Path, clock: FakeClock, tmp_path: Path
) -> None:
    ahead = timedelta(seconds=40)
    with XServer(tmp_path / "x.jsonl", now=lambda: clock.now() + ahead) as x:
        rig = Rig(db_path, clock, x)
        post_id = rig.approved()
        rig.round()
        assert rig.attempts(post_id)[0].skew_s == pytest.approx(40, abs=0.01)
        assert parse_iso(rig.post(post_id).posted_at or "") == parse_iso(iso(clock.now() + ahead))
        rig.end()


def test_unknown_money_stays_charged_until_absence_is_proved(rig: Rig, x: XServer) -> None:
    rig.approved()
    x.next_post(Act(accept=False, how="drop"))
    rig.round()
    assert rig.spent() == pytest.approx(0.015)
    with opened(rig.db_path) as db:
        assert len(attempts.unsolved(db)) == 1
