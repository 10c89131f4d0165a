"""Exports: no cell becomes a formula, nothing is lost."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import exports


def cells(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(
    "text",
    ['=HYPERLINK("http://evil.example")', "+1", "-2+3", "@SUM(A1)", "\tx", "\r=1", " =1", "a\n=cmd|' /C calc'!A0", "＝1"],
)  # fmt: skip
def test_what_a_spreadsheet_would_run_is_led_by_an_apostrophe(text: str) -> None:
    assert cells(exports.to_csv([{"text": text}]))[1][0].startswith("'")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_every_text_comes_back_from_the_csv(text: str) -> None:
    back = cells(exports.to_csv([{"text": text, "n": 1}]))[1][0]
    assert back in (text, f"'{text}")


def test_numbers_stay_numbers_and_lists_become_json() -> None:
    row = {"n": -5, "flags": ["a"], "none": None}
    assert cells(exports.to_csv([row]))[1] == ["-5", '["a"]', ""]
    assert json.loads(exports.to_json([row])) == [row]


def test_nothing_exports_as_nothing() -> None:
    assert exports.to_csv([]) == b""
