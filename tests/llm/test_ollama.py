"""The Ollama backend against every quirk of its protocol (facts: §2.7), over real loopback HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from engine.errors import (
    ModelBadReply,
    ModelBusy,
    ModelCancelled,
    ModelError,
    ModelNotFound,
    ModelRefused,
    ModelUnreachable,
)
from engine.llm.base import GenerationRequest, Options, Prompt
from engine.llm.ollama import OllamaModel
from tests.fakes.ollama_server import FakeModel, OllamaServer, Reply

ASK = GenerationRequest(Prompt("Write a post.", system="You are a bot."), timeout_s=10)


@pytest.fixture
def server() -> Iterator[OllamaServer]:
    with OllamaServer([FakeModel("llama3:8b"), FakeModel("tiny:latest", digest="b" * 64)]) as fake:
        yield fake


@pytest.fixture
def model(server: OllamaServer) -> OllamaModel:
    return OllamaModel(server.url, "llama3:8b", num_ctx=4096, keep_alive="10m")


def test_an_answer_carries_text_counts_timings_and_identity(
    server: OllamaServer, model: OllamaModel
) -> None:
    server.reply = Reply("Bitcoin hält 🟠 Kurs.", metrics={"prompt_eval_cached_count": 2})
    pieces: list[str] = []
    made = model.generate(ASK, pieces.append)
    assert made.text == "".join(pieces) == "Bitcoin hält 🟠 Kurs."
    assert made.finish_reason == "stop"
    assert (made.usage.prompt_tokens, made.usage.cached_tokens, made.usage.output_tokens) == (
        3,
        2,
        4,
    )
    assert made.timings.ttft_s is not None and made.timings.ttft_s <= made.timings.wall_s
    assert made.timings.load_s is not None and made.timings.decode_s is not None
    assert made.model.digest == "a" * 64
    assert made.model.details == {"family": "llama", "num_ctx": 4096, "server_version": "0.33.9"}
    assert made.server_version == "0.33.9"


def test_every_sampling_option_is_sent_under_options(
    server: OllamaServer, model: OllamaModel
) -> None:
    options = Options(
        temperature=0.5, top_p=0.8, top_k=30, min_p=0.1, repeat_penalty=1.2, max_tokens=77, seed=9,
        stop=("\n",),
    )  # fmt: skip
    model.generate(GenerationRequest(ASK.prompt, options))
    (body,) = server.requests()
    assert body["options"] == {
        "num_predict": 77,
        "temperature": 0.5,
        "top_p": 0.8,
        "top_k": 30,
        "min_p": 0.1,
        "typical_p": 1.0,
        "repeat_penalty": 1.2,
        "repeat_last_n": 64,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "seed": 9,
        "stop": ["\n"],
        "num_ctx": 4096,
    }
    assert (body["stream"], body["think"], body["keep_alive"]) == (True, False, "10m")
    assert (body["truncate"], body["shift"]) == (False, False), "an over-long prompt is an error"
    assert (body["system"], body["prompt"]) == ("You are a bot.", "Write a post.")


def test_a_raw_prompt_goes_without_system_and_template(
    server: OllamaServer, model: OllamaModel
) -> None:
    model.generate(GenerationRequest(Prompt("Post:", system="Examples", raw=True)))
    (body,) = server.requests()
    assert (body["raw"], body["prompt"]) == (True, "Examples\n\nPost:")
    assert "system" not in body


def test_a_schema_goes_as_format(server: OllamaServer, model: OllamaModel) -> None:
    schema = {"type": "object", "properties": {"mood": {"enum": ["calm"]}}}
    model.generate(GenerationRequest(ASK.prompt, json_schema=schema))
    assert server.requests()[0]["format"] == schema


def test_a_grammar_is_refused_before_anything_is_sent(
    server: OllamaServer, model: OllamaModel
) -> None:
    with pytest.raises(ModelRefused, match="no GBNF grammar"):
        model.generate(GenerationRequest(ASK.prompt, grammar='root ::= "a"'))
    assert server.calls == []
    assert "grammar" not in model.features


def test_log_probabilities_come_as_their_mean(server: OllamaServer, model: OllamaModel) -> None:
    server.reply = Reply("a b", logprob=-0.25)
    assert model.generate(GenerationRequest(ASK.prompt, logprobs=True)).mean_logprob == -0.25
    assert model.generate(ASK).mean_logprob is None


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 64])
def test_chunks_may_cut_characters_and_lines(
    server: OllamaServer, model: OllamaModel, cut: int
) -> None:
    server.reply = Reply("Bitcoin 🟠🚀 — née 2009", cut=cut)
    assert model.generate(ASK).text == "Bitcoin 🟠🚀 — née 2009"


def test_the_empty_first_chunk_is_not_the_first_token(
    server: OllamaServer, model: OllamaModel
) -> None:
    server.reply = Reply("Hello there.", first_token_s=0.15)
    made = model.generate(ASK)
    assert made.timings.ttft_s is not None and made.timings.ttft_s >= 0.15


def test_thinking_counts_as_first_sign_of_life_but_not_as_text(
    server: OllamaServer, model: OllamaModel
) -> None:
    server.reply = Reply("Calm.", thinking=["hm", "so"], token_s=0.05)
    made = model.generate(ASK)
    assert made.text == "Calm."
    assert made.timings.ttft_s is not None and made.timings.ttft_s < made.timings.wall_s - 0.09
    assert made.usage.output_tokens == 3


def test_absent_counts_are_unknown_not_zero(server: OllamaServer, model: OllamaModel) -> None:
    names = ("prompt_eval_count", "eval_count", "prompt_eval_duration", "eval_duration")
    server.reply = Reply(metrics=dict.fromkeys(names))
    made = model.generate(ASK)
    assert (made.usage.prompt_tokens, made.usage.cached_tokens) == (None, None)
    assert (made.usage.output_tokens, made.timings.decode_s) == (None, None)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(""), "empty"),
        (Reply(" \n"), "empty"),
        (Reply("Cut", thinking=["hm"] * 200), "empty"),
        (Reply("one two three", done_reason="length"), "truncated"),
        (Reply("one two three", final=False), "no_final"),
        (Reply("one two three", error_after=2), "error_line"),
        (Reply("one two", error_after=0, error="out of memory"), "error_line"),
        (Reply(raw=b"<html>login</html>"), "garbled"),
        (Reply(raw=b'["not", "an", "object"]\n'), "garbled"),
        (Reply(raw=b'{"response": 7, "done": false}\n'), "garbled"),
        (Reply(raw=b""), "no_final"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_a_whole_answer_is_a_failure(
    server: OllamaServer, model: OllamaModel, reply: Reply, kind: str
) -> None:
    server.reply = reply
    with pytest.raises(ModelBadReply) as caught:
        model.generate(GenerationRequest(ASK.prompt, Options(max_tokens=120), timeout_s=10))
    assert caught.value.kind == kind


def test_a_truncated_answer_keeps_what_arrived(server: OllamaServer, model: OllamaModel) -> None:
    server.reply = Reply("one two three four")
    with pytest.raises(ModelBadReply) as caught:
        model.generate(GenerationRequest(ASK.prompt, Options(max_tokens=2)))
    partial = caught.value.generation
    assert (partial.text, partial.finish_reason) == ("one two", "length")
    assert partial.usage.output_tokens == 2
    assert not caught.value.retryable, "the same seed is cut at the same place"


@pytest.mark.parametrize(
    ("status", "error", "expected", "retryable", "advice"),
    [
        (404, "model 'llama3:8b' not found", ModelNotFound, False, "ollama pull llama3:8b"),
        (503, "server busy, please try again.", ModelBusy, True, "OLLAMA_MAX_QUEUE"),
        (400, "input exceeds context", ModelRefused, False, "input exceeds context"),
        (401, "unauthorized", ModelRefused, False, "ollama signin"),
        (500, "model runner has unexpectedly stopped", ModelUnreachable, True, "log"),
        (500, "model requires more system memory (9 GiB)", ModelRefused, False, "smaller model"),
        (502, "bad gateway", ModelUnreachable, True, "502"),
    ],
)
def test_error_statuses_are_told_apart(
    server: OllamaServer,
    model: OllamaModel,
    status: int,
    error: str,
    expected: type[ModelError],
    retryable: bool,
    advice: str,
) -> None:
    server.reply = Reply(status=status, error=error)
    with pytest.raises(expected) as caught:
        model.generate(ASK)
    assert caught.value.retryable is retryable
    assert advice in str(caught.value)


def test_a_missing_model_says_what_to_run(server: OllamaServer) -> None:
    absent = OllamaModel(server.url, "mistral")
    with pytest.raises(ModelNotFound, match="ollama pull mistral"):
        absent.generate(ASK)
    health = absent.health()
    assert not health.ok and "ollama pull mistral" in health.message


def test_another_web_server_is_not_taken_for_ollama() -> None:
    with OllamaServer([]) as fake:
        away = OllamaModel(fake.url + "/somewhere", "llama3:8b")
        with pytest.raises(ModelRefused, match="not an Ollama server"):
            away.generate(ASK)
        assert "not an Ollama server" in away.health().message


def test_nobody_there_is_unreachable_and_retryable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    away = OllamaModel(f"http://127.0.0.1:{port}", "llama3:8b")
    with pytest.raises(ModelUnreachable, match="ollama serve") as caught:
        away.generate(ASK)
    assert caught.value.retryable
    assert not away.health().ok


@pytest.mark.parametrize("tokens", [0, 2])
def test_a_reset_connection_is_unreachable(
    server: OllamaServer, model: OllamaModel, tokens: int
) -> None:
    server.reply = Reply("one two three", reset_after=tokens)
    with pytest.raises(ModelUnreachable, match="broke the connection"):
        model.generate(ASK)


def test_a_stalled_stream_is_cut_at_the_total_limit(
    server: OllamaServer, model: OllamaModel
) -> None:
    """The seed's 60 s stall, in small: tokens keep coming, each in time, the whole does not."""
    server.reply = Reply(["x "] * 100, token_s=0.05)
    with pytest.raises(ModelUnreachable, match=r"no whole answer within 0\.3 s"):
        model.generate(GenerationRequest(ASK.prompt, timeout_s=0.3))


