"""A draft's way: model, checks, second tries, backup; every call is kept whatever became of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from engine.checks import repetition
from engine.clock import FakeClock
from engine.errors import ModelBadReply, ModelNotFound, ModelOff, ModelUnreachable, UsageError
from engine.llm.base import Generation, GenerationRequest
from engine.llm.scripted import Answer, ScriptedModel
from engine.market.replay import sample_snapshot
from engine.records import Snapshot, Verdict
from engine.store import generations, posts, settings, snapshots, templates
from engine.store.generations import StoredCall
from engine.writing import banks
from engine.writing.generate import Draft, Order, Writer
from engine.writing.shipped import ensure_templates

TRUE_JOKE = "I explained Bitcoin to my cat. The cat asked for proof of work and went back to sleep."
FALSE_PRICE = "Bitcoin doubled to $1 today."


@pytest.fixture
def snapshot(db: Database, clock: FakeClock) -> Snapshot:
    ensure_templates(db, now=clock.now())
    return snapshots.insert(db, sample_snapshot(clock.now()), now=clock.now())


@pytest.fixture
def write(
    db: Database, db_path: Path, clock: FakeClock, snapshot: Snapshot
) -> Callable[..., Draft]:
    """Write one post with a scripted model, freely (`content.recipe` free)."""
    settings.put(db, "content.recipe", "free", actor="test", now=clock.now())

    def run(*script: Answer, content_type: str = "joke", **order: object) -> Draft:
        model = ScriptedModel(script)
        model.features = frozenset()  # plain text in, plain text out
        writer = Writer(db_path, model, clock, random.Random(7))
        return writer.write(replace(Order(content_type, snapshot), **order))  # type: ignore[arg-type]

    return run


def calls(db: Database) -> list[StoredCall]:
    return list(reversed(generations.listing(db)))


def test_a_passing_answer_becomes_a_draft_that_points_at_its_proof(
    db: Database, write: Callable[..., Draft], snapshot: Snapshot
) -> None:
    draft = write(TRUE_JOKE)
    post = posts.get(db, draft.post_id or 0)
    assert post is not None
    assert post.text.startswith(TRUE_JOKE)
    assert (post.state, post.verdict, post.origin) == ("draft", "pass", "model")
    assert post.snapshot_id == snapshot.id
    assert post.is_llm_generated
    (call,) = calls(db)
    assert (call.post_id, call.outcome, call.verdict) == (post.id, "ok", "pass")
    assert call.raw_text == TRUE_JOKE
    assert call.options["temperature"] is not None
    assert call.seed is not None
    assert "calm" in call.raw_prompt
    template = templates.get(db, post.prompt_template_id or 0)
    assert template is not None
    assert template.last_used is not None


def test_a_rejection_is_kept_with_its_reason_and_written_again(
    db: Database, write: Callable[..., Draft]
) -> None:
    draft = write(FALSE_PRICE, TRUE_JOKE)
    assert (draft.origin, draft.attempts) == ("model", 2)
    first, second = calls(db)
    assert first.verdict == "reject"
    assert {finding["rule"].split(".")[0] for finding in first.findings} >= {"facts"}
    assert first.post_id == draft.post_id == second.post_id
    assert "Avoid this time" in second.raw_prompt
    assert first.seed != second.seed
    assert second.options["temperature"] < first.options["temperature"]


def test_after_three_rejections_a_backup_post_is_used_and_flagged(
    db: Database, write: Callable[..., Draft]
) -> None:
    draft = write(*[FALSE_PRICE] * 9)
    assert (draft.origin, draft.attempts, draft.recipe) == ("backup", 3, "backup")
    post = posts.get(db, draft.post_id or 0)
    assert post is not None
    assert "fallback" in post.flags
    assert not post.is_llm_generated
    assert post.verdict == "pass"


def test_a_failure_is_tried_once_more_with_a_simplified_prompt(
    db: Database, write: Callable[..., Draft]
) -> None:
    draft = write(ModelUnreachable("refused"), TRUE_JOKE)
    assert draft.origin == "model"
    first, second = calls(db)
    assert (first.outcome, first.error) == ("error", "refused")
    assert len(second.raw_prompt) < len(first.raw_prompt)


@pytest.mark.parametrize(
    "script",
    [
        (ModelUnreachable("down"), ModelUnreachable("still down")),
        (ModelNotFound("no such model"),),
        (ModelOff("the breaker is open"),),
        (ModelBadReply("empty", "nothing came"),),
    ],
)
def test_a_model_that_cannot_write_gives_way_to_a_backup_post(
    db: Database, write: Callable[..., Draft], script: tuple[Exception, ...]
) -> None:
    draft = write(*script, *[AssertionError("asked too often")] * 3)
    assert draft.origin == "backup"
    assert len(calls(db)) == len(script)


def test_empty_and_truncated_answers_are_kept_as_what_they_are(
    db: Database, write: Callable[..., Draft]
) -> None:
    write(ModelBadReply("truncated", "cut at the limit"))
    assert calls(db)[0].outcome == "truncated"


def test_without_an_allowed_model_the_template_arm_writes_and_asks_nobody(
    db: Database, write: Callable[..., Draft]
) -> None:
    draft = write(AssertionError("asked"), use_model=False)
    assert draft.origin == "backup"
    assert calls(db) == []
    post = posts.get(db, draft.post_id or 0)
    assert post is not None
    assert "fallback" not in post.flags


def test_best_of_keeps_every_candidate_and_posts_one(
    db: Database, write: Callable[..., Draft], clock: FakeClock
) -> None:
    settings.put(db, "content.best_of", 3, actor="test", now=clock.now())
    draft = write(TRUE_JOKE, FALSE_PRICE, "My node and I have one thing in common: patience.")
    assert draft.attempts == 3
    assert [call.verdict for call in calls(db)] == ["pass", "reject", "pass"]
    assert len(posts.listing(db)) == 1


def test_time_is_capped_and_ends_in_a_backup_post(
    db: Database, db_path: Path, clock: FakeClock, snapshot: Snapshot
) -> None:
    """A slow model costs at most `content.max_seconds`, each call gets only what is left."""
    settings.put(db, "content.max_seconds", 10, actor="test", now=clock.now())
    asked: list[float] = []

    def slow(request: GenerationRequest) -> Answer:
        asked.append(request.timeout_s)
        clock.advance(6)
        return FALSE_PRICE

    draft = Writer(db_path, ScriptedModel(slow), clock, random.Random(7)).write(
        Order("joke", snapshot)
    )
    assert asked == pytest.approx([10, 4])
    assert draft.origin == "backup"


def test_a_post_written_anew_is_not_stored_twice(db: Database, write: Callable[..., Draft]) -> None:
    first = write(TRUE_JOKE)
    again = write(
        "Proof of work, the cat says, is a nap that nobody can dispute.", post_id=first.post_id
    )
    assert again.post_id == first.post_id
    assert len(posts.listing(db)) == 1
    assert {call.post_id for call in calls(db)} == {first.post_id}


def test_an_unknown_template_version_is_a_clear_error(write: Callable[..., Draft]) -> None:
    with pytest.raises(UsageError, match="9999"):
        write(TRUE_JOKE, template_version_id=9999)


def test_the_same_text_is_not_accepted_twice(
    db: Database, write: Callable[..., Draft], clock: FakeClock
) -> None:
    write(TRUE_JOKE)
    clock.advance(timedelta(hours=4).total_seconds())
    second = write(*[TRUE_JOKE] * 3)
    assert second.origin == "backup"
    rules = {finding["rule"] for call in calls(db) for finding in call.findings}
    assert any(rule.startswith("repetition.") for rule in rules)


class Crashing(ScriptedModel):
    """A backend with a bug: raises what no contract allows."""

    def generate(self, request: GenerationRequest, on_text: object = None) -> Generation:
        raise ZeroDivisionError("a bug")


def test_a_bug_in_a_backend_costs_one_draft_and_is_not_hidden(
    db: Database, db_path: Path, clock: FakeClock, snapshot: Snapshot
) -> None:
    """The filler gives the slot back and the runner lives; nothing half-written is left."""
    with pytest.raises(ZeroDivisionError):
        Writer(db_path, Crashing(), clock, random.Random(7)).write(Order("joke", snapshot))
    assert posts.listing(db) == []


def test_an_empty_bank_is_a_skip_that_asks_no_model(
    db: Database, db_path: Path, clock: FakeClock, snapshot: Snapshot
) -> None:
    """Nothing is generated only to be refused: the reason says what to do."""
    lines = [line.text for line in banks.jokes()]
    for text in (*lines, *(post.text for post in banks.backup_posts("joke"))):
        old = posts.NewPost("joke", text, Verdict(), "model", "live")
        post_id = posts.insert(db, old, actor="test", now=clock.now())
        repetition.remember(db, post_id, text, clock.now())
    writer = Writer(db_path, ScriptedModel(), clock, random.Random(7))
    draft = writer.write(Order("joke", snapshot))
    assert (draft.post_id, draft.attempts, calls(db)) == (None, 0, [])
    assert draft.reason.startswith("every joke was posted within the last 30 days.")
