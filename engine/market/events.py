"""What happens between two snapshots that is worth a post (facts: market-and-content §4.1).

Every trigger has hysteresis: it fires when a threshold is passed by a margin and is set again only
when the market has come back by one. On top of that the same thing has a cool-down, and all of
them together a daily cap. What is held back by either is dropped, never told late.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from engine.clock import iso, parse_iso
from engine.market.event_rules import DEFAULT_RULES, EventRules
from engine.records import Facts, Snapshot
from engine.store.market_events import MarketEvent

Direction = Literal["up", "down"]

HALVING_BLOCKS = 210_000
RETARGET_BLOCKS = 2_016

# A longer silence proves nothing about when something happened: start over without telling.
_LONGEST_GAP = timedelta(hours=3)
_ATH_FRESH = timedelta(days=2)
_LONGEST_MEMORY = timedelta(days=7)


@dataclass(frozen=True)
class EventState:
    """What the engine remembers; None until first seen.

    ``level`` is the confirmed band of ``level_step_usd`` dollars, ``ath_band`` how many distance edges lie
    nearer to the record, ``moves`` the big move under way per horizon (-1, 0, 1), ``told`` when
    each key was told last, ``recent`` when anything was told within a day.
    """

    level: int | None = None
    level_step_usd: int = 1_000
    ath_usd: float | None = None
    ath_band: int | None = None
    moves: dict[str, int] = field(default_factory=dict)
    mood_value: int | None = None
    mood_label: str | None = None
    height: int | None = None
    fees_high: bool = False
    told: dict[str, datetime] = field(default_factory=dict)
    recent: tuple[datetime, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        row = dict(self.__dict__)
        row["told"] = {key: iso(at) for key, at in self.told.items()}
        row["recent"] = [iso(at) for at in self.recent]
        return row

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> EventState:
        """The inverse of :meth:`to_dict`; an empty object is a fresh state."""
        told = {key: parse_iso(at) for key, at in row.get("told", {}).items()}
        recent = tuple(parse_iso(at) for at in row.get("recent", ()))
        return cls(**{**row, "told": told, "recent": recent})


@dataclass(frozen=True)
class _Candidate:
    kind: str
    key: str
    priority: int
    cool_down_h: float
    sentence: str
    fact_keys: tuple[str, ...]
    detail: dict[str, Any]
    direction: Direction | None = None
    content_type: str = "price"
    again_h: float = 0.0  # the key's own cool-down, where it is longer than the kind's


def detect_events(
    previous: Snapshot | None,
    current: Snapshot,
    state: EventState,
    rules: EventRules = DEFAULT_RULES,
) -> tuple[list[MarketEvent], EventState]:
    """Events at ``current``, most important first, and the state to remember. Pure.

    A first snapshot, one of another world, or one after more than three hours of silence only
    sets the state; one that is not newer than ``previous`` changes nothing.
    """
    facts = current.facts
    at = facts.as_of
    assert at is not None and facts.price_usd is not None  # noqa: S101  a snapshot has both
    before = previous.facts.as_of if previous and previous.world == current.world else None
    if before is not None and at <= before:
        return [], state
    if before is None or at - before > _LONGEST_GAP:
        state = EventState(told=state.told, recent=state.recent)
    candidates: list[_Candidate] = []
    for detector in _DETECTORS:
        found, state = detector(facts, state, rules)
        candidates += found
    told, state = _admit(candidates, at, state, rules)
    return [
        MarketEvent(
            kind=item.kind,
            key=item.key,
            at=at,
            world=current.world,
            priority=item.priority,
            sentence=item.sentence,
            content_type=item.content_type,
            fact_keys=item.fact_keys,
            detail=item.detail,
            direction=item.direction,
        )
        for item in told
    ], state


def _admit(
    candidates: list[_Candidate], at: datetime, state: EventState, rules: EventRules
) -> tuple[list[_Candidate], EventState]:
    """Cool-downs and caps."""
    recent = tuple(moment for moment in state.recent if at - moment < timedelta(days=1))
    told = {key: when for key, when in state.told.items() if at - when < _LONGEST_MEMORY}
    admitted: list[_Candidate] = []
    for item in sorted(candidates, key=lambda item: -item.priority):
        rests = ((item.kind, item.cool_down_h), (item.key, max(item.cool_down_h, item.again_h)))
        resting = any(
            key in told and at - told[key] < timedelta(hours=hours * rules.cool_down_factor)
            for key, hours in rests
        )
        if resting or len(recent) >= rules.cap(item.priority):
            continue
        if len(admitted) == rules.per_snapshot:
            continue
        admitted.append(item)
        recent += (at,)
        told[item.kind] = told[item.key] = at
    return admitted, replace(state, told=told, recent=recent)


_Found = tuple[list[_Candidate], EventState]


def _levels(facts: Facts, state: EventState, rules: EventRules) -> _Found:
    price, step = facts.price_usd or 0.0, rules.level_step_usd
    margin = rules.level_margin_pct / 100
    if state.level is None or state.level_step_usd != step:
        return [], replace(state, level=int(price // step), level_step_usd=step)
    above = int(price / (1 + margin) // step)
    below = int(price / (1 - margin) // step)
    if state.level >= above and state.level <= below:
        return [], state
    up = above > state.level
    now = above if up else below
    crossed = range(state.level + 1, now + 1) if up else range(now + 1, state.level + 1)
    level = max((band * step for band in crossed), key=lambda usd: (_roundness(usd), usd == now))
    direction: Direction = "up" if up else "down"
    rank = _roundness(level)
    found = _Candidate(
        kind=f"level_{('1k', '5k', '10k')[rank]}",
        key=f"level:{level}",
        priority=(30, 55, 80)[rank],
        cool_down_h=(8, 6, 4)[rank],
        sentence=f"The price crossed {'above' if up else 'below'} ${level:,}.",
        fact_keys=("price_usd",),
        detail={"level_usd": level},
        direction=direction,
        again_h=24,
    )
    return [found], replace(state, level=now)


def _roundness(usd: int) -> int:
    return 2 if usd % 10_000 == 0 else 1 if usd % 5_000 == 0 else 0


def _record(facts: Facts, state: EventState, rules: EventRules) -> _Found:
    """A new all-time high: one its source dates to these days, never a corrected old one."""
    ath, at = facts.ath_usd, facts.as_of
    if ath is None or state.ath_usd is None:
        return [], replace(state, ath_usd=ath or state.ath_usd)
    if ath <= state.ath_usd * (1 + rules.ath_margin_pct / 100):
        return [], state
    state = replace(state, ath_usd=ath)
    if at is None or facts.ath_date is None or at.date() - facts.ath_date > _ATH_FRESH:
        return [], state
    found = _Candidate(
        kind="ath",
        key="ath",
        priority=95,
        cool_down_h=12,
        sentence=f"A new all-time high: ${ath:,.0f}.",
        fact_keys=("ath_usd", "ath_date"),
        detail={"ath_usd": ath},
        direction="up",
    )
    return [found], state


def _distance(facts: Facts, state: EventState, rules: EventRules) -> _Found:
    """Passing 1, 5, 10, ... percent below the all-time high, either way."""
    if facts.ath_usd is None or facts.price_usd is None:
        return [], state
    distance = (1 - facts.price_usd / facts.ath_usd) * 100
    edges, margin = rules.ath_edges_pct, rules.ath_edge_margin_pct
    if state.ath_band is None:
        return [], replace(state, ath_band=sum(edge <= distance for edge in edges))
    far = sum(edge <= distance - margin for edge in edges)
    near = sum(edge <= distance + margin for edge in edges)
    if near >= state.ath_band >= far:
        return [], state
    away = far > state.ath_band
    band = far if away else near
    edge = edges[band - 1] if away else edges[band]
    found = _Candidate(
        kind="ath_distance",
        key=f"ath_distance:{edge:g}",
        priority=50,
        cool_down_h=24,
        sentence=f"The price is {'more' if away else 'less'} than {edge:g}% below its "
        "all-time high.",
        fact_keys=("price_usd", "ath_usd"),
        detail={"edge_pct": edge},
        direction="down" if away else "up",
    )
    return [found], replace(state, ath_band=band)


def _move(
    facts: Facts, state: EventState, horizon: str, limit: float, back: float, cool_down_h: float
) -> _Found:
    fact_key = f"change_{horizon}_pct"
    change: float | None = getattr(facts, fact_key)
    if change is None:
        return [], state
    under_way = state.moves.get(horizon, 0)
    sign = 1 if change > 0 else -1
    now = sign if abs(change) >= limit else under_way if change * under_way >= back else 0
    state = replace(state, moves={**state.moves, horizon: now})
    if now == 0 or now == under_way:
        return [], state
    direction: Direction = "up" if sign > 0 else "down"
    words = {"1h": "one hour", "24h": "24 hours"}[horizon]
    found = _Candidate(
        kind=f"move_{horizon}",
        key=f"move_{horizon}:{direction}",
        priority=70 if horizon == "24h" else 65,
        cool_down_h=cool_down_h,
        sentence=f"The price moved {direction} {abs(change):.1f}% in {words}.",
        fact_keys=("price_usd", fact_key),
        detail={fact_key: change},
        direction=direction,
    )
    return [found], state


def _move_1h(facts: Facts, state: EventState, rules: EventRules) -> _Found:
    return _move(facts, state, "1h", rules.move_1h_pct, rules.move_1h_back_pct, 4)


def _move_24h(facts: Facts, state: EventState, rules: EventRules) -> _Found:
    return _move(facts, state, "24h", rules.move_24h_pct, rules.move_24h_back_pct, 12)


def _mood(facts: Facts, state: EventState, rules: EventRules) -> _Found:
    """The Fear & Greed class changed, by more than a wobble at its edge."""
    mood = facts.fear_greed
    if mood is None:
        return [], state
    if state.mood_value is None:
        return [], replace(state, mood_value=mood.value, mood_label=mood.label)
    points = mood.value - state.mood_value
    if mood.label == state.mood_label or abs(points) < rules.fear_greed_points:
        return [], state
    found = _Candidate(
        kind="fear_greed",
        key=f"fear_greed:{mood.label}",
        priority=40,
        cool_down_h=20,
        sentence=f"The Fear & Greed Index went from {state.mood_label} to {mood.label} "
        f"({mood.value}).",
        fact_keys=("fear_greed",),
        detail={"from": state.mood_label, "to": mood.label, "value": mood.value},
        direction="up" if points > 0 else "down",
    )
    return [found], replace(state, mood_value=mood.value, mood_label=mood.label)


def _fees(facts: Facts, state: EventState, rules: EventRules) -> _Found:
    if facts.fees is None:
        return [], state
    fast = facts.fees.fast
    if state.fees_high:
        return [], replace(state, fees_high=fast >= rules.fee_back)
    if fast < rules.fee_high:
        return [], state
    found = _Candidate(
        kind="fee_spike",
        key="fee_spike",
        priority=45,
        cool_down_h=12,
        sentence=f"Fast transactions cost {fast:g} sat/vB.",
        fact_keys=("fees",),
        detail={"fast": fast},
        direction="up",
    )
    return [found], replace(state, fees_high=True)


def _blocks(facts: Facts, state: EventState, rules: EventRules) -> _Found:
    """Halving, its progress, difficulty retargets and round heights: what the chain has passed."""
    height = facts.block_height
    if height is None or state.height is None or height <= state.height:
        return [], replace(state, height=max(height or 0, state.height or 0) or None)
    steps = HALVING_BLOCKS * rules.halving_step_pct // 100
    rounds = [
        ("halving", HALVING_BLOCKS, 100),
        ("milestone", rules.milestone_blocks, 42),
        ("retarget", RETARGET_BLOCKS, 46),
    ]
    if height // HALVING_BLOCKS == state.height // HALVING_BLOCKS:
        rounds.append(("halving_progress", steps, 41))
    passed = [
        _block_event(kind, height - height % every, priority)
        for kind, every, priority in rounds
        if height // every > state.height // every
    ]
    return passed, replace(state, height=height)


def _block_event(kind: str, block: int, priority: int) -> _Candidate:
    progress = round(block % HALVING_BLOCKS / HALVING_BLOCKS * 100)
    sentence = {
        "halving": f"Block {block:,} was a halving.",
        "milestone": f"The chain passed block {block:,}.",
        "halving_progress": f"{progress}% of the way from the last halving to the next.",
        "retarget": f"Mining difficulty was adjusted at block {block:,}.",
    }[kind]
    return _Candidate(
        kind=kind,
        key=f"{kind}:{block}",
        priority=priority,
        cool_down_h=0,
        sentence=sentence,
        fact_keys=("block_height",),
        detail={"block": block, "progress_pct": progress},
        content_type="price" if kind == "retarget" else "motivation",
    )


_DETECTORS: tuple[Callable[[Facts, EventState, EventRules], _Found], ...] = (
    _levels,
    _record,
    _distance,
    _move_1h,
    _move_24h,
    _mood,
    _fees,
    _blocks,
)
