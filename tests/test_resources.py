"""Shipped files are found in a checkout and in an installed wheel."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine import resources
from engine.errors import UsageError

ROOT = Path(__file__).resolve().parents[1]


def test_a_shipped_file_is_found() -> None:
    assert resources.data_path("sample_market.csv").is_file()


def test_a_missing_file_is_one_clear_sentence() -> None:
    with pytest.raises(UsageError, match=r"data/nothing\.csv is missing"):
        resources.data_path("nothing.csv")


def test_a_wheels_own_folder_comes_before_a_strangers_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In site-packages a folder named data may belong to anybody."""
    for folder in ("data", "btcbuzz_data"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.json").write_text(folder)
    monkeypatch.setattr(resources, "_FOLDERS", (tmp_path / "btcbuzz_data", tmp_path / "data"))
    assert resources.data_path("x.json").read_text() == "btcbuzz_data"


def test_the_wheel_carries_every_file_that_is_not_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """What git has of data, schema and pictures is what setup.py packs."""
    told: dict[str, Any] = {}
    setuptools = SimpleNamespace(setup=told.update, find_packages=lambda include: [])
    monkeypatch.setitem(sys.modules, "setuptools", setuptools)
    monkeypatch.chdir(ROOT)
    runpy.run_path(str(ROOT / "setup.py"))
    packed = set()
    for package, patterns in told["package_data"].items():
        folder = ROOT / told["package_dir"].get(package, package.replace(".", "/"))
        packed |= {path for pattern in patterns for path in folder.glob(pattern)}
    listed = subprocess.run(
        ["git", "ls-files", "data", "engine", "console", "pages", ".streamlit"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    files = [ROOT / line for line in listed.stdout.splitlines() if not line.endswith(".py")]
    if not files:
        pytest.skip("no git checkout")
    assert [file for file in files if file.exists() and file not in packed] == []
