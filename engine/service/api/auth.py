"""Who calls: bearer tokens and their scopes."""

from __future__ import annotations

from fastapi import Request
from fastapi.security import HTTPBearer

from engine.service.api.context import api_of
from engine.service.api.problems import Problem
from engine.service.tokens import Caller, caller_of
from engine.store import tokens


class Needs(HTTPBearer):
    """A dependency: the caller, if the token is live and has the scope.

    Raises: Problem 401 without a good token, 403 without the scope, 429 over the rate.
    """

    def __init__(self, scope: str) -> None:
        super().__init__(
            auto_error=False,
            scheme_name="HTTPBearer",
            description="A token of `runner.py token create --scopes all`.",
        )
        self.scope = scope

    async def __call__(self, request: Request) -> Caller:  # type: ignore[override]
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
        return caller
