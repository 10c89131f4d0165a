"""deploy/: checked as far as it can be without systemd running, without Docker, without a host.

By the tools that know: ``systemd-analyze``, hadolint, the Compose Specification's schema. For
Litestream's file there is none to be had: its keys are held against its documentation by hand.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.config import SECRETS, VARIABLES
from engine.service.cli import build_parser

ROOT = Path(__file__).resolve().parents[1]
UNIT = ROOT / "deploy/btcbuzzbot.service"
HADOLINT = Path(sys.executable).with_name("hadolint")
MOST_EXPOSED = 2.0
"""Of 10; ``systemd-analyze security`` calls less than 2 "OK"."""


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


def test_systemd_finds_the_unit_little_exposed() -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", str(UNIT)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    level = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert level is not None, done.stderr
    assert float(level[1]) < MOST_EXPOSED


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


def test_compose_keeps_to_the_compose_specification() -> None:
    pytest.importorskip("check_jsonschema")
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec",
         str(ROOT / "deploy/compose.yaml")],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_every_image_of_others_has_a_version(compose: dict[str, Any]) -> None:
    for name, part in compose["services"].items():
        tag = part["image"].partition(":")[2]
        assert re.search(r"\d", tag), name
        assert "latest" not in tag, name


def test_every_service_and_profile_is_explained(compose: dict[str, Any]) -> None:
    text = (ROOT / "docs/operations.md").read_text()
    for name, part in compose["services"].items():
        profile = part.get("profiles", ["none"])[0]
        assert re.search(rf"^\| `{name}` \| {profile} \|", text, re.MULTILINE), name


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


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    if not HADOLINT.exists():
        pytest.skip("hadolint is not installed: no build of it for this machine")
    done = subprocess.run(
        [str(HADOLINT), "--no-color", str(ROOT / "deploy/Dockerfile")],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_runs_as_nobody_from_locked_packages() -> None:
    text = (ROOT / "deploy/Dockerfile").read_text()
    assert "--require-hashes -r requirements.lock" in text
    user = re.search(r"--uid (\d+)", text)
    assert user is not None
    assert text.index(f"USER {user[1]}\n") < text.index("ENTRYPOINT")
    assert text.index("HEALTHCHECK") < text.index("ENTRYPOINT")
    assert re.search(r"^ARG BASE=python:3\.\d+", text, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${BASE}"}
    assert not re.search(rf"^(?:ARG|ENV).*(?:{'|'.join(SECRETS)})", text, re.MULTILINE)
    copied = re.findall(r"^COPY (\S+) ", text, re.MULTILINE)
    assert [
        name for name in copied if not name.startswith("--") and not (ROOT / name).exists()
    ] == []
    assert "\nADD " not in text
    ignored = (ROOT / ".dockerignore").read_text().split()
    kept_out = {".git", ".venv", "**/*.db", ".env*", "data/backups", "deploy/secrets"}
    assert kept_out | {"**/secrets.toml"} <= set(ignored)


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
    """Litestream 0.5: one replica a database, snapshots apart (litestream.io/reference/config)."""
    copies = yaml.safe_load((ROOT / "deploy/litestream.yml").read_text())
    (database,) = copies["dbs"]
    assert f"BTCBUZZ_DB={database['path']}" in (ROOT / "deploy/Dockerfile").read_text()
    assert set(copies) == {"snapshot", "dbs"}
    assert set(copies["snapshot"]) == {"interval", "retention"}
    assert set(database) == {"path", "replica"}
    assert set(database["replica"]) == {"url", "sync-interval"}
    side_car = compose["services"]["litestream"]
    assert set(re.findall(r"\$\{(\w+)\}", str(copies))) <= set(side_car["environment"])
    assert side_car["volumes"][0] in compose["services"]["runner"]["volumes"]
