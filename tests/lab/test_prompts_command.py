"""``runner.py prompts``: the answer's shape, exit codes, blessing and rollback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from defusedxml import ElementTree as ET

from engine.store import audit
from engine.store.database import opened
from tests.lab.test_bench_command import ROOT


@pytest.fixture
def world(tmp_path: Path) -> dict[str, str]:
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**keep, "BTCBUZZ_DB": str(tmp_path / "bot.db"), "BTCBUZZ_LLM": "scripted"}


def prompts(world: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "runner.py", "prompts", *args],
        cwd=ROOT, env=world, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def suite_file(folder: Path, wanted: str) -> Path:
    path = folder / "small.json"
    case = {
        "name": "a joke",
        "content_type": "joke",
        "expect": [{"kind": "checks"}, {"kind": "lacks", "value": wanted}],
    }
    path.write_text(json.dumps({"repeats": 6, "cases": [case]}))
    return path


def test_pass_bless_and_compare(world: dict[str, str], tmp_path: Path) -> None:
    """A first run has no baseline; once blessed, the next is compared with it; JUnit beside."""
    path, junit = suite_file(tmp_path, "lambo"), tmp_path / "junit.xml"
    first = prompts(world, "test", "--suite", str(path), "--json", "--junit", str(junit))
    assert first.returncode == 0, first.stderr
    told = json.loads(first.stdout)
    assert (told["verdict"], told["n_pass"], told["n_fail"], told["n_error"]) == ("pass", 6, 0, 0)
    assert told["suites"][0]["regression"] == "no baseline"
    suite = ET.fromstring(junit.read_text()).find("testsuite")
    assert suite.get("tests") == "1" and float(suite.get("time")) >= 0
    properties = {node.get("name"): node.get("value") for node in suite.iter("property")}
    assert properties["regression"] == "no baseline"
    run = str(told["suites"][0]["run_id"])
    assert prompts(world, "bless", run, "--reason", "reviewed").returncode == 0
    again = json.loads(prompts(world, "test", "--suite", str(path), "--json").stdout)
    assert again["suites"][0]["regression"] == "no regression"
    assert again["suites"][0]["baseline_run_id"] == int(run)


def test_what_got_worse_is_a_regression_and_exit_code_1(
    world: dict[str, str], tmp_path: Path
) -> None:
    """The same case, now with a demand that no joke meets."""
    path = suite_file(tmp_path, "lambo")
    run = json.loads(prompts(world, "test", "--suite", str(path), "--json").stdout)
    prompts(world, "bless", str(run["suites"][0]["run_id"]), "--reason", "reviewed")
    suite_file(tmp_path, "e")
    worse = prompts(world, "test", "--suite", str(path), "--json")
    assert worse.returncode == 1
    told = json.loads(worse.stdout)
    assert (told["verdict"], told["suites"][0]["regression"]) == ("fail", "regression")


def test_a_model_that_is_away_is_an_error(world: dict[str, str], tmp_path: Path) -> None:
    world["BTCBUZZ_OLLAMA_URL"] = "http://127.0.0.1:9"
    path = suite_file(tmp_path, "lambo")
    done = prompts(world, "test", "--suite", str(path), "--models", "ollama:x", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["verdict"], told["n_pass"]) == (1, "error", 0)


def test_promotion_and_one_step_back(world: dict[str, str], tmp_path: Path) -> None:
    prompts(world, "test", "--suite", str(suite_file(tmp_path, "lambo")))
    promoted = prompts(world, "promote", "Crypto joke", "1", "--reason", "best in run 1")
    assert promoted.returncode == 0
    back = prompts(world, "rollback", "Crypto joke", "--reason", "second thoughts")
    assert back.returncode == 0 and "version 1" in back.stdout
    with opened(Path(world["BTCBUZZ_DB"]), "ro") as db:
        told = [entry.what for entry in audit.entries(db) if entry.subject.startswith("template:")]
    assert sorted(told) == ["promoted", "rolled back"]
    assert prompts(world, "promote", "Crypto joke", "7", "--reason", "no such").returncode == 2
    unproven = prompts(world, "promote", "Crypto joke", "1", "--reason", "x", "--run", "999")
    assert unproven.returncode == 2 and "suite run 999 does not exist" in unproven.stderr
    assert prompts(world, "test", "--suite", "absent").returncode == 2
