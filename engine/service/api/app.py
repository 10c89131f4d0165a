"""The application: routes, problems and the guard around them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from engine import __version__
from engine.service.api import problems
from engine.service.api.context import Api
from engine.service.api.guard import Guard
from engine.service.api.routes import generate, generations, models, service, templates

ROUTERS = tuple(module.router for module in (service, templates, generations, models, generate))
"""Matched in this order: what is asked for most often comes first."""


def build(api: Api) -> ASGIApp:
    """The API as an ASGI application."""
    return Guard(routes(api), api)


def routes(api: Api) -> FastAPI:
    """The FastAPI part alone; its ``openapi()`` is the contract."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        yield
        api.reads.close()

    app = FastAPI(
        title="BTCBuzzBot",
        version=__version__,
        description="Writes, checks and queues Bitcoin posts. See docs/api.md.",
        docs_url="/docs",
        redoc_url=None,
        openapi_url="/openapi.json",
        lifespan=life,
        separate_input_output_schemas=False,
    )
    app.state.api = api
    problems.install(app)
    for router in ROUTERS:
        # not include_router: it would match each request against routers within routers
        app.router.routes += router.routes
    app.openapi = lambda: _contract(app)  # type: ignore[method-assign]
    return app


def _contract(app: FastAPI) -> dict[str, Any]:
    """FastAPI's document with the one problem shape and what the guard may answer anywhere."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        schemas = document["components"]["schemas"]
        reference = "#/components/schemas/{model}"
        for shape in (problems.ProblemBody,):
            described = shape.model_json_schema(ref_template=reference)
            schemas |= described.pop("$defs", {})
            schemas[shape.__name__] = described
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        anywhere = problems.documented(405, 408, 413, 415, 421, 500)
        for operations in document["paths"].values():
            for operation in operations.values():
                operation["responses"] |= {str(status): said for status, said in anywhere.items()}
                for answer in operation["responses"].values():
                    answer.setdefault("headers", {})["X-Request-ID"] = problems.REQUEST_ID
        app.openapi_schema = document
    return app.openapi_schema
