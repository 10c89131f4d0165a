"""A share of slots stays on templates for ever, so that "against the baseline" stays measurable.

The holdout is an experiment that never ends: pairs of slots, one on a template, one as production
does it (experiments §2.8). A changed share is a new experiment.
"""

from __future__ import annotations

from datetime import datetime

from sqlite_utils import Database

from engine.clock import iso
from engine.learning import spec
from engine.learning.spec import Arm, Design
from engine.store import experiments, settings
from engine.store.experiments import Experiment

FOR_EVER = 36_500
"""Days: it has no registered end."""


def keep(db: Database, *, seed: str, now: datetime) -> Experiment | None:
    """Make what runs agree with learning.holdout_pct; answers the holdout that runs now."""
    share = float(settings.get(db, "learning.holdout_pct"))
    current = next((one for one in experiments.running(db) if one.kind == "holdout"), None)
    if current is not None and float(current.spec["share_pct"]) == share:
        return current
    if current is not None:
        spec.stop(db, current.id, reason=f"share set to {share:g} %", actor="runner", now=now)
    if share == 0:
        return None
    design = Design(
        f"holdout from {iso(now)}",
        "holdout",
        (Arm("template", use_model=False), Arm("production")),
        max_days=FOR_EVER,
        share_pct=share,
    )
    return spec.start(db, design, seed=seed, actor="runner", now=now)
