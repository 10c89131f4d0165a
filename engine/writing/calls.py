"""Rows for model calls, and what the writer reads back of earlier ones."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import ModelBadReply, ModelError, TemplateError
from engine.llm.base import Generation, GenerationRequest, Model, Prompt
from engine.records import Finding, Verdict
from engine.store.generations import Call

if TYPE_CHECKING:
    from engine.writing.context import Context
    from engine.writing.generate import Order


@dataclass(frozen=True)
class Frame:
    """Where a call belongs."""

    draft_key: str
    candidate: int
    order: Order
    recipe: str
    template_id: int
    version_id: int


def answered(
    model: Model,
    request: GenerationRequest,
    frame: Frame,
    generation: Generation,
    text: str,
    verdict: Verdict,
) -> Call:
    """The row of a call that gave a text."""
    timings, usage = generation.timings, generation.usage
    return dataclasses.replace(
        _base(model, request, frame, timings.wall_s),
        outcome="ok",
        raw_text=generation.text,
        text=text or None,
        verdict=verdict,
        model_digest=generation.model.digest,
        server_version=generation.server_version,
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=usage.cached_tokens,
        output_tokens=usage.output_tokens,
        ttft_s=timings.ttft_s,
        load_s=timings.load_s,
        prefill_s=timings.prefill_s,
        decode_s=timings.decode_s,
        done_reason=generation.finish_reason,
        from_cache=generation.from_cache,
    )


def failed(
    model: Model, request: GenerationRequest, frame: Frame, error: ModelError, wall_s: float
) -> Call:
    """The row of a call that gave none."""
    kind = error.kind if isinstance(error, ModelBadReply) else ""
    outcome = kind if kind in ("empty", "truncated") else "error"
    return dataclasses.replace(
        _base(model, request, frame, wall_s), outcome=outcome, error=str(error)
    )


def unfilled(raw: str, error: TemplateError) -> Finding:
    """The finding for an answer whose placeholders could not be filled."""
    return Finding("format.placeholder", "reject", 0, len(raw), str(error))


_SIMPLE = {
    "price": "Write one short sentence about Bitcoin at {price_usd}, {change_24h} over 24 hours.",
    "joke": "Write one short, kind joke about {topic}. No numbers.",
    "motivation": "Write one short, calm sentence about {topic}. No numbers.",
    "news": "Write one calm sentence on how to weigh news like this, without repeating it: {headline}",
}


def simple_prompt(context: Context) -> Prompt:
    """The shortest prompt that can still give a post, for the retry after a failure."""
    words = {key: str(value) for key, value in context.values.items() if value is not None}
    line = _SIMPLE[context.content_type]
    for name in ("price_usd", "change_24h", "topic", "headline"):
        if f"{{{name}}}" in line and name not in words:
            line = "Write one short, calm sentence about Bitcoin. No numbers."
    return Prompt(user=line.format_map(words))


def _base(model: Model, request: GenerationRequest, frame: Frame, wall_s: float) -> Call:
    options = dataclasses.asdict(request.options)
    options["constrained"] = (
        "grammar" if request.grammar else "json_schema" if request.json_schema else None
    )
    return Call(
        model_name=model.name,
        backend=model.backend,
        raw_prompt=request.prompt.text(),
        completion_time=wall_s,
        draft_key=frame.draft_key,
        purpose=frame.order.purpose,
        outcome="ok",
        raw_text="",
        options=options,
        temperature=request.options.temperature,
        max_tokens=request.options.max_tokens,
        top_p=request.options.top_p,
        seed=request.options.seed,
        prompt_id=frame.template_id,
        template_version_id=frame.version_id,
        snapshot_id=frame.order.snapshot.id,
        candidate=frame.candidate,
        content_type=frame.order.content_type,
        recipe=frame.recipe,
    )
