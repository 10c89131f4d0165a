"""From an order to a stored draft: context, template, model, checks, and what happens on failure.

The flow (docs/architecture.md, "The life of one post"): a model failure is retried once with a
simplified prompt and then gives way to a backup post; a rejection is logged and written again with
adjusted parameters, and after ``content.max_attempts`` rejections a backup post is used. Every
call is stored before anything is decided on it.
"""

from __future__ import annotations

import dataclasses
import logging
import random
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from engine.checks import injection, policy, repetition
from engine.checks import voice as voice_check
from engine.checks.verdict import CheckContext, run_checks
from engine.clock import Clock
from engine.errors import ModelError, NothingNew, TemplateError, UsageError
from engine.llm.base import GenerationRequest, Model, Options, Prompt
from engine.log import event
from engine.records import Snapshot, Verdict
from engine.store import generations, news, performance, posts, settings, templates
from engine.store import voice as voice_store
from engine.store.database import opened, write_tx
from engine.store.market_events import MarketEvent
from engine.store.news import NewsItem
from engine.writing import banks, calls, fallback, recipes, sentiment
from engine.writing.context import Context, build_context
from engine.writing.templates import Variable, render

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Order:
    """What to write. ``use_model`` False asks for the template arm: a backup post.

    ``post_id`` names a stored post whose text is to be written anew; it is not stored again.
    ``hashtags`` and ``tone`` None: the writer chooses hashtags, the voice keeps all its tones.
    """

    content_type: str
    snapshot: Snapshot
    news: NewsItem | None = None
    market_event: MarketEvent | None = None
    slot_id: int | None = None
    scheduled_for: datetime | None = None
    template_version_id: int | None = None
    use_model: bool = True
    purpose: str = "post"
    post_id: int | None = None
    hashtags: tuple[str, ...] | None = None
    tone: str | None = None


@dataclass(frozen=True)
class Draft:
    """What became of an order. ``post_id`` None: nothing could be written; ``reason`` says why."""

    post_id: int | None
    content_type: str
    text: str
    verdict: Verdict
    origin: str
    model: str | None
    recipe: str | None
    attempts: int
    seconds: float
    snapshot_id: int | None
    reason: str = ""


@dataclass(frozen=True)
class _Candidate:
    text: str
    verdict: Verdict
    score: float
    recipe: str


class Writer:
    """Writes drafts with one model into one database. Safe from one thread at a time."""

    def __init__(self, db_path: Path, model: Model, clock: Clock, rng: random.Random) -> None:
        self._db_path = db_path
        self._model = model
        self._clock = clock
        self._rng = rng

    def write(self, order: Order) -> Draft:
        """Write and store one draft.

        Raises: TemplateError or UsageError when the template or the order itself is wrong.
        """
        started = self._clock.boottime()
        with opened(self._db_path) as db:
            session = _Session(db, order, self._model, self._clock, self._rng)
            candidate = session.from_model() if order.use_model else None
            origin = "model" if candidate else "backup"
            if candidate is None:
                candidate = session.from_backup()
            seconds = self._clock.boottime() - started
            return session.finish(candidate, origin, seconds)

    def read_mood(self, item: NewsItem) -> NewsItem:
        """The item with the model's reading of its mood beside the lexicon's, where it answers."""
        seed = self._rng.randrange(2**31)
        mood = sentiment.ask_model(self._model, item.title, timeout_s=20, seed=seed)
        if mood is None:
            return item
        with opened(self._db_path) as db:
            news.set_model_sentiment(db, item.id, mood)
        return dataclasses.replace(item, sentiment_model=mood)


