"""The two worlds of the pictures. Every row is stored by the product's own functions; what writes
is the scripted model, and what X and its readers do is drawn here."""

from __future__ import annotations

import math
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from engine.clock import FakeClock, SystemClock
from engine.config import Config, load_config
from engine.errors import ModelUnreachable
from engine.lab import arena as pairs
from engine.lab import benchmark
from engine.lab.plan import make_plan
from engine.learning import spec
from engine.learning.engagement import Collector
from engine.learning.spec import Arm, Design
from engine.learning.x_metrics import XMetrics
from engine.llm.base import GenerationRequest
from engine.llm.scripted import Answer, ScriptedModel, plausible_text
from engine.records import CONTENT_TYPES
from engine.service import change, sample, users
from engine.service.fill import Filler
from engine.store import arena, experiments, posts, schedules, settings, templates
from engine.store.database import opened
from engine.store.migrations import migrate
from engine.store.schedules import Plan
from engine.writing.generate import Writer
from engine.writing.shipped import ensure_templates
from tests.faults.rig import Rig, x_config
from tests.faults.x_server import Stored, XServer
from tests.learning.test_whole_experiment import Desk, work

WHO = "sample operator"
STEADY, CARELESS, AWAY = "scripted:steady", "scripted:careless", "scripted:away"
VOTES = 12


def fill_week(path: Path, now: datetime) -> None:
    """The sample week as the bot's own database, with two finished benchmarks and some votes."""
    sample.fill(path, now=now)
    config, clock = load_config({"BTCBUZZ_DB": str(path)}), SystemClock()
    for models, repeats in (((STEADY, AWAY), 30), ((STEADY, CARELESS), 40)):
        with opened(path) as db:
            plan = make_plan(db, models=list(models), types=list(CONTENT_TYPES), repeats=repeats)
            run = benchmark.start(db, plan, actor=WHO, clock=clock, queued=True)
        benchmark.work(path, run, config, clock, build=_model)
    with opened(path) as db:
        for number in range(VOTES):
            if pair := pairs.next_pair(db, WHO, random.Random(number)):
                arena.vote(
                    db, run_id=pair.run_id, left_place=pair.left_place,
                    right_place=pair.right_place, choice=("left", "right", "tie")[number % 3],
                    voter=WHO, now=now,
                )  # fmt: skip


def _model(name: str) -> ScriptedModel:
    """``careless`` is quick and makes up a figure in one text of four; ``away`` fails one call of
    five."""
    rng = random.Random(name)

    def answer(request: GenerationRequest) -> Answer:
        time.sleep(rng.uniform(0.005, 0.008 if name == CARELESS else 0.03))
        if name == AWAY and rng.random() < 0.2:
            return ModelUnreachable("The model server does not answer.")
        if name == CARELESS and rng.random() < 0.25:
            return "Bitcoin gained 12% today and is heading for $150,000."
        return plausible_text(request)

    return ScriptedModel(answer, model=name.partition(":")[2])


DAYS, FIRST_DAYS = 66, 44
"""All days of the account, and those of its first experiment."""
SLOTS = {"price": ("00:00", "08:00", "16:00"), "joke": ("04:00", "12:00"), "motivation": ("20:00",)}
EVERY_H = 4
LIFT = 1.7
"""How much more readers like what the model wrote, in the first experiment alone."""


