"""A taste of the contract run; all of it is ``python -m tests.service.api.contract``."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("schemathesis", reason="schemathesis is not installed: make dev")

from tests.service.api import contract  # the package must be there first


def test_no_answer_breaks_the_contract(tmp_path: Path) -> None:
    """Some hundred requests, the same ones every time, judged as in the whole run."""
    with contract.target(tmp_path) as where:
        found = contract.attack(where, tmp_path, seed=8, examples=25, phases="fuzzing,stateful")
        trouble = where.trouble()
    assert found.failures == []
    assert trouble == []
    assert found.cases > 300
    assert {name for name, count in found.taken.items() if not count} == set()
