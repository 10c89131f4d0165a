"""The official ``ollama`` client agrees that our fake server speaks the protocol."""

from __future__ import annotations

from collections.abc import Iterator

import ollama
import pytest

from tests.fakes.ollama_server import FakeModel, OllamaServer, Reply, pull_records


@pytest.fixture
def server() -> Iterator[OllamaServer]:
    with OllamaServer([FakeModel("llama3:8b", gpu_share=0.5)]) as fake:
        yield fake


@pytest.fixture
def client(server: OllamaServer) -> Iterator[ollama.Client]:
    made = ollama.Client(host=server.url, timeout=10)
    yield made
    made._client.close()


def test_generate_whole_and_streamed_agree(server: OllamaServer, client: ollama.Client) -> None:
    server.reply = Reply("Bitcoin 🟠 holds.", cut=3)
    whole = client.generate("llama3:8b", "hi", options={"num_predict": 20})
    parts = list(client.generate("llama3:8b", "hi", stream=True))
    assert whole.response == "".join(part.response for part in parts) == "Bitcoin 🟠 holds."
    assert whole.done and whole.done_reason == parts[-1].done_reason == "stop"
    assert whole.eval_count == 3 and whole.eval_duration


def test_num_predict_cuts_with_length(client: ollama.Client) -> None:
    made = client.generate("llama3:8b", "hi", options={"num_predict": 2})
    assert (made.response, made.done_reason) == ("Bitcoin keeps", "length")


def test_lists_and_shows(client: ollama.Client) -> None:
    assert [item.model for item in client.list().models] == ["llama3:8b"]
    assert client.show("llama3:8b").capabilities == ["completion"]
    client.generate("llama3:8b")
    (running,) = client.ps().models
    assert running.size and running.size_vram == running.size // 2


def test_pulls_with_and_without_progress(server: OllamaServer, client: ollama.Client) -> None:
    server.pulls = {"a": pull_records(), "b": pull_records(completed=False)}
    for name in ("a", "b"):
        assert [step.status for step in client.pull(name, stream=True)][-1] == "success"
    with pytest.raises(ollama.ResponseError, match="file does not exist"):
        list(client.pull("c", stream=True))


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_error_bodies_are_read_by_the_client(
    server: OllamaServer, client: ollama.Client, status: int
) -> None:
    server.reply = Reply(status=status, error="because")
    with pytest.raises(ollama.ResponseError) as caught:
        client.generate("llama3:8b", "hi")
    assert (caught.value.status_code, caught.value.error) == (status, "because")


def test_unknown_models_wrong_options_and_raw_with_system_are_refused(
    client: ollama.Client,
) -> None:
    for status, arguments in (
        (404, {"model": "none"}),
        (500, {"options": {"num_predict": "32"}}),
        (400, {"raw": True, "system": "x"}),
        (400, {"think": True}),
    ):
        with pytest.raises(ollama.ResponseError) as caught:
            client.generate(**{"model": "llama3:8b", "prompt": "hi", **arguments})  # type: ignore[arg-type]
        assert caught.value.status_code == status


def test_an_error_line_inside_a_stream_raises(server: OllamaServer, client: ollama.Client) -> None:
    server.reply = Reply("one two three", error_after=1, error="runner died")
    with pytest.raises(ollama.ResponseError, match="runner died"):
        list(client.generate("llama3:8b", "hi", stream=True))
