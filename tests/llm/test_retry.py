"""Retries: only where they help, with growing random pauses, never past the time limit."""

from __future__ import annotations

import random
import threading

import pytest

from engine.clock import FakeClock
from engine.errors import (
    ModelBadReply,
    ModelBusy,
    ModelCancelled,
    ModelError,
    ModelNotFound,
    ModelRefused,
    ModelUnreachable,
)
from engine.llm.base import GenerationRequest, Prompt
from engine.llm.retry import RetryingModel
from engine.llm.scripted import ScriptedModel

ASK = GenerationRequest(Prompt("Write."), timeout_s=60)


class Pauses(FakeClock):
    """A fake clock that remembers how long it was waited on."""

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self.waited = [*getattr(self, "waited", []), seconds]
        return super().wait(event, seconds)


@pytest.fixture
def pauses(clock: FakeClock) -> Pauses:
    made = Pauses(clock.now())
    made.waited: list[float] = []
    return made


def retrying(inner: ScriptedModel, clock: FakeClock, **options: float) -> RetryingModel:
    return RetryingModel(inner, clock=clock, rng=random.Random(1), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "failure",
    [ModelUnreachable("x"), ModelBusy("x"), ModelBadReply("no_final", "x"),
     ModelBadReply("error_line", "x"), ModelBadReply("garbled", "x")],
)  # fmt: skip
def test_what_may_pass_is_tried_again(failure: ModelError, pauses: Pauses) -> None:
    inner = ScriptedModel([failure, failure, "fine"])
    assert retrying(inner, pauses).generate(ASK).text == "fine"
    assert len(inner.requests) == 3


@pytest.mark.parametrize(
    "failure",
    [ModelNotFound("x"), ModelRefused("x"), ModelCancelled("x"), ModelBadReply("empty", "x"),
     ModelBadReply("truncated", "x")],
)  # fmt: skip
def test_what_would_fail_again_is_not_tried_again(failure: ModelError, pauses: Pauses) -> None:
    inner = ScriptedModel([failure, "fine"])
    with pytest.raises(type(failure)):
        retrying(inner, pauses).generate(ASK)
    assert len(inner.requests) == 1 and pauses.waited == []


def test_after_the_last_try_the_failure_is_raised(pauses: Pauses) -> None:
    inner = ScriptedModel([ModelBusy(str(number)) for number in range(9)])
    with pytest.raises(ModelBusy, match="3"):
        retrying(inner, pauses, retries=3).generate(ASK)


def test_pauses_are_random_below_a_doubling_cap(pauses: Pauses) -> None:
    for seed in range(200):
        inner = ScriptedModel([ModelBusy("x")] * 5)
        model = RetryingModel(
            inner, clock=pauses, rng=random.Random(seed), retries=4, base_s=1, cap_s=4
        )
        with pytest.raises(ModelBusy):
            model.generate(ASK)
    for attempt, cap in enumerate((1, 2, 4, 4)):
        waits = pauses.waited[attempt::4]
        assert 0.9 * cap < max(waits) <= cap and min(waits) < 0.1 * cap


def test_all_tries_share_the_requests_time_limit(pauses: Pauses) -> None:
    def slow(request: GenerationRequest) -> Exception:
        pauses.advance(25)
        return ModelUnreachable("slow")

    inner = ScriptedModel(slow)
    with pytest.raises(ModelUnreachable):
        retrying(inner, pauses, retries=9).generate(ASK)
    limits = [request.timeout_s for request in inner.requests]
    assert len(limits) == 3 and limits[0] == 60 and limits[2] < 10


def test_close_ends_the_pause(clock: FakeClock) -> None:
    class Closing(FakeClock):
        def wait(self, event: threading.Event, seconds: float) -> bool:
            model.close()
            return super().wait(event, seconds)

    model = retrying(ScriptedModel([ModelBusy("x"), "fine"]), Closing(clock.now()))
    with pytest.raises(ModelCancelled):
        model.generate(ASK)
