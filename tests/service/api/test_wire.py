"""Connections that are too slow, too many, or no HTTP: each ends, and each is told why."""

from __future__ import annotations

import contextlib
import json
import socket
import time

import httpx
import pytest

from engine.service.api import guard, server, wire
from tests.service.api.conftest import Service
from tests.service.api.test_door import BASE, is_problem

LIVE = f"GET {BASE}/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def connected(service: Service) -> socket.socket:
    return socket.create_connection(("127.0.0.1", service.server.port), 15)


def everything(sock: socket.socket) -> bytes:
    """What comes until the other side closes."""
    pieces = []
    while piece := sock.recv(65_536):
        pieces.append(piece)
    return b"".join(pieces)


def problem_of(raw: bytes) -> dict[str, object]:
    head, _, body = raw.partition(b"\r\n\r\n")
    problem: dict[str, object] = json.loads(body)
    assert b"content-type: application/problem+json" in head.lower()
    assert f"x-request-id: {problem['request_id']}".encode() in head
    assert b"x-content-type-options: nosniff" in head
    return problem


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 70_000,
    ],
    ids=["TLS", "words", "two hosts", "a head without end"],
)
def test_what_is_no_http_is_told_so(service: Service, sent: bytes) -> None:
    with connected(service) as sock:
        sock.sendall(sent)
        assert problem_of(everything(sock))["status"] == 400


@pytest.mark.parametrize(
    "begun", [b"", LIVE[:30], LIVE + LIVE[:30]], ids=["none", "half", "second"]
)
def test_a_head_that_does_not_come_ends_the_connection(
    service: Service, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    """Drop by drop too: the time is for the whole head, not for the next byte."""
    monkeypatch.setattr(wire, "WITHIN_S", 0.3)
    with connected(service) as sock:
        sock.sendall(begun)
        ended = 0.0
        until = time.monotonic() + 10
        while not ended and time.monotonic() < until:
            try:
                sock.sendall(b"x" if begun else b"")
                sock.settimeout(0.05)
                ended = float(sock.recv(65_536) == b"")
            except TimeoutError:
                continue
            except OSError:
                ended = 1.0
        assert ended


def test_a_body_that_does_not_come_is_told_so(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "BODY_WITHIN_S", 0.2)
    head = f"POST {BASE}/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{{"
    with connected(service) as sock:
        sock.sendall(head.encode())
        assert problem_of(everything(sock))["status"] == 408


def test_who_goes_on_sending_after_the_answer_is_cut_off(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "WITHIN_S", 0.3)
    head = f"POST {BASE}/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n"
    with connected(service) as sock, pytest.raises(OSError, match=r"reset|[Bb]roken"):
        sock.sendall(head.encode())
        assert b" 413 " in sock.recv(4_096)
        for _ in range(200):
            sock.sendall(b"x")
            time.sleep(0.05)


def test_who_takes_nothing_of_the_answers_is_cut_off(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "TAKEN_WITHIN_MS", 500)
    service.server = service.start()
    request = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    sock.settimeout(0.2)
    with sock, pytest.raises(OSError, match=r"reset|[Bb]roken"):
        sock.connect(("127.0.0.1", service.server.port))
        until = time.monotonic() + 15
        while time.monotonic() < until:
            with contextlib.suppress(TimeoutError):
                sock.sendall(request * 100)


def test_one_connection_too_many_is_told_so(
    service: Service, api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "MOST_CONNECTIONS", 3)
    held = [connected(service) for _ in range(3)]
    try:
        with connected(service) as sock:
            assert problem_of(everything(sock))["status"] == 503
    finally:
        for sock in held:
            sock.close()
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            assert api.get(f"{BASE}/health/live").status_code == 200
            break
        except (AssertionError, httpx.TransportError):
            time.sleep(0.02)
    else:
        pytest.fail("the places of those who left stay taken")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", None])
def test_a_body_of_another_kind_is_named(api: httpx.Client, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    answer = api.post(f"{BASE}/generate", content=b'{"content_type": "joke"}', headers=headers)
    assert is_problem(answer, 415)
    packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert is_problem(api.post(f"{BASE}/generate", content=b"{}", headers=packed), 415)