def live_account(path: Path, x: XServer, clock: FakeClock) -> None:
    """Sixty-six days of posts to that X, read by drawn readers: one experiment with its verdict,
    then one that still runs. ``clock`` stands at the end of them when this returns."""
    rng = random.Random(9)
    _open_account(path, clock)
    rig = Rig(path, clock, x)
    rig.settings(posting__attempt_timeout_s=60, posting__monthly_budget_usd=25)
    writer = Writer(path, ScriptedModel(), clock, rng)
    filler = Filler(path, writer, Desk(path, Config(db=path), clock), clock, rng, "x")
    collector = Collector(path, XMetrics(x_config(x.url, path), clock), clock)
    readers = Readers(path, np.random.default_rng(5))
    for step in range(DAYS * 24 // EVERY_H):
        if step == FIRST_DAYS * 24 // EVERY_H:
            _second_question(path, clock)
        work(path, clock, rig, filler)
        for _ in range(2):
            clock.advance(3600)
            readers.look(x, clock.now())
            collector.run()
        clock.advance((EVERY_H - 2) * 3600)
    rig.end()


def account_start(now: datetime) -> datetime:
    """So that the last step ends in the four hours before ``now``."""
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return hour - timedelta(days=DAYS, hours=hour.hour % EVERY_H)


def _open_account(path: Path, clock: FakeClock) -> None:
    now = clock.now()
    with opened(path) as db:
        migrate(db)
        ensure_templates(db, now=now)
        for key in ("content.lead_s", "learning.holdout_pct"):
            settings.put(db, key, 0, actor=WHO, now=now)
        for kind, times in SLOTS.items():
            schedules.insert(db, Plan(kind, "UTC", times, content_type=kind), now=now)
        arms = (Arm("template", use_model=False), Arm("model"))
        design = Design("Does the model beat the templates?", "writing", arms, tuple(SLOTS))
        spec.start(db, design, seed="5eed" * 16, actor=WHO, now=now)


def _second_question(path: Path, clock: FakeClock) -> None:
    """The first experiment ends with its answer; a changed prompt is the next question."""
    now = clock.now()
    with opened(path) as db:
        (running,) = experiments.running(db)
        spec.stop(db, running.id, reason="the answer is clear", actor=WHO, now=now)
        found = templates.production(db, "price")
        operator = users.local_operator(db)
        assert found is not None and operator is not None
        template, old = found
        new = change.save_version(
            db, template.id, system=old.system, body=f"{old.body}\nOne sentence is enough.",
            variables=list(old.variables), note="shorter", actor=operator, now=now,
        )  # fmt: skip
        arms = tuple(
            Arm(name, template_versions={"price": version.id})
            for name, version in (("version 1", old), ("version 2, shorter", new))
        )
        design = Design("Does a shorter price prompt do better?", "writing", arms, ("price",))
        spec.start(db, design, seed="c0de" * 16, actor=WHO, now=now)


class Readers:
    """What readers do with a post: drawn once, growing with a half-life of about 80 minutes."""

    def __init__(self, path: Path, rng: np.random.Generator) -> None:
        self._path, self._rng = path, rng
        self._seen: dict[str, tuple[int, int, float]] = {}

    def look(self, x: XServer, now: datetime) -> None:
        for post in x.posts:
            age_s = (now - post.at).total_seconds()
            if age_s > timedelta(days=8).total_seconds():
                continue
            if post.id not in self._seen:
                self._seen[post.id] = self._draw(post)
            total, engaged, half_s = self._seen[post.id]
            share = 1 - 0.5 ** (age_s / half_s)
            likes = round(engaged * share)
            post.metrics = {
                "impression_count": round(total * share), "like_count": likes - likes // 4,
                "retweet_count": likes // 8, "reply_count": likes // 4 - likes // 8,
            }  # fmt: skip

    def _draw(self, post: Stored) -> tuple[int, int, float]:
        impressions = math.exp(6.5 + 0.5 * math.sin(post.at.hour / 6) + self._rng.normal(0, 0.6))
        rate = 0.02 * math.exp(self._rng.normal(0, 0.5))
        rate *= LIFT if self._arm(post.id) == "model" else 1.0
        half_s = 4800 * math.exp(self._rng.normal(0, 0.5))
        return round(impressions), int(self._rng.poisson(impressions * rate)), half_s

    def _arm(self, x_post_id: str) -> str | None:
        with opened(self._path, "ro") as db:
            found = next(p for p in posts.listing(db, limit=20) if p.x_post_id == x_post_id)
            row = experiments.of_slot(db, found.slot_id or 0)
        return row.arm if row else None
