"""``run --api`` and ``token``: as their users start them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.config import SOURCE_HOSTS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def world(tmp_path: Path) -> dict[str, str]:
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {
        **keep,
        **{f"BTCBUZZ_{name}_URL": "http://127.0.0.1:9" for name in SOURCE_HOSTS},
        "BTCBUZZ_DB": str(tmp_path / "bot.db"),
        "BTCBUZZ_LLM": "scripted",
        "BTCBUZZ_FEEDS": "http://127.0.0.1:9/feed",
    }


def command(world: dict[str, str], *args: str, status: int = 0) -> Any:
    done = subprocess.run(
        [sys.executable, "runner.py", *args], cwd=ROOT, env=world, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout) if status == 0 else done.stderr


def test_the_runner_serves_the_api_and_ends_with_it(world: dict[str, str]) -> None:
    made = command(world, "token", "create", "--scopes", "all", "--json")
    assert {"id", "token"} <= set(made)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "runner.py", "run", "--api", f"127.0.0.1:{port}"],
        cwd=ROOT, env=world, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            with httpx.Client(
                base_url=f"http://127.0.0.1:{port}/api/v1",
                headers={"Authorization": f"Bearer {made['token']}"},
                timeout=30,
            ) as client:
                assert _ready(client)
                row = client.post("/generate", json={"content_type": "joke"}).json()
                assert row["state"] == "pending_approval", row
                command(world, "token", "revoke", made["id"], "--json")
                assert client.get("/status").status_code == 401
        finally:
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=30)
    assert process.returncode == 0
    assert made["token"] not in log.decode()
    listed = command(world, "token", "list", "--json")
    assert [(row["id"], row["live"]) for row in listed] == [(made["id"], False)]
    assert "token" not in listed[0]


def _ready(client: httpx.Client) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if client.get("/health").status_code == 200:
                return True
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    return False


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (("run", "--api", "0.0.0.0:8700"), "allow_public"),
        (("run", "--api", "somewhere"), "HOST:PORT"),
        (("token", "create", "--scopes", "root"), "generate"),
        (("token", "revoke", "nobody"), "token list"),
    ],
)
def test_what_must_not_be_is_one_sentence_and_exit_code_2(
    world: dict[str, str], args: tuple[str, ...], word: str
) -> None:
    errors = command(world, *args, status=2)
    assert word in errors.splitlines()[-1]
    assert "Traceback" not in errors
