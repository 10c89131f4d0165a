"""Templates: versions are saved here; what is in production a person decides on the console."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Security
from fastapi.responses import Response
from sqlite_utils import Database
from starlette.concurrency import run_in_threadpool

from engine.errors import TemplateError, UsageError
from engine.service.api.auth import Needs, Route
from engine.service.api.context import BASE, Api, api_of
from engine.service.api.once import KeyHeader, Once, Reply
from engine.service.api.problems import Problem, documented
from engine.service.api.shapes import (
    RowId,
    TemplateAnswer,
    TemplateList,
    TemplateRequest,
    TemplateSummary,
    VersionAnswer,
    VersionRequest,
)
from engine.service.tokens import Caller
from engine.store import templates
from engine.store.audit import audit
from engine.store.database import opened, write_tx
from engine.store.templates import Template
from engine.writing.templates import Variable, check_template

router = APIRouter(prefix=BASE, tags=["templates"], route_class=Route)
TemplateId = Annotated[RowId, Path()]
Reader = Annotated[Caller, Security(Needs("read"))]
Editor = Annotated[Caller, Security(Needs("templates"))]


@router.get(
    "/templates",
    response_model=TemplateList,
    responses=documented(400, 401, 403, 422, 429, 503),
    summary="All templates",
)
async def list_templates(
    request: Request, caller: Reader, archived: Annotated[bool, Query()] = False
) -> Response:
    """By name; archived ones only on request."""

    def read(db: Database) -> bytes:
        rows = templates.listing(db, archived=archived)
        answer = TemplateList(templates=[TemplateSummary(**_summary(db, row)) for row in rows])
        return answer.model_dump_json().encode()

    content = api_of(request).reads.get(("templates", archived), read)
    return Response(content, media_type="application/json")


@router.post(
    "/templates",
    response_model=TemplateAnswer,
    status_code=201,
    responses=documented(400, 401, 403, 409, 422, 429, 503),
    summary="A new template",
)
async def create_template(
    request: Request, wish: TemplateRequest, caller: Editor, key: KeyHeader = None
) -> Response:
    """Version 1, not in production."""
    api = api_of(request)

    def work() -> Reply:
        variables = _checked(wish)
        now = api.clock.now()
        with opened(api.db_path) as db:
            with write_tx(db):
                if templates.by_name(db, wish.name):
                    raise Problem(409, f"A template named {wish.name} exists. PUT a new version.")
                version = templates.create(
                    db, name=wish.name, purpose=wish.purpose, system=wish.system, body=wish.body,
                    variables=variables, actor=caller.actor, now=now, note=wish.note,
                )  # fmt: skip
                subject = f"template:{version.template_id}"
                audit(db, caller.actor, "created", subject, None, version.sha256, now)
            return Reply(201, _whole(db, version.template_id).model_dump_json())

    return await _once(api, caller, key, request, work)


@router.get(
    "/templates/{template_id}",
    response_model=TemplateAnswer,
    responses=documented(400, 401, 403, 404, 422, 429, 503),
    summary="One template with all its versions",
)
async def get_template(request: Request, template_id: TemplateId, caller: Reader) -> Response:
    """Newest version first."""
    answer = api_of(request).reads.get(
        ("template", template_id), lambda db: _whole(db, template_id).model_dump_json()
    )
    return Response(answer, media_type="application/json")


@router.put(
    "/templates/{template_id}",
    response_model=TemplateAnswer,
    responses=documented(400, 401, 403, 404, 409, 422, 429, 503),
    summary="Save a new version",
)
async def save_version(
    request: Request,
    template_id: TemplateId,
    wish: VersionRequest,
    caller: Editor,
    key: KeyHeader = None,
) -> Response:
    """A version never changes; equal content answers the version that is there. Production stays
    as it is until a person promotes the new version."""
    api = api_of(request)

    def work() -> Reply:
        variables = _checked(wish)
        now = api.clock.now()
        with opened(api.db_path) as db:
            with write_tx(db):
                if _need(db, template_id).archived_at:
                    raise Problem(409, f"Template {template_id} is archived.")
                version = templates.add_version(
                    db, template_id, system=wish.system, body=wish.body, variables=variables,
                    actor=caller.actor, now=now, note=wish.note,
                )  # fmt: skip
                subject = f"template:{template_id}"
                audit(db, caller.actor, "saved a version", subject, None, version.sha256, now)
            return Reply(200, _whole(db, template_id).model_dump_json())

    return await _once(api, caller, key, request, work)


@router.delete(
    "/templates/{template_id}",
    status_code=204,
    response_model=None,
    responses=documented(400, 401, 403, 404, 409, 422, 429, 503),
    summary="Archive a template",
)
async def archive_template(
    request: Request, template_id: TemplateId, caller: Editor, key: KeyHeader = None
) -> Response:
    """Its versions and history stay. One that is in production answers 409."""
    api = api_of(request)

    def work() -> Reply:
        now = api.clock.now()
        with opened(api.db_path) as db, write_tx(db):
            _need(db, template_id)
            try:
                templates.archive(db, template_id, now=now)
            except UsageError as error:
                raise Problem(409, str(error)) from error
            audit(db, caller.actor, "archived", f"template:{template_id}", None, None, now)
        return Reply(204, "")

    return await _once(api, caller, key, request, work)


async def _once(api: Api, caller: Caller, key: str | None, request: Request, work: Any) -> Response:
    once = await Once.of(api, caller, key, request)
    return await run_in_threadpool(once.do, work)


def _checked(wish: VersionRequest) -> list[dict[str, Any]]:
    """The variables as they are stored. Raises: Problem 409 where fields and variables differ."""
    variables = [row.model_dump() for row in wish.variables]
    try:
        check_template(wish.system, wish.body, tuple(Variable.from_dict(row) for row in variables))
    except TemplateError as error:
        # 409 and not 422: each part is well formed, together they cannot stand
        raise Problem(409, str(error)) from error
    return variables


def _need(db: Database, template_id: int) -> Template:
    template = templates.get(db, template_id)
    if template is None:
        raise Problem(404, f"There is no template {template_id}.")
    return template


def _summary(db: Database, template: Template) -> dict[str, Any]:
    in_force = templates.labelled(db, template.id)
    return {
        **dataclasses.asdict(template),
        "production_version": in_force.number if in_force else None,
        "newest_version": templates.versions(db, template.id)[0].number,
    }


def _whole(db: Database, template_id: int) -> TemplateAnswer:
    template = _need(db, template_id)
    versions = [
        VersionAnswer(
            id=row.id, number=row.number, system=row.system, body=row.body,
            variables=list(row.variables), note=row.note, sha256=row.sha256,
            created_at=row.created_at, created_by=row.created_by,
        )
        for row in templates.versions(db, template_id)
    ]  # fmt: skip
    return TemplateAnswer(**_summary(db, template), versions=versions)
