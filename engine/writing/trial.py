"""Trying a prompt without fear: one call, judged by the real checks, stored, never queued.

What a trial needs from the database is read first and together (:func:`prepare`), so that no
connection is open while a model writes.
"""

from __future__ import annotations

import dataclasses
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database

from engine.checks import policy, repetition
from engine.checks.verdict import CheckContext, run_checks
from engine.clock import Clock
from engine.errors import ModelError, TemplateError
from engine.llm.base import Generation, GenerationRequest, Model, Options, Prompt
from engine.records import Finding, Snapshot, Verdict
from engine.store import (
    generations,
    news,
    performance,
    posts,
    settings,
    snapshots,
    templates,
    voice,
)
from engine.store.database import opened, write_tx
from engine.store.generations import Call
from engine.store.news import NewsItem
from engine.store.templates import TemplateVersion
from engine.writing import banks, calls, recipes
from engine.writing.context import build_context
from engine.writing.plans import Material, Plan, Recipe
from engine.writing.templates import Variable, render


@dataclass(frozen=True)
class Wish:
    """What to try. ``prompt`` is free text; without it ``version`` is rendered on the snapshot.

    ``recipe`` ``auto`` means: as the runner would choose for the model.
    """

    content_type: str
    snapshot: Snapshot
    options: Options
    version: TemplateVersion | None = None
    prompt: str | None = None
    recipe: str = "auto"
    news: NewsItem | None = None


@dataclass(frozen=True)
class Setting:
    """A wish with everything read that it needs."""

    wish: Wish
    material: Material
    rendered: Prompt
    checks: CheckContext


@dataclass(frozen=True)
class Tried:
    """What came of one call; ``text`` is the whole post as it would go out."""

    model: str
    recipe: str
    prompt: Prompt
    text: str
    raw: str
    verdict: Verdict | None
    generation: Generation | None
    error: str
    seconds: float
    options: Options


def prepare(db: Database, wish: Wish, rng: random.Random) -> Setting:
    """Read facts, voice and settings; render the prompt.

    A trial may repeat itself and others, that is what repeats are for: what was posted lately
    neither chooses what is offered nor judges what comes.

    Raises: TemplateError when a field is missing on this snapshot.
    """
    rules, profile = settings.get_all(db), voice.current(db)
    context = build_context(
        wish.content_type, wish.snapshot, news=wish.news, voice=profile, settings=rules,
        performance=performance.recent(db, wish.content_type).words(), rng=rng,
    )  # fmt: skip
    material = Material(
        content_type=wish.content_type,
        facts=context.facts,
        trend=context.trend,
        headline=context.facts.headline,
        sentiment=context.tone,
        hashtags=banks.choose_hashtags(rng, wish.content_type),
        rng=rng,
        flat_pct=float(rules["trend.flat_pct"]),
        strong_pct=float(rules["trend.strong_pct"]),
    )
    if wish.prompt is not None or wish.version is None:
        rendered = Prompt(user=wish.prompt or "")
    else:
        variables = tuple(Variable.from_dict(row) for row in wish.version.variables)
        rendered = render(wish.version.system, wish.version.body, variables, context.values)
    checks = CheckContext(
        wish.content_type, context.facts, profile, rules["content.voice_threshold"]
    )
    return Setting(wish, material, rendered, checks)


def attempt(
    setting: Setting,
    model: Model,
    *,
    seed: int,
    clock: Clock,
    timeout_s: float = 60.0,
    on_text: Callable[[str], None] | None = None,
) -> Tried:
    """One call with one seed; a model's failure is an answer, not an exception."""
    plan = planned(setting, model)
    options = dataclasses.replace(setting.wish.options, seed=seed, stop=plan.options.stop)
    request = GenerationRequest(
        plan.prompt, options, grammar=plan.grammar, json_schema=plan.json_schema,
        timeout_s=timeout_s,
    )  # fmt: skip
    started = clock.boottime()
    blank = Tried(model.name, plan.recipe, plan.prompt, "", "", None, None, "", 0.0, options)
    try:
        generation = model.generate(request, on_text)
    except ModelError as error:
        seconds = clock.boottime() - started
        return dataclasses.replace(blank, error=str(error), seconds=seconds)
    seconds = clock.boottime() - started
    try:
        text = plan.fill(generation.text)
        verdict = run_checks(text, setting.checks)
    except TemplateError as error:
        text, verdict = "", Verdict((calls.unfilled(generation.text, error),))
    return dataclasses.replace(
        blank, text=text, raw=generation.text, verdict=verdict, generation=generation,
        seconds=seconds,
    )  # fmt: skip


