"""The brand voice: the shipped profile, and the versions an operator saved over it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlite_utils import Database

from engine.clock import iso, parse_iso
from engine.errors import UsageError
from engine.records import canonical_json
from engine.resources import data_path
from engine.store.database import write_tx


@dataclass(frozen=True)
class Marks:
    """Words that break one trait. ``*`` at the end of an entry stands for any ending.

    One strong entry is a fault by itself; weak ones are faults in numbers.
    """

    reads_as: str
    strong: tuple[str, ...]
    weak: tuple[str, ...] = ()


@dataclass(frozen=True)
class VoiceProfile:
    """How the account sounds. ``love`` and ``avoid`` go into prompts, ``marks`` into the check."""

    name: str
    tone: tuple[str, ...]
    energy: str
    emoji_max: int
    hashtag_max: int
    sentence_words_max: int
    love: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()
    marks: tuple[tuple[str, Marks], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON shape of ``data/voice.json``."""
        row = dataclasses.asdict(self)
        row["marks"] = {trait: dataclasses.asdict(marks) for trait, marks in self.marks}
        loaded: dict[str, Any] = json.loads(json.dumps(row))
        return loaded

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> VoiceProfile:
        """Read the JSON shape of ``data/voice.json``.

        Raises: UsageError naming what is missing or of a wrong type.
        """
        try:
            marks = {
                trait: Marks(_text(m["reads_as"]), _texts(m["strong"]), _texts(m.get("weak", [])))
                for trait, m in row.get("marks", {}).items()
            }
            known = {field.name for field in dataclasses.fields(cls)}
            unknown = sorted(set(row) - known)
            if unknown:
                raise ValueError(f"unknown keys {', '.join(unknown)}")
            return cls(
                name=_text(row["name"]),
                tone=_texts(row["tone"]),
                energy=_text(row["energy"]),
                emoji_max=_whole(row["emoji_max"]),
                hashtag_max=_whole(row["hashtag_max"]),
                sentence_words_max=_whole(row["sentence_words_max"]),
                love=_texts(row.get("love", [])),
                avoid=_texts(row.get("avoid", [])),
                samples=_texts(row.get("samples", [])),
                marks=tuple(sorted(marks.items())),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(
                f"the voice profile cannot be read ({error}). Compare it with data/voice.json."
            ) from error


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{value!r} is not a text")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{value!r} is not a list of texts")
    return tuple(_text(item) for item in value)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is not a whole number from 0")
    return value


@cache
def shipped_profile() -> VoiceProfile:
    """The profile of ``data/voice.json``."""
    return VoiceProfile.from_dict(json.loads(data_path("voice.json").read_text(encoding="utf-8")))


@dataclass(frozen=True)
class VoiceVersion:
    """One saved version."""

    number: int
    profile: VoiceProfile
    note: str
    created_at: datetime
    created_by: str


def current(db: Database) -> VoiceProfile:
    """The newest saved profile, or the shipped one where none was saved."""
    row = db.conn.execute(
        "SELECT profile FROM voice_profiles ORDER BY number DESC LIMIT 1"
    ).fetchone()
    return VoiceProfile.from_dict(json.loads(row[0])) if row else shipped_profile()


def save(db: Database, profile: VoiceProfile, actor: str, now: datetime, note: str = "") -> int:
    """Store ``profile`` as a new version and answer its number.

    Raises: UsageError when it says the same as the profile in force.
    """
    with write_tx(db):
        if profile == current(db):
            raise UsageError("this is the voice in force already; nothing was saved.")
        newest = db.conn.execute("SELECT COALESCE(MAX(number), 0) FROM voice_profiles").fetchone()
        db.conn.execute(
            "INSERT INTO voice_profiles (number, profile, note, created_at, created_by) "
            "VALUES (?, ?, ?, ?, ?)",
            (newest[0] + 1, canonical_json(profile.to_dict()), note, iso(now), actor),
        )
    return int(newest[0]) + 1


def versions(db: Database) -> list[VoiceVersion]:
    """Every saved version, newest first."""
    rows = db.conn.execute(
        "SELECT number, profile, note, created_at, created_by FROM voice_profiles "
        "ORDER BY number DESC"
    ).fetchall()
    return [
        VoiceVersion(
            number, VoiceProfile.from_dict(json.loads(profile)), note, parse_iso(at), actor
        )
        for number, profile, note, at, actor in rows
    ]
