"""Uvicorn in a thread of the runner: where it listens, who it listens to, how it ends."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import uvicorn

from engine.clock import Clock
from engine.config import Config, is_loopback
from engine.errors import UsageError
from engine.log import event
from engine.records import Facts
from engine.service.api.app import build
from engine.service.api.context import Api
from engine.service.api.wire import Connection
from engine.service.fill import Written
from engine.store import settings, tokens
from engine.store.database import opened

logger = logging.getLogger(__name__)

STOP_WITHIN_S = 5.0
TAKEN_WITHIN_MS = 30_000
"""A caller that takes nothing of its answer for so long is cut off by the kernel."""
ANY = ("0.0.0.0", "::", "")  # noqa: S104  named to be refused
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


class ApiServer:
    """Listens from the moment it is built; :meth:`stop` ends it."""

    def __init__(
        self,
        address: tuple[str, int],
        config: Config,
        clock: Clock,
        write: Callable[[str, Facts | None], Written],
        in_turn: Callable[[Callable[[], Any]], Future[Any]],
    ) -> None:
        """Raises: UsageError where it must not or cannot listen."""
        host, port = address
        _refuse_public(host, config, clock)
        self._socket = _listen(host, port)
        own = f"[{host}]" if ":" in host else host.lower()
        api = Api(config, clock, write, in_turn, LOOPBACK_NAMES | ({own} - set(ANY)))
        self._server = uvicorn.Server(
            uvicorn.Config(
                build(api),
                http=Connection,
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                lifespan="on",
                ws="none",
                timeout_keep_alive=15,
                timeout_graceful_shutdown=int(STOP_WITHIN_S),
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="api", daemon=True
        )
        self._thread.start()
        event(logger, logging.INFO, "api listens", host=host, port=self.port)

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def stop(self) -> None:
        """Answer what is being answered, then end."""
        self._server.should_exit = True
        self._thread.join(STOP_WITHIN_S + 2)


def _refuse_public(host: str, config: Config, clock: Clock) -> None:
    if is_loopback(host):
        return
    with opened(config.db, "ro") as db:
        allowed = settings.get(db, "api.allow_public")
        guarded = tokens.any_live(db, clock.now())
    if not allowed:
        raise UsageError(
            f"{host or 'every address'} can be reached from other machines. Listen on 127.0.0.1, "
            "or allow it with `runner.py settings set api.allow_public true` and put TLS in front."
        )
    if not guarded:
        raise UsageError(
            "the API listens to other machines only when a token exists: "
            "`runner.py token create --scopes read`."
        )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off only where the protocol is named: 40 ms a request otherwise
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux: accepted connections inherit it
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, TAKEN_WITHIN_MS)
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise UsageError(
            f"the API cannot listen on {host}:{port} ({error.strerror or error}). "
            "Choose another address with `--api HOST:PORT`."
        ) from error
    return listener
