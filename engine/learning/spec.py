"""What an experiment registers before it starts: frozen JSON with a hash (experiments §2.2).

Nothing in it can be edited afterwards; whoever wants another question starts another experiment.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlite_utils import Database

from engine.clock import parse_iso
from engine.errors import UsageError
from engine.learning.states import ALPHA
from engine.posting.actors import Who, acting
from engine.records import CONTENT_TYPES, canonical_json
from engine.store import experiments, templates
from engine.store.audit import audit
from engine.store.database import write_tx
from engine.store.experiments import Experiment

Kind = Literal["writing", "schedule", "aa", "holdout"]

METRIC = "log((engagements + 0.5) / (impressions + 1))"
CO_PRIMARY = "log1p(engagements)"


@dataclass(frozen=True)
class Arm:
    """One way to do it. ``template_versions`` by content type; what is not pinned by the caller
    is pinned to what is in production at the start. ``schedules`` are ids, for schedule arms."""

    name: str
    use_model: bool = True
    template_versions: Mapping[str, int] = field(default_factory=dict)
    model: str | None = None
    schedules: tuple[int, ...] = ()


@dataclass(frozen=True)
class Design:
    """A whole experiment, the first arm the baseline."""

    name: str
    kind: Kind
    arms: tuple[Arm, ...]
    content_types: tuple[str, ...] = CONTENT_TYPES
    min_days: int = 14
    max_days: int = 60
    min_pairs: int = 20
    planned_pairs: int = 60
    mde: float = 1.40
    share_pct: float = 100.0  # of slots on the baseline, for the holdout alone


def start(
    db: Database,
    design: Design,
    *,
    seed: str,
    actor: Who,
    now: datetime,
    model_digests: Mapping[str, str | None] | None = None,
) -> Experiment:
    """Register and start. ``seed`` is secret random text; its hash is shown from now on.

    Raises: UsageError for a design that cannot answer its question, or while another runs;
    PermissionDenied below approver.
    """
    name = acting(actor, "approver")
    _check(design)
    with write_tx(db):
        if experiments.named(db, design.name):
            raise UsageError(f"An experiment named {design.name!r} exists. Choose another name.")
        holdout = design.kind == "holdout"
        for other in experiments.running(db):
            if (other.kind == "holdout") == holdout:
                raise UsageError(f"{other.name!r} is running. Stop it before you start another.")
        text = canonical_json(_frozen(db, design, model_digests or {}))
        new_id = experiments.insert(
            db, name=design.name, kind=design.kind, spec=text, spec_hash=hash_of(text),
            seed=seed, seed_hash=hash_of(seed), actor=name, now=now,
        )  # fmt: skip
        audit(db, name, "started", f"experiment:{new_id}", None, hash_of(text), now)
        started = experiments.get(db, new_id)
    assert started is not None  # noqa: S101  stored above
    return started


def stop(db: Database, experiment_id: int, *, reason: str, actor: Who, now: datetime) -> Experiment:
    """End it for good; its seed may be shown from now on.

    Raises: UsageError when it does not run; PermissionDenied below approver.
    """
    name = acting(actor, "approver")
    if not reason.strip():
        raise UsageError("Say why the experiment is stopped.")
    with write_tx(db):
        if not experiments.end(db, experiment_id, actor=name, reason=reason.strip(), now=now):
            raise UsageError(f"Experiment {experiment_id} is not running.")
        audit(db, name, "stopped", f"experiment:{experiment_id}", None, None, now)
        ended = experiments.get(db, experiment_id)
    assert ended is not None  # noqa: S101  ended above
    return ended


def stop_finished(db: Database, now: datetime) -> list[Experiment]:
    """End whatever has run its registered longest time; its last posts still mature."""
    return [
        stop(
            db, one.id, reason=f"the registered {one.spec['max_days']} days are over",
            actor="runner", now=now,
        )
        for one in experiments.running(db)
        if now - parse_iso(one.started_at) >= timedelta(days=one.spec["max_days"])
    ]  # fmt: skip


def hash_of(text: str) -> str:
    """SHA-256, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def _check(design: Design) -> None:
    names = [arm.name.strip() for arm in design.arms]
    if len(names) < 2 or len(set(names)) < len(names) or not all(names):
        raise UsageError("An experiment needs two or more arms with different names.")
    if not design.name.strip():
        raise UsageError("Give the experiment a name.")
    unknown = [name for name in design.content_types if name not in CONTENT_TYPES]
    if unknown or not design.content_types:
        raise UsageError(f"Content types are {', '.join(CONTENT_TYPES)}.")
    if not 1 <= design.min_days <= design.max_days or design.min_pairs < 10:
        raise UsageError("The run time needs min_days <= max_days, and min_pairs from 10.")
    if design.kind == "schedule":
        _check_schedules(design)
        return
    ways = [dataclasses.replace(arm, name="") for arm in design.arms]
    same = all(way == ways[0] for way in ways)
    if design.kind == "aa" and not same:
        raise UsageError("The arms of an A/A must be alike but for their names.")
    if design.kind == "writing" and any(ways.count(way) > 1 for way in ways):
        raise UsageError("Two arms are alike. Change one, or start an A/A.")


def _check_schedules(design: Design) -> None:
    taken = [schedule for arm in design.arms for schedule in arm.schedules]
    if any(not arm.schedules for arm in design.arms) or len(set(taken)) < len(taken):
        raise UsageError("Each arm needs schedules of its own.")


def _frozen(db: Database, design: Design, digests: Mapping[str, str | None]) -> dict[str, Any]:
    arms = [_frozen_arm(db, design, arm) for arm in design.arms]
    versions = sorted({version for arm in arms for version in arm["template_versions"].values()})
    return {
        "kind": design.kind,
        "arms": arms,
        "content_types": list(design.content_types),
        "metric": METRIC,
        "co_primary": CO_PRIMARY,
        "alpha": ALPHA,
        "min_days": design.min_days,
        "max_days": design.max_days,
        "min_pairs": design.min_pairs,
        "planned_pairs": design.planned_pairs,
        "mde": design.mde,
        "share_pct": design.share_pct,
        "guardrails": ["rejections", "edits"],
        "prompt_hashes": {str(version): _sha(db, version) for version in versions},
        "model_digests": {arm.model: digests.get(arm.model) for arm in design.arms if arm.model},
    }


def _frozen_arm(db: Database, design: Design, arm: Arm) -> dict[str, Any]:
    versions: dict[str, int] = {}
    if arm.use_model and design.kind in ("writing", "aa"):
        for content_type in design.content_types:
            found = templates.production(db, content_type)
            pinned = arm.template_versions.get(content_type) or (found[1].id if found else None)
            if pinned is None:
                raise UsageError(f"No template is in production for {content_type}. Promote one.")
            versions[content_type] = pinned
    return {
        "name": arm.name.strip(),
        "use_model": arm.use_model,
        "template_versions": versions,
        "model": arm.model,
        "schedules": list(arm.schedules),
    }


def _sha(db: Database, version_id: int) -> str:
    version: Any = templates.get_version(db, version_id)
    if version is None:
        raise UsageError(f"Template version {version_id} does not exist.")
    return str(version.sha256)
