"""From a name to a model: names parse or say why, and each layer is there when asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.config import Config, Secret
from engine.errors import ModelOff, ModelUnreachable, UsageError
from engine.llm.base import GenerationRequest, Prompt
from engine.llm.build import build_backend, build_model, parse_model_name
from engine.store.settings import put
from tests.fakes.ollama_server import OllamaServer
from tests.fakes.openai_server import OpenAIServer

ASK = GenerationRequest(Prompt("Write."), timeout_s=10)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("embedded:smollm2", ("embedded", "smollm2")),
        ("ollama:llama3:8b", ("ollama", "llama3:8b")),
        ("openai:org/model:tag", ("openai", "org/model:tag")),
        ("scripted:x", ("scripted", "x")),
    ],
)
def test_names_parse(name: str, parts: tuple[str, str]) -> None:
    assert parse_model_name(name) == parts


@pytest.mark.parametrize("name", ["", "llama3:8b", "ollama", "ollama:", "OLLAMA:x", ":x"])
def test_other_names_are_refused_with_an_example(name: str) -> None:
    with pytest.raises(UsageError, match="Write backend:name"):
        parse_model_name(name)


def test_the_embedded_backend_has_one_model() -> None:
    with pytest.raises(UsageError, match="embedded:smollm2"):
        build_model(Config(), name="embedded:llama3")


def test_the_configured_model_is_the_default() -> None:
    assert build_model(Config(llm="scripted", model="demo")).name == "scripted:demo"
    assert build_model(Config()).name == "embedded:smollm2"


def test_settings_reach_ollama() -> None:
    with OllamaServer() as server:
        config = Config(llm="ollama", model="llama3:8b", ollama_url=server.url)
        settings = {"model.num_ctx": 1024, "model.keep_alive": "1h"}
        build_model(config, settings=settings).generate(ASK)
        build_backend(config).generate(ASK)
        asked, default = server.requests()
    assert (asked["options"]["num_ctx"], asked["keep_alive"]) == (1024, "1h")
    assert (default["options"]["num_ctx"], default["keep_alive"]) == (4096, "10m")


def test_without_given_settings_the_databases_are_in_force(
    db_path: Path, db: Database, clock: FakeClock
) -> None:
    put(db, "model.num_ctx", 1024, actor="test", now=clock.now())
    with OllamaServer() as server:
        config = Config(llm="ollama", model="llama3:8b", ollama_url=server.url)
        build_model(config, db_path=db_path, clock=clock).generate(ASK)
        assert server.requests()[0]["options"]["num_ctx"] == 1024


def test_the_key_reaches_the_openai_server() -> None:
    with OpenAIServer(key="good") as server:
        config = Config(
            llm="openai", model="qwen", openai_url=server.url, openai_key=Secret("good")
        )
        assert build_model(config).generate(ASK).text


def test_with_a_database_the_model_has_a_breaker(db_path: Path, clock: FakeClock) -> None:
    config = Config(llm="ollama", model="x", ollama_url="http://127.0.0.1:1")
    model = build_model(config, db_path=db_path, clock=clock)
    for _ in range(5):
        with pytest.raises(ModelUnreachable):
            model.generate(ASK)
    with pytest.raises(ModelOff):
        model.generate(ASK)


def test_the_cache_is_off_unless_asked_for(db_path: Path, clock: FakeClock) -> None:
    config = Config(llm="scripted", model="demo")
    for cached in (False, True):
        model = build_model(config, db_path=db_path, clock=clock, cached=cached)
        assert [model.generate(ASK).from_cache for _ in range(2)] == [False, cached]


def test_building_imports_nothing_heavy() -> None:
    """The runner's start would pay for it."""
    script = (
        "import sys; from engine.llm.build import build_model; from engine.config import Config; "
        "[build_model(Config(), name=n) for n in ('embedded:smollm2', 'ollama:x', 'openai:y')]; "
        "heavy = {'requests', 'httpx', 'xllamacpp', 'psutil'} & set(sys.modules); "
        "print(sorted(heavy))"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=root, check=True
    )
    assert done.stdout.strip() == "[]"
