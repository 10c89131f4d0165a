"""``runner.py bench`` as its user meets it, a kill -9 in the middle included."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from engine.store import bench
from engine.store.database import opened
from tests.fakes.ollama_server import FakeModel, OllamaServer, Reply

ROOT = Path(__file__).resolve().parents[2]
GOOD = json.dumps({"text": "Patience is a strategy. Bitcoin is a long game."})
KEYS = {
    "model", "content_type", "n_planned", "n_ok", "n_error", "n_truncated", "n_empty",
    "n_accepted", "seconds_median", "seconds_per_accepted", "ttft_s_median", "decode_tok_s",
}  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> dict[str, str]:
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**keep, "BTCBUZZ_DB": str(tmp_path / "bot.db"), "BTCBUZZ_LLM": "scripted"}


def command(*args: str) -> list[str]:
    return [sys.executable, "runner.py", *args]


def answer(world: dict[str, str], *args: str) -> Any:
    done = subprocess.run(
        command(*args), cwd=ROOT, env=world, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_answer_has_the_agreed_shape(world: dict[str, str]) -> None:
    """Two models, two types: four cells; a model that does not exist is all errors."""
    with OllamaServer([FakeModel("llama3:8b")], Reply(GOOD)) as server:
        world["BTCBUZZ_OLLAMA_URL"] = server.url
        told = answer(
            world, "bench", "--models", "ollama:llama3:8b,ollama:absent:1b",
            "--types", "joke,motivation", "--repeats", "2", "--json",
        )  # fmt: skip
    assert {"run_id", "context", "cells"} <= set(told)
    assert len(told["cells"]) == 4
    for cell in told["cells"]:
        assert set(cell) >= KEYS
        parts = ("n_ok", "n_error", "n_truncated", "n_empty")
        assert cell["n_planned"] == sum(cell[name] for name in parts) == 2
        assert (cell["n_error"] == 2) == (cell["model"] == "ollama:absent:1b")


def test_without_names_the_model_in_force_is_measured(world: dict[str, str]) -> None:
    with OllamaServer([FakeModel("llama3:8b")], Reply(GOOD)) as server:
        world["BTCBUZZ_OLLAMA_URL"] = server.url
        for args in (("migrate",), ("settings", "set", "model.current", "ollama:llama3:8b")):
            subprocess.run(command(*args), cwd=ROOT, env=world, check=True, capture_output=True)
        told = answer(world, "bench", "--types", "joke", "--repeats", "1", "--json")
    assert [cell["model"] for cell in told["cells"]] == ["ollama:llama3:8b"]


def test_kill_9_loses_no_finished_call(world: dict[str, str]) -> None:
    """The same command takes the run up where the killed process left it."""
    args = ("bench", "--models", "ollama:llama3:8b", "--types", "joke", "--repeats", "12", "--json")
    with OllamaServer([FakeModel("llama3:8b")], Reply(GOOD, first_token_s=0.1)) as server:
        world["BTCBUZZ_OLLAMA_URL"] = server.url
        doomed = subprocess.Popen(
            command(*args),
            cwd=ROOT,
            env=world,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while len(server.requests()) < 5:
            time.sleep(0.01)
        doomed.kill()
        doomed.wait()
        with opened(Path(world["BTCBUZZ_DB"])) as db:
            before = bench.calls(db, 1)
        assert len(before) >= 3, "each finished call was committed before the next began"
        asked = len(server.requests())
        told = answer(world, *args)
        again = len(server.requests()) - asked
    with opened(Path(world["BTCBUZZ_DB"])) as db:
        after = bench.calls(db, 1)
    assert told["run_id"] == 1
    assert told["cells"][0]["n_ok"] == told["cells"][0]["n_accepted"] == 12
    kept = [(call.place, call.wall_s) for call in before]
    assert [(call.place, call.wall_s) for call in after][: len(kept)] == kept
    assert again == 13 - len(before) + 1, "only what was missing, and one warm-up"


def test_exports_hold_the_same_figures(world: dict[str, str]) -> None:
    told = answer(world, "bench", "--types", "joke", "--repeats", "2", "--json")
    assert answer(world, "bench", "export", "1")["cells"] == told["cells"]
    for form, mark in (("csv", "scripted:scripted"), ("markdown", "| scripted:scripted |")):
        done = subprocess.run(
            command("bench", "export", "1", "--format", form),
            cwd=ROOT, env=world, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert mark in done.stdout


@pytest.mark.parametrize(
    "args",
    [
        ("--models", "llama3"),
        ("--types", "poem"),
        ("--repeats", "0"),
        ("--recipes", "wild"),
        ("--versions", "99"),
        ("--resume", "7"),
    ],
)
def test_a_wrong_wish_is_one_sentence(world: dict[str, str], args: tuple[str, ...]) -> None:
    done = subprocess.run(
        command("bench", *args), cwd=ROOT, env=world, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
