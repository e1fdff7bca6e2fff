"""L-BFGS in three steps, for compiled and for plain loops alike: `begin`, then `propose` and `take` in turn.

Nocedal & Wright, Numerical Optimization (2006), algorithm 7.4, with backtracking to the Armijo condition. Between
`propose` and `take` the caller computes the value and the gradient at `Descent.trial`.
"""

from math import inf
from typing import NamedTuple

import numpy as np

from legocryst.infra.compiled import compiled

HISTORY = 8
ARMIJO = 1e-4
FAILS = 8
"""Shorter steps in a row that did not lower the value after which a search ends."""


class Descent(NamedTuple):
    """Where v variables are minimised; the arrays are changed in place."""

    x: np.ndarray  # (v,) the best so far
    trial: np.ndarray  # (v,) where value and gradient are needed
    gradient: np.ndarray  # (v,) at x
    trial_gradient: np.ndarray  # (v,) to be filled by the caller
    step: np.ndarray  # (v,)
    reach: np.ndarray  # (v,) angstrom that an atom moves, at most, for one unit
    moves: np.ndarray  # (HISTORY, at least v)
    changes: np.ndarray  # (HISTORY, at least v)
    inverse: np.ndarray  # (HISTORY,) of the products of moves and changes
    product: np.ndarray  # (HISTORY,)


class Search(NamedTuple):
    """How far a minimisation is."""

    value: float  # at x, infinite before the first
    scale: float  # of the step to the trial
    slope: float  # of the value along the step
    gamma: float  # of the inverse Hessian where nothing is known yet
    fails: int  # shorter steps in a row
    newest: int  # of the moves and changes


@compiled
def begin(d: Descent, gamma: float) -> Search:
    """Start at `d.x`, with `gamma` for the inverse Hessian; the first trial is `d.x` itself."""
    d.step[:] = 0.0
    d.inverse[:] = 0.0
    return Search(inf, 1.0, 0.0, gamma, 0, 0)


@compiled
def propose(d: Descent, s: Search) -> None:
    """Fill `d.trial`."""
    for v in range(len(d.x)):
        d.trial[v] = d.x[v] + s.scale * d.step[v]


@compiled
def take(d: Descent, s: Search, new: float, max_step: float) -> Search:
    """Take the value at the trial, with its gradient in `d.trial_gradient`: move there, or shorten the step.

    No atom moves further than `max_step` angstrom in the next step.
    """
    if not (new < inf and new <= s.value + ARMIJO * s.scale * s.slope):
        # the least of the parabola through the value, the slope and the trial's value, inside safe bounds
        rise = max(new - s.value - s.slope * s.scale, 1e-300)
        scale = s.scale * min(max(-s.slope * s.scale / (2 * rise), 0.1), 0.5)
        return Search(s.value, scale, s.slope, s.gamma, s.fails + 1, s.newest)
    newest, gamma = s.newest, s.gamma
    if s.value < inf:
        newest = (newest + 1) % HISTORY
        gamma = _remember(newest, s.scale, gamma, d)
    for v in range(len(d.x)):
        d.x[v], d.gradient[v] = d.trial[v], d.trial_gradient[v]
    _direction(newest, gamma, d)
    bound(d.step, d.reach, max_step)
    slope = _dot(d.gradient, d.step)
    if slope > 0:
        d.inverse[:] = 0.0
        for v in range(len(d.x)):
            d.step[v] = -0.1 * d.gradient[v]
        bound(d.step, d.reach, max_step)
        slope = _dot(d.gradient, d.step)
    return Search(new, 1.0, slope, gamma, 0, newest)


@compiled
def bound(step: np.ndarray, reach: np.ndarray, max_step: float) -> None:
    """Shorten a step so that no atom moves further than `max_step` angstrom."""
    longest = max_step
    for v in range(len(step)):
        longest = max(longest, abs(step[v]) * reach[v])
    for v in range(len(step)):
        step[v] *= max_step / longest


@compiled
def _dot(a: np.ndarray, b: np.ndarray) -> float:
    total = 0.0
    for v in range(len(a)):
        total += a[v] * b[v]
    return total


@compiled
def _remember(newest: int, scale: float, gamma: float, d: Descent) -> float:
    """Replace the oldest pair by the newest; one without curvature counts for nothing. Returns gamma."""
    curvature, size = 0.0, 0.0
    for v in range(len(d.step)):
        move, change = scale * d.step[v], d.trial_gradient[v] - d.gradient[v]
        d.moves[newest, v], d.changes[newest, v] = move, change
        curvature += move * change
        size += change * change
    if curvature > 1e-10 * max(size, 1e-300):
        d.inverse[newest] = 1 / curvature
        return curvature / size
    d.inverse[newest] = 0.0
    return gamma


@compiled
def _direction(newest: int, gamma: float, d: Descent) -> None:
    """Compute the step of L-BFGS, not yet bounded."""
    n, step = len(d.step), d.step
    for v in range(n):
        step[v] = -d.gradient[v]
    for back in range(HISTORY):
        i = (newest - back) % HISTORY
        d.product[i] = d.inverse[i] * _dot(d.moves[i, :n], step)
        for v in range(n):
            step[v] -= d.product[i] * d.changes[i, v]
    for v in range(n):
        step[v] *= gamma
    for back in range(HISTORY - 1, -1, -1):
        i = (newest - back) % HISTORY
        beta = d.inverse[i] * _dot(d.changes[i, :n], step)
        for v in range(n):
            step[v] += (d.product[i] - beta) * d.moves[i, v]
