"""The OpenAI-compatible backend against three kinds of servers, and several behind one address."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from engine.clock import SystemClock
from engine.errors import (
    ModelBadReply,
    ModelBusy,
    ModelError,
    ModelNotFound,
    ModelRefused,
    ModelUnreachable,
)
from engine.llm.base import GenerationRequest, Options, Prompt
from engine.llm.openai_compatible import OpenAIModel
from engine.llm.retry import RetryingModel
from tests.fakes.openai_server import Balancer, OpenAIServer, Reply

ASK = GenerationRequest(Prompt("Write a post.", system="You are a bot."), timeout_s=10)


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(["qwen", "phi"], flavour="vllm") as fake:
        yield fake


@pytest.fixture
def model(server: OpenAIServer) -> OpenAIModel:
    return OpenAIModel(server.url, "qwen")


def test_a_chat_answer_carries_text_and_counts(server: OpenAIServer, model: OpenAIModel) -> None:
    server.reply = Reply(
        "Bitcoin hält 🟠 Kurs.", cut=3, usage={"prompt_tokens_details": {"cached_tokens": 4}}
    )
    pieces: list[str] = []
    made = model.generate(ASK, pieces.append)
    assert made.text == "".join(pieces) == "Bitcoin hält 🟠 Kurs."
    assert (made.usage.cached_tokens, made.usage.output_tokens) == (4, 4)
    assert made.timings.decode_s is None, "vLLM tells no timings; none are made up"
    assert made.timings.ttft_s is not None
    assert (made.model.name, made.model.backend) == ("qwen", "openai")


def test_every_sampling_option_is_sent(server: OpenAIServer, model: OpenAIModel) -> None:
    options = Options(
        temperature=0.5, top_p=0.8, top_k=30, min_p=0.1, repeat_penalty=1.2, max_tokens=77, seed=9,
        stop=("\n",),
    )  # fmt: skip
    model.generate(GenerationRequest(ASK.prompt, options))
    (body,) = server.requests()
    wanted = {
        "max_tokens": 77, "temperature": 0.5, "top_p": 0.8, "top_k": 30, "min_p": 0.1, "seed": 9,
        "repeat_penalty": 1.2, "repetition_penalty": 1.2, "stop": ["\n"], "stream": True,
        "presence_penalty": 0.0, "frequency_penalty": 0.0,
    }  # fmt: skip
    assert wanted.items() <= body.items()
    assert body["messages"] == [
        {"role": "system", "content": "You are a bot."},
        {"role": "user", "content": "Write a post."},
    ]


def test_a_raw_prompt_uses_plain_completions(server: OpenAIServer, model: OpenAIModel) -> None:
    made = model.generate(GenerationRequest(Prompt("Post:", system="Examples", raw=True)))
    assert made.text
    assert server.calls[-1].path == "/v1/completions"
    assert server.requests()[-1]["prompt"] == "Examples\n\nPost:"


def test_a_schema_goes_as_response_format(server: OpenAIServer, model: OpenAIModel) -> None:
    model.generate(GenerationRequest(ASK.prompt, json_schema={"type": "object"}))
    sent = server.requests()[-1]["response_format"]
    assert (sent["type"], sent["json_schema"]["schema"]) == ("json_schema", {"type": "object"})


@pytest.mark.parametrize("flavour", ["llama.cpp", "vllm", "openai"])
def test_servers_are_told_apart_and_only_llama_cpp_takes_a_grammar(flavour: str) -> None:
    with OpenAIServer(flavour=flavour) as fake:  # type: ignore[arg-type]
        model = OpenAIModel(fake.url, "qwen")
        assert model.flavour() == flavour
        request = GenerationRequest(ASK.prompt, grammar='root ::= "a"')
        if flavour == "llama.cpp":
            assert {"grammar", "server_timings"} <= model.features
            assert model.generate(request).timings.decode_s is not None
            assert fake.requests()[-1]["grammar"] == 'root ::= "a"'
        else:
            assert "grammar" not in model.features
            with pytest.raises(ModelRefused, match="no GBNF grammar"):
                model.generate(request)


def test_a_server_still_starting_is_not_classified(server: OpenAIServer) -> None:
    """A guess made from a balancer's 502 would stay wrong for ever."""
    with Balancer(["http://127.0.0.1:1", server.url]) as front:
        model = OpenAIModel(front.url, "qwen")
        with pytest.raises(ModelUnreachable):
            model.flavour()
        assert model.features >= {"json_schema"}


