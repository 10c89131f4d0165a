"""The requests session of one single call: fresh connection, one host, one deadline.

Kept apart from :mod:`engine.posting.x_client` because it needs requests at import.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from engine.posting.x_client import TWEEPY_HOST, Reply

Opened = Callable[[socket.socket], None]


class OneCall(requests.Session):
    """A session that makes one request and remembers how far it came.

    ``connected`` is false until TCP (and TLS) stand: until then nothing has left. ``reply`` holds
    a reply that was read to its end. ``guard_error`` is what ``before_send`` raised.
    """

    def __init__(
        self,
        url: str,
        timeout: tuple[float, float],
        before_send: Callable[[], None] | None,
    ) -> None:
        super().__init__()
        self.trust_env = False  # no proxies, no .netrc
        self.connected = False
        self.reply: Reply | None = None
        self.guard_error: Exception | None = None
        self._url, self._timeout, self._before_send = url, timeout, before_send
        self._overdue: threading.Timer | None = None
        for prefix in list(self.adapters):
            self.adapters.pop(prefix)
        self.mount(url, _Adapter(self))

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        # before signing: an OAuth 1.0a signature covers the address
        parts = urlsplit(str(url))
        if f"{parts.scheme}://{parts.netloc}" != TWEEPY_HOST:
            raise requests.exceptions.InvalidURL(f"not a call of the API: {parts.path}")
        kwargs.update(timeout=self._timeout, allow_redirects=False)
        response = super().request(method, f"{self._url}{parts.path}", *args, **kwargs)
        headers = {name.lower(): value for name, value in response.headers.items()}
        self.reply = Reply(response.status_code, headers, response.content)
        return response

    def guard(self) -> None:
        """The last thing before a connection is opened."""
        if self._before_send is not None:
            try:
                self._before_send()
            except Exception as error:
                self.guard_error = error
                raise

    def opened(self, sock: socket.socket) -> None:
        """TCP (and TLS) stand; from now on the whole call has its time, even if bytes drip in."""

        def cut() -> None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

        self.connected = True
        self._overdue = threading.Timer(self._timeout[1], cut)
        self._overdue.daemon = True
        self._overdue.start()

    def close(self) -> None:
        """Also lets go of what refers back to it: each call has a TLS context of its own, and a
        cycle would keep it in memory until the collector comes by."""
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None
        super().close()
        self.adapters.clear()


class _Adapter(HTTPAdapter):
    """No retries (requests' default), one connection, closed after use."""

    def __init__(self, session: OneCall) -> None:
        self._session = session
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(_pool, HTTPConnectionPool, _Plain, self._session.opened),
            "https": partial(_pool, HTTPSConnectionPool, _Secure, self._session.opened),
        }

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        request.headers["Connection"] = "close"
        self._session.guard()
        return super().send(request, *args, **kwargs)


class _Plain(HTTPConnection):
    def __init__(self, opened: Opened, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._opened = opened

    def connect(self) -> None:
        super().connect()
        self._opened(self.sock)


class _Secure(_Plain, HTTPSConnection):
    """The same over TLS: what stands then is the wrapped socket."""


def _pool(kind: Any, connection: Any, opened: Opened, *args: Any, **kwargs: Any) -> Any:
    """A pool whose connections tell ``opened`` of their socket once it stands."""
    pool = kind(*args, **kwargs)
    pool.ConnectionCls = partial(connection, opened)
    return pool
