"""deploy/: checked as far as it can be without systemd running, without Docker, without a host."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.config import SECRETS, VARIABLES
from engine.service.cli import build_parser

ROOT = Path(__file__).resolve().parents[1]
UNIT = ROOT / "deploy/btcbuzzbot.service"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
    return document


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    """With the paths of the unit pointed at files that exist here."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    text = UNIT.read_text().replace("/opt/btcbuzzbot/.venv/bin/python", "/bin/true")
    text = text.replace("WorkingDirectory=/opt/btcbuzzbot", "WorkingDirectory=/")
    copy = tmp_path / UNIT.name
    copy.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, timeout=60
    )
    ours = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert ours == []


def test_the_units_words_are_ours() -> None:
    """Its command parses, its variables exist, its credentials are secrets that are read."""
    text = UNIT.read_text()
    command = re.search(r"^ExecStart=\S+ \S+/runner\.py (.+)$", text, re.MULTILINE)
    assert command is not None
    build_parser().parse_args(command[1].split())
    assert set(re.findall(r"Environment=(BTCBUZZ_\w+)", text)) <= set(VARIABLES)
    assert set(re.findall(r"LoadCredential=(\w+):", text)) <= set(SECRETS)
    for word in ("Type=notify", "WatchdogSec=", "Restart=always", "NoNewPrivileges=yes"):
        assert f"\n{word}" in text


def test_only_the_console_has_a_port_and_only_on_loopback(compose: dict[str, Any]) -> None:
    ports = {name: part.get("ports", []) for name, part in compose["services"].items()}
    assert {name for name, found in ports.items() if found} == {"console"}
    assert all(port.startswith("127.0.0.1:") for port in ports["console"])


def test_what_compose_names_is_there(compose: dict[str, Any]) -> None:
    volumes, networks = set(compose["volumes"]), set(compose["networks"])
    for name, part in compose["services"].items():
        assert set(part["networks"]) <= networks, name
        for volume in part.get("volumes", []):
            source = volume.split(":")[0]
            assert source in volumes or (ROOT / "deploy" / source).exists(), volume
        ours = {key for key in part.get("environment", {}) if key.startswith("BTCBUZZ_")}
        assert ours <= set(VARIABLES), name
    for name in ("runner", "console"):
        command = compose["services"][name].get("command", ["run"])
        build_parser().parse_args(command)


def test_the_image_runs_as_nobody_from_locked_packages() -> None:
    text = (ROOT / "deploy/Dockerfile").read_text()
    assert "--require-hashes -r requirements.lock" in text
    assert text.index("USER btcbuzzbot") < text.index("ENTRYPOINT")
    copied = re.findall(r"^COPY (\S+) ", text, re.MULTILINE)
    assert [
        name for name in copied if not name.startswith("--") and not (ROOT / name).exists()
    ] == []
    assert "\nADD " not in text
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".venv", "**/*.db", ".env*"} <= set(ignored)


def test_the_lock_holds_every_package_with_hashes() -> None:
    text = (ROOT / "requirements.lock").read_text()
    pins = re.findall(
        r"^([a-z0-9_.-]+)==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE
    )
    assert len(pins) == len(re.findall(r"^[a-z0-9_.-]+==", text, re.MULTILINE))
    wanted = re.findall(
        r"^([A-Za-z0-9_-]+)[><=]", (ROOT / "requirements.txt").read_text(), re.MULTILINE
    )
    assert {name.lower().replace("_", "-") for name in wanted} <= set(pins)
    assert "://" not in re.sub(r"#.*", "", text)  # no index and no machine's own address


def test_copies_are_of_the_database_that_the_runner_uses(compose: dict[str, Any]) -> None:
    copies = yaml.safe_load((ROOT / "deploy/litestream.yml").read_text())
    assert f"BTCBUZZ_DB={copies['dbs'][0]['path']}" in (ROOT / "deploy/Dockerfile").read_text()
