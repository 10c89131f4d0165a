"""The door: host names, body size, rate by address, request ids, and the last net under errors.

Plain ASGI, outside FastAPI, so that it holds for every path, known or not.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import sqlite3
import time
from typing import TypeVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.errors import BuzzError
from engine.service.api.context import Api
from engine.service.api.problems import Problem, render, stamps

T = TypeVar("T")

BODY_CAP = 64 * 1024
BODY_WITHIN_S = 10.0
OPEN = ("/api/v1/health", "/api/v1/health/live", "/api/v1/health/ready")
"""Answered without a token and not counted: a watchdog must be heard when nothing else is."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, api: Api) -> None:
        self._app, self._api = app, api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        request_id = given if _REQUEST_ID.match(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        status, complete = 0, False

        async def answer(message: Message) -> None:
            nonlocal status, complete
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *stamps(request_id)]
            await send(message)
            complete = message["type"] == "http.response.body" and not message.get("more_body")

        try:
            body = await self._admit(scope, headers, receive)
            await self._app(scope, _replay(body, receive), answer)
        except Problem as problem:
            response = render(problem.status, problem.detail, request_id, headers=problem.headers)
            await response(scope, receive, answer)
        except Exception:
            # answered and logged inside (problems.of_ours); an answer that broke off is not, and
            # only closing the connection tells the truth
            if not complete:
                raise
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            self._api.metrics.saw(scope["method"], route, status, time.perf_counter() - started)

    async def _admit(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        """The body. Raises: Problem."""
        host = _host(headers.get(b"host", b"").decode("latin-1"))
        if host not in self._api.hosts and host not in self._allowed():
            raise Problem(421, "This API does not answer to that host name (api.allowed_hosts).")
        if scope["path"] not in OPEN:
            address = (scope.get("client") or ("unknown", 0))[0]
            await self._api.limiter.take(
                f"address:{address}", self._setting("api.address_rate_per_minute", 12_000)
            )
        return await _body(headers, receive)

    def _allowed(self) -> set[str]:
        text = self._setting("api.allowed_hosts", "")
        return {_host(part.strip()) for part in text.split(",") if part.strip()}

    def _setting(self, key: str, otherwise: T) -> T:
        try:
            value: T = self._api.setting(key)
        except (BuzzError, sqlite3.Error):
            return otherwise
        return value


def _host(value: str) -> str:
    """A Host header without its port, lower case; IPv6 addresses keep their brackets."""
    name = value.lower().rstrip(".")
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0]


async def _body(headers: dict[bytes, bytes], receive: Receive) -> bytes:
    if b"content-length" not in headers and b"transfer-encoding" not in headers:
        return b""
    too_large = Problem(413, f"A request body may have {BODY_CAP // 1024} kB.")
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or int(length[:12]) > BODY_CAP:
        raise too_large
    body = b""
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            more = True
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    raise Problem(400, "The connection closed before the request was complete.")
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > BODY_CAP:
                    raise too_large
    except TimeoutError:
        detail = f"The body did not arrive within {BODY_WITHIN_S:g} s."
        raise Problem(408, detail, {"Connection": "close"}) from None
    return body


def _replay(body: bytes, receive: Receive) -> Receive:
    """``receive`` for an application whose body is here already."""
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
