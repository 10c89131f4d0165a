"""How the service is: health for watchdogs, status for people, metrics for Prometheus."""

from __future__ import annotations

import sqlite3
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Security
from fastapi.responses import Response
from sqlite_utils import Database

from engine import __version__
from engine.errors import BuzzError
from engine.llm.current import in_force
from engine.posting import killswitch
from engine.service import health, heartbeat
from engine.service.api.auth import Needs, Route
from engine.service.api.context import BASE, Api, api_of
from engine.service.api.problems import documented
from engine.service.api.shapes import HealthAnswer, StatusAnswer
from engine.service.tokens import Caller
from engine.store import settings

router = APIRouter(prefix=BASE, tags=["service"], route_class=Route)

_HEALTH: dict[int | str, dict[str, Any]] = {
    **documented(400, 422),
    503: {"description": "Not ready", "model": HealthAnswer},
}
_ALIVE = HealthAnswer(status="ok", checks={"api": "ok"}).model_dump_json().encode()


@router.get(
    "/health", response_model=HealthAnswer, responses=_HEALTH, summary="Alive, or ready for work"
)
async def get_health(
    request: Request, probe: Annotated[Literal["live", "ready"], Query()] = "ready"
) -> Response:
    """Needs no token. `live`: the API answers; `ready`: the database can be read and the runner's
    pulse is fresh."""
    return _live() if probe == "live" else _ready(api_of(request))


@router.get("/health/live", response_model=HealthAnswer, responses=documented(400), summary="Alive")
async def get_live() -> Response:
    """Needs no token."""
    return _live()


@router.get("/health/ready", response_model=HealthAnswer, responses=_HEALTH, summary="Ready")
async def get_ready(request: Request) -> Response:
    """Needs no token."""
    return _ready(api_of(request))


@router.get(
    "/status",
    response_model=StatusAnswer,
    responses=documented(400, 401, 403, 422, 429, 503),
    summary="What the runner does",
)
async def get_status(
    request: Request, caller: Annotated[Caller, Security(Needs("read"))]
) -> Response:
    """The same as `runner.py status`."""
    api = api_of(request)

    def read(db: Database) -> StatusAnswer:
        now = health.status(db, api.clock, kill_switch=killswitch.is_on(db, api.db_path))
        return StatusAnswer(
            **now.to_dict(),
            model=in_force(db, api.config),
            publisher=api.config.publisher,
            version=__version__,
        )

    content = api.reads.recent("status", lambda db: read(db).model_dump_json())
    return Response(content, media_type="application/json")


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Figures"},
        **documented(400, 401, 403, 422, 429, 503),
    },
    summary="Figures for Prometheus",
)
async def get_metrics(
    request: Request, caller: Annotated[Caller, Security(Needs("metrics"))]
) -> Response:
    """Text exposition format 0.0.4."""
    api = api_of(request)
    content = api.reads.recent("metrics", lambda db: api.metrics.text(db, api.db_path))
    return Response(content, media_type="text/plain; version=0.0.4; charset=utf-8")


def _live() -> Response:
    return Response(_ALIVE, media_type="application/json")


def _ready(api: Api) -> Response:
    checks = {"api": "ok", "database": "ok", "runner": "ok"}
    try:
        stale = api.reads.get("stale", lambda db: settings.get(db, "service.heartbeat_stale_s"))
        age = api.reads.recent("age", lambda db: heartbeat.age_s(db, api.clock))
        if age is None or age > stale:
            checks["runner"] = "no pulse" if age is None else f"last pulse {age:.0f} s ago"
    except (BuzzError, sqlite3.Error):
        checks["database"] = "cannot be read"
        checks["runner"] = "unknown"
    good = all(value == "ok" for value in checks.values())
    answer = HealthAnswer(status="ok" if good else "failing", checks=checks)
    return Response(answer.model_dump_json(), 200 if good else 503, media_type="application/json")
