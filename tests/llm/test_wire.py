"""Lines and events survive any cut; nothing may last, grow or hang beyond its limit."""

from __future__ import annotations

import contextlib
import gc
import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ModelBadReply, ModelCancelled, ModelUnreachable
from engine.llm import wire
from engine.llm.wire import BadStatus, Caller, split_lines, sse_data

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"

# JSON texts full of characters that take several bytes
values = st.dictionaries(st.text(max_size=5), st.text(max_size=20) | st.integers(), max_size=4)


def caller(url: str) -> Caller:
    return Caller(url, who="The server", advice="Start it.")


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A bare socket that reads one request's head and lets ``answer`` do what it likes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                client.recv(65_536)
                with contextlib.suppress(OSError):  # the caller goes away, as it should here
                    answer(client)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in itertools.pairwise(ends)]


@given(st.lists(values, max_size=6), st.lists(st.integers(0, 10_000), max_size=30), st.booleans())
def test_records_come_out_whole_however_the_bytes_are_cut(
    records: list[dict[str, object]], places: list[int], last_newline: bool
) -> None:
    data = b"\n".join(json.dumps(item, ensure_ascii=False).encode() for item in records)
    data += b"\n" if last_newline and records else b""
    lines = [line for line in split_lines(cut(data, places)) if line]
    assert [json.loads(line) for line in lines] == records


@given(st.lists(values, max_size=6), st.lists(st.integers(0, 10_000), max_size=30), st.booleans())
def test_events_come_out_whole_however_the_bytes_are_cut(
    records: list[dict[str, object]], places: list[int], carriage: bool
) -> None:
    end = b"\r\n" if carriage else b"\n"
    events = [b"data: " + json.dumps(item).encode() + end + end for item in records]
    data = b": hello" + end + end + b"".join(events) + b"data: [DONE]" + end + end + b"data: x"
    assert [json.loads(item) for item in sse_data(split_lines(cut(data, places)))] == records


def test_an_event_may_span_several_data_lines() -> None:
    assert list(sse_data([b'data: {"a":', b"data: 1}", b""])) == [b'{"a":\n1}']


def test_a_server_that_says_nothing_ends_at_the_time_limit() -> None:
    with serving(lambda client: time.sleep(5)) as url, pytest.raises(ModelUnreachable) as caught:
        caller(url).get("/", timeout_s=0.1)
    assert "no whole answer within 0.1 s" in str(caught.value)


@pytest.mark.parametrize("head", [b"", HEAD], ids=["inside the head", "inside the body"])
def test_a_server_that_drips_is_cut_at_the_total_limit(head: bytes) -> None:
    """A read timeout alone would start anew with every byte."""

    def drip(client: socket.socket) -> None:
        client.sendall(head or b"HTTP/1.1 200 OK\r\nX: ")
        while True:
            client.sendall(b" ")
            time.sleep(0.02)

    with serving(drip) as url, pytest.raises(ModelUnreachable, match="no whole answer"):
        caller(url).get("/", timeout_s=0.2)


def test_cancel_ends_a_call_in_flight_from_another_thread() -> None:
    reached = threading.Event()

    def hold(client: socket.socket) -> None:
        reached.set()
        time.sleep(5)

    with serving(hold) as url:
        calling = caller(url)

        def cancel() -> None:
            reached.wait(5)
            calling.cancel()

        threading.Thread(target=cancel).start()
        with pytest.raises(ModelCancelled):
            calling.get("/", timeout_s=30)


def test_an_endless_body_is_cut_at_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_BODY_BYTES", 2 * 2**20)

    def flood(client: socket.socket) -> None:
        client.sendall(HEAD)
        while True:
            client.sendall(b"x\n" * 50_000)

    with serving(flood) as url, pytest.raises(ModelBadReply, match="more than 2 MB"):
        caller(url).get("/", timeout_s=10)


def test_an_endless_line_is_cut_at_the_cap() -> None:
    with pytest.raises(ModelBadReply, match="endless line"):
        list(split_lines(b"x" * 2**20 for _ in range(100)))


@pytest.mark.parametrize(
    "answer",
    [b"SSH-2.0-OpenSSH_9.6\r\n", b"\x16\x03\x01\x02\x00", HEAD + b"<html>", HEAD + b"\xff\xfe{}"],
    ids=["ssh", "tls", "html", "bad utf-8"],
)
def test_garbage_is_a_bad_reply(answer: bytes) -> None:
    with (
        serving(lambda client: client.sendall(answer)) as url,
        pytest.raises(ModelBadReply) as caught,
    ):
        caller(url).get("/", timeout_s=5)
    assert caught.value.kind == "garbled"


def test_deeply_nested_json_is_a_bad_reply() -> None:
    with (
        serving(lambda client: client.sendall(HEAD + b"[" * 200_000)) as url,
        pytest.raises(ModelBadReply),
    ):
        caller(url).get("/", timeout_s=5)


def test_nobody_there_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ModelUnreachable, match=r"does not answer\. Start it\."):
        caller(f"http://127.0.0.1:{port}").get("/")


def test_a_redirect_is_not_followed() -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with (
        serving(lambda client: client.sendall(head)) as url,
        pytest.raises(BadStatus) as caught,
    ):
        caller(url).get("/")
    assert caught.value.status == 302


@pytest.mark.parametrize(
    "body",
    [
        '{"error": "no room"}',
        '{"error": {"message": "no room"}}',
        '{"detail": "no room"}',
        "no room",
    ],
)
def test_the_servers_own_error_text_is_kept(body: str) -> None:
    head = f"HTTP/1.1 503 Busy\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    with (
        serving(lambda client: client.sendall(head)) as url,
        pytest.raises(BadStatus) as caught,
    ):
        caller(url).get("/")
    assert (caught.value.status, caught.value.message) == (503, "no room")


def test_an_error_of_the_reader_is_not_taken_for_the_servers() -> None:
    with (
        serving(lambda client: client.sendall(HEAD + b'{"a": 1}\n')) as url,
        pytest.raises(ValueError, match="mine"),
        caller(url).ndjson("/", {}, timeout_s=5) as records,
    ):
        assert next(records) == {"a": 1}
        raise ValueError("mine")


def test_a_call_is_gone_from_memory_when_it_is_over() -> None:
    def answer(client: socket.socket) -> None:
        client.sendall(HEAD + b"{}")

    def connections() -> list[object]:
        return [found for found in gc.get_objects() if isinstance(found, HTTPConnection)]

    gc.collect()
    before = len(connections())
    gc.disable()  # what only the collector could free would stay for hours
    try:
        with serving(answer) as url:
            caller(url).get("/", timeout_s=5)
        until = time.monotonic() + 5
        while len(connections()) > before and time.monotonic() < until:
            time.sleep(0.01)  # the thread that watched the time limit comes to its end
        assert len(connections()) == before
    finally:
        gc.enable()
