"""The embedded model on the real weights: its answers, its process, its end."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from engine.errors import (
    ModelBadReply,
    ModelCancelled,
    ModelNotFound,
    ModelRefused,
    ModelUnreachable,
)
from engine.llm.base import GenerationRequest, Options, Prompt
from engine.llm.embedded import EmbeddedModel
from engine.llm.openai_compatible import OpenAIModel

pytestmark = pytest.mark.model

ROOT = Path(__file__).resolve().parents[2]
MENU = 'root ::= ("Bitcoin holds 🟠" | "Bitcoin rests 😴") " today."'
RAW = Prompt("Post: Bitcoin holds.\nPost:", raw=True)


@pytest.fixture(scope="module")
def model() -> Iterator[EmbeddedModel]:
    made = EmbeddedModel(threads=1)
    yield made
    made.close()


def test_a_grammar_is_honoured_and_the_record_is_full(model: EmbeddedModel) -> None:
    pieces: list[str] = []
    request = GenerationRequest(RAW, grammar=MENU, logprobs=True)
    made = model.generate(request, pieces.append)
    assert made.text == "".join(pieces)
    assert made.text in ("Bitcoin holds 🟠 today.", "Bitcoin rests 😴 today.")
    assert made.model.digest and len(made.model.digest) == 64
    assert made.server_version and "xllamacpp" in made.server_version
    assert made.usage.output_tokens and made.timings.decode_s and made.timings.ttft_s
    assert made.mean_logprob is not None and made.mean_logprob < 0


def test_the_same_seed_writes_the_same_text(model: EmbeddedModel) -> None:
    def write(seed: int) -> str:
        options = Options(temperature=1.0, max_tokens=12, seed=seed)
        with pytest.raises(ModelBadReply) as caught:
            model.generate(GenerationRequest(RAW, options))
        assert caught.value.kind == "truncated"
        text: str = caught.value.generation.text
        return text

    assert write(1) == write(1)
    assert len({write(seed) for seed in range(1, 5)}) > 1


def test_chat_and_schema_work(model: EmbeddedModel) -> None:
    schema = {"type": "object", "properties": {"mood": {"enum": ["calm", "glad"]}},
              "required": ["mood"], "additionalProperties": False}  # fmt: skip
    made = model.generate(GenerationRequest(Prompt("How is the mood?"), json_schema=schema))
    assert json.loads(made.text)["mood"] in ("calm", "glad")


def test_a_stable_head_is_served_from_the_prefix_cache(model: EmbeddedModel) -> None:
    head = "Examples of posts about Bitcoin. " * 20
    for tail in ("one", "two"):
        made = model.generate(GenerationRequest(Prompt(f"{head}\n{tail}:", raw=True), grammar=MENU))
    assert made.usage.prompt_tokens and made.usage.cached_tokens
    assert made.usage.cached_tokens > 0.8 * made.usage.prompt_tokens
    cold = model.generate(
        GenerationRequest(Prompt(f"{head}\ntwo:", raw=True), grammar=MENU, cache_prompt=False)
    )
    assert cold.usage.cached_tokens == 0


@pytest.mark.parametrize(
    "request_",
    [
        GenerationRequest(RAW, grammar="root ::= ("),
        GenerationRequest(Prompt("Say " * 3000, raw=True)),
    ],
    ids=["broken grammar", "prompt longer than the context"],
)
def test_what_llama_cpp_rejects_is_refused(
    model: EmbeddedModel, request_: GenerationRequest
) -> None:
    with pytest.raises(ModelRefused):
        model.generate(request_)


def test_a_killed_child_starts_again_at_the_next_call(model: EmbeddedModel) -> None:
    model.generate(GenerationRequest(RAW, grammar=MENU))
    pid = model.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=10)
    assert model.generate(GenerationRequest(RAW, grammar=MENU)).text
    assert model.pid not in (None, pid)


def test_health_tells_memory_while_it_runs_and_close_frees_it(model: EmbeddedModel) -> None:
    model.generate(GenerationRequest(RAW, grammar=MENU))
    health = model.health()
    assert health.ok and health.loaded_bytes and health.loaded_bytes > 90_000_000
    pid = model.pid
    model.close()
    model.close()
    assert model.pid is None and not psutil.pid_exists(pid or 0)
    assert model.health().ok, "closed is not broken: the next call starts it"


def test_close_from_another_thread_cancels_the_call(model: EmbeddedModel) -> None:
    first = threading.Event()

    def close() -> None:
        first.wait(60)
        model.close()

    closer = threading.Thread(target=close)
    closer.start()
    with pytest.raises(ModelCancelled):
        model.generate(
            GenerationRequest(Prompt("Once", raw=True), Options(max_tokens=1500)),
            lambda _: first.set(),
        )
    closer.join()


def test_the_child_dies_with_its_parent_even_by_kill_9() -> None:
    script = (
        "import sys, time; from engine.llm.embedded import EmbeddedModel; "
        "from engine.llm.base import GenerationRequest, Prompt; m = EmbeddedModel(threads=1); "
        "m.generate(GenerationRequest(Prompt('a', raw=True), grammar='root ::= \"b\"')); "
        "print(m.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert not psutil.wait_procs([child], timeout=10)[1], "the child is an orphan"


def test_the_childs_port_is_closed_to_others(model: EmbeddedModel) -> None:
    model.generate(GenerationRequest(RAW, grammar=MENU))
    child = model._child
    assert child is not None
    stranger = OpenAIModel(child.model._caller.base_url, "smollm2")
    with pytest.raises(ModelRefused, match="refuses the key"):
        stranger.models()


def test_secrets_do_not_reach_the_child(
    monkeypatch: pytest.MonkeyPatch, model: EmbeddedModel
) -> None:
    monkeypatch.setenv("X_API_SECRET", "canary")
    model.close()
    model.generate(GenerationRequest(RAW, grammar=MENU))
    assert "canary" not in str(psutil.Process(model.pid).environ())


def test_the_real_llama_cpp_server_is_recognised_and_spoken_to(model: EmbeddedModel) -> None:
    """The OpenAI backend, told nothing, finds out what it talks to and what it can do."""
    model.generate(GenerationRequest(RAW, grammar=MENU))
    child = model._child
    assert child is not None
    key = child.model._caller._headers["Authorization"].removeprefix("Bearer ")
    plain = OpenAIModel(child.model._caller.base_url + "/v1", api_key=key)
    assert plain.flavour() == "llama.cpp"
    assert {"grammar", "server_timings"} <= plain.features
    assert plain.health().ok
    made = plain.generate(GenerationRequest(RAW, grammar=MENU))
    assert made.model.name == "smollm2" and made.model.details["num_ctx"] == 2048
    assert made.timings.decode_s and made.timings.decode_s < made.timings.wall_s
    chat = plain.generate(GenerationRequest(Prompt("Mood?"), grammar=MENU, logprobs=True))
    assert chat.mean_logprob is not None


def test_without_the_weights_one_sentence_says_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    away = EmbeddedModel(threads=1)
    for call in (away.info, away.models, lambda: away.generate(GenerationRequest(RAW))):
        with pytest.raises(ModelNotFound, match="Run `make setup`"):
            call()
    assert away.health().message.endswith("Run `make setup`.")


def test_broken_weights_say_so(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"not a model")
    with pytest.raises(ModelUnreachable, match="did not start"):
        EmbeddedModel(threads=1, weights=broken).generate(GenerationRequest(RAW))


def test_the_digest_follows_the_weights(tmp_path: Path) -> None:
    weights = tmp_path / "weights.gguf"
    seen = set()
    for content in (b"one", b"three"):
        weights.write_bytes(content)
        seen.add(EmbeddedModel(weights=weights).info().digest)
    assert len(seen) == 2


def test_a_slow_start_counts_towards_the_time_limit(model: EmbeddedModel) -> None:
    model.close()
    started = time.perf_counter()
    made = model.generate(GenerationRequest(RAW, grammar=MENU, timeout_s=60))
    assert made.timings.load_s is not None
    assert made.timings.load_s < made.timings.wall_s <= time.perf_counter() - started
