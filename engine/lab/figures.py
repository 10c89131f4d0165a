"""From stored calls to the figures of a report: one :class:`Cell` for each model, content type,
recipe and template version. Failures are never dropped from counts.

Facts: ollama-and-prompt-testing §3, the eight points of an honest local report.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.lab.plan import Plan
from engine.lab.quality import Quality, quality
from engine.lab.statistics import Interval, Rate, Spread, spread
from engine.store.bench import BenchCall

Light = Literal["met", "not met", "not enough data"]

_Key = tuple[str, str, str, int]

FAST_S = 2.0
SMALL_BYTES = 10e9
RELIABLE = 0.95
RELOAD_S = 0.5
"""A warm Ollama model says 50 to 110 ms of load_duration (ollama#12443); more is a load or a
queue, and then the call was not warm."""


@dataclass(frozen=True)
class Cold:
    """The one call after an unload; seconds."""

    outcome: str
    wall_s: float
    ttft_s: float | None
    load_s: float | None


@dataclass(frozen=True)
class Cell:
    """All figures of one combination; seconds and tokens a second, None where unknown.

    ``seconds_per_accepted``: all time spent, failed and rejected calls included, over accepted
    posts. ``server_s``: the server's own load, prefill and decode together, beside ``seconds``.
    """

    model: str
    content_type: str
    recipe: str
    version_id: int
    n_planned: int
    n_ok: int
    n_error: int
    n_truncated: int
    n_empty: int
    n_accepted: int
    seconds: Spread
    ttft: Spread
    first_answer: Spread
    server_s: Spread
    decode: Spread
    decode_tok_s: float | None
    prefill_tok_s: float | None
    prefill_note: str
    seconds_per_accepted: float | None
    reloads: int
    harness_s: float | None
    cold: Cold | None
    quality: Quality

    @property
    def n_done(self) -> int:
        return self.n_ok + self.n_error + self.n_truncated + self.n_empty

    @property
    def acceptance(self) -> Rate:
        """Of all calls, failed ones included: an error is not a post."""
        return Rate(self.n_accepted, self.n_done)


def cells(plan: Plan, calls: Sequence[BenchCall]) -> list[Cell]:
    """One for each combination of the plan, those without a finished call included."""
    cold = {call.model: call for call in calls if call.phase == "cold"}
    groups: dict[_Key, list[BenchCall]] = {
        (model, subject.content_type, recipe, subject.version_id): []
        for model in plan.models
        for subject in plan.subjects
        for recipe in plan.recipes
    }
    for call in calls:
        if call.phase == "warm":
            groups[(call.model, call.content_type, call.recipe, call.version_id)].append(call)
    return [_cell(key, group, plan.repeats, cold.get(key[0])) for key, group in groups.items()]


def speed_light(cell: Cell, limit_s: float = FAST_S) -> Light:
    """Whether the median answer takes under ``limit_s``: the median's interval decides."""
    interval = cell.seconds.interval
    return "not enough data" if interval is None else _light(interval, limit_s, below=True)


def memory_light(bytes_used: int | None, limit: float = SMALL_BYTES) -> Light:
    if bytes_used is None:
        return "not enough data"
    return "met" if bytes_used < limit else "not met"


def acceptance_light(cell: Cell, least: float = RELIABLE) -> Light:
    """A share above 95 % needs at least 73 of 73 (Wilson)."""
    if cell.n_done == 0:
        return "not enough data"
    return _light(cell.acceptance.interval, least, below=False)


def _light(interval: Interval, limit: float, *, below: bool) -> Light:
    if below:
        if interval.high < limit:
            return "met"
        return "not met" if interval.low >= limit else "not enough data"
    if interval.low > limit:
        return "met"
    return "not met" if interval.high <= limit else "not enough data"


def _cell(key: _Key, calls: list[BenchCall], repeats: int, cold: BenchCall | None) -> Cell:
    model, content_type, recipe, version_id = key
    ok = [call for call in calls if call.outcome == "ok"]
    accepted = sum(call.verdict == "pass" for call in ok)
    seconds = sum(call.wall_s for call in calls)
    prefill, note = _prefill(calls)
    return Cell(
        model=model,
        content_type=content_type,
        recipe=recipe,
        version_id=version_id,
        n_planned=repeats,
        n_ok=len(ok),
        n_error=_count(calls, "error"),
        n_truncated=_count(calls, "truncated"),
        n_empty=_count(calls, "empty"),
        n_accepted=accepted,
        seconds=spread([call.wall_s for call in ok]),
        ttft=spread([call.ttft_s for call in ok if call.ttft_s is not None]),
        first_answer=spread([call.answer_s for call in ok if call.answer_s is not None]),
        server_s=spread([total for call in ok if (total := _server_s(call)) is not None]),
        decode=spread([n / s for n, s in _decoded(calls)]),
        decode_tok_s=_quotient(_decoded(calls)),
        prefill_tok_s=prefill,
        prefill_note=note,
        seconds_per_accepted=seconds / accepted if accepted else None,
        reloads=sum((call.load_s or 0.0) > RELOAD_S for call in calls),
        harness_s=sum(call.harness_s for call in calls) / len(calls) if calls else None,
        cold=_cold(cold) if cold else None,
        quality=quality(calls),
    )


def _cold(call: BenchCall) -> Cold:
    return Cold(call.outcome, call.wall_s, call.ttft_s, call.load_s)


def _count(calls: Iterable[BenchCall], outcome: str) -> int:
    return sum(call.outcome == outcome for call in calls)


def _decoded(calls: Iterable[BenchCall]) -> list[tuple[int, float]]:
    """Tokens and seconds of each call whose server told both."""
    return [
        (call.output_tokens, call.decode_s)
        for call in calls
        if call.output_tokens and call.decode_s and call.decode_s > 0
    ]


def _prefill(calls: Iterable[BenchCall]) -> tuple[float | None, str]:
    """Tokens a second of prompt that was really read, and how that is known."""
    told, new = [], []
    for call in calls:
        if not call.prompt_tokens or not call.prefill_s or call.prefill_s <= 0:
            continue
        if call.cached_tokens is not None:
            told.append((call.prompt_tokens - call.cached_tokens, call.prefill_s))
        elif call.cache_defeated:
            new.append((call.prompt_tokens, call.prefill_s))
    if told:
        return _quotient([pair for pair in told if pair[0] > 0]), "uncached tokens only"
    if new:
        return _quotient(new), "cache defeated, the server does not count cached tokens"
    return None, "not measured"


def _quotient(pairs: Sequence[tuple[int, float]]) -> float | None:
    seconds = sum(pair[1] for pair in pairs)
    return sum(pair[0] for pair in pairs) / seconds if seconds > 0 else None


def _server_s(call: BenchCall) -> float | None:
    if call.prefill_s is None or call.decode_s is None:
        return None
    return (call.load_s or 0.0) + call.prefill_s + call.decode_s
