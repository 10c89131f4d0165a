"""The prompt suite: cases × template versions × models × repeats from a data file, each answer a
pass, a fail or an error, the whole beside a blessed baseline.

A file of ``data/suites``: ``about``, ``repeats``, ``require`` (share of passes a case needs),
``models`` and ``recipes`` (``configured`` and ``auto`` where absent), ``versions`` (``production``,
or ``Template name@number``), ``cases``: ``name``, ``content_type``, ``moment`` (a number of
:mod:`engine.lab.moments`) or ``facts`` (a FACTS object), ``expect`` (:mod:`engine.lab.assertions`).
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from engine.clock import Clock
from engine.errors import TemplateError, UsageError
from engine.lab import assertions, measure, moments
from engine.lab.assertions import Demand, Written
from engine.lab.plan import RECIPES, Place, Subject
from engine.lab.stage import Stage
from engine.llm.base import Model
from engine.records import CONTENT_TYPES, Facts, Snapshot
from engine.resources import data_path
from engine.store import suite as rows
from engine.store import templates
from engine.store.bench import BenchCall
from engine.store.suite import SuiteResult

CONFIGURED, PRODUCTION = "configured", "production"
TIMEOUT_S = 60.0
ACROSS = -1
"""The repeat number of what is demanded of all repeats together."""


@dataclass(frozen=True)
class Case:
    """One situation and what is demanded of every text written on it."""

    name: str
    content_type: str
    snapshot: Snapshot
    each: tuple[Demand, ...]
    across: tuple[Demand, ...]


@dataclass(frozen=True)
class Suite:
    """A parsed file. ``sha256`` is of its bytes."""

    name: str
    sha256: str
    repeats: int
    require: float
    models: tuple[str, ...]
    recipes: tuple[str, ...]
    versions: tuple[str, ...]
    cases: tuple[Case, ...]


def shipped() -> list[Path]:
    """The suites in ``data/suites``."""
    return sorted(data_path("suites").glob("*.json"))


def find(name: str) -> Path:
    """A shipped suite by name, or a file by path. Raises: UsageError."""
    path = Path(name)
    if path.suffix == ".json" and path.exists():
        return path
    for known in shipped():
        if known.stem == name:
            return known
    names = ", ".join(known.stem for known in shipped())
    raise UsageError(f"there is no suite {name!r}. Shipped are {names}; or give a JSON file.")


def read(path: Path) -> Suite:
    """Raises: UsageError saying where the file is wrong."""
    try:
        data = path.read_bytes()
        row = json.loads(data)
        suite = Suite(
            name=path.stem,
            sha256=hashlib.sha256(data).hexdigest(),
            repeats=int(row.get("repeats", 5)),
            require=float(row.get("require", 1.0)),
            models=tuple(row.get("models", [CONFIGURED])),
            recipes=tuple(row.get("recipes", ["auto"])),
            versions=tuple(row.get("versions", [PRODUCTION])),
            cases=tuple(_case(item, path.name) for item in row["cases"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is not a suite ({error}). See data/suites.") from error
    names = [case.name for case in suite.cases]
    if not names or len(set(names)) != len(names) or not 1 <= suite.repeats <= 10_000:
        raise UsageError(f"{path.name} needs cases with names of their own, and repeats from 1.")
    if not 0 < suite.require <= 1 or not set(suite.recipes) <= set(RECIPES):
        raise UsageError(f"{path.name}: require is above 0 and at most 1; recipes are {RECIPES}.")
    return suite


def run(
    db: Database,
    suite: Suite,
    models: dict[str, Model],
    *,
    actor: str,
    clock: Clock,
    progress: Callable[[int], None] = lambda done: None,
) -> int:
    """Run all of it, each result committed at once; answers the run's id.

    Models take turns within a repeat. Raises: UsageError for a version that does not exist.
    """
    stage = Stage(db, [case.snapshot for case in suite.cases], cache="keep", timeout_s=TIMEOUT_S)
    subjects = [
        (number, case, Subject(case.content_type, version_id))
        for number, case in enumerate(suite.cases)
        for version_id in _versions(db, suite, case.content_type)
    ]
    run_id = rows.start(db, suite.name, suite.sha256, actor=actor, now=clock.now())
    texts: dict[tuple[str, str, int, str], list[str]] = {}
    done = 0
    for repeat in range(suite.repeats):
        for number, case, subject in subjects:
            seed = random.Random(f"{case.name}/{repeat}").randrange(2**31)
            for recipe in suite.recipes:
                for name, model in models.items():
                    place = Place(done, name, subject, recipe, repeat, number, seed)
                    result = _one(stage, model, place, case)
                    rows.add(db, run_id, result, now=clock.now())
                    if result.text:
                        key = (case.name, name, subject.version_id, recipe)
                        texts.setdefault(key, []).append(result.text)
                    done += 1
                    progress(done)
    for result in _together(suite, subjects, list(models), texts):
        rows.add(db, run_id, result, now=clock.now())
    rows.finish(db, run_id, now=clock.now())
    return run_id


def planned(db: Database, suite: Suite, models: int) -> int:
    """How many calls a run makes."""
    pairs = sum(len(_versions(db, suite, case.content_type)) for case in suite.cases)
    return pairs * models * len(suite.recipes) * suite.repeats


def _one(stage: Stage, model: Model, place: Place, case: Case) -> SuiteResult:
    blank = SuiteResult(
        case.name, case.content_type, place.model, place.subject.version_id, place.recipe,
        place.repeat, "error", "", "", 0.0,
    )  # fmt: skip
    try:
        call = measure.ask(model, stage.question(place))
    except TemplateError as error:
        return replace(blank, reason=str(error))
    return _judged(stage, blank, call, place, case)


def _judged(
    stage: Stage, blank: SuiteResult, call: BenchCall, place: Place, case: Case
) -> SuiteResult:
    """A model that failed, cut or said nothing is an error; an answer that is no post fails."""
    told = replace(blank, text=call.text, seconds=call.wall_s)
    if call.outcome != "ok":
        return replace(told, reason=f"{call.outcome}: {call.error or 'no answer'}")
    if not call.text.strip():
        return replace(told, outcome="fail", reason=call.error or "the text is empty")
    verdict = stage.verdict(case.content_type, place.moment, call.text)
    written = Written(call.text, verdict, call.wall_s)
    asks_checks = any(demand.kind == "checks" for demand in case.each)
    if asks_checks and verdict.outcome == "error":
        failed = next(item for item in verdict.findings if item.severity == "error")
        return replace(told, reason=f"{failed.rule}: {failed.message}")
    for demand in case.each:
        why = assertions.broken(demand, written)
        if why is not None:
            return replace(told, outcome="fail", reason=f"{demand.kind}: {why}")
    return replace(told, outcome="pass")


def _together(
    suite: Suite,
    subjects: list[tuple[int, Case, Subject]],
    models: list[str],
    texts: dict[tuple[str, str, int, str], list[str]],
) -> Iterator[SuiteResult]:
    """Demands on all repeats of a case; without any text they are errors."""
    for _, case, subject in subjects:
        for recipe in suite.recipes:
            for name in models if case.across else ():
                found = texts.get((case.name, name, subject.version_id, recipe), [])
                blank = SuiteResult(
                    case.name, case.content_type, name, subject.version_id, recipe, ACROSS,
                    "error", "no repeat gave a text", "", 0.0,
                )  # fmt: skip
                if not found:
                    yield blank
                    continue
                why = next(
                    filter(None, (assertions.broken_across(d, found) for d in case.across)), None
                )
                text = "\n".join(found)
                yield replace(blank, outcome="fail" if why else "pass", reason=why or "", text=text)


def _versions(db: Database, suite: Suite, content_type: str) -> list[int]:
    """Ids of the suite's versions that are for a content type."""
    found = []
    for name in suite.versions:
        if name == PRODUCTION:
            pair = templates.production(db, content_type)
            if pair is None:
                raise UsageError(f"no template is in production for {content_type}.")
            found.append(pair[1].id)
            continue
        title, _, number = name.rpartition("@")
        template = templates.by_name(db, title)
        versions = templates.versions(db, template.id) if template else []
        wanted = next((item for item in versions if str(item.number) == number), None)
        if template is None or wanted is None:
            raise UsageError(f"{name!r} is no template version. Write Template name@number.")
        if template.purpose == content_type:
            found.append(wanted.id)
    return found


def _case(row: dict[str, Any], file: str) -> Case:
    name = str(row["name"])
    where = f"{file}, case {name!r}"
    if row["content_type"] not in CONTENT_TYPES:
        raise UsageError(f"{where}: content_type is one of {', '.join(CONTENT_TYPES)}.")
    demands = [assertions.parse(item, where) for item in row["expect"]]
    each = tuple(item for item in demands if not assertions.is_across(item))
    if not each:
        raise UsageError(f"{where}: nothing is expected of a text. Add an assertion.")
    if "facts" in row:
        snapshot = Snapshot(Facts.from_dict(row["facts"]), "replay")
    else:
        snapshot = moments.shipped()[int(row.get("moment", 0)) % moments.COUNT]
    across = tuple(item for item in demands if assertions.is_across(item))
    return Case(name, row["content_type"], snapshot, each, across)
