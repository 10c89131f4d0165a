"""Evidence that may be looked at after every pair: the sign-flip e-process and its interval.

Facts: experiments §2.6. Under "no effect on any post" the sign of a pair's difference is a fair
coin given its size, by randomisation alone; so for odd f within (-1, 1) the product of
1 + lambda f(d) is a fair game, and so is its average over lambdas. Ville's inequality makes
1 / max E a p-value at any time. f = tanh, s = 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.learning.states import ALPHA

Array = NDArray[np.float64]

LAMBDAS: Array = np.arange(-19, 20, dtype=np.float64) * 0.05
"""-0.95, -0.90, ..., 0.95: symmetric, so that swapped arms give the same evidence."""

STEP = 0.001
REACH = 1.0
"""How far beyond the data the grid goes. Out there E only grows with the distance (each pair of
lambdas is even and rising in every |f|), so where the last theta is excluded, all beyond are."""

_NOTHING = 1e-100
"""Smaller products cannot matter any more, but slow the processor down once they are subnormal."""

_CHUNK = 64
"""Factors lie within 0.05 and 1.95: so many of them multiply without under- or overflow."""


def log_e_path(differences: Array) -> Array:
    """log E after each pair, along the last axis; other axes are separate experiments."""
    signs = np.tanh(np.asarray(differences, dtype=float))
    path = np.empty(signs.shape)
    log_wealth = np.zeros((*signs.shape[:-1], LAMBDAS.size))
    for start in range(0, signs.shape[-1], _CHUNK):
        part = signs[..., start : start + _CHUNK]
        products = np.cumprod(1 + part[..., None] * LAMBDAS, axis=-2)
        top = log_wealth.max(axis=-1, keepdims=True)
        weights = np.exp(log_wealth - top) / LAMBDAS.size
        path[..., start : start + _CHUNK] = top + np.log(
            np.matmul(products, weights[..., None])[..., 0]
        )
        log_wealth += np.log(products[..., -1, :])
    return path


def p_path(log_e: Array) -> Array:
    """Always-valid p after each pair: the least 1 / E so far, at most 1."""
    return np.minimum(1.0, np.exp(-np.maximum.accumulate(log_e, axis=-1)))


@dataclass(frozen=True)
class Sequence:
    """Running intersection of confidence sets for the log ratio, one entry per look.

    Infinite where nothing is excluded yet; NaN in both where the set is empty: no constant
    effect with symmetric noise fits what was seen.
    """

    low: Array
    high: Array

    @property
    def contradicted(self) -> bool:
        return bool(self.low.size and np.isnan(self.low[-1]))


def confidence_sequence(differences: Array, alpha: float = ALPHA) -> Sequence:
    """All thetas on a grid of :data:`STEP` whose E of ``d - theta`` never reached 1 / alpha.

    Assumes a constant multiplicative effect with symmetric pair noise. The set's hull is given.
    """
    d = np.asarray(differences, dtype=float)
    n = d.size
    if n == 0:
        return Sequence(np.empty(0), np.empty(0))
    ends = math.floor((d.min() - REACH) / STEP), math.ceil((d.max() + REACH) / STEP)
    grid = np.arange(ends[0], ends[1] + 1) * STEP
    excluded_at = _first_exclusions(d, grid, 1 / alpha)
    looks = np.arange(1, n + 1)
    low = _outermost(grid, excluded_at, looks)
    high = -_outermost(-grid[::-1], excluded_at[::-1], looks)
    low[looks < excluded_at[0]] = -math.inf
    high[looks < excluded_at[-1]] = math.inf
    return Sequence(low, high)


def _first_exclusions(d: Array, grid: Array, bound: float) -> NDArray[np.int64]:
    """For each theta the pair (from 1) at which E first reached the bound; n + 1 if never."""
    excluded_at = np.full(grid.size, d.size + 1)
    alive, thetas = np.arange(grid.size), grid
    # lambda = 0 keeps every mean above 1 / 39, so nothing can vanish as a whole
    wealth = np.ones((LAMBDAS.size, grid.size))
    limit = bound * LAMBDAS.size
    column = LAMBDAS[:, None]
    for index, difference in enumerate(d, start=1):
        factors = column * np.tanh(difference - thetas)
        factors += 1.0
        wealth *= factors
        dead = np.ones(len(wealth)) @ wealth >= limit
        if dead.any():
            excluded_at[alive[dead]] = index
            keep = ~dead
            alive, thetas, wealth = alive[keep], thetas[keep], wealth[:, keep]
            if not alive.size:
                break
        if index % _CHUNK == 0:
            wealth[wealth < _NOTHING] = 0.0
            live = wealth.any(axis=1)
            wealth, column = wealth[live], column[live]
    return excluded_at


def _outermost(grid: Array, excluded_at: NDArray[np.int64], looks: NDArray[np.int64]) -> Array:
    """At each look the first theta from the left that is not excluded; NaN where none is."""
    survives = np.maximum.accumulate(excluded_at)
    first = np.searchsorted(survives, looks, side="right")
    return np.where(first < grid.size, grid[np.minimum(first, grid.size - 1)], math.nan)
