"""The requests session of one single call: fresh connection, one host, one deadline.

Kept apart from :mod:`engine.posting.x_client` because it needs requests at import.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from engine.posting.x_client import TWEEPY_HOST, Reply


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
        if self._overdue is not None:
            self._overdue.cancel()
        super().close()


class _Adapter(HTTPAdapter):
    """No retries (requests' default), one connection, closed after use."""

    def __init__(self, session: OneCall) -> None:
        self._session = session
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        session = self._session

        class Plain(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                session.opened(self.sock)

        class Secure(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                session.opened(self.sock)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        request.headers["Connection"] = "close"
        self._session.guard()
        return super().send(request, *args, **kwargs)
