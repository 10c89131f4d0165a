"""Trials: the real prompt, the real checks, a stored call, and nothing queued by itself."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from sqlite_utils import Database

from engine.checks import injection
from engine.clock import FakeClock
from engine.errors import ModelUnreachable, TemplateError
from engine.llm.base import Options
from engine.llm.scripted import ScriptedModel
from engine.market.news import collect_sample
from engine.market.replay import sample_snapshot
from engine.posting import queue
from engine.store import generations, news, posts, settings, snapshots, templates
from engine.store.news import NewsItem
from engine.writing import trial
from engine.writing.shipped import ensure_templates
from engine.writing.trial import Setting, Wish


@pytest.fixture
def setting(db: Database, clock: FakeClock) -> Setting:
    ensure_templates(db, now=clock.now())
    snapshot = snapshots.insert(db, sample_snapshot(clock.now()), now=clock.now())
    found = templates.production(db, "price")
    assert found is not None
    return trial.prepare(db, Wish("price", snapshot, Options(), version=found[1]), random.Random(1))


def test_a_trial_is_judged_and_stored_and_queues_nothing(
    db: Database, db_path: Path, clock: FakeClock, setting: Setting
) -> None:
    tried = trial.attempt(setting, ScriptedModel(), seed=5, clock=clock)
    call_id = trial.store(db_path, setting, tried, candidate=1, now=clock.now())
    call = generations.get(db, call_id)
    assert call is not None and tried.verdict is not None
    assert (call.purpose, call.seed, call.text, call.verdict) == (
        "playground", 5, tried.text, tried.verdict.outcome,
    )  # fmt: skip
    assert posts.listing(db) == []


def test_a_trial_that_is_offered_goes_through_the_queue_like_any_other(
    db: Database, db_path: Path, clock: FakeClock, setting: Setting
) -> None:
    tried = trial.attempt(setting, ScriptedModel(), seed=5, clock=clock)
    call_id = trial.store(db_path, setting, tried, candidate=1, now=clock.now())
    post_id = trial.offer(db, call_id, actor="ann", now=clock.now())
    assert queue.submit(db, post_id, actor="ann", now=clock.now()) == "pending_approval"
    assert posts.need(db, post_id).text == tried.text


def test_a_false_text_from_a_free_prompt_is_told_and_cannot_get_past_the_queue(
    db: Database, db_path: Path, clock: FakeClock, setting: Setting
) -> None:
    wish = Wish("price", setting.wish.snapshot, Options(), prompt="Say something bold.")
    free = trial.prepare(db, wish, random.Random(1))
    tried = trial.attempt(
        free, ScriptedModel(["Bitcoin is up 40% today, at $1,000,000!"]), seed=1, clock=clock
    )
    assert tried.verdict is not None and tried.verdict.outcome == "reject"
    call_id = trial.store(db_path, free, tried, candidate=1, now=clock.now())
    post_id = trial.offer(db, call_id, actor="ann", now=clock.now())
    assert queue.submit(db, post_id, actor="ann", now=clock.now()) == "rejected"


def test_a_model_that_is_down_is_an_answer_too(
    db: Database, db_path: Path, clock: FakeClock, setting: Setting
) -> None:
    tried = trial.attempt(
        setting, ScriptedModel([ModelUnreachable("nobody answers")]), seed=1, clock=clock
    )
    assert (tried.text, tried.verdict, tried.error) == ("", None, "nobody answers")
    call_id = trial.store(db_path, setting, tried, candidate=1, now=clock.now())
    with pytest.raises(TemplateError, match="no text"):
        trial.offer(db, call_id, actor="ann", now=clock.now())


def test_an_offered_text_keeps_its_headline_and_its_call_and_asks_for_a_look(
    db: Database, db_path: Path, clock: FakeClock, setting: Setting
) -> None:
    item = sample_item(db, clock)
    version = templates.production(db, "news")
    assert version is not None
    wish = Wish("news", setting.wish.snapshot, Options(), version=version[1], news=item)
    asked = trial.prepare(db, wish, random.Random(1))
    tried = trial.attempt(asked, ScriptedModel(), seed=5, clock=clock)
    call_id = trial.store(db_path, asked, tried, candidate=1, now=clock.now())
    post_id = trial.offer(db, call_id, actor="ann", now=clock.now(), news_item_id=item.id)
    post = posts.need(db, post_id)
    assert (post.news_item_id, post.flags) == (item.id, ("trial",))
    assert post.prompt_template_id == version[0].id
    assert [call.id for call in generations.of_post(db, post_id)] == [call_id]


def test_one_headline_makes_one_post(
    db: Database, db_path: Path, clock: FakeClock, setting: Setting
) -> None:
    item = sample_item(db, clock)
    tried = trial.attempt(setting, ScriptedModel(), seed=5, clock=clock)
    call_id = trial.store(db_path, setting, tried, candidate=1, now=clock.now())
    trial.offer(db, call_id, actor="ann", now=clock.now(), news_item_id=item.id)
    with pytest.raises(TemplateError, match="already"):
        trial.offer(db, call_id, actor="ann", now=clock.now(), news_item_id=item.id)


def test_a_trial_never_goes_out_by_itself(
    db: Database, db_path: Path, clock: FakeClock, setting: Setting
) -> None:
    for key, value in (("autonomy.price", "auto"), ("autonomy.trust_after", 0)):
        settings.put(db, key, value, actor="test", now=clock.now())
    tried = trial.attempt(setting, ScriptedModel(), seed=5, clock=clock)
    call_id = trial.store(db_path, setting, tried, candidate=1, now=clock.now())
    post_id = trial.offer(db, call_id, actor="ann", now=clock.now())
    assert queue.submit(db, post_id, actor="ann", now=clock.now()) == "pending_approval"


def sample_item(db: Database, clock: FakeClock) -> NewsItem:
    """The newest headline of the sample market."""
    collect_sample(db, clock, inspect=injection.flags)
    return news.listing(db, limit=1)[0]
