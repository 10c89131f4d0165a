"""The runner's part in the lab: benchmark runs that wait, the drift watch, what is running out."""

from __future__ import annotations

import shutil
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlite_utils import Database

from engine.llm.current import in_force
from engine.posting import spend
from engine.service.app import App
from engine.store import bench, settings
from engine.store.database import opened

if TYPE_CHECKING:
    from engine.lab.forecast import Forecast
    from engine.llm.base import Model


class LabWorker:
    """Works on one run at a time. :meth:`close`, from any thread, ends the call in flight; the
    rest of its run waits for the next start."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._stop = threading.Event()
        self._models: list[Model] = []

    def work(self) -> None:
        """Do the oldest run that waits, if there is one."""
        app = self._app
        with opened(app.db_path) as db:
            if not bench.open_runs(db):
                return
            from engine.lab import benchmark

            run_id = benchmark.next_waiting(db)
        if run_id is not None:
            benchmark.work(
                app.db_path, run_id, app.config, app.clock,
                build=self._build, stopped=self._stop.is_set,
            )  # fmt: skip
            self._models.clear()

    def watch(self) -> None:
        """Queue the drift watch's run when it is due."""
        app = self._app
        with opened(app.db_path) as db:
            every = float(settings.get(db, "lab.drift_every_h"))
            if every == 0:
                return
            from engine.lab import benchmark, drift

            if drift.due(db, app.clock.now(), timedelta(hours=every)):
                plan = drift.plan(db, in_force(db, app.config))
                benchmark.start(
                    db, plan, actor="drift watch", clock=app.clock, kind="drift", queued=True
                )

    def close(self) -> None:
        self._stop.set()
        for model in list(self._models):
            model.close()

    def _build(self, name: str) -> Model:
        from engine.llm.build import build_backend

        with opened(self._app.db_path, "ro") as db:
            rules = settings.get_all(db)
        model = build_backend(self._app.config, name=name, settings=rules)
        self._models.append(model)
        return model


def outlook(
    db: Database, db_path: Path, publisher: str, model: str, now: datetime
) -> list[Forecast]:
    """All forecasts, by what is stored and what is free."""
    from engine.lab import capacity, forecast

    return forecast.forecasts(
        db,
        now,
        held=capacity.capacity(db, model, now),
        budget_usd=float(settings.get(db, "posting.monthly_budget_usd")),
        spent_usd=spend.month_to_date(db, now, publisher),
        month=spend.month_of(now),
        free_bytes=shutil.disk_usage(db_path.parent).free,
        database_bytes=db_path.stat().st_size,
    )
