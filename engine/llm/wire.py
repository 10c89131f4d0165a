"""HTTP to one model server: JSON calls and streamed lines, with a limit on everything.

One connection a call. The total time is kept by shutting the connection's socket, because a read
timeout starts anew with every byte and a model server may be silent for long before its first;
the same shut lets another thread cancel (``http.client`` is used for its hold on the socket).
Nothing is followed: a redirect is a bad status. Environment proxies are not read.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from engine.errors import ModelBadReply, ModelCancelled, ModelUnreachable
from engine.llm.fields import shortened

CONNECT_S = 5.0
MAX_BODY_BYTES = 32 * 1024 * 1024
MAX_LINE_BYTES = 8 * 1024 * 1024  # Ollama's final record carries every context token's number

_BROKEN = (OSError, http.client.HTTPException, ValueError)


class BadStatus(Exception):
    """The server answered, but not with 200. ``message`` is its own error text, shortened."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"HTTP {status}: {message}")
        self.status = status
        self.message = message


class Caller:
    """Calls one server. ``who`` names it in errors, ``advice`` says what to do when it is away."""

    def __init__(
        self, base_url: str, *, who: str, advice: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self.base_url = base_url
        self.who = who
        self.advice = advice
        self._headers = {"Content-Type": "application/json", **(headers or {})}
        self._lock = threading.Lock()
        self._flights: set[_Flight] = set()

    def get(self, path: str, *, timeout_s: float = 5.0) -> Any:
        """The JSON behind a GET. Raises: BadStatus, ModelUnreachable, ModelBadReply."""
        with self._exchange("GET", path, None, timeout_s) as chunks:
            return _parse(self.who, b"".join(chunks))

    def post(self, path: str, body: Mapping[str, Any], *, timeout_s: float) -> Any:
        """The JSON answer to a POST. Raises: BadStatus, ModelUnreachable, ModelBadReply."""
        with self._exchange("POST", path, body, timeout_s) as chunks:
            return _parse(self.who, b"".join(chunks))

    @contextmanager
    def ndjson(
        self, path: str, body: Mapping[str, Any], *, timeout_s: float
    ) -> Iterator[Iterator[dict[str, Any]]]:
        """A POST whose answer is one JSON object a line. Raises: as :meth:`post`."""
        with self._exchange("POST", path, body, timeout_s) as chunks:
            yield (_record(self.who, line) for line in split_lines(chunks) if line.strip())

    @contextmanager
    def sse(
        self, path: str, body: Mapping[str, Any], *, timeout_s: float
    ) -> Iterator[Iterator[dict[str, Any]]]:
        """A POST answered by server-sent events, up to ``[DONE]``. Raises: as :meth:`post`."""
        with self._exchange("POST", path, body, timeout_s) as chunks:
            yield (_record(self.who, data) for data in sse_data(split_lines(chunks)))

    def cancel(self) -> None:
        """End every call in flight, from any thread; they raise ModelCancelled."""
        with self._lock:
            flights = list(self._flights)
        for flight in flights:
            flight.end("cancel")

    @contextmanager
    def _exchange(
        self, method: str, path: str, body: Mapping[str, Any] | None, timeout_s: float
    ) -> Iterator[Iterator[bytes]]:
        content = json.dumps(body).encode() if body is not None else None
        flight = _Flight(self.base_url, timeout_s)
        with self._lock:
            self._flights.add(flight)
        try:
            try:
                response = flight.send(method, path, content, self._headers)
            except _BROKEN as error:
                raise self._failure(flight, error) from error
            chunks = self._chunks(flight, response)
            if response.status != 200:
                raise BadStatus(response.status, _error_text(response, chunks))
            yield chunks
        finally:
            flight.close()
            with self._lock:
                self._flights.discard(flight)

    def _chunks(self, flight: _Flight, response: http.client.HTTPResponse) -> Iterator[bytes]:
        total = 0
        while True:
            try:
                chunk = response.read1(65_536)
            except _BROKEN as error:
                raise self._failure(flight, error) from error
            if flight.ended_by:  # a shut socket reads like the end of the answer
                raise self._failure(flight, None)
            if not chunk:
                return
            total += len(chunk)
            if total > MAX_BODY_BYTES:
                raise ModelBadReply(
                    "garbled",
                    f"{self.who} sent more than {MAX_BODY_BYTES // 2**20} MB. "
                    f"Check that {self.base_url} is a model server.",
                )
            yield chunk

    def _failure(self, flight: _Flight, error: Exception | None) -> Exception:
        if flight.ended_by == "cancel":
            return ModelCancelled(f"The call to {self.who} was cancelled.")
        if flight.ended_by == "deadline" or (isinstance(error, TimeoutError) and flight.connected):
            return ModelUnreachable(
                f"{self.who} at {self.base_url} gave no whole answer within "
                f"{flight.timeout_s:g} s. Raise model.timeout_s or take a smaller model."
            )
        cut_off = isinstance(error, http.client.RemoteDisconnected | http.client.IncompleteRead)
        if isinstance(error, http.client.HTTPException | ValueError) and not cut_off:
            return ModelBadReply(
                "garbled",
                f"What answers at {self.base_url} does not speak HTTP as {self.who} does "
                f"({type(error).__name__}). {self.advice}",
            )
        what = "broke the connection" if flight.connected else "does not answer"
        return ModelUnreachable(f"{self.who} at {self.base_url} {what}. {self.advice}")


class _Flight:
    """One call in the air: its socket, and what ended it early (``deadline`` or ``cancel``)."""

    def __init__(self, base_url: str, timeout_s: float) -> None:
        self._parts = urlsplit(base_url)
        self._started = time.monotonic()
        self._socket: socket.socket | None = None
        self._connection: http.client.HTTPConnection | None = None
        self._timer: threading.Timer | None = None
        self.timeout_s = timeout_s
        self.connected = False
        self.ended_by = ""

    def send(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]
    ) -> http.client.HTTPResponse:
        secure = self._parts.scheme == "https"
        make = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        host, port = self._parts.hostname or "", self._parts.port
        self._connection = make(host, port, timeout=max(0.001, min(CONNECT_S, self.timeout_s)))
        self._connection.connect()
        self._socket = self._connection.sock
        self.connected = True
        left = max(0.001, self.timeout_s - (time.monotonic() - self._started))
        self._socket.settimeout(left)
        self._timer = threading.Timer(left, self.end, ("deadline",))
        self._timer.daemon = True
        self._timer.start()
        if self.ended_by:  # cancelled while connecting
            raise ConnectionAbortedError
        self._connection.request(
            method, self._parts.path + path, content, {**headers, "Connection": "close"}
        )
        return self._connection.getresponse()

    def end(self, why: str) -> None:
        self.ended_by = self.ended_by or why
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # the plain shutdown, also under TLS: SSLSocket's own would drop the object that
                # the reading thread is using
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None  # it refers back to this call, and would keep it in memory
        if self._connection is not None:
            self._connection.close()
        if self._socket is not None:  # with "Connection: close" the response owns it
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
            self._socket.close()


