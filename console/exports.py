"""Rows as CSV or JSON for other programs; no cell of a CSV can become a formula."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def to_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """UTF-8 with a byte-order mark, so that spreadsheets read it right.

    Texts that a spreadsheet would run are led by an apostrophe (facts: reliability §5.4).
    """
    if not rows:
        return b""
    file = io.StringIO()
    writer = csv.DictWriter(file, fieldnames=list(rows[0]), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return b"\xef\xbb\xbf" + file.getvalue().encode("utf-8")


def to_json(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The same rows, types kept."""
    return json.dumps(list(rows), ensure_ascii=False, indent=1).encode("utf-8")


def _cell(value: Any) -> Any:
    if isinstance(value, list | tuple | dict):
        value = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, str):
        return value
    # spreadsheets skip what is blank in front, and some split a cell at its line ends
    risky = any(
        line.lstrip(" \u00a0\ufeff\v\f\0").startswith(_FORMULA) for line in value.splitlines()
    )
    return f"'{value}" if risky else value
