"""docs/operations.md: its table of settings is the registry itself.

``python -m tests.service.test_operations_page`` prints the table as it must be.
"""

from __future__ import annotations

import json
from pathlib import Path

from engine.settings import SETTINGS, Setting

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations.md"


def table() -> list[str]:
    """The rows of the settings table."""
    rows = ["| Setting | Default | Range | What it does |", "| --- | --- | --- | --- |"]
    for key, setting in SETTINGS.items():
        default = json.dumps(setting.default)
        rows.append(f"| `{key}` | `{default}` | {_range(setting)} | {setting.help} |")
    return rows


def _range(setting: Setting) -> str:
    if setting.choices:
        return ", ".join(setting.choices)
    if setting.low is not None and setting.high is not None:
        return f"{setting.low:,.10g} to {setting.high:,.10g}"
    return {"yes_no": "true, false", "text": "text", "object": "JSON object"}[setting.kind]


def test_the_table_of_settings_is_the_registry() -> None:
    page = PAGE.read_text(encoding="utf-8")
    found = [line for line in page.splitlines() if line.startswith(("| `", "| Setting", "| ---"))]
    start = found.index("| Setting | Default | Range | What it does |")
    assert found[start:] == table()


if __name__ == "__main__":
    print("\n".join(table()))
