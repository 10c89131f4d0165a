"""Generation history: every model call, newest first."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Security

from engine.service.api.auth import Needs, Route
from engine.service.api.context import BASE, api_of
from engine.service.api.problems import documented
from engine.service.api.shapes import (
    ContentType,
    FindingAnswer,
    GenerationAnswer,
    GenerationPage,
    Line,
    RowId,
)
from engine.service.tokens import Caller
from engine.store import generations
from engine.store.database import opened
from engine.store.generations import StoredCall

router = APIRouter(prefix=BASE, tags=["generations"], route_class=Route)


@router.get(
    "/generations",
    response_model=GenerationPage,
    responses=documented(400, 401, 403, 422, 429, 503),
    summary="Model calls, newest first",
)
def list_generations(
    request: Request,
    caller: Annotated[Caller, Security(Needs("read"))],
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[RowId | None, Query(description="only calls older than this id")] = None,
    model: Annotated[Line | None, Query(description="backend:model")] = None,
    content_type: Annotated[ContentType | None, Query()] = None,
    verdict: Annotated[Literal["pass", "reject", "error"] | None, Query()] = None,
    outcome: Annotated[Literal["ok", "error", "empty", "truncated"] | None, Query()] = None,
    purpose: Annotated[Line | None, Query()] = None,
) -> GenerationPage:
    """Accepted, rejected and failed ones alike."""
    with opened(api_of(request).db_path, "ro") as db:
        rows = generations.listing(
            db, before_id=before, limit=limit + 1, model=model, content_type=content_type,
            verdict=verdict, outcome=outcome, purpose=purpose,
        )  # fmt: skip
    page = rows[:limit]
    return GenerationPage(
        generations=[_shown(row) for row in page],
        next_before=page[-1].id if len(rows) > limit else None,
    )


def _shown(row: StoredCall) -> GenerationAnswer:
    return GenerationAnswer(
        id=row.id,
        created_at=row.created_at,
        post_id=row.post_id,
        model=row.model_name,
        purpose=row.purpose,
        content_type=row.content_type,
        recipe=row.recipe,
        outcome=row.outcome,
        verdict=row.verdict,
        text=row.text,
        raw_text=row.raw_text,
        error=row.error,
        seconds=row.completion_time,
        ttft_s=row.ttft_s,
        prompt_tokens=row.prompt_tokens,
        output_tokens=row.output_tokens,
        seed=row.seed,
        from_cache=row.from_cache,
        findings=[FindingAnswer(**item) for item in row.findings],
    )
