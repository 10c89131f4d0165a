"""Pauses between tries: they grow to a cap, and do not all end at the same moment."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from engine.clock import doubling_s, jittered_s


@given(st.integers(-5, 5_000), st.floats(0.1, 100), st.floats(100, 10_000))
def test_a_pause_doubles_from_its_first_and_never_grows_past_its_cap(
    tries: int, first_s: float, longest_s: float
) -> None:
    assert first_s <= doubling_s(tries, first_s, longest_s) <= longest_s
    shorter = doubling_s(tries - 1, first_s, longest_s)
    assert doubling_s(tries, first_s, longest_s) in (shorter, 2 * shorter, longest_s)


def test_pauses_are_spread_by_a_fifth_each_way() -> None:
    rng = random.Random(1)
    pauses = [jittered_s(100, rng) for _ in range(1_000)]
    assert 80 <= min(pauses) < 81
    assert 119 < max(pauses) <= 120
