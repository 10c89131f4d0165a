"""The content mix, and the numbers beside experiments: power, followers, effort, page reads."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from engine.clock import FakeClock, iso
from engine.learning import strategy
from engine.learning.audience import growth
from engine.learning.efficiency import FIRST_LOOK, working_time
from engine.learning.mix import Belief, Seen, beliefs, floor_for, hajek, weights
from engine.learning.overview import engagement, experiments_page, strength_of
from engine.learning.power import pairs_to_show, resolution
from engine.learning.simulate import simulate
from engine.service import schedule
from engine.store import choices, schedules, settings, slots
from engine.store.schedules import Plan

arms = st.dictionaries(
    st.text(min_size=1, max_size=5),
    st.builds(Belief, st.floats(-3, 3), st.floats(0.01, 1), st.just(5)),
    min_size=2, max_size=12,
)  # fmt: skip


# -- the bandit ------------------------------------------------------------------------------


@given(arms, st.integers(0, 2**32))
def test_weights_sum_to_one_and_respect_the_floor(held: dict[str, Belief], seed: int) -> None:
    """Property 8."""
    drawn = weights(held, random.Random(seed))
    assert math.fsum(drawn.values()) == pytest.approx(1)
    assert min(drawn.values()) >= floor_for(len(held)) - 1e-12
    assert drawn == weights(held, random.Random(seed))


def test_the_floor_is_a_tenth_for_four_arms() -> None:
    assert floor_for(4) == 0.1
    assert floor_for(8) == pytest.approx(0.05)


def test_beliefs_are_the_conjugate_ones_and_old_posts_count_less() -> None:
    """Twenty posts with noise SD near 1: the mean shrinks to the prior, weights fall by 2 % a day."""
    rng = random.Random(1)
    rows = [Seen(arm, "s", rng.gauss(0.5 if arm == "a" else -0.5, 1), 0.0) for arm in "ab" * 200]
    found = beliefs(rows, ["a", "b", "c"])
    assert found["a"].mean > 0.3 and found["b"].mean < -0.3
    assert found["c"] == Belief(0.0, 0.3, 0)
    old = beliefs([Seen(r.arm, r.stratum, r.y, 100.0) for r in rows], ["a"])
    assert abs(old["a"].mean) < found["a"].mean and old["a"].sd > found["a"].sd


def test_a_better_arm_is_drawn_more_often() -> None:
    drawn = weights({"a": Belief(0.4, 0.1, 50), "b": Belief(0, 0.1, 50)}, random.Random(1))
    assert drawn["a"] > 0.85 and drawn["b"] == pytest.approx(0.1, abs=0.05)


def test_hajek_is_unbiased_where_the_naive_mean_is_not() -> None:
    """Four equal arms, 60 days of 8 posts drawn by the bandit itself, 150 runs: over all arms the
    naive mean is too low (-0.018 measured), Hájek's is not (-0.002); standard error 0.0032."""
    naive, fair = [], []
    for run in range(150):
        rng, noise = random.Random(run), np.random.default_rng(run)
        seen: list[Seen] = []
        for day in range(60):
            held = beliefs([Seen(s.arm, s.stratum, s.y, day - s.days_ago) for s in seen], "abcd")
            chances = fast_weights(held, noise)
            for _ in range(8):
                arm = rng.choices("abcd", [chances[a] for a in "abcd"])[0]
                seen.append(Seen(arm, "s", float(noise.normal(0, 0.77)), day, chances[arm]))
        for arm, estimate in hajek(seen, "abcd").items():
            assert estimate is not None
            fair.append(estimate.mean)
            naive.append(float(np.mean([s.y for s in seen if s.arm == arm])))
    assert np.mean(naive) < -0.0095
    assert abs(np.mean(fair)) < 0.0095


def fast_weights(held: dict[str, Belief], noise: np.random.Generator) -> dict[str, float]:
    """As :func:`weights`, with 200 draws by numpy."""
    names = sorted(held)
    draws = noise.normal(
        [held[n].mean for n in names], [held[n].sd for n in names], (200, len(names))
    )
    wins = np.bincount(draws.argmax(axis=1), minlength=len(names)) / 200
    least = floor_for(len(names))
    return {n: least + (1 - len(names) * least) * w for n, w in zip(names, wins, strict=True)}


def test_an_arm_with_one_post_has_no_estimate() -> None:
    assert hajek([Seen("a", "s", 1.0, 0.0)], ["a", "b"]) == {"a": None, "b": None}


def planned(db: Database, clock: FakeClock) -> slots.Slot:
    schedules.insert(db, Plan("all", "UTC", ("14:00",)), now=clock.now())
    schedule.plan_slots(db, clock.now())
    return slots.upcoming(db, clock.now())[0]


def test_what_a_slot_is_given_is_on_record_with_its_chance(db: Database, clock: FakeClock) -> None:
    slot = planned(db, clock)
    given_now = strategy.give(db, slot, random.Random(1), clock.now(), mixed=True)
    assert given_now == strategy.give(db, slot, random.Random(2), clock.now(), mixed=True)
    stored = {
        kind: (arm, propensity)
        for kind, arm, propensity in db.conn.execute("SELECT kind, arm, propensity FROM choices")
    }
    mix = settings.get(db, "content.mix")
    assert stored["content"] == (
        slot.content_type, pytest.approx(mix[slot.content_type] / sum(mix.values()))
    )  # fmt: skip
    assert 0 < stored["hashtags"][1] < 1 and 0 < stored["tone"][1] < 1


