"""A simulated account, and how often peeking at it declares a winner.

The process is experiments §5: heavy-tailed impressions with slots, weekdays and days that drift
together, engagement rates that depend on content, Poisson counts. The same days are given to two
designs: ours in pairs (same slot on two consecutive days, order by a fair coin), looked at after
every pair; and a fair coin for each post, looked at daily with a Welch test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.learning.evidence import Array, log_e_path
from engine.learning.states import ALPHA

LOG_IMPRESSIONS = 6.5
LOG_RATE = float(np.log(0.02))
CONTENT = np.array([0.0, 0.3, -0.3, 0.15])
WEEKDAYS = np.linspace(0.25, -0.25, 7)
DRIFT, DRIFT_SD = 0.8, 0.4
POST_SD = 0.6
VIRAL = 0.03
NAIVE_FROM = 5
"""Posts per arm before the naive test starts."""

_CELLS = 400_000
"""Posts simulated at once: keeps memory under 100 MB whatever is asked for."""


@dataclass(frozen=True)
class World:
    """Runs of an account, (runs, days, slots): log impressions and log rate without treatment."""

    log_impressions: Array
    log_rate: Array

    @property
    def shape(self) -> tuple[int, int, int]:
        runs, days, slots = self.log_impressions.shape
        return runs, days, slots


def make_world(
    rng: np.random.Generator, runs: int, days: int, slots: int, log_size: float = LOG_IMPRESSIONS
) -> World:
    """Draw ``runs`` histories; ``log_size`` sets the account's typical impressions."""
    drift = _drift(rng, runs, days)[:, :, None]
    shape = (runs, days, slots)
    viral = rng.random(shape) < VIRAL
    jump = np.log(3 * (1 + rng.pareto(1.5, shape)))
    log_impressions = (
        log_size
        + 0.5 * np.sin(2 * np.pi * np.arange(slots) / slots)
        + WEEKDAYS[np.arange(days) % 7][:, None]
        + drift
        + rng.normal(0, POST_SD, shape)
        + np.where(viral, jump, 0.0)
    )
    log_rate = (
        LOG_RATE
        + CONTENT[np.arange(slots) % CONTENT.size]
        + 0.25 * drift / DRIFT_SD
        + rng.normal(0, POST_SD, shape)
    )
    return World(log_impressions, log_rate)


def _drift(rng: np.random.Generator, runs: int, days: int) -> Array:
    """Stationary AR(1) by day."""
    noise = rng.normal(0, DRIFT_SD, (runs, days))
    drift = np.empty((runs, days))
    drift[:, 0] = noise[:, 0]
    for day in range(1, days):
        drift[:, day] = DRIFT * drift[:, day - 1] + np.sqrt(1 - DRIFT**2) * noise[:, day]
    return drift


@dataclass(frozen=True)
class Posts:
    """What became of a world under an assignment; arrays of its shape."""

    arm: NDArray[np.bool_]
    engagements: Array
    impressions: Array

    @property
    def y(self) -> Array:
        """log((E + 0.5) / (I + 1))."""
        return np.log((self.engagements + 0.5) / (self.impressions + 1))


def play(rng: np.random.Generator, world: World, arm: NDArray[np.bool_], effect: float) -> Posts:
    """Post everything; arm B's log rate is higher by ``effect``."""
    impressions: Array = np.rint(np.exp(world.log_impressions))
    mean = np.exp(world.log_rate + effect * arm) * impressions
    return Posts(arm, rng.poisson(np.minimum(mean, 1e15)).astype(float), impressions)


def coin_flips(rng: np.random.Generator, world: World) -> NDArray[np.bool_]:
    """Every post by a fair coin."""
    return rng.random(world.shape) < 0.5


