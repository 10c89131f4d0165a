"""The model in force: what the operator chose last (setting ``model.current``), else the
environment's. Changed between two pieces of work, never within one."""

from __future__ import annotations

import logging
from pathlib import Path

from sqlite_utils import Database

from engine.clock import Clock
from engine.config import Config
from engine.errors import UsageError
from engine.llm.build import build_model
from engine.llm.wrapper import Wrapper
from engine.log import event
from engine.store import settings
from engine.store.database import opened

logger = logging.getLogger(__name__)


class CurrentModel(Wrapper):
    """Call :meth:`refresh` on the thread that writes, before each piece of work."""

    def __init__(self, config: Config, db_path: Path, clock: Clock) -> None:
        self._config, self._db_path, self._clock = config, db_path, clock
        self._refused = ""
        super().__init__(build_model(config, db_path=db_path, clock=clock))
        self.refresh()

    def refresh(self) -> None:
        """Take up the operator's choice; one that cannot be built is logged and left alone."""
        with opened(self._db_path, "ro") as db:
            wanted = in_force(db, self._config)
        if wanted in (self.inner.name, self._refused):
            return
        try:
            model = build_model(self._config, name=wanted, db_path=self._db_path, clock=self._clock)
        except UsageError as error:
            self._refused = wanted
            event(logger, logging.ERROR, "model not taken up", model=wanted, error=str(error))
            return
        before, self.inner = self.inner, model
        before.close()
        event(logger, logging.INFO, "model taken up", model=wanted, before=before.name)


def in_force(db: Database, config: Config) -> str:
    """``backend:name`` of the model that writes posts."""
    return str(settings.get(db, "model.current")) or config.named_model
