"""Whatever a server sends, a call ends in a whole answer or in a ModelError, nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import ModelError
from engine.llm.base import Generation, GenerationRequest, Model, Prompt
from engine.llm.ollama import OllamaModel
from engine.llm.openai_compatible import OpenAIModel
from tests.fakes.ollama_server import OllamaServer
from tests.fakes.ollama_server import Reply as OllamaReply
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.openai_server import Reply as OpenAIReply

many = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ASK = GenerationRequest(Prompt("Write."), timeout_s=10, logprobs=True)

scalars = (
    st.none() | st.booleans() | st.integers() | st.integers(10**300, 10**301) | st.floats()
    | st.text(max_size=8) | st.just("\ud83d")
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["logprob", "content", "delta", "text", "message", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
OLLAMA_KEYS = [
    "response", "thinking", "done", "done_reason", "error", "logprobs", "eval_count",
    "eval_duration", "prompt_eval_count", "prompt_eval_cached_count", "load_duration",
]  # fmt: skip
OPENAI_KEYS = ["choices", "usage", "timings", "system_fingerprint", "error", "id"]
choices = st.lists(
    st.dictionaries(
        st.sampled_from(["delta", "text", "logprobs", "finish_reason"]), values, max_size=4
    ),
    max_size=2,
)


def records(keys: list[str], extra: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    record = st.dictionaries(st.sampled_from(keys), values | extra, max_size=5)
    return st.lists(record | values, max_size=4)


def outcome(model: Model) -> None:
    try:
        made = model.generate(ASK)
    except ModelError as error:
        assert str(error).encode()
        made = getattr(error, "generation", None)
    if made is not None:
        assert_storable(made)


def assert_storable(made: Generation) -> None:
    """SQLite takes text that is UTF-8 and whole numbers of 64 bits."""
    assert made.text.encode() is not None
    for count in (made.usage.prompt_tokens, made.usage.cached_tokens, made.usage.output_tokens):
        assert count is None or 0 <= count < 2**63
    for seconds in (made.timings.load_s, made.timings.decode_s, made.mean_logprob):
        assert seconds is None or isinstance(seconds, float)


@pytest.fixture(scope="module")
def ollama() -> Iterator[OllamaServer]:
    with OllamaServer() as fake:
        yield fake


@pytest.fixture(scope="module")
def openai() -> Iterator[OpenAIServer]:
    with OpenAIServer() as fake:
        yield fake


@many
@given(sent=records(OLLAMA_KEYS, st.just("fine")))
def test_ollama_records_of_any_shape(ollama: OllamaServer, sent: list[Any]) -> None:
    ollama.reply = OllamaReply(raw=b"\n".join(json.dumps(item).encode() for item in sent) + b"\n")
    outcome(OllamaModel(ollama.url, "llama3:8b"))


@many
@given(sent=records(OPENAI_KEYS, choices))
def test_openai_events_of_any_shape(openai: OpenAIServer, sent: list[Any]) -> None:
    events = [b"data: " + json.dumps(item).encode() + b"\n\n" for item in sent]
    openai.reply = OpenAIReply(raw=b"".join(events))
    outcome(OpenAIModel(openai.url, "qwen", flavour="openai"))


@many
@given(noise=st.binary(max_size=200))
def test_bytes_of_any_kind(ollama: OllamaServer, openai: OpenAIServer, noise: bytes) -> None:
    ollama.reply, openai.reply = OllamaReply(raw=noise), OpenAIReply(raw=noise)
    for model in (OllamaModel(ollama.url, "llama3:8b"), OpenAIModel(openai.url, "qwen")):
        with pytest.raises(ModelError):
            model.generate(ASK)


def test_a_pair_of_surrogates_in_two_records_is_one_character(ollama: OllamaServer) -> None:
    lines = (
        b'{"response": "\\ud83d"}\n{"response": "\\ude00"}\n{"done": true, "done_reason": "stop"}\n'
    )
    ollama.reply = OllamaReply(raw=lines)
    assert OllamaModel(ollama.url, "llama3:8b").generate(ASK).text == "😀"