def test_the_address_may_end_in_v1(server: OpenAIServer) -> None:
    assert OpenAIModel(server.url + "/v1/", "qwen").generate(ASK).text


def test_the_name_default_means_what_the_server_serves(server: OpenAIServer) -> None:
    assert OpenAIModel(server.url, "default").generate(ASK).model.name == "qwen"


def test_a_model_the_server_lacks_is_named_with_what_it_has(server: OpenAIServer) -> None:
    absent = OpenAIModel(server.url, "gpt")
    with pytest.raises(ModelNotFound, match="qwen, phi"):
        absent.generate(ASK)
    assert "qwen, phi" in absent.health().message


def test_a_key_is_sent_and_a_wrong_one_named() -> None:
    with OpenAIServer(key="good") as fake:
        assert OpenAIModel(fake.url, "qwen", api_key="good").health().ok
        with pytest.raises(ModelRefused, match="BTCBUZZ_OPENAI_KEY"):
            OpenAIModel(fake.url, "qwen", api_key="bad").generate(ASK)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(""), "empty"),
        (Reply("one two", finish="length"), "truncated"),
        (Reply("one two", finish=None), "no_final"),
        (Reply("one two", error_after=1), "error_line"),
        (Reply(raw=b"data: <html>\n\n"), "garbled"),
        (Reply(raw=b"data: []\n\n"), "garbled"),
        (Reply(raw=b'data: {"choices": [{"text": 5}]}\n\n'), "garbled"),
        (Reply(raw=b'data: {"choices": "none"}\n\n'), "no_final"),
        (Reply(raw=b"<html>hello</html>"), "no_final"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_a_whole_answer_is_a_failure(
    server: OpenAIServer, model: OpenAIModel, reply: Reply, kind: str
) -> None:
    server.reply = reply
    with pytest.raises(ModelBadReply) as caught:
        model.generate(ASK)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("status", "expected", "retryable"),
    [
        (400, ModelRefused, False),
        (422, ModelRefused, False),
        (429, ModelBusy, True),
        (503, ModelBusy, True),
        (500, ModelUnreachable, True),
        (502, ModelUnreachable, True),
    ],
)
def test_error_statuses_are_told_apart(
    server: OpenAIServer,
    model: OpenAIModel,
    status: int,
    expected: type[ModelError],
    retryable: bool,
) -> None:
    server.reply = Reply(status=status, error="because of this")
    with pytest.raises(expected, match="because of this") as caught:
        model.generate(ASK)
    assert caught.value.retryable is retryable


def test_a_dying_server_behind_one_address_costs_a_retry_not_an_answer() -> None:
    """Three servers take turns. One breaks off in the middle of an answer and is gone from then
    on: every call still gets its whole text, from the others."""
    with (
        OpenAIServer(flavour="vllm") as one,
        OpenAIServer(flavour="vllm") as other,
        OpenAIServer(flavour="vllm") as dying,
        Balancer([one.url, dying.url, other.url]) as front,
    ):
        model = RetryingModel(
            OpenAIModel(front.url, "qwen"), clock=SystemClock(), rng=random.Random(1), base_s=0.001
        )
        (text,) = {model.generate(ASK).text for _ in range(6)}
        assert all(server.requests() for server in (one, other, dying))

        dying.next.append(Reply(reset_after=1))
        while dying.next:
            assert model.generate(ASK).text == text

        dying.stop()
        asked, refused = len(one.requests()) + len(other.requests()), front.refused
        assert [model.generate(ASK).text for _ in range(6)] == [text] * 6
        assert len(one.requests()) + len(other.requests()) == asked + 6
        assert front.refused > refused


def test_a_server_that_dies_after_the_first_token_is_not_asked_twice_for_a_listener() -> None:
    with OpenAIServer(reply=Reply("one two three", reset_after=2)) as fake:
        model = RetryingModel(
            OpenAIModel(fake.url, "qwen"), clock=SystemClock(), rng=random.Random(1), base_s=0.001
        )
        pieces: list[str] = []
        with pytest.raises(ModelUnreachable):
            model.generate(ASK, pieces.append)
        assert pieces == ["one", " two"]
        assert len(fake.requests()) == 1
