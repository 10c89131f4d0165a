"""The runner's part in learning: engagement read, the daily draw, the holdout, arms' own models."""

from __future__ import annotations

import random
import secrets
from functools import cached_property
from typing import TYPE_CHECKING

from engine.learning import holdout, spec, strategy
from engine.service.app import App
from engine.store.database import opened
from engine.writing.generate import Writer

if TYPE_CHECKING:
    from engine.learning.engagement import Collector
    from engine.llm.base import Model


class Learner:
    """What the runner does for experiments beside writing; built once a life."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._models: dict[str, Model] = {}

    def collect(self) -> None:
        """Read what is due of the account's engagement; a dry run has none."""
        if self._app.config.publisher == "x":
            self._collector.run()

    def prepare(self) -> None:
        """End what has run its time, keep the holdout as the settings say, draw the day's mix;
        again and again is fine.

        A dry run has no engagement, so nothing could ever be learnt from its holdout.
        """
        app = self._app
        with opened(app.db_path) as db:
            spec.stop_finished(db, app.clock.now())
            if app.config.publisher == "x":
                holdout.keep(db, seed=secrets.token_hex(32), now=app.clock.now())
            strategy.draw_daily(db, random.SystemRandom(), app.clock.now())

    def writer_with(self, name: str) -> Writer:
        """A writer with an arm's model (``backend:model``), loaded once.

        Raises: UsageError for a name that is none.
        """
        if name not in self._models:
            self._models[name] = self._app.model(name)
        app = self._app
        return Writer(app.db_path, self._models[name], app.clock, app.rng)

    def close(self) -> None:
        """Close the models of arms."""
        for model in self._models.values():
            model.close()

    @cached_property
    def _collector(self) -> Collector:
        from engine.learning.engagement import Collector
        from engine.learning.x_metrics import XMetrics

        app = self._app
        return Collector(app.db_path, XMetrics(app.config, app.clock), app.clock)
