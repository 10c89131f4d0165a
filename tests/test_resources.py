"""Shipped files are found in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import resources
from engine.errors import UsageError


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
