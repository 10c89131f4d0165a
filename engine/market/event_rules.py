"""What makes a change of the market an event: thresholds, of which an operator sets the main ones
(settings ``events.*``)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class EventRules:
    """Thresholds. Percent, sat/vB, blocks, hours; ``*_back`` is where a trigger is set again.

    ``cool_down_factor`` stretches every cool-down.
    """

    level_step_usd: int = 1_000
    level_margin_pct: float = 0.15
    ath_margin_pct: float = 0.1
    ath_edges_pct: tuple[float, ...] = (1, 5, 10, 20, 30, 40, 50, 60, 70, 80)
    ath_edge_margin_pct: float = 0.5
    move_1h_pct: float = 2.0
    move_1h_back_pct: float = 1.0
    move_24h_pct: float = 5.0
    move_24h_back_pct: float = 3.5
    fear_greed_points: int = 2
    fee_high: float = 60.0
    fee_back: float = 30.0
    milestone_blocks: int = 10_000
    halving_step_pct: int = 5
    per_day: int = 6
    per_day_minor: int = 3  # small things never use up the day of big ones
    minor_priority: int = 50
    per_snapshot: int = 2
    uncapped_priority: int = 90
    cool_down_factor: float = 1.0

    @classmethod
    def from_settings(cls, values: Mapping[str, Any]) -> EventRules:
        """Rules by the settings ``events.*``; where a trigger is set again goes along with it."""
        move_1h, move_24h = values["events.move_1h_pct"], values["events.move_24h_pct"]
        fee, per_day = values["events.fee_high"], values["events.per_day"]
        return cls(
            level_step_usd=values["events.level_step_usd"],
            move_1h_pct=move_1h,
            move_1h_back_pct=move_1h * 0.5,
            move_24h_pct=move_24h,
            move_24h_back_pct=move_24h * 0.7,
            fear_greed_points=values["events.fear_greed_points"],
            fee_high=fee,
            fee_back=fee * 0.5,
            milestone_blocks=values["events.milestone_blocks"],
            halving_step_pct=values["events.halving_step_pct"],
            per_day=per_day,
            per_day_minor=(per_day + 1) // 2,
            cool_down_factor=values["events.cool_down_factor"],
        )

    def cap(self, priority: int) -> float:
        """How many events of a day may have come before one of this priority."""
        if priority >= self.uncapped_priority:
            return math.inf
        return self.per_day_minor if priority < self.minor_priority else self.per_day


DEFAULT_RULES = EventRules()
