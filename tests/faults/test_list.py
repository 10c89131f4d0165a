"""The list of faults is whole and true: F01 to F37, each with tests that carry its number."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROWS = re.findall(
    r"^\| (F[\dF, -]+) \| .+ \| (.+) \|$", (HERE / "README.md").read_text(), re.MULTILINE
)


def numbers(text: str) -> set[int]:
    """``F05-F09, F12`` or ``test_f22_to_f25_…`` as numbers."""
    found = {int(number) for number in re.findall(r"[Ff](\d\d)(?!\d)", text)}
    for first, last in re.findall(r"[Ff](\d\d)(?:-|_to_|To)[Ff](\d\d)", text):
        found |= set(range(int(first), int(last) + 1))
    return found


def covered(file: str) -> set[int]:
    """The faults that names of tests and of their classes carry."""
    tree = ast.parse((HERE / file).read_text(encoding="utf-8"))
    named = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    return set().union(*(numbers(n.name) for n in named if n.name.lower().startswith("test")))


def test_every_fault_is_listed() -> None:
    assert set().union(*(numbers(faults) for faults, _ in ROWS)) == set(range(1, 38))


@pytest.mark.parametrize(("faults", "where"), ROWS, ids=[row[0] for row in ROWS])
def test_the_files_of_a_row_test_its_faults(faults: str, where: str) -> None:
    files = re.findall(r"`(test_\w+\.py)`", where)
    assert numbers(faults) <= set().union(*(covered(file) for file in files))
