"""The circuit breaker: off after failures in a row, one trial at a time, seen by everybody."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.errors import ModelBadReply, ModelCancelled, ModelOff, ModelRefused, ModelUnreachable
from engine.llm.base import Generation, GenerationRequest, Prompt
from engine.llm.breaker import BreakerModel
from engine.llm.scripted import ScriptedModel
from engine.store import breakers, settings

ASK = GenerationRequest(Prompt("Write."), timeout_s=60)
NAME = "scripted:scripted"
DOWN = ModelUnreachable("nobody answers")


class Bench:
    """A model behind its breaker, whose answer is set from outside."""

    def __init__(self, db_path: Path, clock: FakeClock) -> None:
        self.answer: str | Exception = "fine"
        self.inner = ScriptedModel(lambda _: self.answer)
        self.model = BreakerModel(self.inner, db_path=db_path, clock=clock)

    def ask(self) -> Generation:
        return self.model.generate(ASK)

    def fail(self, times: int = 1, error: Exception = DOWN) -> None:
        self.answer = error
        for _ in range(times):
            with pytest.raises(type(error)):
                self.ask()
        self.answer = "fine"


@pytest.fixture
def bench(db_path: Path, clock: FakeClock) -> Bench:
    return Bench(db_path, clock)


def test_five_failures_in_a_row_turn_the_model_off(bench: Bench) -> None:
    bench.fail(5)
    with pytest.raises(ModelOff, match=r"off until 2026-11-22T12:01:00.*nobody answers"):
        bench.ask()
    assert len(bench.inner.requests) == 5, "the model itself is left alone"
    assert not bench.model.health().ok


def test_a_success_in_between_starts_the_count_anew(bench: Bench) -> None:
    bench.fail(4)
    bench.ask()
    bench.fail(4)
    assert bench.ask().text == "fine"


def test_another_process_and_a_restart_see_the_same_state(
    bench: Bench, db_path: Path, clock: FakeClock, db: Database
) -> None:
    bench.fail(5)
    with pytest.raises(ModelOff):
        Bench(db_path, clock).ask()
    (row,) = breakers.get_all(db)
    assert (row.name, row.state, row.failures) == (NAME, "open", 5)
    assert row.open_until == clock.now() + timedelta(seconds=60)


def test_the_cooling_period_doubles_up_to_its_cap(
    bench: Bench, clock: FakeClock, db: Database
) -> None:
    settings.put(db, "breaker.cooling_max_s", 200, actor="test", now=clock.now())
    bench.fail(5)
    periods = []
    for _ in range(4):
        period = breakers.get(db, NAME).cooling_s
        periods.append(period)
        clock.advance(period - 1)
        with pytest.raises(ModelOff):
            bench.ask()
        clock.advance(1)
        bench.fail(1)
    assert periods == [60, 120, 200, 200]


def test_a_good_trial_closes_it_and_the_next_period_is_short_again(
    bench: Bench, clock: FakeClock, db: Database
) -> None:
    bench.fail(5)
    clock.advance(60)
    assert bench.ask().text == "fine"
    assert breakers.get(db, NAME).state == "closed"
    bench.fail(5)
    assert breakers.get(db, NAME).cooling_s == 60


def test_exactly_one_trial_goes_through_at_a_time(
    db_path: Path, clock: FakeClock, bench: Bench
) -> None:
    bench.fail(5)
    clock.advance(60)
    inside, leave = threading.Event(), threading.Event()

    def answer(_: GenerationRequest) -> str:
        inside.set()
        leave.wait(10)
        return "fine"

    slow = BreakerModel(ScriptedModel(answer), db_path=db_path, clock=clock)
    trial = threading.Thread(target=slow.generate, args=(ASK,))
    trial.start()
    assert inside.wait(10)
    for _ in range(3):
        with pytest.raises(ModelOff):
            bench.ask()
    leave.set()
    trial.join()
    assert bench.ask().text == "fine"


def test_a_trial_lost_in_a_crash_does_not_keep_the_model_off(
    bench: Bench, clock: FakeClock, db: Database
) -> None:
    bench.fail(5)
    clock.advance(60)
    assert breakers.claim_trial(db, NAME, lease_s=70, now=clock.now())
    clock.advance(69)
    with pytest.raises(ModelOff):
        bench.ask()
    clock.advance(1)
    assert bench.ask().text == "fine"


def test_a_clock_set_back_does_not_keep_the_model_off(bench: Bench, clock: FakeClock) -> None:
    bench.fail(5)
    clock.set_wall(clock.now() - timedelta(days=365))
    assert bench.ask().text == "fine"


@pytest.mark.parametrize("error", [ModelRefused("bad grammar"), ModelCancelled("closed")])
def test_the_requests_own_fault_is_no_evidence_against_the_model(
    bench: Bench, clock: FakeClock, db: Database, error: Exception
) -> None:
    bench.fail(9, error)
    assert breakers.get_all(db) == []
    bench.fail(5)
    clock.advance(60)
    bench.fail(1, error)
    assert bench.ask().text == "fine", "the trial is given back, not lost"


def test_an_interrupted_trial_is_given_back(bench: Bench, clock: FakeClock) -> None:
    bench.fail(5)
    clock.advance(60)

    def stop(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.model.generate(ASK, stop)
    assert bench.ask().text == "fine"


def test_bad_replies_count_and_the_threshold_is_a_setting(
    bench: Bench, clock: FakeClock, db: Database
) -> None:
    settings.put(db, "breaker.failures", 2, actor="test", now=clock.now())
    bench.fail(2, ModelBadReply("empty", "wrote nothing"))
    with pytest.raises(ModelOff, match="wrote nothing"):
        bench.ask()


def test_models_have_breakers_of_their_own(bench: Bench, db_path: Path, clock: FakeClock) -> None:
    bench.fail(5)
    other = BreakerModel(ScriptedModel(model="other"), db_path=db_path, clock=clock)
    assert other.generate(ASK).text


def test_health_never_raises_even_without_a_database(tmp_path: Path, clock: FakeClock) -> None:
    model = BreakerModel(ScriptedModel(), db_path=tmp_path, clock=clock)
    health = model.health()
    assert not health.ok and "is a folder" in health.message
