"""The circuit breaker: after enough failures in a row the model is off for a while.

Its state is the database's (:mod:`engine.store.breakers`), its thresholds the settings
``breaker.*`` as they stand when a failure is counted.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

from engine.clock import Clock, iso
from engine.errors import ModelCancelled, ModelError, ModelOff, ModelRefused, StoreError
from engine.llm.base import Generation, GenerationRequest, Health, Model
from engine.llm.wrapper import Wrapper
from engine.log import event
from engine.store import breakers, settings
from engine.store.database import opened

logger = logging.getLogger(__name__)

# The request's fault or the caller's wish: they say nothing about the model.
_NO_EVIDENCE = (ModelRefused, ModelCancelled)
_LEASE_MARGIN_S = 10.0


class BreakerModel(Wrapper):
    """Raises ModelOff while open; after the cooling period lets exactly one call through."""

    def __init__(self, inner: Model, *, db_path: Path, clock: Clock) -> None:
        super().__init__(inner)
        self._db_path = db_path
        self._clock = clock

    def health(self) -> Health:
        try:
            with opened(self._db_path) as db:
                breaker = breakers.get(db, self.name)
        except (StoreError, sqlite3.Error) as error:
            return Health(False, f"The breaker's state cannot be read: {error}")
        if breaker.state == "closed":
            return self.inner.health()
        return Health(False, _off_message(breaker))

    def generate(
        self, request: GenerationRequest, on_text: Callable[[str], None] | None = None
    ) -> Generation:
        before = self._admit(request.timeout_s)
        try:
            made = self.inner.generate(request, on_text)
        except _NO_EVIDENCE:
            self._give_back(before)
            raise
        except ModelError as error:
            self._count(error)
            raise
        except BaseException:  # the caller's own, from on_text
            self._give_back(before)
            raise
        if before.failures:
            with opened(self._db_path) as db:
                breakers.succeed(db, self.name, now=self._clock.now())
            if before.state != "closed":
                event(logger, logging.INFO, "model is on again", model=self.name)
        return made

    def _admit(self, timeout_s: float) -> breakers.Breaker:
        """The state before this call. Raises: ModelOff."""
        with opened(self._db_path) as db:
            breaker = breakers.get(db, self.name)
            if breaker.state != "closed" and not breakers.claim_trial(
                db, self.name, lease_s=timeout_s + _LEASE_MARGIN_S, now=self._clock.now()
            ):
                raise ModelOff(_off_message(breaker))
        return breaker

    def _give_back(self, before: breakers.Breaker) -> None:
        if before.state != "closed":
            with opened(self._db_path) as db:
                breakers.give_back_trial(db, self.name, now=self._clock.now())

    def _count(self, error: ModelError) -> None:
        with opened(self._db_path) as db:
            after = breakers.fail(
                db,
                self.name,
                reason=str(error),
                limit=settings.get(db, "breaker.failures"),
                cooling_s=settings.get(db, "breaker.cooling_s"),
                cooling_max_s=settings.get(db, "breaker.cooling_max_s"),
                now=self._clock.now(),
            )
        if after.state == "open":
            event(
                logger,
                logging.WARNING,
                "model is off",
                model=self.name,
                failures=after.failures,
                cooling_s=after.cooling_s,
                reason=after.reason,
            )


def _off_message(breaker: breakers.Breaker) -> str:
    until = iso(breaker.open_until) if breaker.open_until else "its next trial"
    return (
        f"{breaker.name} is off until {until} after {breaker.failures} failures in a row "
        f"(the last: {breaker.reason}). Posts come from templates until then."
    )