def pairs_by_slot(rng: np.random.Generator, world: World) -> NDArray[np.bool_]:
    """The same slot of two consecutive days makes a pair; a fair coin says which day is B."""
    runs, days, slots = world.shape
    first = rng.random((runs, (days + 1) // 2, slots)) < 0.5
    return np.stack([first, ~first], axis=2).reshape(runs, -1, slots)[:, :days]


def pair_differences(values: Array, arm: NDArray[np.bool_]) -> Array:
    """(runs, pairs) of arm B less arm A, in order of time; an odd last day has no pairs."""
    runs, days, slots = values.shape
    whole = days // 2 * 2
    signed = np.where(arm, values, -values)[:, :whole]
    pairs: Array = signed.reshape(runs, whole // 2, 2, slots).sum(axis=2).reshape(runs, -1)
    return pairs


def pair_days(days: int, slots: int) -> NDArray[np.int64]:
    """The day (from 1) on which each pair is complete."""
    return np.repeat(np.arange(2, days + 1, 2), slots)


def first_day(hit: NDArray[np.bool_], days: NDArray[np.int64]) -> Array:
    """Per run the day of the first look that hit; NaN where none did."""
    if not hit.shape[1]:
        return np.full(hit.shape[0], np.nan)
    return np.where(hit.any(axis=1), days[hit.argmax(axis=1)], np.nan)


def welch_p(values: Array, arm: NDArray[np.bool_]) -> Array:
    """(runs, days): p of a Welch t-test on all posts up to each day's end; 1 before it may start."""
    from scipy.special import stdtr

    moments = []
    for members in (arm, ~arm):
        n = np.cumsum(members.sum(axis=2), axis=1)
        total = np.cumsum((values * members).sum(axis=2), axis=1)
        squares = np.cumsum((values**2 * members).sum(axis=2), axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total / n
            moments.append((n, mean, (squares / n - mean**2) / (n - 1)))
    (n1, m1, v1), (n2, m2, v2) = moments
    with np.errstate(invalid="ignore", divide="ignore"):
        t = (m1 - m2) / np.sqrt(v1 + v2)
        free = (v1 + v2) ** 2 / (v1**2 / (n1 - 1) + v2**2 / (n2 - 1))
        p = 2 * stdtr(free, -np.abs(t))
    early = (n1 < NAIVE_FROM) | (n2 < NAIVE_FROM) | ~np.isfinite(p)
    return np.where(early, 1.0, p)


@dataclass(frozen=True)
class Verdicts:
    """Of many runs: how many reached a verdict, and the median day of those that did."""

    verdict_rate: float
    median_days: float | None

    @classmethod
    def of(cls, days: Array) -> Verdicts:
        """From :func:`first_day`."""
        reached = days[np.isfinite(days)]
        return cls(reached.size / days.size, float(np.median(reached)) if reached.size else None)


@dataclass(frozen=True)
class Peeking:
    """Two ways to look, on the same simulated days."""

    runs: int
    ours: Verdicts
    welch_daily: Verdicts

    def to_dict(self) -> dict[str, Any]:
        return {
            "runs": self.runs,
            "ours": vars(self.ours).copy(),
            "welch_daily": vars(self.welch_daily).copy(),
        }


def simulate(*, runs: int, days: int, posts_per_day: int, lift: float, seed: int) -> Peeking:
    """How often a difference is declared within ``days`` when the true ratio of rates is ``lift``.

    A verdict is a difference in either direction: with lift 1.0 every one of them is false.
    """
    rng = np.random.default_rng(seed)
    effect = float(np.log(lift))
    at_once = max(1, min(runs, _CELLS // (days * posts_per_day)))
    ours, welch = [], []
    for start in range(0, runs, at_once):
        world = make_world(rng, min(at_once, runs - start), days, posts_per_day)
        paired = play(rng, world, pairs_by_slot(rng, world), effect)
        flipped = play(rng, world, coin_flips(rng, world), effect)
        log_e = log_e_path(pair_differences(paired.y, paired.arm))
        ours.append(first_day(log_e >= -np.log(ALPHA), pair_days(days, posts_per_day)))
        p = welch_p(flipped.y, flipped.arm)
        welch.append(first_day(p < ALPHA, np.arange(1, days + 1)))
    return Peeking(runs, Verdicts.of(np.concatenate(ours)), Verdicts.of(np.concatenate(welch)))
