"""Errors as problem details (RFC 9457): one shape, one sentence, a request id, never a trace."""

from __future__ import annotations

import json
import logging
import sqlite3
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from engine.errors import (
    BuzzError,
    PermissionDenied,
    QueueConflict,
    StoreError,
    TemplateError,
    UsageError,
)
from engine.log import event

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_STAMPS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
)
_ALWAYS: dict[int, dict[str, str]] = {
    401: {"WWW-Authenticate": "Bearer"},
    405: {"Allow": "the methods of this path"},
    429: {"Retry-After": "seconds"},
}
"""Headers that a problem of this status never lacks, and what they hold."""


class FieldProblem(BaseModel):
    """What is wrong with one part of a request."""

    where: str
    message: str


class ProblemBody(BaseModel):
    """The body of every answer from 400 upwards."""

    type: str = Field(examples=["about:blank"])
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[FieldProblem] = []


class Problem(Exception):
    """Raised by routes; ``headers`` go out with the answer."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or {}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that may answer with these problems."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}},
            "headers": {name: _header(text) for name, text in _ALWAYS.get(status, {}).items()},
        }
        for status in statuses
    }


def _header(text: str) -> dict[str, Any]:
    return {"description": text, "required": True, "schema": {"type": "string"}}


REQUEST_ID = _header("the same as in the log, and in a problem's `request_id`")


def render(
    status: int,
    detail: str,
    request_id: str,
    *,
    errors: list[FieldProblem] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """The answer itself."""
    body = ProblemBody(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=_clean(detail),
        request_id=request_id,
        errors=errors or [],
    )
    text = json.dumps(body.model_dump(), ensure_ascii=False)
    return Response(text, status, headers, media_type=MEDIA_TYPE)


def stamps(request_id: str) -> tuple[tuple[bytes, bytes], ...]:
    """Headers of every answer, good or bad."""
    return ((b"x-request-id", request_id.encode("ascii")), *_STAMPS)


def install(app: FastAPI) -> None:
    """Every error of ``app`` becomes a problem."""

    async def of_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)  # noqa: S101  registered for it alone
        return render(error.status, error.detail, _id(request), headers=error.headers)

    async def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  registered for it alone
        headers = dict(error.headers or {})
        if error.status_code == 405:
            # the router names the methods of the first route that has the path, not of all
            headers["Allow"] = ", ".join(_methods(app, request.url.path)) or headers["Allow"]
        return render(error.status_code, str(error.detail), _id(request), headers=headers)

    async def of_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101  registered for it alone
        # what was sent is not repeated: it may be large, hostile or secret
        errors = [
            FieldProblem(
                where=_clean(".".join(str(part) for part in item["loc"])),
                message=_clean(str(item["msg"])),
            )
            for item in error.errors()[:20]
        ]
        detail = f"{errors[0].where}: {errors[0].message}." if errors else "The request is wrong."
        return render(422, detail, _id(request), errors=errors)

    async def of_engine(request: Request, error: Exception) -> Response:
        return render(_status_of(error), str(error), _id(request))

    async def of_database(request: Request, error: Exception) -> Response:
        event(logger, logging.ERROR, "database failed a request", error=str(error))
        detail = "The database does not answer now. Run `runner.py doctor` on the machine."
        return render(503, detail, _id(request), headers={"Retry-After": "5"})

    async def of_ours(request: Request, error: Exception) -> Response:
        event(
            logger, logging.ERROR, "request failed", request_id=_id(request),
            error=f"{type(error).__name__}: {error}",
        )  # fmt: skip
        logger.debug("trace of %s", _id(request), exc_info=error)
        detail = "Something went wrong here; the log has it under this request id."
        return render(500, detail, _id(request))

    app.add_exception_handler(Exception, of_ours)
    app.add_exception_handler(Problem, of_problem)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, of_validation)
    app.add_exception_handler(StoreError, of_database)
    app.add_exception_handler(sqlite3.Error, of_database)
    app.add_exception_handler(BuzzError, of_engine)


def _methods(app: FastAPI, path: str) -> list[str]:
    """Methods that the contract has for ``path``."""
    found: set[str] = set()
    for template, operations in app.openapi()["paths"].items():
        if compile_path(template)[0].match(path):
            found |= {method.upper() for method in operations}
    return sorted(found)


def _status_of(error: Exception) -> int:
    if isinstance(error, UsageError | TemplateError):
        return 422
    if isinstance(error, PermissionDenied):
        return 403
    return 409 if isinstance(error, QueueConflict) else 503


def _id(request: Request) -> str:
    return str(request.scope.get("state", {}).get("request_id", ""))


def _clean(text: str) -> str:
    """Printable, encodable, of bounded length."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(char if char.isprintable() else " " for char in text)[:500]
