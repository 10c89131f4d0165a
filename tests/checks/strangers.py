"""Labelled texts by people who had not seen the fact lock, and what its author wrote to test it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.records import Facts

HERE = Path(__file__).parent
STRANGERS = HERE / "fact_cases_strangers.json"
"""Ten sets the lock was mended by, after their first run."""
UNSEEN = HERE / "fact_cases_unseen.json"
"""Three sets it learnt nothing true from; it was mended for the false texts that passed."""
AUTHOR = HERE / "fact_cases_author.json"
"""Two sets its author wrote before looking what it makes of them."""


@dataclass(frozen=True)
class Stranger:
    """A text by somebody who had not seen the lock; ``number``: which of their sets it is in."""

    number: int
    facts: Facts
    true: bool
    text: str
    why: str


def strangers(path: Path = STRANGERS) -> Iterator[Stranger]:
    """Texts about snapshots of their own: 1,936 learnt from, 595 in ``UNSEEN``, 442 in ``AUTHOR``."""
    listed = json.loads(path.read_text(encoding="utf-8"))
    snapshots = [Facts.from_dict(row) for row in listed["snapshots"]]
    for number, k, true, text, why in listed["texts"]:
        yield Stranger(number, snapshots[k], true, text, why)
