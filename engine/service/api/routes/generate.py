"""``POST generate``: one post now, by the pipeline and the queue of every other post."""

from __future__ import annotations

import asyncio
import dataclasses
from concurrent.futures import Future
from typing import Annotated, Any

from fastapi import APIRouter, Request, Security
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from engine.errors import BuzzError, MarketError, TemplateError, UsageError
from engine.service.api.auth import Needs, Route
from engine.service.api.context import BASE, Api, api_of
from engine.service.api.once import KeyHeader, Once, Reply
from engine.service.api.problems import Problem, documented
from engine.service.api.shapes import (
    FindingAnswer,
    GenerateAnswer,
    GenerateMetadata,
    GenerateRequest,
)
from engine.service.fill import Written
from engine.service.tokens import Caller
from engine.store import posts, templates
from engine.store.database import opened

router = APIRouter(prefix=BASE, tags=["generate"], route_class=Route)

MOST_WAITING = 4
"""Requests that may stand in line, so that they do not keep slots from being written."""


@router.post(
    "/generate",
    response_model=GenerateAnswer,
    responses=documented(400, 401, 403, 409, 422, 429, 503, 504),
    summary="Write a post into the queue",
)
async def generate(
    request: Request,
    order: GenerateRequest,
    caller: Annotated[Caller, Security(Needs("generate"))],
    key: KeyHeader = None,
) -> Response:
    """Reads the market (or takes `context`), writes, checks and submits. Whether the post waits
    for a person is the operator's setting; nothing in a request can change it. A post written on
    a given `context` is never published to a public account."""
    api = api_of(request)
    facts = order.context.facts() if order.context else None
    once = await Once.of(api, caller, key, request)
    if api.waiting >= MOST_WAITING:
        detail = f"{MOST_WAITING} requests are waiting for the model already."
        raise Problem(429, detail, {"Retry-After": "10"})
    # counted before the first pause of this coroutine, so that a burst cannot slip past
    api.waiting += 1
    try:
        kept = await run_in_threadpool(once.begin)
        if kept is not None:
            return kept.response(again=True)
        try:
            work = api.in_turn(lambda: _write(api, once, order.content_type, facts))
        except RuntimeError as error:  # the lanes take nothing while the runner ends
            await run_in_threadpool(once.release)
            raise Problem(503, "The service is ending.", {"Retry-After": "30"}) from error
        return (await _in_time(api, once, work)).response()
    finally:
        api.waiting -= 1


async def _in_time(api: Api, once: Once, work: Future[Reply]) -> Reply:
    timeout = float(api.setting("api.generate_timeout_s"))
    try:
        return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(work)), timeout)
    except TimeoutError:
        if work.cancel():
            await run_in_threadpool(once.release)
            detail = "The model was busy with other posts all the time; nothing was written."
            raise Problem(503, detail, {"Retry-After": "30"}) from None
        detail = (
            f"Not ready after {timeout:g} s, and still being written: the draft will be in the "
            "queue. The same Idempotency-Key answers with it then."
        )
        raise Problem(504, detail, {"Retry-After": "30"}) from None


def _write(api: Api, once: Once, content_type: str, facts: Any) -> Reply:
    """On the writing lane; keeps its answer even where nobody waits for it any more."""
    try:
        answer = _answer(api, api.write(content_type, facts))
    except (
        UsageError,
        TemplateError,
        MarketError,
    ) as error:  # these facts do not carry such a post
        answer = _answer(api, Written(None, "skipped", str(error)))
    except BaseException as error:
        once.release()
        if isinstance(error, BuzzError):
            raise Problem(503, str(error), {"Retry-After": "30"}) from error
        raise
    reply = Reply(200, answer.model_dump_json())
    once.finish(reply)
    return reply


def _answer(api: Api, written: Written) -> GenerateAnswer:
    draft = written.draft
    if draft is None or draft.post_id is None:
        return GenerateAnswer(
            success=False,
            content=None,
            metadata=GenerateMetadata(
                model_used=None, generation_time=draft.seconds if draft else 0.0, template_used=None
            ),
            post_id=None,
            state=written.state,
            verdict="error",
            findings=[],
            reason=written.reason or "nothing was written",
        )
    return GenerateAnswer(
        success=draft.verdict.outcome == "pass" and written.state != "rejected",
        content=draft.text,
        metadata=GenerateMetadata(
            model_used=draft.model,
            generation_time=draft.seconds,
            template_used=_template_of(api, draft.post_id),
        ),
        post_id=draft.post_id,
        state=written.state,
        verdict=draft.verdict.outcome,
        findings=[FindingAnswer(**dataclasses.asdict(item)) for item in draft.verdict.findings],
        reason=written.reason,
    )


def _template_of(api: Api, post_id: int) -> str | None:
    """``name v3``; None for a backup post, which no prompt made."""
    with opened(api.db_path, "ro") as db:
        post = posts.need(db, post_id)
        if post.template_version_id is None:
            return None
        version = templates.get_version(db, post.template_version_id)
        template = templates.get(db, version.template_id) if version else None
    return f"{template.name} v{version.number}" if template and version else None
