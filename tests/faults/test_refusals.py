"""F10 to F14: what never left and what X refuses, for now or for good, judged from X's own log."""

from __future__ import annotations

import socket
import ssl
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from engine.clock import FakeClock
from engine.config import Secret
from engine.posting import killswitch
from engine.posting.x import XPublisher
from engine.store import alerts
from engine.store.database import opened
from tests.faults.rig import Rig, x_config
from tests.faults.x_server import Act, XServer, problem


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


class TestF10NothingLeft:
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
        assert rig.spent() == pytest.approx(0.015)

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


class TestF11RateLimit:
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
    assert rig.spent() < 0.015


class TestF14TheAccountIsClosed:
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
        assert rig.is_stopped()
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
        assert rig.is_stopped()


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
    assert rig.spent() == pytest.approx(0.015)


@pytest.mark.parametrize("wrong", ["X_API_KEY", "X_API_SECRET", "X_ACCESS_TOKEN_SECRET"])
def test_with_a_wrong_key_nothing_is_posted_and_posting_stops(
    rig: Rig, x: XServer, clock: FakeClock, wrong: str
) -> None:
    """X checks the signature over the address that is really called (OAuth 1.0a)."""
    config = x_config(x.url, rig.db_path)
    keys = {**config.x_keys, wrong: Secret("of another app")}
    rig.poster._publisher = XPublisher(replace(config, x_keys=keys), clock)
    post_id = rig.approved()
    assert rig.round().kind == "refused"
    assert len(x.events("bad_signature")) == 1
    assert (rig.post(post_id).state, x.accepted()) == ("failed", [])
    assert rig.is_stopped()
    with opened(rig.db_path) as db:
        assert "keys" in alerts.open_alerts(db)[0].message
