"""What a benchmark will do, call by call, fixed before the first call so that it can be resumed.

Order: rounds of one content type, recipe, template version and repeat; within a round every model
once, starting with another model each round (a Latin square's rows), so that no model always
follows the same one. All models of a round get the same seed, snapshot and prompt.
"""

from __future__ import annotations

import dataclasses
import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from sqlite_utils import Database

from engine.errors import UsageError
from engine.lab import moments
from engine.llm.build import parse_model_name
from engine.records import CONTENT_TYPES, Snapshot, canonical_json
from engine.store import templates

RECIPES = ("auto", "menu", "slots", "free")
MOST_REPEATS = 10_000

CachePolicy = Literal["defeat", "keep"]


@dataclass(frozen=True)
class Subject:
    """A content type written with one template version."""

    content_type: str
    version_id: int


@dataclass(frozen=True)
class Place:
    """One planned call; ``number`` is its place in the run."""

    number: int
    model: str
    subject: Subject
    recipe: str
    repeat: int
    moment: int
    seed: int


@dataclass(frozen=True)
class Plan:
    """All that decides what a run does. ``market`` are FACTS objects."""

    models: tuple[str, ...]
    subjects: tuple[Subject, ...]
    recipes: tuple[str, ...]
    repeats: int
    seed: int
    cache: CachePolicy
    timeout_s: float
    market: tuple[dict[str, Any], ...]

    def places(self) -> Iterator[Place]:
        """Every call in order."""
        number = 0
        rounds = 0
        for repeat in range(self.repeats):
            for subject in self.subjects:
                for recipe in self.recipes:
                    for model in _turned(self.models, rounds):
                        yield self._place(number, model, subject, recipe, repeat)
                        number += 1
                    rounds += 1

    def _place(self, number: int, model: str, subject: Subject, recipe: str, repeat: int) -> Place:
        seed = random.Random(f"{self.seed}/{subject.content_type}/{repeat}").randrange(2**31)
        return Place(number, model, subject, recipe, repeat, repeat % len(self.market), seed)

    @property
    def planned(self) -> int:
        """How many calls :meth:`places` yields."""
        return len(self.models) * len(self.subjects) * len(self.recipes) * self.repeats

    def moments(self) -> tuple[Snapshot, ...]:
        return moments.from_facts(self.market)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> Plan:
        """A plan as it was stored."""
        lists = {key: tuple(row[key]) for key in ("models", "recipes", "market")}
        subjects = tuple(Subject(**item) for item in row["subjects"])
        return cls(**{**row, **lists, "subjects": subjects})

    def sha256(self) -> str:
        """Names the plan: equal plans ask for equal runs."""
        return hashlib.sha256(canonical_json(self.to_dict()).encode()).hexdigest()


def make_plan(
    db: Database,
    *,
    models: list[str],
    types: list[str],
    repeats: int,
    recipes: list[str] | None = None,
    versions: list[int] | None = None,
    seed: int = 1,
    cache: CachePolicy = "defeat",
    timeout_s: float = 60.0,
    market: tuple[Snapshot, ...] | None = None,
) -> Plan:
    """A checked plan. Without ``versions``: those in production.

    Raises: UsageError saying what cannot be run.
    """
    names = list(dict.fromkeys(models))
    for name in names:
        parse_model_name(name)
    kinds, wanted = list(dict.fromkeys(types)), list(dict.fromkeys(recipes or ["auto"]))
    _refuse_unknown("content types", kinds, CONTENT_TYPES)
    _refuse_unknown("recipes", wanted, RECIPES)
    if not names:
        raise UsageError("name at least one model, for instance --models embedded:smollm2.")
    if not 1 <= repeats <= MOST_REPEATS:
        raise UsageError(f"repeats must be 1 to {MOST_REPEATS:,}, not {repeats}.")
    moments_used = market or moments.shipped()
    return Plan(
        models=tuple(names),
        subjects=tuple(_subjects(db, kinds, versions or [])),
        recipes=tuple(wanted),
        repeats=repeats,
        seed=seed,
        cache=cache,
        timeout_s=timeout_s,
        market=tuple(item.facts.to_dict() for item in moments_used),
    )


def _subjects(db: Database, types: list[str], versions: list[int]) -> Iterator[Subject]:
    """The asked-for versions; for a type without one, the version in production."""
    asked: dict[str, list[int]] = {kind: [] for kind in types}
    for version_id in versions:
        version = templates.get_version(db, version_id)
        template = templates.get(db, version.template_id) if version else None
        if template is None or template.purpose not in asked:
            raise UsageError(f"template version {version_id} is none of {', '.join(types)}.")
        asked[template.purpose].append(version_id)
    for kind, chosen in asked.items():
        found = None if chosen else templates.production(db, kind)
        if not chosen and found is None:
            raise UsageError(f"no template is in production for {kind}. Promote one first.")
        for version_id in chosen or ([found[1].id] if found else []):
            yield Subject(kind, version_id)


def _refuse_unknown(what: str, asked: list[str], known: tuple[str, ...]) -> None:
    unknown = [name for name in asked if name not in known]
    if unknown or not asked:
        raise UsageError(f"{what} are {', '.join(known)}, not {', '.join(unknown) or 'none'}.")


def _turned(names: tuple[str, ...], by: int) -> tuple[str, ...]:
    at = by % len(names)
    return names[at:] + names[:at]
