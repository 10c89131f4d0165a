"""What calls of a run stand on: prepared settings on recorded moments, and the judge of texts."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from typing import Any

from sqlite_utils import Database

from engine.checks import voice as voice_check
from engine.checks.verdict import CheckContext, run_checks
from engine.lab.measure import Question
from engine.lab.plan import CachePolicy, Place
from engine.llm.base import Options
from engine.records import Snapshot, Verdict
from engine.store import settings, templates, voice
from engine.store.bench import Judgement
from engine.writing import trial
from engine.writing.trial import Setting, Wish


class Stage:
    """Reads what it needs from the database once. ``market``: the moments that places point to."""

    def __init__(
        self, db: Database, market: Sequence[Snapshot], *, cache: CachePolicy, timeout_s: float
    ) -> None:
        self.rules: dict[str, Any] = settings.get_all(db)
        self._db, self._market = db, market
        self._cache, self._timeout_s = cache, timeout_s
        self._voice = voice.current(db)
        self._prepared: tuple[tuple[Any, ...], Setting] | None = None

    def question(self, place: Place) -> Question:
        """The call of a place. Raises: TemplateError when its moment lacks a required field."""
        chosen = self.rules[f"generation.{place.subject.content_type}"]
        return Question(place, self._setting(place), chosen, self._cache, self._timeout_s)

    def verdict(self, content_type: str, moment: int, text: str) -> Verdict:
        """What the checks say; repetition is left out, because repeats are what runs are for."""
        return run_checks(text, self._context(content_type, moment))

    def judge(self, content_type: str, moment: int, text: str) -> Judgement:
        """The verdict as a row."""
        verdict = self.verdict(content_type, moment, text)
        rules = sorted({item.rule for item in verdict.findings if item.severity != "warn"})
        score = voice_check.score(text, self._voice, content_type).total
        return Judgement(verdict.outcome, tuple(rules), score)

    def _setting(self, place: Place) -> Setting:
        """The wish with all it needs, the same for every model of a round."""
        key = (place.subject, place.recipe, place.repeat, place.moment)
        if self._prepared is None or self._prepared[0] != key:
            wish = Wish(
                place.subject.content_type,
                self._snapshot(place.subject.content_type, place.moment),
                Options(),
                version=templates.get_version(self._db, place.subject.version_id),
                recipe=place.recipe,
            )
            self._prepared = (key, trial.prepare(self._db, wish, random.Random(place.seed)))
        return self._prepared[1]

    def _context(self, content_type: str, moment: int) -> CheckContext:
        return CheckContext(
            content_type,
            self._snapshot(content_type, moment).facts,
            self._voice,
            self.rules["content.voice_threshold"],
        )

    def _snapshot(self, content_type: str, moment: int) -> Snapshot:
        """The moment; its headline is only for news posts."""
        snapshot = self._market[moment]
        if content_type == "news":
            return snapshot
        facts = dataclasses.replace(snapshot.facts, headline=None)
        return dataclasses.replace(snapshot, facts=facts)
