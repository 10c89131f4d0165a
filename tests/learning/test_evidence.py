"""The evidence by hand, by publication, and by property (facts: experiments §2.6, §4)."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.learning import intervals, several
from engine.learning.analyse import Comparison, compare
from engine.learning.drift import Drift, carry_over, novelty
from engine.learning.evidence import LAMBDAS, confidence_sequence, log_e_path, p_path
from engine.learning.measure import Outcome, joined, log_rate, pairs_of
from engine.learning.srm import srm_e_value
from tests.learning.material import START, outcomes, pairs_with

differences = st.lists(st.floats(-6, 6), min_size=1, max_size=60).map(np.array)


def test_there_are_39_lambdas_from_minus_to_plus_0_95() -> None:
    assert LAMBDAS.size == 39
    assert LAMBDAS[0] == pytest.approx(-0.95)
    assert np.diff(LAMBDAS) == pytest.approx(0.05)


@given(differences)
@settings(max_examples=40, deadline=None)
def test_e_is_the_mean_over_lambdas_of_the_plain_product(d: np.ndarray) -> None:
    """The definition, written out, in logarithms."""
    logs = np.cumsum(np.log1p(LAMBDAS[:, None] * np.tanh(d)), axis=1)
    plain = np.logaddexp.reduce(logs, axis=0) - math.log(39)
    assert log_e_path(d) == pytest.approx(plain, abs=1e-9)


def test_under_no_effect_the_mean_of_e_is_one() -> None:
    """All 2^10 equally likely signs of ten differences: a fair game, exactly."""
    d = np.linspace(0.1, 3, 10)
    signs = np.array(np.meshgrid(*[(-1, 1)] * 10)).reshape(10, -1).T
    assert np.exp(log_e_path(signs * d)).mean(axis=0) == pytest.approx(1.0, abs=1e-9)


def test_ten_thousand_pairs_neither_overflow_nor_vanish() -> None:
    strong, none = np.full(10_000, 3.0), np.tile([1.0, -1.0], 5_000)
    assert log_e_path(strong)[-1] == pytest.approx(
        10_000 * math.log(1 + 0.95 * math.tanh(3)), rel=1e-3
    )
    assert -5 < log_e_path(none)[-1] < 0


@given(differences)
@settings(max_examples=30, deadline=None)
def test_the_interval_is_what_its_definition_says_at_every_look(d: np.ndarray) -> None:
    """All thetas whose E stayed below 20 at this and every earlier look, on steps of 0.001."""
    d = d[:12]
    sequence = confidence_sequence(d)
    for look in range(1, d.size + 1):
        grid = np.arange(-10_500, 10_501, 3) * 0.001
        kept = grid[log_e_path(d[:look] - grid[:, None]).max(axis=1) < math.log(20)]
        low, high = sequence.low[look - 1], sequence.high[look - 1]
        if not kept.size:
            assert math.isnan(low) or high - low < 0.004
            continue
        assert (low == -math.inf) or low == pytest.approx(kept[0], abs=0.0031)
        assert (high == math.inf) or high == pytest.approx(kept[-1], abs=0.0031)


@given(differences)
@settings(max_examples=40, deadline=None)
def test_swapping_arms_negates_intervals_and_leaves_e(d: np.ndarray) -> None:
    """Property 1."""
    assert log_e_path(-d) == pytest.approx(log_e_path(d), abs=1e-9)
    one, other = confidence_sequence(d), confidence_sequence(-d)
    np.testing.assert_allclose(one.low, -other.high)
    np.testing.assert_allclose(one.high, -other.low)


@given(differences)
@settings(max_examples=40, deadline=None)
def test_p_and_the_running_intersection_only_tighten(d: np.ndarray) -> None:
    """Property 5; an empty intersection stays empty."""
    assert (np.diff(p_path(log_e_path(d))) <= 0).all()
    sequence = confidence_sequence(d)
    empty = np.isnan(sequence.low)
    assert (np.isnan(sequence.high) == empty).all() and (np.diff(empty.astype(int)) >= 0).all()
    assert (np.diff(sequence.low[~empty & np.isfinite(sequence.low)]) >= 0).all()
    assert (np.diff(sequence.high[~empty & np.isfinite(sequence.high)]) <= 0).all()


def test_data_that_no_constant_effect_explains_are_called_so() -> None:
    """Two populations far apart: the first half excludes what the second half shows."""
    sequence = confidence_sequence(np.concatenate([np.full(40, -3.0), np.full(40, 3.0)]))
    assert sequence.contradicted


# -- the second opinions ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_a", "n_b", "var_a", "var_b", "tuning", "halfwidth"),
    [
        (3407, 3461, 15.2, 38.4, 1000, 0.39817662319411545),
        (60, 60, 0.5, 0.6, 120, 0.41096924006521696),
        (500, 20, 1.0, 3.0, 60, 1.2564307472462841),
    ],
)  # fmt: skip
def test_the_asymptotic_sequence_is_that_of_gbstats(
    n_a: int, n_b: int, var_a: float, var_b: float, tuning: float, halfwidth: float
) -> None:
    """Half-widths computed with gbstats 0.8.0 (SequentialTwoSidedTTest) in an environment of its
    own. It has two samples: N is their sum, the variance of one observation N times that of the
    difference of means."""
    n = n_a + n_b
    variance = np.array((var_a / n_a + var_b / n_b) * n)
    assert intervals.asymptotic_halfwidth(variance, np.array(n), tuning) == pytest.approx(halfwidth)


def test_at_the_planned_size_it_is_1_55_times_as_wide_as_the_fixed_interval() -> None:
    """Facts: experiments §2.6."""
    width = intervals.asymptotic_halfwidth(np.array(100.0), np.array(100.0), 100)
    assert width == pytest.approx(3.035, abs=0.001)
    assert width / 1.960 == pytest.approx(1.55, abs=0.005)


@given(st.lists(st.floats(-3, 3), min_size=3, max_size=30), st.floats(0.5, 50))
@settings(max_examples=30, deadline=None)
def test_the_anytime_t_is_the_integral_it_stands_for(values: list[float], phi: float) -> None:
    """Lindon et al.: t densities averaged over effects d/sd ~ N(0, 1/phi), by quadrature."""
    from scipy import stats

    d = np.array(values)
    if d.std() < 0.1:
        return
    n = d.size
    t = d.mean() / d.std(ddof=1) * math.sqrt(n)
    if abs(t) > 6:
        return
    effects = np.linspace(-8, 8, 4001) / math.sqrt(phi)
    density = stats.nct.pdf(t, n - 1, effects * math.sqrt(n))
    mixed = np.trapezoid(density * stats.norm.pdf(effects, 0, phi**-0.5), effects)
    expected = math.log(mixed / stats.t.pdf(t, n - 1))
    assert intervals.anytime_t_log_e(d, phi)[-1] == pytest.approx(expected, abs=2e-3)


def test_the_posterior_is_the_conjugate_one() -> None:
    """N(0, 0.3^2) and a mean of 0.4 with standard error 0.3: half-way, and narrower by root 2."""
    d = np.array([0.4 + shift for shift in (-1, 1)] * 8)
    d = (d - 0.4) / d.std(ddof=1) * 1.2 + 0.4
    found = intervals.posterior(d)
    assert found is not None
    assert (found.mean, found.sd) == pytest.approx((0.2, 0.3 / math.sqrt(2)))
    assert found.above(1.0) == pytest.approx(0.8271, abs=1e-3)  # Phi(0.9428)


def test_the_fixed_tests_are_scipys() -> None:
    from scipy import stats

    d = np.random.default_rng(1).normal(0.3, 1, 40)
    found = intervals.fixed_tests(d)
    assert found is not None
    assert found.t_p == pytest.approx(stats.ttest_rel(d, np.zeros(40)).pvalue)
    assert found.interval.low < 0.3 < found.interval.high


# -- several questions and lost posts --------------------------------------------------------


def test_holm_is_the_textbooks() -> None:
    """Holm (1979): 0.01, 0.04, 0.03 of three become 0.03, 0.06, 0.06."""
    assert several.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert several.holm([]) == []


def test_e_bh_rejects_the_largest_k_that_clears_its_bar() -> None:
    """Wang and Ramdas: of 4 at 5 % the bars are 80, 40, 26.7, 20."""
    assert several.e_bh([45.0, 1.0, 41.0, 0.0]) == [True, False, True, False]
    assert several.e_bh([45.0, 1.0, 39.0, 0.0]) == [False] * 4
    assert several.e_bh([]) == []


@given(st.integers(0, 200), st.integers(0, 200))
def test_the_srm_e_value_is_a_fair_game(n: int, m: int) -> None:
    """One more post, to either arm by the plan, leaves its mean as it was."""
    now = srm_e_value([n, m])
    after = 0.5 * srm_e_value([n + 1, m]) + 0.5 * srm_e_value([n, m + 1])
    assert after == pytest.approx(now)


def test_the_srm_e_value_warns_of_a_lost_arm_and_not_of_equal_ones() -> None:
    assert srm_e_value([0, 0]) == 1
    assert srm_e_value([240, 240]) < 1
    assert srm_e_value([240, 150]) > 100
    assert math.isfinite(srm_e_value([0, 10**7]))


# -- the comparison --------------------------------------------------------------------------


def numbers(result: Comparison) -> dict[str, object]:
    """Every tested number."""
    skipped = ("state", "sentence", "lights", "reasons", "looks", "arm", "baseline")
    return {k: v for k, v in vars(result).items() if k not in skipped}


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_swapped_labels_turn_the_ratio_round(seed: int) -> None:
    """Property 1, on posts."""
    rows = outcomes(days=14, slots=4, seed=seed)
    one = compare(rows, "template", "LLM")
    other = compare(rows, "LLM", "template")
    assert (one.ratio is None) == (other.ratio is None)
    assume(one.ratio is not None)  # in few of the fortnights nothing can be excluded yet
    assert one.ratio and other.ratio and one.ci_low and other.ci_high
    assert one.ratio * other.ratio == pytest.approx(1)
    assert one.ci_low * other.ci_high == pytest.approx(1)
    assert one.e_value == pytest.approx(other.e_value)


@given(st.integers(50, 10**6), st.integers(50, 10**6), st.integers(2, 1000))
def test_more_of_everything_leaves_y_nearly_unchanged(e: int, i: int, times: int) -> None:
    """Property 2: only the smoothing moves it, by at most 1 / (2 E) + 1 / I."""
    assert log_rate(e * times, i * times) == pytest.approx(log_rate(e, i), abs=0.5 / e + 1 / i)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2)), max_size=40), st.booleans())
@settings(deadline=None)
def test_there_is_always_a_state_and_never_a_nan(posts: list[tuple[int, int]], zero: bool) -> None:
    """Property 9: zeros, one arm empty, one pair, nothing at all."""
    rows = {
        (block, arm): Outcome(
            str(block), "AB"[arm % 2], START, 48.0, 0 if zero else 100, 0 if zero else block
        )
        for block, arm in posts
    }
    result = compare(list(rows.values()), "A", "B")
    assert result.state and result.sentence.endswith(f"State: {result.state}.")
    for value in numbers(result).values():
        if isinstance(value, float):
            assert math.isfinite(value)


def test_small_accounts_are_joined_until_both_arms_together_reach_twenty() -> None:
    """Facts §2.5: at a median under five engagements; a last pair short of it waits."""
    rows = [
        Outcome(str(block), arm, START, 50.0, 90, likes)
        for block in range(25)
        for arm, likes in (("A", 1), ("B", 2))
    ]
    pairs = pairs_of(rows, "A", "B")
    tested = joined(pairs)
    assert [pair.blocks for pair in tested] == [7, 7, 7]
    assert tested[0].engagements == (7, 14)
    assert tested[0].impressions == (630, 630)


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_joining_is_blind_to_arms(seed: int) -> None:
    """Flipped labels join the same pairs."""
    rows = outcomes(days=20, slots=4, seed=seed, log_size=4.5)
    flipped = [
        dataclasses.replace(row, arm="LLM" if row.arm == "template" else "template") for row in rows
    ]
    one = [pair.blocks for pair in joined(pairs_of(rows, "template", "LLM"))]
    assert one == [pair.blocks for pair in joined(pairs_of(flipped, "template", "LLM"))]


def test_large_accounts_are_never_joined_later_on() -> None:
    """The rule looks at the first ten pairs alone, so no look can change an earlier one."""
    busy = pairs_with([0.1] * 12, size=10_000)
    quiet = [
        dataclasses.replace(row, block=f"q{row.block}", likes=0) for row in pairs_with([0.0] * 30)
    ]
    assert len(joined(pairs_of(busy + quiet, "A", "B"))) == 42


def test_a_change_between_halves_is_flagged() -> None:
    d = np.concatenate([np.tile([0.9, 1.1], 20), np.tile([-0.1, 0.1], 20)])
    found = novelty(d)
    assert isinstance(found, Drift) and found.flagged
    assert novelty(np.tile([0.9, 1.1], 40)) is not None
    assert not novelty(np.tile([0.9, 1.1], 40)).flagged  # type: ignore[union-attr]
    assert novelty(d[:6]) is None


def test_carry_over_compares_by_what_came_before() -> None:
    found = carry_over(outcomes(days=28), "template", "LLM")
    assert found is not None and not found.flagged