def test_the_daily_draw_steers_the_mix_and_the_logged_chance_is_the_drawn_one(
    db: Database, clock: FakeClock
) -> None:
    """Property 8, through the database."""
    assert strategy.draw_daily(db, random.Random(1), clock.now()) == []
    settings.put(db, "learning.mix_by_bandit", True, actor="anna", now=clock.now())
    assert strategy.draw_daily(db, random.Random(1), clock.now()) == ["content", "hashtags", "tone"]
    assert strategy.draw_daily(db, random.Random(1), clock.now()) == []
    draw = choices.latest_draw(db, "content")
    assert draw is not None
    assert settings.get(db, "content.mix") == draw.weights
    held = {arm: Belief(*values) for arm, values in draw.posterior.items()}
    assert weights(held, random.Random(draw.seed)) == draw.weights
    slot = planned(db, clock)
    strategy.give(db, slot, random.Random(1), clock.now(), mixed=True)
    assert choices.chosen(db, slot.id, "content") == (
        slot.content_type, pytest.approx(draw.weights[slot.content_type])
    )  # fmt: skip


def test_a_type_that_an_operator_set_to_zero_stays_out(db: Database, clock: FakeClock) -> None:
    mix = {"price": 1, "joke": 0, "news": 1}
    settings.put(db, "content.mix", mix, actor="anna", now=clock.now())
    settings.put(db, "learning.mix_by_bandit", True, actor="anna", now=clock.now())
    strategy.draw_daily(db, random.Random(1), clock.now())
    assert settings.get(db, "content.mix").keys() == {"price", "news"}


# -- power -----------------------------------------------------------------------------------


def test_the_table_of_what_can_be_shown_is_the_published_one() -> None:
    """Facts §2.7, pair SD 0.98: factors within 0.02; MDE within 0.04, for the table takes z and
    statsmodels t."""
    expected = {
        4: [(28, 1.46, 1.83, 1.68), (56, 1.30, 1.50, 1.44), (112, 1.20, 1.32, 1.30)],
        8: [(56, 1.30, 1.50, 1.44), (112, 1.20, 1.32, 1.30), (224, 1.14, 1.22, 1.20)],
        24: [(168, 1.16, 1.26, 1.24), (336, 1.11, 1.18, 1.16), (672, 1.08, 1.13, 1.11)],
    }
    for per_day, rows in expected.items():
        for row, (pairs, fixed, always, mde) in zip(
            resolution(0.98, per_day, planned=112), rows, strict=True
        ):
            assert row.pairs == pairs
            assert row.fixed == pytest.approx(fixed, abs=0.02)
            assert row.always_valid == pytest.approx(always, abs=0.02)
            assert row.mde == pytest.approx(mde, abs=0.04)


def test_the_expected_duration_agrees_with_the_simulator() -> None:
    """Median pairs to a verdict at +40 %, 8 posts a day: within a third of the formula's."""
    expected = pairs_to_show(0.98, 1.4)
    assert expected is not None
    median = simulate(runs=400, days=60, posts_per_day=8, lift=1.4, seed=2).ours.median_days
    assert median is not None
    assert median * 4 == pytest.approx(expected, rel=0.34)
    assert pairs_to_show(0.98, 1.0, most=1000) is None


# -- followers and effort --------------------------------------------------------------------


def days_of(values: list[int]) -> list[tuple[str, int]]:
    start = datetime(2026, 9, 1)  # noqa: DTZ001  a day, not a moment
    return [(f"{start + timedelta(days=i):%Y-%m-%d}", v) for i, v in enumerate(values)]


def test_growth_is_the_pace_of_the_days_with_its_interval() -> None:
    steady = growth(days_of([round(10_000 * 1.002**day) for day in range(60)]))
    assert steady.ratio == pytest.approx(1.002**90, rel=0.005)
    assert steady.low and steady.low >= 1.15
    assert "+15%: shown" in steady.sentence


def test_a_gap_in_the_days_changes_the_pace_little() -> None:
    values = days_of([round(10_000 * 1.002**day) for day in range(60)])
    assert growth(values[:20] + values[30:]).ratio == pytest.approx(1.002**90, rel=0.005)


def test_a_random_walk_shows_no_growth() -> None:
    rng = random.Random(1)
    values = [10_000]
    for _ in range(60):
        values.append(values[-1] + rng.choice((-30, 30)))
    found = growth(days_of(values))
    assert found.low and found.high and found.low < 1 < found.high


@pytest.mark.parametrize("values", [[], [5], [0] * 40, [10] * 10])
def test_too_few_days_are_not_enough_data(values: list[int]) -> None:
    assert growth(days_of(values)).ratio is None
    assert "not enough data" in growth(days_of(values)).sentence


def test_working_time_is_sittings_not_calendar_time() -> None:
    """Three actions within five minutes of each other, then one an hour later."""
    at = datetime(2026, 9, 1, 8, 0).astimezone()
    moments = [at, at + timedelta(minutes=2), at + timedelta(minutes=6), at + timedelta(hours=1)]
    actions = [("anna", iso(moment), "post:1") for moment in moments]
    assert working_time(actions) == timedelta(minutes=6) + 2 * FIRST_LOOK
    assert working_time([]) == timedelta()


# -- pages -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("posts", "strength"),
    [(0, "not enough data"), (9, "not enough data"), (10, "weak"), (30, "fair"), (100, "strong")],
)
def test_every_group_says_how_much_it_can_bear(posts: int, strength: str) -> None:
    assert strength_of(posts) == strength


def test_an_empty_database_shows_not_enough_data_everywhere(db: Database, clock: FakeClock) -> None:
    view = engagement(db, clock.now() - timedelta(days=30), clock.now())
    assert (view.posts, view.best, view.ready_at_48h) == (0, (), None)
    assert "not enough data" in view.followers.sentence
    assert "Not enough data" in view.effort.sentence
    page = experiments_page(db, clock.now())
    assert page.judged == ()
    assert page.noise.pairs == 0 and len(page.table) == 3
