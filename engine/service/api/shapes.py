"""Shapes of requests and answers; what they refuse never reaches the engine."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from engine.records import Facts

ContentType = Literal["price", "joke", "motivation", "news"]


def _text(value: object) -> object:
    if value is None or isinstance(value, str):
        return value
    raise ValueError("takes a text in ISO 8601")


def _whole(value: object) -> object:
    """JSON Schema's integers include 22.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Amount = Annotated[float, Field(ge=0.01, lt=1e18, allow_inf_nan=False, strict=True)]
Percent = Annotated[float, Field(ge=-100, le=100_000, allow_inf_nan=False, strict=True)]
Count = Annotated[int, Field(ge=0, le=10**12, strict=True), BeforeValidator(_whole)]
Moment = Annotated[AwareDatetime, BeforeValidator(_text)]
Day = Annotated[date, BeforeValidator(_text)]
Line = Annotated[str, StringConstraints(max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$")]
RowId = Annotated[int, Field(ge=1, le=2**63 - 1)]


class Strict(BaseModel):
    """Unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid")


class FearGreedContext(Strict):
    value: Annotated[int, Field(ge=0, le=100, strict=True), BeforeValidator(_whole)]
    label: Line


class FeesContext(Strict):
    """sat/vB."""

    fast: Amount
    half_hour: Amount
    hour: Amount


class HeadlineContext(Strict):
    title: Line
    source: Line
    url: Line | None = None


class Context(Strict):
    """FACTS to write on; what is unknown is null or left out."""

    as_of: Moment | None = None
    price_usd: Amount | None = None
    change_24h_pct: Percent | None = None
    change_7d_pct: Percent | None = None
    high_24h: Amount | None = None
    low_24h: Amount | None = None
    volume_24h_usd: Amount | None = None
    market_cap_usd: Amount | None = None
    ath_usd: Amount | None = None
    ath_date: Day | None = None
    fear_greed: FearGreedContext | None = None
    block_height: Count | None = None
    fees: FeesContext | None = None
    headline: HeadlineContext | None = None
    change_1h_pct: Percent | None = None
    hashrate_ehs: Amount | None = None
    difficulty_change_pct: Percent | None = None
    retarget_blocks: Count | None = None

    def facts(self) -> Facts:
        """Raises: UsageError."""
        return Facts.from_dict(self.model_dump(mode="json"))


class GenerateRequest(Strict):
    """``context`` takes the place of the market; a post written on it never becomes public."""

    content_type: ContentType = "price"
    context: Context | None = None


class FindingAnswer(BaseModel):
    """``start`` and ``end`` are code-point offsets into the content."""

    rule: str
    severity: str
    start: int
    end: int
    message: str


class GenerateMetadata(BaseModel):
    """``model_used`` is null for a backup post; ``generation_time`` in seconds."""

    model_used: str | None
    generation_time: float
    template_used: str | None


class GenerateAnswer(BaseModel):
    """``state`` is where the post stands in the queue; without success ``reason`` says why."""

    success: bool
    content: str | None
    metadata: GenerateMetadata
    post_id: int | None
    state: str
    verdict: str
    findings: list[FindingAnswer]
    reason: str


Bound = Annotated[float, Field(allow_inf_nan=False, strict=True)]


class VariableShape(Strict):
    """One field of a template; ``low`` and ``high`` bound numbers, or the length of texts."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    type: Literal["text", "number", "whole", "choice"] = "text"
    unit: Line = ""
    required: Annotated[bool, Field(strict=True)] = True
    low: Bound | None = None
    high: Bound | None = None
    choices: Annotated[list[Line], Field(max_length=50)] = []
    example: Line = ""


Body = Annotated[str, StringConstraints(min_length=1, max_length=12_000)]
System = Annotated[str, StringConstraints(max_length=12_000)]


class VersionRequest(Strict):
    """What a version holds; fields are ``{name}``, each described in ``variables``."""

    system: System = ""
    body: Body
    variables: Annotated[list[VariableShape], Field(max_length=50)] = []
    note: Line = ""


class TemplateRequest(VersionRequest):
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}$")]
    purpose: ContentType


class VersionAnswer(BaseModel):
    id: int
    number: int
    system: str
    body: str
    variables: list[dict[str, Any]]
    note: str
    sha256: str
    created_at: str
    created_by: str


class TemplateSummary(BaseModel):
    """``template`` is the text in production; null numbers mean that none is yet."""

    id: int
    name: str
    purpose: str
    template: str
    production_version: int | None
    newest_version: int
    created_at: str
    last_used: str | None
    performance_score: float | None
    performance_n: int
    archived_at: str | None


class TemplateAnswer(TemplateSummary):
    versions: list[VersionAnswer]


class TemplateList(BaseModel):
    templates: list[TemplateSummary]


class ModelAnswer(BaseModel):
    """``name`` is ``backend:model``."""

    name: str
    backend: str
    digest: str | None = None
    parameter_size: str | None = None
    quantization: str | None = None
    size_bytes: int | None = None


class ModelList(BaseModel):
    """``reachable`` false: the server did not answer; ``message`` says why."""

    current: str
    reachable: bool
    message: str
    models: list[ModelAnswer]


class CurrentModelRequest(Strict):
    name: Annotated[
        str,
        StringConstraints(
            pattern=r"^(ollama|openai|embedded|scripted):[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}$"
        ),
    ]


class CurrentModelAnswer(BaseModel):
    current: str
    previous: str


class GenerationAnswer(BaseModel):
    """One model call; times in seconds, tokens as the server counted them."""

    id: int
    created_at: str
    post_id: int | None
    model: str
    purpose: str
    content_type: str | None
    recipe: str | None
    outcome: str
    verdict: str | None
    text: str | None
    raw_text: str
    error: str | None
    seconds: float
    ttft_s: float | None
    prompt_tokens: int | None
    output_tokens: int | None
    seed: int | None
    from_cache: bool
    findings: list[FindingAnswer]


class GenerationPage(BaseModel):
    """Newest first; ask again with ``before`` = ``next_before`` until that is null."""

    generations: list[GenerationAnswer]
    next_before: int | None


class StatusAnswer(BaseModel):
    alive: bool
    heartbeat_age_s: float | None
    kill_switch: bool
    breaker: str
    next_slot: str | None
    next_content_type: str | None
    counts: dict[str, int]
    slots: dict[str, int]
    alerts: list[str]
    model: str
    publisher: str
    version: str


class HealthAnswer(BaseModel):
    """``checks``: each part with ``ok`` or what is wrong."""

    status: Literal["ok", "failing"]
    checks: dict[str, str]
