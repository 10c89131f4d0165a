"""Who calls: bearer tokens and their scopes, looked at before anything that was sent."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from engine.service.api.context import api_of
from engine.service.api.problems import Problem
from engine.service.tokens import Caller, caller_of
from engine.store import tokens


class Needs(HTTPBearer):
    """A dependency of a :class:`Route`: the caller, whose token is live and has the scope."""

    def __init__(self, scope: str) -> None:
        super().__init__(
            auto_error=False,
            scheme_name="HTTPBearer",
            description="A token of `runner.py token create --scopes all`.",
        )
        self.scope = scope

    async def __call__(self, request: Request) -> Caller:  # type: ignore[override]
        caller: Caller = request.state.caller
        return caller

    async def admit(self, request: Request) -> None:
        """Raises: Problem 401 without a good token, 403 without the scope, 429 over the rate."""
        given = await super().__call__(request)
        api = api_of(request)
        text = given.credentials if given else ""
        now = api.clock.now()
        caller, reason = caller_of(
            text,
            lambda token_id: api.reads.get(
                ("token", token_id), lambda db: tokens.get(db, token_id)
            ),
            now,
        )
        if caller is None:
            detail = reason if given else "Send a token: `Authorization: Bearer …`."
            raise Problem(401, detail, {"WWW-Authenticate": "Bearer"})
        await api.limiter.take(
            f"token:{caller.token_id}",
            api.setting("api.rate_per_minute"),
            lambda db: tokens.touch(db, caller.token_id, now=now),
        )
        if self.scope not in caller.scopes:
            raise Problem(403, f"This needs the scope {self.scope}, which the token lacks.")
        request.state.caller = caller


class Route(APIRoute):
    """A route that admits its caller first: FastAPI would read the body before any dependency."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        needs = [
            inner.call for inner in self.dependant.dependencies if isinstance(inner.call, Needs)
        ]

        async def admitted(request: Request) -> Response:
            for need in needs:
                await need.admit(request)
            if self.body_field and not _is_json(request) and await request.body():
                raise Problem(415, "Send the body as `Content-Type: application/json`.")
            return await handle(request)

        return admitted


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" and "content-encoding" not in request.headers
