"""Statistics against published and independent values."""

from __future__ import annotations

import math
import random
import statistics

import choix
import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from engine.lab import arena
from engine.lab import statistics as ours
from engine.lab.statistics import Interval
from engine.store.arena import Vote


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_what_statsmodels_has(case: tuple[int, int]) -> None:
    hits, n = case
    low, high = proportion_confint(hits, n, method="wilson")
    found = ours.wilson(hits, n)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9))


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(9, 10, 60, 98), (19, 20, 76, 99), (45, 50, 79, 96), (90, 100, 83, 95)],
)
def test_wilson_is_what_the_facts_have(hits: int, n: int, low: int, high: int) -> None:
    """The fact sheet's own table, in percent."""
    found = ours.wilson(hits, n)
    assert math.floor(100 * found.low + 0.5) in (low, low + 1)
    assert math.floor(100 * found.high + 0.5) in (high - 1, high)


def test_more_than_95_percent_takes_73_of_73() -> None:
    assert ours.wilson(73, 73).low > 0.95
    assert ours.wilson(72, 72).low <= 0.95


def test_no_cases_say_nothing() -> None:
    assert ours.wilson(0, 0) == Interval(0.0, 1.0)
    assert ours.Rate(0, 0).share is None
    assert ours.spread([]).median is None


@given(st.integers(6, 60))
def test_the_medians_interval_covers_by_the_binomial(n: int) -> None:
    """Its coverage is at least 95 %, and one step narrower would be less."""
    found = ours.median_interval(list(range(n)))
    assert found is not None
    below = int(found.low)
    assert 1 - 2 * scipy.stats.binom.cdf(below, n, 0.5) >= 0.95
    assert 1 - 2 * scipy.stats.binom.cdf(below + 1, n, 0.5) < 0.95


def test_five_runs_have_no_interval_and_19_no_p95() -> None:
    assert ours.median_interval([1.0] * 5) is None
    assert ours.spread([1.0] * 19).p95 is None
    assert ours.spread([float(n) for n in range(1, 21)]).p95 == 19.0


@given(*[st.integers(1, 40)] * 2, st.data())
def test_fisher_is_scipys(n: int, base_n: int, data: st.DataObject) -> None:
    hits, base = data.draw(st.integers(0, n)), data.draw(st.integers(0, base_n))
    table = [[hits, n - hits], [base, base_n - base]]
    expected = scipy.stats.fisher_exact(table, alternative="less").pvalue
    assert ours.fisher_less(hits, n, base, base_n) == pytest.approx(expected, abs=1e-9)


def test_the_bootstrap_covers_as_often_as_it_says() -> None:
    """300 samples of 40 from an exponential: the mean is covered 88 to 98 % of the times (the
    percentile bootstrap is known to fall a little short of 95 % at this size and skew)."""
    rng = random.Random(5)
    hits = 0
    for _ in range(300):
        sample = [rng.expovariate(1.0) for _ in range(40)]
        found = ours.bootstrap(sample, statistics.fmean, rng, draws=300)
        hits += found.low <= 1.0 <= found.high
    assert 0.88 <= hits / 300 <= 0.98


def made_votes(strengths: dict[str, float], n: int, rng: random.Random) -> list[Vote]:
    """``n`` votes as Bradley–Terry draws them."""
    found = []
    for _ in range(n):
        left, right = rng.sample(sorted(strengths), 2)
        wins = rng.random() < 1 / (1 + math.exp(strengths[right] - strengths[left]))
        found.append(Vote(left, right, "joke", "left" if wins else "right", "me", ""))
    return found


def test_bradley_terry_is_what_choix_finds() -> None:
    """Without the prior, both are the maximum likelihood."""
    rng = random.Random(3)
    names = ["a", "b", "c", "d"]
    votes = made_votes({"a": 1.0, "b": 0.3, "c": -0.2, "d": -1.1}, 600, rng)
    pairs = [
        (names.index(v.left), names.index(v.right))
        if v.choice == "left"
        else (names.index(v.right), names.index(v.left))
        for v in votes
    ]
    expected = choix.opt_pairwise(4, pairs)
    found = arena.fit(votes, names, prior=0.0, steps=5000)
    assert [found[name] for name in names] == pytest.approx(
        list(expected - np.mean(expected)), abs=1e-4
    )


def test_a_leader_needs_votes_and_distance() -> None:
    rng = random.Random(1)
    few = made_votes({"a": 3.0, "b": -3.0}, 10, rng)
    assert arena.rank(few, rng, draws=100).verdict.startswith("not enough votes")
    alike = made_votes({"a": 0.0, "b": 0.0}, 60, rng)
    assert arena.rank(alike, rng, draws=200).verdict.startswith("no leader")
    apart = made_votes({"a": 1.5, "b": -1.5}, 60, rng)
    ranking = arena.rank(apart, rng, draws=200)
    assert ranking.verdict == "a leads"
    assert ranking.standings[0].wins + ranking.standings[1].wins == 60


def test_contenders_that_never_met_are_not_ranked() -> None:
    rng = random.Random(2)
    votes = made_votes({"a": 1.0, "b": 0.0}, 50, rng) + made_votes({"c": 1.0, "d": 0.0}, 50, rng)
    assert "never met" in arena.rank(votes, rng, draws=50).verdict


def test_ties_alone_leave_all_equal_and_one_winner_stays_finite() -> None:
    rng = random.Random(4)
    ties = [Vote("a", "b", "joke", "tie", "me", "")] * 30
    assert arena.fit(ties, ["a", "b"]) == {"a": pytest.approx(0), "b": pytest.approx(0)}
    clear = [Vote("a", "b", "joke", "left", "me", "")] * 30
    found = arena.rank(clear, rng, draws=50)
    assert found.standings[0].name == "a"
    assert math.isfinite(found.standings[0].strength)


def test_the_order_of_votes_does_not_matter() -> None:
    """What Elo cannot say."""
    rng = random.Random(6)
    votes = made_votes({"a": 0.5, "b": 0.0, "c": -0.5}, 90, rng)
    forward = arena.fit(votes, ["a", "b", "c"])
    assert arena.fit(votes[::-1], ["a", "b", "c"]) == pytest.approx(forward)
