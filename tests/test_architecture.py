"""Guards of the architecture: import directions, module sizes, settings that are documented."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from engine.config import VARIABLES, X_KEYS

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ["store", "market", "llm", "checks", "writing", "posting", "learning", "lab", "service"]
GROUND = {"config", "errors", "clock", "log", "records", "settings", "resources"}
MODULES = sorted((ROOT / "engine").rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Dotted names that a module imports, those inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    """A room uses the ground and the rooms before it, never one after it."""
    parts = path.relative_to(ROOT / "engine").with_suffix("").parts
    room = parts[0] if parts[0] in ROOMS else None
    for name in imported(path):
        assert name.split(".")[0] not in {"streamlit", "console", "pages", "tests"}
        pieces = name.split(".")
        if pieces[0] != "engine" or len(pieces) < 2 or pieces[1] in GROUND | {"__version__"}:
            continue
        assert pieces[1] in ROOMS, f"{path.name} imports the unknown room {name}"
        assert room is not None, f"{path.name} stands on the ground and may not import {name}"
        assert ROOMS.index(pieces[1]) <= ROOMS.index(room), f"{path.name} may not import {name}"


@pytest.mark.parametrize(
    "path",
    [*MODULES, *sorted((ROOT / "console").rglob("*.py")), *sorted((ROOT / "pages").glob("*.py"))],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_modules_hold_one_idea(path: Path) -> None:
    """No module over 400 lines, no page over 60, each with a docstring."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= (60 if path.parent.name == "pages" else 400)
    assert ast.get_docstring(ast.parse("\n".join(lines))), f"{path} does not say what it is"


def test_every_environment_variable_is_listed_for_operators() -> None:
    """.env.example names each variable that the program reads, and no other."""
    listed = {
        line.lstrip("# ").split("=")[0]
        for line in (ROOT / ".env.example").read_text().splitlines()
        if "=" in line and line.lstrip("# ").split("=")[0].isupper()
    }
    assert listed == {*VARIABLES, *X_KEYS, "OLLAMA_HOST"}