def store(db_path: Path, setting: Setting, tried: Tried, *, candidate: int, now: datetime) -> int:
    """Keep the call (purpose ``playground``); answers its id."""
    wish, generation = setting.wish, tried.generation
    version = wish.version if wish.prompt is None else None
    row = Call(
        model_name=tried.model,
        backend=tried.model.partition(":")[0],
        raw_prompt=tried.prompt.text(),
        completion_time=tried.seconds,
        draft_key=uuid.uuid4().hex,
        purpose="playground",
        outcome="ok" if generation else "error",
        raw_text=tried.raw,
        options=dataclasses.asdict(tried.options),
        temperature=tried.options.temperature,
        max_tokens=tried.options.max_tokens,
        top_p=tried.options.top_p,
        seed=tried.options.seed,
        prompt_id=version.template_id if version else None,
        template_version_id=version.id if version else None,
        snapshot_id=wish.snapshot.id,
        candidate=candidate,
        content_type=wish.content_type,
        recipe=tried.recipe,
        error=tried.error or None,
        text=tried.text or None,
        verdict=tried.verdict,
    )
    if generation:
        row = dataclasses.replace(
            row,
            model_digest=generation.model.digest,
            server_version=generation.server_version,
            prompt_tokens=generation.usage.prompt_tokens,
            cached_tokens=generation.usage.cached_tokens,
            output_tokens=generation.usage.output_tokens,
            ttft_s=generation.timings.ttft_s,
            load_s=generation.timings.load_s,
            prefill_s=generation.timings.prefill_s,
            decode_s=generation.timings.decode_s,
            done_reason=generation.finish_reason,
            from_cache=generation.from_cache,
        )
    with opened(db_path) as db:
        return generations.insert(db, row, now=now)


def offer(
    db: Database, call_id: int, *, actor: str, now: datetime, news_item_id: int | None = None
) -> int:
    """Make a tried text a draft of its own; answers the post's id (the queue judges it next).

    It carries its headline and its call with it, and the flag ``trial``: a person looks at it,
    whatever the autonomy of its kind.

    Raises: TemplateError when the call gave no text, or its headline has a post already.
    """
    call = generations.get(db, call_id)
    if call is None or not call.text or call.verdict is None or call.content_type is None:
        raise TemplateError("this try gave no text that could be a post.")
    snapshot = snapshots.get(db, call.snapshot_id) if call.snapshot_id else None
    version = templates.get_version(db, call.template_version_id or 0)
    with write_tx(db):
        if news_item_id is not None and not news.claim_item(db, news_item_id, now):
            raise TemplateError("there is a post about this headline already.")
        post_id = posts.insert(
            db,
            posts.NewPost(
                content_type=call.content_type,
                text=call.text,
                verdict=Verdict(tuple(Finding(**finding) for finding in call.findings)),
                origin="model",
                world=snapshot.world if snapshot else "live",
                snapshot_id=call.snapshot_id,
                news_item_id=news_item_id,
                prompt_template_id=version.template_id if version else None,
                template_version_id=call.template_version_id,
                model_name=call.model_name,
                recipe=call.recipe,
                generation_time=call.completion_time,
                flags=("trial",),
                policy_version=policy.POLICY_VERSION,
            ),
            actor=actor,
            now=now,
        )
        generations.link(db, call.draft_key, post_id)
        repetition.remember(db, post_id, call.text, now)
    return post_id


def planned(setting: Setting, model: Model) -> Plan:
    """The call that a wish comes to with this model: recipe, prompt, grammar or schema."""
    wish = setting.wish
    material = dataclasses.replace(setting.material, features=model.features)
    if wish.prompt is not None:
        return Plan("free", setting.rendered, None, None, wish.options, str.strip)
    recipe: Recipe = recipes.recipe_for(model.backend, model.features, wish.recipe)
    if recipe == "menu":
        return recipes.plan_menu(material)
    if recipe == "slots":
        return recipes.plan_slots(material, setting.rendered)
    return recipes.plan_free(material, setting.rendered)
