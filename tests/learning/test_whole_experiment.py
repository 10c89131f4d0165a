"""Sixty days of one experiment through the real pipeline, and its report against the truth.

Slots, assignment, writing, checks, queue, approval, posting over loopback HTTP, collecting and the
verdict are the real ones; simulated are the clock, the model's text and what readers did. Readers'
lift is planted by the arm a slot was given, so the truth of intention to treat is known exactly.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from engine.clock import FakeClock
from engine.config import load_config
from engine.errors import ModelUnreachable
from engine.learning import spec
from engine.learning.assignment import misassigned
from engine.learning.engagement import Collector
from engine.learning.judge import Judged, judge
from engine.learning.spec import Arm, Design
from engine.learning.x_metrics import XMetrics
from engine.llm.base import GenerationRequest
from engine.llm.scripted import Answer, ScriptedModel, plausible_text
from engine.market.replay import sample_snapshot
from engine.posting import queue
from engine.service import schedule
from engine.service.desk import Footing, MarketDesk
from engine.service.fill import Filler
from engine.store import experiments, posts, schedules, settings, snapshots
from engine.store.database import opened
from engine.store.experiments import Experiment
from engine.store.schedules import Plan
from engine.writing.generate import Writer
from engine.writing.shipped import ensure_templates
from tests.faults.rig import Rig, x_config
from tests.faults.x_server import XServer

START = datetime(2026, 9, 7, 0, 0, tzinfo=UTC)  # a Monday
DAYS = 60
TIMES = ("02:00", "08:00", "14:00", "20:00")
LIFT = 1.8
OUTAGE = 0.1
"""Share of model calls that fail: those slots fall back to a template and stay in their arm."""


class Desk(MarketDesk):
    """The shipped market, as if it had been measured live."""

    def footing(self) -> Footing:
        with opened(self._db_path) as db:
            at = replace(sample_snapshot(self._clock.now()), world="live")
            facts = replace(at.facts, as_of=self._clock.now())
            return Footing(snapshots.insert(db, replace(at, facts=facts), now=self._clock.now()))


@dataclass
class Readers:
    """What readers do with a post: drawn once, growing with a half-life of 80 minutes."""

    rng: np.random.Generator
    seen: dict[str, tuple[int, int]]

    def look(self, x: XServer, arms: dict[str, str], now: datetime) -> None:
        for post in x.posts:
            if post.id not in self.seen:
                slot = post.at.hour // 6
                impressions = math.exp(6.5 + 0.5 * math.sin(slot) + self.rng.normal(0, 0.7))
                rate = 0.02 * math.exp(self.rng.normal(0, 0.6))
                rate *= LIFT if arms[post.id] == "LLM" else 1.0
                self.seen[post.id] = round(impressions), int(self.rng.poisson(impressions * rate))
            total, engaged = self.seen[post.id]
            share = 1 - 0.5 ** ((now - post.at).total_seconds() / 4800)
            post.metrics = {
                "impression_count": round(total * share),
                "like_count": round(engaged * share),
            }


def model() -> ScriptedModel:
    flaky = random.Random(5)

    def answer(request: GenerationRequest) -> Answer:
        if flaky.random() < OUTAGE:
            return ModelUnreachable("The model server does not answer.")
        return plausible_text(request)

    return ScriptedModel(answer)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Judged, Path, XServer]]:
    """The sixty days, lived once for all tests of this module."""
    folder = tmp_path_factory.mktemp("experiment")
    path, clock, rng = folder / "bot.db", FakeClock(START), random.Random(9)
    with XServer(folder / "x.jsonl", now=clock.now) as x:
        begin(path, clock)
        rig = Rig(path, clock, x)
        rig.settings(posting__attempt_timeout_s=60)  # a slow machine is not what is tested here
        desk = Desk(path, load_config({}), clock)
        filler = Filler(path, Writer(path, model(), clock, rng), desk, clock, rng, "x")
        collector = Collector(path, XMetrics(x_config(x.url, path), clock), clock)
        readers = Readers(np.random.default_rng(3), {})
        for step in range(4 * (DAYS + 3)):
            if step < 4 * DAYS:
                work(path, clock, rig, filler)
            if step % 2:
                readers.look(x, arms_on_x(path), clock.now())
                collector.run()
            clock.advance(6 * 3600)
        with opened(path) as db:
            yield judge(db, experiments.listing(db)[0], clock.now()), path, x
        rig.end()


def begin(path: Path, clock: FakeClock) -> Experiment:
    """A bot with one schedule and an experiment that starts now."""
    from engine.store.migrations import migrate

    with opened(path) as db:
        migrate(db)
        ensure_templates(db, now=clock.now())
        settings.put(db, "content.lead_s", 0, actor="test", now=clock.now())
        schedules.insert(db, Plan("prices", "UTC", TIMES, content_type="price"), now=clock.now())
        design = Design(
            "template vs LLM", "writing", (Arm("template", use_model=False), Arm("LLM")), ("price",)
        )
        started = spec.start(db, design, seed="a secret", actor="anna", now=clock.now())
    clock.advance(2 * 3600)
    return started


def work(path: Path, clock: FakeClock, rig: Rig, filler: Filler) -> None:
    """One slot's hour: planned, written, approved by an operator, posted."""
    with opened(path) as db:
        schedule.plan_slots(db, clock.now())
        schedule.sweep(db, clock.now())
    filler.fill_due()
    with opened(path) as db:
        for post in posts.listing(db, state="pending_approval"):
            queue.approve(db, post.id, revision=post.revision, actor="anna", now=clock.now())
    rig.poster.post_next()


