"""Models: what the server has, and which one writes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Security
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from engine.errors import BuzzError, ModelError
from engine.llm.base import ModelInfo
from engine.llm.build import build_backend
from engine.llm.current import in_force
from engine.service.api.auth import Needs, Route
from engine.service.api.context import BASE, Api, api_of
from engine.service.api.once import KeyHeader, Once, Reply
from engine.service.api.problems import Problem, documented
from engine.service.api.shapes import (
    CurrentModelAnswer,
    CurrentModelRequest,
    ModelAnswer,
    ModelList,
)
from engine.service.change import change_settings
from engine.service.tokens import Caller
from engine.store.database import opened

router = APIRouter(prefix=BASE, tags=["models"], route_class=Route)
KEY = "model.current"


@router.get(
    "/models",
    response_model=ModelList,
    responses=documented(400, 401, 403, 422, 429, 503),
    summary="Models that may write",
)
def list_models(request: Request, caller: Annotated[Caller, Security(Needs("read"))]) -> ModelList:
    """The model in force and whatever its server has beside it."""
    api = api_of(request)
    with opened(api.db_path, "ro") as db:
        current = in_force(db, api.config)
    try:
        found, message = _models(api, current), ""
    except ModelError as error:
        found, message = [], str(error)
    rows = [
        ModelAnswer(
            name=f"{info.backend}:{info.name}",
            backend=info.backend,
            digest=info.digest,
            parameter_size=info.parameter_size,
            quantization=info.quantization,
            size_bytes=info.size_bytes,
        )
        for info in found
    ]
    return ModelList(current=current, reachable=not message, message=message, models=rows)


@router.put(
    "/models/current",
    response_model=CurrentModelAnswer,
    responses=documented(400, 401, 403, 409, 422, 429, 503),
    summary="Choose the model that writes",
)
async def choose_model(
    request: Request,
    wish: CurrentModelRequest,
    caller: Annotated[Caller, Security(Needs("models"))],
    key: KeyHeader = None,
) -> Response:
    """Takes effect with the next post. The model must be there now, else 409. A new model has to
    earn trust anew before autonomy `auto` lets its posts out."""
    api = api_of(request)

    def work() -> Reply:
        _must_be_there(api, wish.name)
        with opened(api.db_path) as db:
            before = in_force(db, api.config)
            change_settings(db, {KEY: wish.name}, actor=caller.actor, now=api.clock.now())
        answer = CurrentModelAnswer(current=wish.name, previous=before)
        return Reply(200, answer.model_dump_json())

    once = await Once.of(api, caller, key, request)
    return await run_in_threadpool(once.do, work)


def _must_be_there(api: Api, name: str) -> None:
    """Raises: Problem 409."""
    try:
        names = {f"{info.backend}:{info.name}" for info in _models(api, name)}
    except BuzzError as error:
        raise Problem(409, f"{name} cannot be used now: {error}") from error
    if name not in names and f"{name}:latest" not in names:
        raise Problem(409, f"{name} is not there. GET models lists what is.")


def _models(api: Api, name: str) -> list[ModelInfo]:
    """Asked of a backend of its own: the runner's may be writing."""
    model = build_backend(api.config, name=name)
    try:
        return model.models()
    finally:
        model.close()
