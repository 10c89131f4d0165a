"""A corpus of attacks on the writer, and of clean texts that must come through.

One JSON file a kind of attack: ``headline`` is what a feed may bring, ``unsafe`` what a model
that obeys would write. ``clean/`` holds posts and headlines as they ought to be.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Attack:
    kind: str
    headline: str
    unsafe: str


@dataclass(frozen=True)
class Clean:
    """``kind`` is a content type, or ``headline``."""

    kind: str
    text: str


def load_attacks() -> list[Attack]:
    """Every attack, by kind."""
    return [
        Attack(file.stem, item["headline"], item["unsafe"])
        for file in sorted(FOLDER.glob("*.json"))
        for item in json.loads(file.read_text(encoding="utf-8"))
    ]


def load_clean() -> list[Clean]:
    """Posts and headlines that nobody should stop."""
    return [
        Clean(file.stem, text)
        for file in sorted((FOLDER / "clean").glob("*.json"))
        for text in json.loads(file.read_text(encoding="utf-8"))
    ]
