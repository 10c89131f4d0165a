"""What may be said of a comparison now: one named state and three lights (experiments §2.7, §2.8)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

State = Literal[
    "not enough data", "immature", "collecting", "invalid", "model contradicted", "harm", "mixed",
    "KPI shown", "better", "equivalent", "KPI excluded", "inconclusive",
]  # fmt: skip
Light = Literal["shown", "not shown", "excluded"]

EXPLAINED: dict[State, str] = {
    "not enough data": "Too few mature pairs for any number.",
    "immature": "Posts are out, but none is 48 hours old yet.",
    "collecting": "No verdict yet, or the minimum run time is not over.",
    "invalid": "The experiment cannot be trusted; see the reasons.",
    "model contradicted": "No constant effect fits these data; look at the pairs.",
    "harm": "Worse than the baseline: shown.",
    "mixed": "Rates and totals moved in opposite directions, both shown.",
    "KPI shown": "At least +40 % over the baseline: shown.",
    "better": "Better than the baseline: shown.",
    "equivalent": "Within 10 % of the baseline: shown.",
    "KPI excluded": "A lift of 40 % or more is excluded.",
    "inconclusive": "The longest run time is over without a verdict.",
}

ALPHA = 0.05
KPI = 1.40
SHOWN_FROM_PAIRS = 10
MIN_PAIRS = 20
MIN_DAYS = 14
MAX_DAYS = 60
EQUIVALENT = (0.9, 1.1)


@dataclass(frozen=True)
class Standing:
    """Everything a state depends on. Ratios, not logs; ends None where nothing is excluded yet.

    ``opposed``: the co-primary metric is shown to move against the primary one.
    """

    pairs: int
    immature: int
    days: int
    weekends: int
    low: float | None
    high: float | None
    contradicted: bool = False
    opposed: bool = False
    min_days: int = MIN_DAYS
    max_days: int = MAX_DAYS
    min_pairs: int = MIN_PAIRS
    broken: tuple[str, ...] = ()

    @property
    def presentable(self) -> bool:
        """Enough, trustworthy and bounded: an estimate may be shown beside its interval."""
        bounded = self.low is not None and self.high is not None
        return bounded and self.pairs >= SHOWN_FROM_PAIRS and not self.broken

    @property
    def early(self) -> bool:
        """The registered minimum is not reached: nothing good is claimed before."""
        return self.pairs < self.min_pairs or self.days < self.min_days or self.weekends < 2


def state_of(at: Standing) -> State:
    """The one state; what is worse for the reader's trust comes first."""
    if at.broken:
        return "invalid"
    if at.pairs == 0 and at.immature:
        return "immature"
    if at.pairs < SHOWN_FROM_PAIRS:
        return "not enough data"
    if at.contradicted:
        return "model contradicted"
    low = -math.inf if at.low is None else at.low
    high = math.inf if at.high is None else at.high
    if high < 1 and not at.opposed:
        return "harm"  # the one verdict that does not wait for the minimum run time
    if at.early:
        return "collecting"
    return _verdict(at, low, high)


def _verdict(at: Standing, low: float, high: float) -> State:
    if at.opposed:
        return "mixed"
    if low >= KPI:
        return "KPI shown"
    if low > 1:
        return "better"
    if low >= EQUIVALENT[0] and high <= EQUIVALENT[1]:
        return "equivalent"
    if high < KPI:
        return "KPI excluded"
    return "inconclusive" if at.days >= at.max_days else "collecting"


@dataclass(frozen=True)
class Lights:
    """Three claims, judged apart."""

    better: Light
    kpi: Light
    harm: Light


def lights_of(at: Standing) -> Lights:
    """What the interval shows and excludes; harm alone does not wait for the minimum."""
    if not at.presentable or at.low is None or at.high is None:
        return Lights("not shown", "not shown", "not shown")
    if at.early:
        return Lights("not shown", "not shown", _light(at.high < 1, False))
    return Lights(
        better=_light(at.low > 1, at.high <= 1),
        kpi=_light(at.low >= KPI, at.high < KPI),
        harm=_light(at.high < 1, at.low >= 1),
    )


def _light(shown: bool, excluded: bool) -> Light:
    return "shown" if shown else "excluded" if excluded else "not shown"
