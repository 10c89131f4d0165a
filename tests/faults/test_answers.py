"""F05 to F14: every way a call to X can end, judged from X's own log."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from engine.clock import FakeClock, iso, parse_iso
from engine.posting import killswitch, spend
from engine.posting.x import XPublisher
from engine.store import alerts, attempts
from engine.store.database import opened
from tests.faults.rig import Rig, x_config
from tests.faults.x_server import DUPLICATE, Act, XServer, problem


def spent(rig: Rig) -> float:
    with opened(rig.db_path) as db:
        return spend.month_to_date(db, rig.clock.now())


def is_stopped(rig: Rig) -> bool:
    with opened(rig.db_path) as db:
        return killswitch.is_on(db, rig.db_path)


def test_an_accepted_post_is_posted_with_its_id(rig: Rig, x: XServer) -> None:
    post_id = rig.approved("Hello & <welcome>, read bitcoin.org")
    assert rig.round().kind == "posted"
    post = rig.post(post_id)
    assert (post.state, post.x_post_id) == ("posted", x.posts[0].id)
    assert x.accepted() == [post.text]
    assert rig.round().kind == "idle"
    assert spent(rig) == pytest.approx(0.20)


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

    def test_accepted_is_found_and_never_sent_again(self, rig: Rig, x: XServer, act: Act) -> None:
        """F05, F08, F09: the post is on X; it is linked, and nothing is sent twice."""
        post_id = rig.approved()
        x.next_post(act)
        assert rig.round().kind == "unknown"
        assert rig.round().kind == "idle"
        assert rig.reconcile_until_decided() == ["posted"]
        assert rig.post(post_id).x_post_id == x.posts[0].id
        assert len(x.accepted()) == 1

    def test_not_accepted_is_held_for_the_operator(self, rig: Rig, x: XServer, act: Act) -> None:
        """F06, F07, F08: X does not have it; after the quiet period a person decides."""
        post_id = rig.approved()
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
    assert spent(rig) < 0.03  # the first price was given back


def test_f07_a_silent_server_ends_at_the_deadline_and_blocks_no_other_thread(
    rig: Rig, x: XServer
) -> None:
    rig.approved()
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


def _closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _speaks_no_tls() -> socket.socket:
    """Accepts connections and greets in plain text."""
    listening = socket.create_server(("127.0.0.1", 0))

    def greet() -> None:
        try:
            while True:
                connection, _ = listening.accept()
                connection.sendall(b"220 hello\r\n")
                connection.close()
        except OSError:
            pass

    threading.Thread(target=greet, daemon=True).start()
    return listening


class TestNothingLeft:
    """F10: refused, unresolved, no TLS: proved not sent; retried with growing, jittered pauses."""

    @pytest.mark.parametrize("how", ["refused", "tls", "dns"])
    def test_posted_once_when_it_heals(
        self, rig: Rig, x: XServer, clock: FakeClock, how: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post_id = rig.approved()
        plain = _speaks_no_tls()
        url = {
            "refused": f"http://127.0.0.1:{_closed_port()}",
            "tls": f"https://127.0.0.1:{plain.getsockname()[1]}",
            "dns": "http://localhost:1",
        }[how]
        if how == "dns":

            def no_name(*args: object, **kwargs: object) -> None:
                raise socket.gaierror(-2, "Name or service not known")

            monkeypatch.setattr(socket, "getaddrinfo", no_name)
        healthy = rig.publisher
        rig.poster._publisher = XPublisher(x_config(url, rig.db_path), clock)
        pauses = []
        for _ in range(4):
            done = rig.round()
            assert done.kind == "not_sent", done
            assert done.until is not None
            pauses.append((done.until - clock.now()).total_seconds())
            assert rig.round().kind == "idle"
            clock.advance(pauses[-1] + 0.01)
        assert pauses[3] > pauses[2] > pauses[1] > pauses[0] > 20
        monkeypatch.undo()
        plain.close()
        rig.poster._publisher = healthy
        assert rig.round().kind == "posted"
        assert x.accepted() == [rig.post(post_id).text]
        assert spent(rig) == pytest.approx(0.015)

    def test_a_certificate_nobody_trusts_is_not_sent(
        self, rig: Rig, clock: FakeClock, tmp_path: Path
    ) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("ALL:@SECLEVEL=0")  # no certificate at all: the handshake must fail
        listening = socket.create_server(("127.0.0.1", 0))

        def shake() -> None:
            try:
                connection, _ = listening.accept()
                context.wrap_socket(connection, server_side=True)
            except OSError:
                pass

        threading.Thread(target=shake, daemon=True).start()
        rig.approved()
        url = f"https://127.0.0.1:{listening.getsockname()[1]}"
        rig.poster._publisher = XPublisher(x_config(url, rig.db_path), clock)
        assert rig.round().kind == "not_sent"
        listening.close()


class TestRateLimit:
    """F11: 429 waits for the latest exhausted window, within bounds; nothing is called early."""

    @pytest.mark.parametrize(
        ("reset_in_s", "waits_s"),
        [(5, 5), (900, 900), (86_400, 86_400), (None, 900), (-50_000, 5), (10**9, 86_400)],
    )
    def test_waits_for_the_reset(
        self, rig: Rig, x: XServer, clock: FakeClock, reset_in_s: int | None, waits_s: int
    ) -> None:
        rig.settings(posting__draft_ttl_s=2_592_000)
        rig.approved()
        headers = {}
        if reset_in_s is not None:
            reset = int(clock.now().timestamp()) + reset_in_s
            headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(reset)}
        refusal = problem(429, "Too Many Requests", "Too Many Requests")
        x.next_post(Act(False, status=429, body=refusal.body, headers=headers))
        done = rig.round()
        assert done.kind == "refused"
        assert done.until is not None
        assert (done.until - clock.now()).total_seconds() == pytest.approx(waits_s, abs=1)
        clock.advance(waits_s - 2)
        waiting = rig.round()
        assert (waiting.kind, waiting.guard) == ("waiting", "rate_limit")
        assert len(x.events("request")) == 1
        clock.advance(3)
        assert rig.round().kind == "posted"
        assert len(x.accepted()) == 1

    @pytest.mark.parametrize("value", ["soon", "", "1e400", "-1", "99999999999999999999"])
    def test_an_absurd_header_is_survived(self, rig: Rig, x: XServer, value: str) -> None:
        rig.approved()
        x.next_post(Act(False, status=429, body={}, headers={"x-rate-limit-reset": value}))
        assert rig.round().kind == "refused"
        assert rig.round().guard == "rate_limit"

    def test_the_24_hour_window_counts_too(self, rig: Rig, x: XServer, clock: FakeClock) -> None:
        rig.approved()
        now = int(clock.now().timestamp())
        headers = {
            "x-rate-limit-remaining": "99",
            "x-rate-limit-reset": str(now + 60),
            "x-user-limit-24hour-remaining": "0",
            "x-user-limit-24hour-reset": str(now + 7_200),
            "x-app-limit-24hour-remaining": "0",
            "x-app-limit-24hour-reset": str(now + 3_600),
        }
        x.next_post(Act(False, status=429, body={}, headers=headers))
        until = rig.round().until
        assert until is not None
        assert (until - clock.now()).total_seconds() == pytest.approx(7_200, abs=1)

    def test_other_work_goes_on(self, rig: Rig, x: XServer) -> None:
        """An unsure attempt is still reconciled while posting waits."""
        lost = rig.approved("Lost on the way.")
        x.next_post(Act(how="drop"), Act(False, status=429, body={}))
        rig.round()
        rig.approved("The next one.")
        rig.round()
        assert rig.reconcile_until_decided() == ["posted"]
        assert rig.post(lost).state == "posted"


def test_f12_a_duplicate_refusal_after_a_lost_answer_links_the_lost_post(
    rig: Rig, x: XServer
) -> None:
    x.refuse_duplicates = True
    x.lag_s = 3_600  # so long that all reads miss it and the same text is sent again
    rig.settings(posting__repost_when_absent=True)
    post_id = rig.approved()
    x.next_post(Act(how="drop"))
    rig.round()
    assert rig.reconcile_until_decided()[-1] == "absent"
    again = rig.round()
    assert (again.kind, again.reason[:14]) == ("unknown", "X answered 403")
    rig.clock.advance(3_600)  # type: ignore[attr-defined]
    assert rig.reconcile_until_decided() == ["posted"]
    assert rig.post(post_id).x_post_id == x.posts[0].id
    assert len(x.accepted()) == 1


def test_f13_a_duplicate_of_an_older_text_fails_and_is_not_tried_again(
    rig: Rig, x: XServer, clock: FakeClock
) -> None:
    x.refuse_duplicates = True
    older = x.seed("A coin walks into a block.", clock.now() - timedelta(days=30))
    post_id = rig.approved("A coin walks into a block.")
    rig.round()
    assert rig.reconcile_until_decided() == ["failed"]
    post = rig.post(post_id)
    assert post.state == "failed"
    assert f"duplicate_of {older}" in (post.state_reason or "")
    assert rig.round().kind == "idle"
    assert len([e for e in x.events("request") if e["method"] == "POST"]) == 1
    assert spent(rig) < 0.015


class TestTheAccountIsClosed:
    """F14: keys refused or account suspended stop posting at once, with one alert."""

    @pytest.mark.parametrize(
        ("act", "state"),
        [
            (problem(401, "Unauthorized", "Unauthorized"), "failed"),
            (problem(403, "Forbidden", "Your account is suspended and is not permitted"), "failed"),
            (problem(403, "Forbidden", "To protect our users your account is locked"), "failed"),
            (problem(402, "Payment Required", "Your credits are depleted"), "approved"),
        ],
        ids=["401", "suspended", "locked", "402"],
    )
    def test_posting_stops_with_one_alert(self, rig: Rig, x: XServer, act: Act, state: str) -> None:
        first = rig.approved("The first text.")
        rig.approved("The second text.")
        x.next_post(act)
        assert rig.round().kind == "refused"
        assert rig.post(first).state == state
        assert rig.round().guard == "kill_switch"
        assert is_stopped(rig)
        assert x.accepted() == []
        assert len(x.events("request")) == 1
        with opened(rig.db_path) as db:
            assert [alert.kind for alert in alerts.open_alerts(db)] == ["kill_switch"]
        assert rig.approved("Drafts go on.")

    def test_posting_goes_on_after_a_confirmed_resume(self, rig: Rig, x: XServer) -> None:
        rig.approved("The first text.")
        x.next_post(problem(402, "Payment Required", "Your credits are depleted"))
        rig.round()
        killswitch.resume(rig.db_path, actor="anna", confirm="resume", now=rig.clock.now())
        assert rig.round().guard == "rate_limit"
        rig.clock.advance(901)  # type: ignore[attr-defined]
        assert rig.round().kind == "posted"

    def test_a_reconcile_read_refused_with_401_stops_posting_too(
        self, rig: Rig, x: XServer
    ) -> None:
        rig.approved()
        x.next_post(Act(how="drop"))
        rig.round()
        x.next_read(problem(401, "Unauthorized", "Unauthorized"))
        rig.poster.reconcile()
        assert is_stopped(rig)


@pytest.mark.parametrize(
    "act",
    [
        problem(400, "Invalid Request", "One or more parameters to your request was invalid."),
        problem(403, "Forbidden", "You may use a maximum of one cashtag."),
        problem(422, "Unprocessable", "Unprocessable"),
        problem(404, "Not Found", "Not Found"),
    ],
    ids=lambda act: str(act.status),
)
def test_a_refused_post_fails_and_the_next_one_goes_out(rig: Rig, x: XServer, act: Act) -> None:
    first, second = rig.approved("The first text."), rig.approved("The second text.")
    x.next_post(act)
    assert rig.round().kind == "refused"
    assert rig.post(first).state == "failed"
    assert rig.round().kind == "posted"
    assert rig.post(second).state == "posted"
    assert x.accepted() == ["The second text."]
    assert spent(rig) == pytest.approx(0.015)


def test_three_unsure_attempts_within_a_day_stop_posting(rig: Rig, x: XServer) -> None:
    for number in range(4):
        rig.approved(f"Text number {'abcd'[number]}.")
    x.next_post(*[Act(how="drop")] * 3)
    assert [rig.round().kind for _ in range(4)] == ["unknown"] * 3 + ["stopped"]
    assert is_stopped(rig)


def test_only_the_accounts_own_keys_are_believed(rig: Rig, x: XServer) -> None:
    """The signature covers the address that is really called (OAuth 1.0a)."""
    rig.approved()
    rig.round()
    assert x.events("bad_signature") == []


def test_duplicate_body_is_the_documented_one() -> None:
    assert "duplicate content" in DUPLICATE.body["detail"]


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
    assert spent(rig) == pytest.approx(0.015)
    with opened(rig.db_path) as db:
        assert len(attempts.unsolved(db)) == 1
