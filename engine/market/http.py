"""One way to fetch from a data source, on the source's own terms and never past ours.

Facts: reliability-and-security §5.6 (no redirects, size and time caps, no private addresses),
market-and-content §5 (status and content type first: an error page may come as HTML).
"""

from __future__ import annotations

import ipaddress
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager

from engine.clock import Clock
from engine.config import is_loopback
from engine.errors import SourceError

USER_AGENT = "BTCBuzzBot/0.1"
MAX_BYTES = 1_000_000
JSON_TYPES = ("application/json",)

# without Retry-After: one minute, doubling; bans of days are looked at again every six hours
_FIRST_PAUSE_S = 60.0
_LONGEST_PAUSE_S = 21_600.0
_ASKS_FOR_QUIET = (418, 429, 503)


@dataclass(frozen=True)
class Reply:
    """A good answer. ``age_s``: for how many seconds a cache on the way held it."""

    body: bytes
    age_s: float = 0.0


@dataclass(frozen=True)
class _Pause:
    until: float  # boot time, seconds
    length_s: float


class Fetcher:
    """GET with every cap in place; remembers which source asked to be left alone.

    ``connect_s`` and ``read_s`` bound single waits, ``total_s`` the reading of the whole body.
    Safe to share between threads.
    """

    def __init__(
        self, clock: Clock, *, connect_s: float = 3.0, read_s: float = 5.0, total_s: float = 8.0
    ) -> None:
        self._clock = clock
        self._timeout = (connect_s, read_s)
        self._total_s = total_s
        self._pauses: dict[str, _Pause] = {}
        self._under_way: set[str] = set()
        self._lock = threading.Lock()

    def get(
        self,
        source: str,
        url: str,
        *,
        params: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        accept: tuple[str, ...] = JSON_TYPES,
    ) -> Reply:
        """The body of a 200 answer whose content type is one of ``accept``.

        Raises: SourceError with a plain reason; while a source's pause runs, at once and without
        traffic.
        """
        with self._alone(source, url):
            self._respect_pause(source)
            return self._exchange(source, url, params, headers, accept)

    def get_json(
        self,
        source: str,
        url: str,
        *,
        params: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[Any, float]:
        """The JSON value and its age in seconds. Raises: SourceError."""
        reply = self.get(source, url, params=params, headers=headers)
        try:
            return json.loads(reply.body, parse_constant=_refuse_constant), reply.age_s
        except (ValueError, RecursionError):
            raise SourceError(source, "its answer is not JSON") from None

    @contextmanager
    def _alone(self, source: str, url: str) -> Iterator[None]:
        """One call to an address at a time: whoever gave up on a silent one must not pile up more."""
        with self._lock:
            if url in self._under_way:
                raise SourceError(source, "its last answer is still being waited for")
            self._under_way.add(url)
        try:
            yield
        finally:
            with self._lock:
                self._under_way.discard(url)

    def _exchange(
        self,
        source: str,
        url: str,
        params: dict[str, str] | None,
        headers: dict[str, str] | None,
        accept: tuple[str, ...],
    ) -> Reply:
        # real waiting on a real socket: not a matter for the injected clock
        deadline = time.monotonic() + self._total_s
        try:
            with (
                _session() as session,
                session.get(
                    url,
                    params=params,
                    headers={
                        "User-Agent": USER_AGENT,
                        "Accept": ", ".join(accept),
                        **(headers or {}),
                    },
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                self._check_status(source, response)
                _check_type(source, response, accept)
                return Reply(_read_capped(source, response, deadline), _age(response))
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            raise SourceError(source, "no answer in time") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise SourceError(source, _plain(error)) from error

    def _respect_pause(self, source: str) -> None:
        with self._lock:
            pause = self._pauses.get(source)
        if pause and (left := pause.until - self._clock.boottime()) > 0:
            raise SourceError(source, f"asked to be left alone for {left:.0f} s more")

    def _check_status(self, source: str, response: requests.Response) -> None:
        status = response.status_code
        if status in _ASKS_FOR_QUIET:
            length = self._pause(source, response.headers.get("Retry-After"))
            raise SourceError(source, f"HTTP {status}, will be left alone for {length:.0f} s")
        with self._lock:
            self._pauses.pop(source, None)
        if 300 <= status < 400:
            raise SourceError(source, f"HTTP {status} points elsewhere, which is not followed")
        if status != 200:
            raise SourceError(source, f"HTTP {status}")

    def _pause(self, source: str, retry_after: str | None) -> float:
        with self._lock:
            before = self._pauses.get(source)
            length = _seconds(retry_after, self._clock.now())
            if length is None:
                length = before.length_s * 2 if before else _FIRST_PAUSE_S
            length = min(max(length, 1.0), _LONGEST_PAUSE_S)
            self._pauses[source] = _Pause(self._clock.boottime() + length, length)
        return length


def _seconds(retry_after: str | None, now: datetime) -> float | None:
    """Retry-After comes as whole seconds or as an HTTP date."""
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after.strip()[:9])
    try:
        return (parsedate_to_datetime(retry_after) - now).total_seconds()
    except (ValueError, TypeError):
        return None


def _check_type(source: str, response: requests.Response, accept: tuple[str, ...]) -> None:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in accept:
        raise SourceError(source, f"it answered {kind or 'no content type'}, not {accept[0]}")


def _read_capped(source: str, response: requests.Response, deadline: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    # read1: one read of the socket at a time, so that a trickle cannot outlive the deadline
    while part := response.raw.read1(65_536, decode_content=True):
        size += len(part)
        if size > MAX_BYTES:
            raise SourceError(source, "its answer is larger than 1 MB")
        if time.monotonic() > deadline:
            raise SourceError(source, "no answer in time")
        parts.append(part)
    return b"".join(parts)


def _age(response: requests.Response) -> float:
    age = response.headers.get("Age", "").strip()
    return float(age[:9]) if age.isdecimal() else 0.0


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _plain(error: Exception) -> str:
    text = str(error)
    if isinstance(error, _WrongPeer) or "private address" in text:
        return "its name leads to a private address, which is not fetched"
    if "resolve" in text or "Name or service" in text:
        return "its name cannot be resolved"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not accepted"
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.MissingSchema):
        return "its address is not an http address"
    if isinstance(error, requests.ConnectionError):
        return "it cannot be reached"
    return "its answer broke off"


class _WrongPeer(urllib3.exceptions.HTTPError):
    """The name led to an address of the inner network."""


def _checked(sock: socket.socket, host: str) -> socket.socket:
    """The socket, if the address it really reached is one the host may stand for.

    Checked after connecting and before sending, so that a second look-up cannot change it.
    """
    peer = ipaddress.ip_address(sock.getpeername()[0].partition("%")[0])
    if peer.is_loopback if is_loopback(host.strip("[]")) else peer.is_global:
        return sock
    sock.close()
    raise _WrongPeer("private address")


class _PlainConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn(), self.host)


class _TlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn(), self.host)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        self.poolmanager = PoolManager(num_pools=1, maxsize=1)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}


def _session() -> requests.Session:
    session = requests.Session()
    # neither proxies nor .netrc passwords from the environment
    session.trust_env = False
    session.mount("http://", _Adapter())
    session.mount("https://", _Adapter())
    return session