def test_close_ends_a_call_in_flight(server: OllamaServer, model: OllamaModel) -> None:
    server.reply = Reply(["x "] * 100, token_s=0.05)
    first = threading.Event()

    def close() -> None:
        first.wait(10)
        model.close()

    threading.Thread(target=close).start()
    with pytest.raises(ModelCancelled):
        model.generate(ASK, lambda _: first.set())


def test_an_error_of_the_listener_passes_through(model: OllamaModel) -> None:
    def stop(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.generate(ASK, stop)


def test_models_are_listed_with_their_digests(model: OllamaModel) -> None:
    listed = {item.name: item for item in model.models()}
    assert listed["tiny:latest"].digest == "b" * 64
    assert listed["llama3:8b"].parameter_size == "8.0B"
    assert listed["llama3:8b"].quantization == "Q4_0"


def test_a_name_without_tag_means_latest(server: OllamaServer) -> None:
    assert OllamaModel(server.url, "tiny").generate(ASK).model.digest == "b" * 64


def test_health_tells_memory_and_gpu_share() -> None:
    half = FakeModel("llama3:8b", size=8_000, gpu_share=0.25)
    with OllamaServer([half]) as fake:
        model = OllamaModel(fake.url, "llama3:8b")
        before = model.health()
        assert before.ok and before.loaded_bytes is None
        assert "not loaded" in before.message
        model.preload()
        after = model.health()
        assert (after.ok, after.loaded_bytes, after.gpu_share) == (True, 8_000, 0.25)


def test_preload_and_calls_share_one_context_so_nothing_loads_twice(
    server: OllamaServer, model: OllamaModel
) -> None:
    model.preload()
    model.generate(ASK)
    assert server.loads == [("llama3:8b", 4096)]
    model.unload()
    assert server.loaded == {}


@pytest.mark.parametrize(("text", "sent"), [("10m", "10m"), ("600", 600.0), ("-1", -1.0)])
def test_keep_alive_without_unit_goes_as_a_number(
    server: OllamaServer, text: str, sent: object
) -> None:
    OllamaModel(server.url, "llama3:8b", keep_alive=text).generate(ASK)
    assert server.requests()[0]["keep_alive"] == sent