class _Session:
    """One order being worked on, with everything it reads."""

    def __init__(
        self, db: Database, order: Order, model: Model, clock: Clock, rng: random.Random
    ) -> None:
        self.db, self.order, self.model, self.clock, self.rng = db, order, model, clock, rng
        self.settings = settings.get_all(db)
        self.voice = voice_store.current(db)
        self.context: Context = build_context(
            order.content_type,
            order.snapshot,
            news=order.news,
            voice=dataclasses.replace(self.voice, tone=(order.tone,)) if order.tone else self.voice,
            settings=self.settings,
            performance=performance.recent(db, order.content_type).words(),
            rng=rng,
        )
        self.template, self.version = _template(db, order)
        history = repetition.History(db, clock.now())
        self.recall = repetition.Recall(history)
        self.checks = CheckContext(
            order.content_type,
            self.context.facts,
            self.voice,
            self.settings["content.voice_threshold"],
            history,
        )
        self.hashtags = (
            banks.choose_hashtags(rng, order.content_type, self.recall.tags_worn)
            if order.hashtags is None
            else order.hashtags
        )
        self.draft_key = uuid.UUID(int=rng.getrandbits(128)).hex
        self.deadline = clock.boottime() + float(self.settings["content.max_seconds"])
        self.attempts = 0
        self.hints: list[str] = []
        self.failure = ""

    # -- the model's way ---------------------------------------------------------------------

    def from_model(self) -> _Candidate | None:
        """The best passing candidate, or None when the model failed or was rejected too often."""
        rejections, simplified = 0, False
        while rejections < self.settings["content.max_attempts"] and self._time_left() > 0:
            try:
                candidate = self._round(simplified)
            except NothingNew as error:
                self.failure = str(error)
                return None
            except ModelError as error:
                self.failure = str(error)
                event(
                    logger, logging.WARNING, "model failed", error=str(error), retry=not simplified
                )
                if simplified or not error.retryable:
                    return None
                simplified = True
                continue
            if candidate is not None:
                return candidate
            rejections += 1
        return None

    def _round(self, simplified: bool) -> _Candidate | None:
        """Up to ``content.best_of`` candidates; the passing one with the best voice."""
        passing = []
        for _ in range(int(self.settings["content.best_of"])):
            if self.attempts and self._time_left() <= 0:
                break
            candidate = self._candidate(simplified)
            if candidate.verdict.outcome == "pass":
                passing.append(candidate)
        return max(passing, key=lambda candidate: candidate.score, default=None)

    def _candidate(self, simplified: bool) -> _Candidate:
        plan = self._plan(simplified)
        self.attempts += 1
        options = self._options(plan.options)
        request = GenerationRequest(
            plan.prompt,
            options,
            grammar=plan.grammar,
            json_schema=plan.json_schema,
            timeout_s=max(0.1, min(float(self.settings["model.timeout_s"]), self._time_left())),
        )
        frame = calls.Frame(
            self.draft_key,
            self.attempts,
            self.order,
            plan.recipe,
            self.template.id,
            self.version.id,
        )
        started = self.clock.boottime()
        try:
            generation = self.model.generate(request)
        except ModelError as error:
            wall = self.clock.boottime() - started
            row = calls.failed(self.model, request, frame, error, wall)
            generations.insert(self.db, row, now=self.clock.now())
            raise
        text, verdict = self._judge(generation.text, plan)
        row = calls.answered(self.model, request, frame, generation, text, verdict)
        generations.insert(self.db, row, now=self.clock.now())
        self._learn(verdict)
        score = voice_check.score(text, self.voice, self.order.content_type).total if text else 0.0
        return _Candidate(text, verdict, score, plan.recipe)

    def _judge(self, raw: str, plan: recipes.Plan) -> tuple[str, Verdict]:
        try:
            text = plan.fill(raw)
        except TemplateError as error:
            return "", Verdict((calls.unfilled(raw, error),))
        return text, run_checks(text, self.checks)

    def _plan(self, simplified: bool) -> recipes.Plan:
        material = self._material()
        features = self.model.features
        name = recipes.recipe_for(self.model.backend, features, self.settings["content.recipe"])
        if name == "menu" or (simplified and "grammar" in features):
            return recipes.plan_menu(material)
        prompt = calls.simple_prompt(self.context) if simplified else self._prompt()
        return (
            recipes.plan_slots(material, prompt)
            if name == "slots"
            else recipes.plan_free(material, prompt)
        )

    def _material(self) -> recipes.Material:
        flash = self.order.market_event
        return recipes.Material(
            content_type=self.order.content_type,
            facts=self.context.facts,
            trend=self.context.trend,
            headline=self.context.facts.headline,
            sentiment=self.context.tone,
            hashtags=self.hashtags,
            recall=self.recall,
            rng=self.rng,
            features=self.model.features,
            flat_pct=float(self.settings["trend.flat_pct"]),
            strong_pct=float(self.settings["trend.strong_pct"]),
            news_flash=flash.sentence if flash else "",
            tone=self.order.tone or "",
        )

    def _prompt(self) -> Prompt:
        variables = tuple(Variable.from_dict(row) for row in self.version.variables)
        prompt = render(self.version.system, self.version.body, variables, self.context.values)
        if not self.hints:
            return prompt
        # our own sentences about the last rejection; they come last, so the cached head stays
        hint = "\n".join(f"- {sentence}" for sentence in self.hints[-3:])
        return dataclasses.replace(
            prompt, user=f"{prompt.user}\n\nAvoid this time:\n{hint}\n\nPost:"
        )

    def _options(self, base: Options) -> Options:
        """Settings over the recipe's defaults; after a rejection a little more or less heat."""
        chosen: dict[str, Any] = self.settings[f"generation.{self.order.content_type}"]
        options = dataclasses.replace(
            base, **{**chosen, "stop": tuple(chosen.get("stop", base.stop))}
        )
        heat = options.temperature
        if any("repeat" in hint or "reuse" in hint for hint in self.hints):
            heat += 0.15 * len(self.hints)
        elif self.hints:
            heat -= 0.15 * len(self.hints)
        return dataclasses.replace(
            options, temperature=min(1.5, max(0.2, heat)), seed=self.rng.randrange(2**31)
        )

    def _learn(self, verdict: Verdict) -> None:
        bad = [finding for finding in verdict.findings if finding.severity != "warn"]
        if bad:
            self.hints.append(bad[0].message)
            event(
                logger,
                logging.INFO,
                "candidate rejected",
                attempt=self.attempts,
                rules=[finding.rule for finding in bad],
            )

    def _time_left(self) -> float:
        return self.deadline - self.clock.boottime()

    # -- the other way -----------------------------------------------------------------------

    def from_backup(self) -> _Candidate | None:
        """A vetted post that is true now and passes the same checks, or None."""
        for text in fallback.candidates(self._material()):
            verdict = run_checks(text, self.checks)
            if verdict.outcome == "pass":
                score = voice_check.score(text, self.voice, self.order.content_type).total
                return _Candidate(text, verdict, score, "backup")
        return None

    # -- storing -----------------------------------------------------------------------------

    def finish(self, candidate: _Candidate | None, origin: str, seconds: float) -> Draft:
        """Store the post with its calls, or say why there is none."""
        order, now = self.order, self.clock.now()
        model = self.model.name if order.use_model else None
        if candidate is None:
            reason = self.failure or "nothing passed the checks: " + "; ".join(self.hints[-3:])
            return Draft(
                None, order.content_type, "", Verdict(), "none", model, None,
                self.attempts, seconds, order.snapshot.id, reason,
            )  # fmt: skip
        post = posts.NewPost(
            content_type=order.content_type,
            text=candidate.text,
            verdict=candidate.verdict,
            origin=origin,
            world=order.snapshot.world,
            snapshot_id=order.snapshot.id,
            slot_id=order.slot_id,
            news_item_id=order.news.id if order.news else None,
            prompt_template_id=self.template.id if origin == "model" else None,
            template_version_id=self.version.id if origin == "model" else None,
            model_name=model if origin == "model" else None,
            recipe=candidate.recipe,
            generation_time=seconds,
            generation_attempts=self.attempts,
            flags=self._flags(origin, candidate),
            voice_score=candidate.score,
            policy_version=policy.POLICY_VERSION,
            hashtags=self.hashtags,
            scheduled_for=order.scheduled_for,
            expires_at=now + timedelta(seconds=float(self.settings["posting.draft_ttl_s"])),
        )
        with write_tx(self.db):
            post_id = order.post_id or posts.insert(self.db, post, actor="writer", now=now)
            generations.link(self.db, self.draft_key, post_id)
            repetition.remember(self.db, post_id, candidate.text, now)
            templates.touch(self.db, self.template.id, now=now)
        return Draft(
            post_id, order.content_type, candidate.text, candidate.verdict, origin,
            post.model_name, candidate.recipe, self.attempts, seconds, order.snapshot.id,
        )  # fmt: skip

    def _flags(self, origin: str, candidate: _Candidate) -> tuple[str, ...]:
        flags = []
        if origin == "backup" and self.order.use_model:
            flags.append("fallback")
        headline = self.context.facts.headline
        suspicious = headline is not None and injection.flags(headline.title)
        if suspicious or any(f.rule.startswith("injection.") for f in candidate.verdict.findings):
            flags.append("injection")
        return tuple(flags)


def _template(db: Database, order: Order) -> tuple[templates.Template, templates.TemplateVersion]:
    if order.template_version_id is not None:
        version = templates.get_version(db, order.template_version_id)
        template = templates.get(db, version.template_id) if version else None
        if version is None or template is None:
            raise UsageError(f"template version {order.template_version_id} does not exist.")
        return template, version
    found = templates.production(db, order.content_type)
    if found is None:
        raise UsageError(
            f"no template is in production for {order.content_type}. Run `runner.py migrate`, "
            "or promote one on the Templates page."
        )
    return found