def split_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines without their ends, however the bytes were cut; the last may lack its newline.

    Splitting happens on bytes, so that a cut inside a UTF-8 character is healed before decoding.
    Raises: ModelBadReply for a line over 8 MB.
    """
    pending = bytearray()
    for chunk in chunks:
        pending += chunk
        if b"\n" in chunk:
            *whole, rest = pending.split(b"\n")
            pending = rest
            for line in whole:
                yield bytes(line).removesuffix(b"\r")
        if len(pending) > MAX_LINE_BYTES:
            raise ModelBadReply(
                "garbled", "The model server sent an endless line. Check its address."
            )
    if pending:
        yield bytes(pending).removesuffix(b"\r")


def sse_data(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The ``data`` of each server-sent event, up to ``[DONE]``; comments and other fields pass by.

    An event the connection cut off (no blank line after it) is still yielded.
    """
    held: list[bytes] = []
    for line in lines:
        if line.startswith(b"data:"):
            held.append(line[5:].removeprefix(b" "))
        elif not line and held:
            data = b"\n".join(held)
            held = []
            if data.strip() == b"[DONE]":
                return
            yield data
    if held and held != [b"[DONE]"]:
        yield b"\n".join(held)


def _record(who: str, line: bytes) -> dict[str, Any]:
    value = _parse(who, line)
    if not isinstance(value, dict):
        raise ModelBadReply("garbled", f"{who} sent a line that is not a JSON object.")
    return value


def _parse(who: str, data: bytes) -> Any:
    try:
        return json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ModelBadReply(
            "garbled",
            f"{who} sent something that is not JSON: {data[:60]!r}. Check its address and version.",
        ) from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _error_text(response: http.client.HTTPResponse, chunks: Iterator[bytes]) -> str:
    """The server's own words: Ollama's ``{"error": text}``, OpenAI's ``{"error": {"message"}}``,
    FastAPI's ``{"detail"}``, or the body's beginning."""
    data = b""
    for chunk in chunks:
        data += chunk
        if len(data) > 65_536:
            break
    try:
        body = json.loads(data)
        error = body.get("error", body.get("detail", ""))
        text = error.get("message", "") if isinstance(error, dict) else str(error)
    except (ValueError, AttributeError, RecursionError):
        text = data[:300].decode("utf-8", "replace")
    return shortened(text) or response.reason or "no reason given"