def arms_on_x(path: Path) -> dict[str, str]:
    with opened(path) as db:
        return {
            post.x_post_id: row.arm
            for post in posts.listing(db, state="posted", limit=1000)
            if post.x_post_id and (row := experiments.of_slot(db, post.slot_id or 0))
        }


@pytest.mark.timeout(600)
def test_the_report_finds_what_was_planted(finished: tuple[Judged, Path, XServer]) -> None:
    main = finished[0].main
    assert main.ci_low and main.ci_high
    assert main.ci_low <= LIFT <= main.ci_high
    assert main.state in ("better", "KPI shown")
    assert main.lights.better == "shown"
    assert main.lights.harm == "excluded"
    assert main.sentence.startswith(
        f"LLM vs template, {main.pairs} mature pairs in {main.days} days"
    )


def test_every_slot_was_posted_once_or_says_why_and_whole_pairs_are_mature(
    finished: tuple[Judged, Path, XServer],
) -> None:
    """A slot whose texts all repeat recent ones is skipped; that is rare, and in no arm alone."""
    judged, path, x = finished
    posted = sum(arm.posted for arm in judged.arms)
    assert len(x.accepted()) == len(set(x.accepted())) == posted
    assert posted > 0.95 * 4 * DAYS
    with opened(path) as db:
        ended = db.conn.execute("SELECT state, reason FROM slots WHERE state <> 'due'").fetchall()
    assert len(ended) == sum(arm.assigned for arm in judged.arms) == 4 * DAYS
    assert all(reason for state, reason in ended if state == "skipped")
    assert [arm.mature for arm in judged.arms] == [arm.posted for arm in judged.arms]
    assert posted / 2 >= judged.main.pairs >= 0.9 * 2 * DAYS
    assert judged.main.reasons == ()


def test_fallbacks_count_in_the_arm_they_were_given(
    finished: tuple[Judged, Path, XServer],
) -> None:
    """Property 6: templates stand in for a failing model, and stay in arm LLM."""
    judged, path, _ = finished
    llm = next(arm for arm in judged.arms if arm.arm == "LLM")
    assert 0 < llm.fallback < llm.assigned / 2
    assert llm.mature == llm.posted > llm.assigned - 5
    with opened(path) as db:
        origins = {
            post.origin
            for post in posts.listing(db, limit=1000)
            if (row := experiments.of_slot(db, post.slot_id or 0)) and row.arm == "LLM"
        }
    assert origins == {"model", "backup"}


def test_the_revealed_seed_gives_every_arm_and_each_block_holds_each_arm_once(
    finished: tuple[Judged, Path, XServer],
) -> None:
    """Property 3."""
    judged, path, _ = finished
    with opened(path) as db:
        rows = experiments.all_of(db, judged.experiment.id)
    assert misassigned(judged.experiment, rows) == []
    assert spec.hash_of("a secret") == judged.experiment.seed_hash
    blocks: dict[str, list[str]] = {}
    for row in rows:
        blocks.setdefault(row.block_id, []).append(row.arm)
    assert all(sorted(arms) == ["LLM", "template"] for arms in blocks.values())


def test_the_interval_was_there_at_every_look_and_only_tightened(
    finished: tuple[Judged, Path, XServer],
) -> None:
    looks = [look for look in finished[0].main.looks if look.low and look.high]
    widths = [look.high / look.low for look in looks if look.high and look.low]
    assert len(looks) > 90
    assert widths == sorted(widths, reverse=True)


def test_the_money_spent_is_what_posts_and_reads_cost(
    finished: tuple[Judged, Path, XServer],
) -> None:
    """Two reads a day give each post four of the five ages; one look at followers a day."""
    from engine.store import spend

    judged, path, _ = finished
    with opened(path) as db:
        total = spend.total(db, START, START + timedelta(days=99), "x") / 1e6
        reads = db.conn.execute("SELECT count(*) FROM metrics").fetchone()[0]
    posted = sum(arm.posted for arm in judged.arms)
    assert 3.5 * posted < reads <= 5 * posted
    assert total == pytest.approx(posted * 0.015 + reads * 0.001 + 63 * 0.010)
