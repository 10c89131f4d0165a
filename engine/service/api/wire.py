"""One connection: HTTP/1.1 as Uvicorn speaks it, with an end to waiting, and problem documents
where the application is not asked.

Uvicorn itself waits without end for a request that was begun, and answers what is no HTTP in plain
text.
"""

from __future__ import annotations

import asyncio
import secrets
from http import HTTPStatus

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from engine.service.api.problems import render, stamps

MOST_CONNECTIONS = 200
WITHIN_S = 10.0
"""For a whole head, and for the rest of a body that was answered already."""


class Connection(H11Protocol):
    """Given to Uvicorn as its ``http`` protocol."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            self._turn_away(503, "Too many connections. Close some, or try again later.")
        else:
            self._expect()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._expect_nothing()

    def send_400_response(self, msg: str) -> None:
        self._turn_away(400, msg)

    def _expect(self) -> None:
        """Start the clock when the other side owes something, stop it when it no longer does."""
        theirs = self.conn.their_state
        owes = theirs is h11.IDLE or (theirs is h11.SEND_BODY and self.conn.our_state is h11.DONE)
        if not owes:
            self._expect_nothing()
        elif self._deadline is None and not self.transport.is_closing():
            self._deadline = self.loop.call_later(WITHIN_S, self.transport.close)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _turn_away(self, status: int, detail: str) -> None:
        request_id = secrets.token_hex(8)
        answer = render(status, detail, request_id, headers={"Connection": "close"})
        for event in (
            h11.Response(
                status_code=status,
                headers=[*answer.raw_headers, *stamps(request_id)],
                reason=HTTPStatus(status).phrase.encode("ascii"),
            ),
            h11.Data(data=bytes(answer.body)),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
