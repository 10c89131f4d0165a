"""Writes that happen once: the Idempotency-Key of a request, and its kept answer.

An answer counts as given when it is stored. A request that was cut off by the end of its runner
may or may not have been done; its key is refused from then on rather than done again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Header, Request
from fastapi.responses import Response

from engine.service.api.context import Api
from engine.service.api.problems import MEDIA_TYPE, Problem
from engine.service.tokens import Caller
from engine.store import idempotency
from engine.store.database import opened

KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[A-Za-z0-9._:-]{1,128}$",
        description="Repeat a request with the same key and body within 24 hours and get the "
        "first one's answer.",
    ),
]


@dataclass(frozen=True)
class Reply:
    """What a write answers; ``body`` is JSON text."""

    status: int
    body: str

    def response(self, *, again: bool = False) -> Response:
        headers = {"Idempotency-Replayed": "true"} if again else {}
        media_type = MEDIA_TYPE if self.status >= 400 else "application/json"
        content = None if self.status == 204 else self.body
        return Response(content, self.status, headers, media_type=media_type)


@dataclass(frozen=True)
class Once:
    """One write of one caller; without a key everything goes through."""

    api: Api
    token_id: str
    key: str | None
    fingerprint: str

    @classmethod
    async def of(cls, api: Api, caller: Caller, key: str | None, request: Request) -> Once:
        content = b"\n".join(
            (request.method.encode(), request.url.path.encode(), await request.body())
        )
        return cls(api, caller.token_id, key, hashlib.sha256(content).hexdigest())

    def begin(self) -> Reply | None:
        """The kept answer, or None: then do the work and :meth:`finish`, or :meth:`release`.

        Raises: Problem 409 when the key is not free.
        """
        if self.key is None:
            return None
        with opened(self.api.db_path) as db:
            kept = idempotency.begin(
                db, self.token_id, self.key, fingerprint=self.fingerprint,
                run=self.api.run, now=self.api.clock.now(),
            )  # fmt: skip
        if kept is None:
            return None
        if kept.fingerprint != self.fingerprint:
            raise Problem(409, "This Idempotency-Key was used for another request. Take a new one.")
        if kept.state == "done":
            return Reply(kept.status or 500, kept.body or "")
        if kept.run == self.api.run:
            raise Problem(
                409, "The first request with this key is still at work.", {"Retry-After": "5"}
            )
        raise Problem(
            409,
            "The first request with this key was cut off when the service ended. Look at what is "
            "there now; to do it again take a new key.",
        )

    def finish(self, reply: Reply) -> None:
        if self.key is not None:
            with opened(self.api.db_path) as db:
                idempotency.finish(
                    db, self.token_id, self.key, status=reply.status, body=reply.body
                )

    def release(self) -> None:
        """Nothing was done."""
        if self.key is not None:
            with opened(self.api.db_path) as db:
                idempotency.release(db, self.token_id, self.key)

    def do(self, work: Callable[[], Reply]) -> Response:
        """The whole way for work that either happens or raises."""
        kept = self.begin()
        if kept is not None:
            return kept.response(again=True)
        try:
            reply = work()
        except BaseException:
            self.release()
            raise
        self.finish(reply)
        return reply.response()


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
