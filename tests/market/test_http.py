"""Fetching keeps to every cap and says plainly what went wrong."""

from __future__ import annotations

import gzip
import threading
import time

import pytest

from engine.clock import FakeClock
from engine.errors import SourceError
from engine.market.http import MAX_BYTES, USER_AGENT, Fetcher
from tests.fakes.market_server import Answer, MarketServer, html_answer, json_answer


def ask(fetcher: Fetcher, server: MarketServer, answer: Answer) -> object:
    server.answers["/x"] = answer
    return fetcher.get_json("src", f"{server.url}/x")[0]


def test_a_good_answer_comes_with_its_cache_age_and_we_say_who_we_are(
    fetcher: Fetcher, server: MarketServer
) -> None:
    server.answers["/x"] = json_answer({"a": 1}, headers={"Age": "42"})
    assert fetcher.get_json("src", f"{server.url}/x", params={"q": "1"}) == ({"a": 1}, 42.0)
    target, headers = server.requests[-1]
    assert target == "/x?q=1"
    assert headers["User-Agent"] == USER_AGENT


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (html_answer(), "text/html"),
        (html_answer(404), "HTTP 404"),
        (json_answer({}, status=500), "HTTP 500"),
        (Answer(b"{}", content_type=""), "no content type"),
        (Answer(b"not json"), "not JSON"),
        (Answer(b'{"price": NaN}'), "not JSON"),
        (Answer(b"[" * 200_000), "not JSON"),
        (Answer(b"\xff\xfe\x00"), "not JSON"),
        (Answer(b""), "not JSON"),
        (Answer(b" " * (MAX_BYTES + 1)), "larger than 1 MB"),
        (json_answer({}, status=302, headers={"Location": "http://127.0.0.1:1/"}), "HTTP 302"),
        (Answer(hold=True), "no answer in time"),
        (Answer(b"[1, 2, 3, 4, 5, 6, 7, 8, 9]", trickle=0.1), "no answer in time"),
    ],
)
def test_anything_else_is_a_source_error_with_its_reason(
    fetcher: Fetcher, server: MarketServer, answer: Answer, reason: str
) -> None:
    with pytest.raises(SourceError) as caught:
        ask(fetcher, server, answer)
    assert caught.value.source == "src"
    assert reason in caught.value.reason


def test_a_compressed_body_is_measured_after_it_is_unpacked(
    fetcher: Fetcher, server: MarketServer
) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < MAX_BYTES
    with pytest.raises(SourceError, match="larger than 1 MB"):
        ask(fetcher, server, Answer(bomb, headers={"Content-Encoding": "gzip"}))
    small = Answer(gzip.compress(b'{"a": 1}'), headers={"Content-Encoding": "gzip"})
    assert ask(fetcher, server, small) == {"a": 1}


def test_garbage_said_to_be_compressed_is_a_source_error(
    fetcher: Fetcher, server: MarketServer
) -> None:
    with pytest.raises(SourceError, match="broke off"):
        ask(fetcher, server, Answer(b"plain", headers={"Content-Encoding": "gzip"}))


def test_a_refused_connection_is_a_source_error(fetcher: Fetcher, server: MarketServer) -> None:
    with pytest.raises(SourceError, match="cannot be reached"):
        fetcher.get("src", "http://127.0.0.1:1/")


def test_retry_after_is_kept_without_traffic_and_for_that_source_alone(
    fetcher: Fetcher, server: MarketServer, clock: FakeClock
) -> None:
    with pytest.raises(SourceError, match="HTTP 429, will be left alone for 30 s"):
        ask(fetcher, server, html_answer(429, headers={"Retry-After": "30"}))
    clock.advance(29)
    with pytest.raises(SourceError, match="left alone for 1 s more"):
        ask(fetcher, server, json_answer({}))
    assert server.seen("/x") == 1
    assert fetcher.get_json("other", f"{server.url}/x")[0] == {}
    clock.advance(2)
    assert ask(fetcher, server, json_answer({})) == {}


def test_retry_after_may_be_a_date(
    fetcher: Fetcher, server: MarketServer, clock: FakeClock
) -> None:
    when = f"{clock.now():%a, %d %b %Y} 12:02:00 GMT"
    with pytest.raises(SourceError, match="left alone for 120 s"):
        ask(fetcher, server, html_answer(429, headers={"Retry-After": when}))


def test_without_retry_after_the_pause_doubles_up_to_six_hours_and_a_good_answer_resets_it(
    fetcher: Fetcher, server: MarketServer, clock: FakeClock
) -> None:
    for expected in (60, 120, 240):
        with pytest.raises(SourceError, match=f"left alone for {expected} s$"):
            ask(fetcher, server, html_answer(429))
        clock.advance(expected)
    with pytest.raises(SourceError, match=r"left alone for 21600 s$"):
        ask(fetcher, server, html_answer(418, headers={"Retry-After": "259200"}))
    clock.advance(21_600)
    ask(fetcher, server, json_answer({}))
    with pytest.raises(SourceError, match=r"left alone for 60 s$"):
        ask(fetcher, server, html_answer(429))


@pytest.mark.parametrize("peer", ["10.0.0.7", "169.254.169.254", "127.0.0.1", "::1", "192.168.1.1"])
def test_a_public_name_that_leads_to_a_private_address_gets_no_request(
    fetcher: Fetcher, server: MarketServer, monkeypatch: pytest.MonkeyPatch, peer: str
) -> None:
    """The check looks at the address really reached, so a second look-up cannot cheat it."""
    import socket

    real = socket.getaddrinfo
    port = int(server.url.rpartition(":")[2])

    def to_loopback(host: str, *args: object, **kwargs: object) -> object:
        return real("127.0.0.1" if host == "feeds.example" else host, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", to_loopback)
    monkeypatch.setattr(socket.socket, "getpeername", lambda self: (peer, port))
    with pytest.raises(SourceError, match="private address"):
        fetcher.get("src", f"http://feeds.example:{port}/x")
    assert server.requests == []


def test_threads_may_share_a_fetcher(fetcher: Fetcher, server: MarketServer) -> None:
    answers: list[object] = []

    def ask_for(path: str) -> None:
        server.answers[path] = json_answer([path])
        answers.append(fetcher.get_json("s", f"{server.url}{path}")[0])

    paths = [f"/{number}" for number in range(5)]
    threads = [threading.Thread(target=ask_for, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, answers)) == [f"['{path}']" for path in paths]


def test_a_silent_address_is_not_asked_again_while_it_is_waited_for(
    clock: FakeClock, server: MarketServer
) -> None:
    patient = Fetcher(clock, read_s=20)
    server.answers["/silent"] = Answer(hold=True)
    url = f"{server.url}/silent"

    def wait_for_it() -> None:
        with pytest.raises(SourceError):
            patient.get("src", url)

    waiting = threading.Thread(target=wait_for_it)
    waiting.start()
    while not server.seen("/silent"):
        time.sleep(0.005)
    with pytest.raises(SourceError, match="still being waited for"):
        patient.get("src", url)
    assert server.seen("/silent") == 1
    server.closing.set()
    waiting.join()
    with pytest.raises(SourceError, match=r"reach|broke"):
        patient.get("src", url)
