"""The response cache: same question, same answer; anything that shapes the text is another one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.errors import ModelBadReply
from engine.llm.base import GenerationRequest, ModelInfo, Options, Prompt
from engine.llm.cache import CachedModel, cache_key
from engine.llm.scripted import ScriptedModel
from engine.store import responses

ASK = GenerationRequest(Prompt("Write.", system="Bot"), Options(seed=1))
MODEL = ModelInfo("m", "ollama", digest="a", details={"num_ctx": 4096})


def counting(db_path: Path, clock: FakeClock, **options: int) -> tuple[CachedModel, ScriptedModel]:
    inner = ScriptedModel(lambda request: f"answer {len(inner.requests)}")
    return CachedModel(inner, db_path=db_path, clock=clock, **options), inner


def test_the_same_request_is_answered_from_the_cache_and_marked(
    db_path: Path, clock: FakeClock
) -> None:
    model, inner = counting(db_path, clock)
    first = model.generate(ASK)
    pieces: list[str] = []
    second = model.generate(ASK, pieces.append)
    assert (first.text, second.text, pieces) == ("answer 1", "answer 1", ["answer 1"])
    assert (first.from_cache, second.from_cache) == (False, True)
    assert second.usage == first.usage and second.model == first.model
    assert second.timings.ttft_s is None, "a hit says nothing about the model's speed"
    assert len(inner.requests) == 1


@pytest.mark.parametrize(
    "other",
    [
        replace(ASK, prompt=Prompt("Write!", system="Bot")),
        replace(ASK, prompt=Prompt("Write.", system="Bob")),
        replace(ASK, prompt=Prompt("Write.", system="Bot", raw=True)),
        *[
            replace(ASK, options=replace(ASK.options, **{name: value}))
            for name, value in {
                "temperature": 0.1, "top_p": 0.1, "top_k": 1, "min_p": 0.1, "repeat_penalty": 1.5,
                "max_tokens": 5, "seed": 2, "stop": ("x",),
            }.items()
        ],
        replace(ASK, grammar='root ::= "a"'),
        replace(ASK, json_schema={"type": "object"}),
        replace(ASK, repeat=1),
        replace(ASK, logprobs=True),
    ],
)  # fmt: skip
def test_whatever_shapes_the_text_is_in_the_key(other: GenerationRequest) -> None:
    assert cache_key(MODEL, other) != cache_key(MODEL, ASK)


@pytest.mark.parametrize(
    "other",
    [
        replace(MODEL, name="n"),
        replace(MODEL, digest="b"),
        replace(MODEL, details={"num_ctx": 2048}),
        replace(MODEL, backend="openai"),
    ],
)
def test_another_model_or_digest_or_context_is_another_key(other: ModelInfo) -> None:
    assert cache_key(other, ASK) != cache_key(MODEL, ASK)


def test_what_does_not_shape_the_text_is_not_in_the_key() -> None:
    assert cache_key(MODEL, replace(ASK, timeout_s=1, cache_prompt=False)) == cache_key(MODEL, ASK)


def test_failures_are_never_kept(db_path: Path, clock: FakeClock, db: Database) -> None:
    inner = ScriptedModel([ModelBadReply("empty", "x"), "fine"])
    model = CachedModel(inner, db_path=db_path, clock=clock)
    with pytest.raises(ModelBadReply):
        model.generate(ASK)
    assert not model.generate(ASK).from_cache
    assert model.generate(ASK).from_cache


def test_the_longest_unused_answers_go_when_it_is_full(db_path: Path, clock: FakeClock) -> None:
    model, inner = counting(db_path, clock, max_bytes=1_500)  # three answers of about 450 bytes
    for repeat in (0, 1, 2, 0, 3):
        clock.advance(1)
        model.generate(replace(ASK, repeat=repeat))
    hits = {repeat for repeat in range(4) if model.generate(replace(ASK, repeat=repeat)).from_cache}
    assert {0, 3} <= hits and 1 not in hits
    assert len(inner.requests) < 8


def test_clear_forgets_all(db_path: Path, clock: FakeClock, db: Database) -> None:
    model, _ = counting(db_path, clock)
    model.generate(ASK)
    assert responses.clear(db) == 1
    assert not model.generate(ASK).from_cache
