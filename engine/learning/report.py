"""The one way to say how a comparison stands (experiments §2.7).

A lift leaves here only inside a sentence with all its parts. There is no function that answers a
lift alone, so that none can be shown without its interval.
"""

from __future__ import annotations

from engine.learning.states import SHOWN_FROM_PAIRS, Lights, State


def sentence(
    *,
    arm: str,
    baseline: str,
    pairs: int,
    days: int,
    ratio: float | None,
    low: float | None,
    high: float | None,
    p_kpi: float | None,
    lights: Lights,
    state: State,
    reasons: tuple[str, ...] = (),
) -> str:
    """Arms, mature pairs, days, estimate, always-valid interval, probability, state."""
    head = f"{arm} vs {baseline}, {_count(pairs, 'mature pair')} in {_count(days, 'day')}: "
    why = f" ({'; '.join(reasons)})" if reasons else ""
    if ratio is None or low is None or high is None:
        return f"{head}{_no_number(pairs, state)}. State: {state}{why}."
    chance = f" ({_chance(p_kpi)})" if p_kpi is not None else ""
    return (
        f"{head}{_times(ratio)} (95% always-valid {_times(low)} to {_times(high)}). "
        f"Better than baseline: {lights.better}. At least +40%: {lights.kpi}{chance}. "
        f"Harm: {lights.harm}. State: {state}{why}."
    )


def _chance(p: float) -> str:
    return "P < 0.01" if p < 0.01 else "P > 0.99" if p > 0.99 else f"P = {p:.2f}"


def _no_number(pairs: int, state: State) -> str:
    if state == "invalid":
        return "no estimate is given, because the experiment cannot be trusted"
    if state == "model contradicted":
        return "no constant effect fits these pairs, so no estimate is given"
    if pairs < SHOWN_FROM_PAIRS:
        return f"not enough data (estimates start at {SHOWN_FROM_PAIRS} mature pairs)"
    return "not enough data (nothing can be excluded yet)"


def _times(ratio: float) -> str:
    return f"{ratio:.2f}x" if ratio < 100 else f"{ratio:.0f}x"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" + ("" if n == 1 else "s")
