"""The stateful model, a taste of it; ``make campaigns`` runs it 200 times, a release 20,000."""

from __future__ import annotations

import os

import pytest

from tests.faults.model import Impatient, run

RUNS = int(os.environ.get("MODEL_RUNS", "12"))


@pytest.mark.timeout(900)
def test_in_any_order_of_events_nothing_is_doubled_lost_or_left_open() -> None:
    assert run(RUNS, steps=25)["runs"] == RUNS


def test_the_model_catches_a_bot_that_takes_one_look_for_proof() -> None:
    """The order of events that hypothesis finds for it, by hand: lost, looked too early, again."""
    bot = Impatient()
    bot.approves_a_new_post()
    bot.x_changes(taking=True, answer="unknown", lag_s=30.0, reads="whole")
    bot.posts(times=1)
    bot.reconciles()
    bot.x_changes(taking=True, answer="posted", lag_s=30.0, reads="whole")
    bot.posts(times=1)
    with pytest.raises(AssertionError):
        bot.nothing_is_on_x_twice()
    with pytest.raises(AssertionError):
        bot.teardown()
