"""The soak's judgement can fail: a leak, a dead runner, a broken promise."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET
from dataclasses import asdict, replace
from typing import Any

import pytest

from tests.benchmarks.soak import Sample, is_good, verdict_on
from tests.benchmarks.soak_figure import PANELS, draw
from tests.benchmarks.soak_world import PHASES

PEACE = Sample(0.0, "calm", 100.0, 20, 9, 0.5, 1.0, 0.5, 1.0, True)
KEPT: dict[str, Any] = {
    "promises": {"doubles": 0, "lost": 0, "phantoms": 0, "unexplained": 0, "damage": []},
    "exit_status": 0,
}


def life(mb_per_hour: float = 0.0, handles_per_hour: float = 0.0) -> list[Sample]:
    """Forty minutes in all weathers, with some noise."""
    rng = random.Random(7)
    return [
        replace(
            PEACE,
            seconds=float(second),
            phase=PHASES[second * 22 // 2_400 % len(PHASES)].name,
            rss_mb=100 + rng.uniform(-1, 1) + mb_per_hour * second / 3_600,
            handles=20 + int(handles_per_hour * second / 3_600),
        )
        for second in range(0, 2_400, 5)
    ]


def test_a_steady_runner_does_not_grow() -> None:
    verdict = verdict_on(life())
    assert not any(found["grows"] for found in verdict["growth"].values())
    assert is_good({**KEPT, **verdict})


@pytest.mark.parametrize(
    ("leak", "name"), [({"mb_per_hour": 20.0}, "rss_mb"), ({"handles_per_hour": 60.0}, "handles")]
)
def test_a_leak_is_growth(leak: dict[str, float], name: str) -> None:
    verdict = verdict_on(life(**leak))
    assert [key for key, found in verdict["growth"].items() if found["grows"]] == [name]
    assert not is_good({**KEPT, **verdict})


@pytest.mark.parametrize("broken", ["doubles", "lost", "phantoms", "unexplained"])
def test_one_broken_promise_fails_the_soak(broken: str) -> None:
    promises = {**KEPT["promises"], broken: 1}
    assert not is_good({**KEPT, **verdict_on(life()), "promises": promises})


def test_a_runner_that_did_not_end_well_fails_the_soak() -> None:
    assert not is_good({**KEPT, **verdict_on(life()), "exit_status": -9})


def test_the_figure_has_every_measure_and_every_weather() -> None:
    text = draw([asdict(sample) for sample in life()])
    ET.fromstring(text)  # noqa: S314  our own
    for _, title in PANELS:
        assert f">{title}<" in text
    for phase in PHASES:
        assert text.count(f">{phase.name}<") == 2
