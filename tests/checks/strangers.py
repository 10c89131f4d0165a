"""Labelled texts by three people who had not seen the fact lock."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.records import Facts

HERE = Path(__file__).parent
STRANGERS = HERE / "fact_cases_strangers.json"
"""Seven sets the lock was mended by, after their first run."""
UNSEEN = HERE / "fact_cases_unseen.json"
"""Three sets the lock was never changed for: what a stranger's wording meets."""


@dataclass(frozen=True)
class Stranger:
    """A text by somebody who had not seen the lock; ``number``: which of their sets it is in."""

    number: int
    facts: Facts
    true: bool
    text: str
    why: str


def strangers(path: Path = STRANGERS) -> Iterator[Stranger]:
    """Texts about snapshots of their own: 1,336 learnt from, 600 more in ``UNSEEN``."""
    listed = json.loads(path.read_text(encoding="utf-8"))
    snapshots = [Facts.from_dict(row) for row in listed["snapshots"]]
    for number, k, true, text, why in listed["texts"]:
        yield Stranger(number, snapshots[k], true, text, why)
