"""What energy levels over the Brillouin zone say of a crystal: gap, class, Fermi level, density of states.

A crystal whose highest filled and lowest empty band are at least `min_gap` apart is a semiconductor. Where they touch
or overlap by at most `overlap` it is a semimetal, else, and where electrons fill bands by half, a metal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from math import erf, pi, sqrt
from typing import Literal

import numpy as np

from legocryst.settings import LevelSettings

BandClass = Literal["metal", "semimetal", "semiconductor"]
Levels = Callable[[np.ndarray], np.ndarray]
"""Energies (k, n) in eV, ascending, at k-points (k, 3) in the basis of the reciprocal lattice."""
_AROUND = np.array([step for step in product((-1, 0, 1), repeat=3) if sum(map(abs, step)) in (1, 3)], float)
"""The faces and corners of a cube."""
NEAR = 2 * len(_AROUND)
"""k-points of one round of `gap`."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The gap and where it is; energies in eV on the scale of the levels."""

    gap: float  # lowest empty less highest filled level, 0 where they overlap
    overlap: float  # the same the other way round, 0 where there is a gap
    direct: bool  # highest filled and lowest empty level are at the same k-point
    top: float  # highest filled level
    bottom: float  # lowest empty level
    band_class: BandClass
    top_at: np.ndarray  # (3,) k-point
    bottom_at: np.ndarray  # (3,)


def gap(
    levels: Levels,
    kpoints: np.ndarray,
    energies: np.ndarray,
    electrons: int,
    step: np.ndarray,
    settings: LevelSettings,
    *,
    rounds: int,
) -> Gap:
    """Return gap and class of a crystal with `electrons` electrons in a cell, two in a level.

    From `energies` (k, n) at `kpoints` of a mesh with steps `step` (3,) and of a path, and from levels nearer to the
    extremes found there: `rounds` times, each with half the step.
    """
    filled = electrons // 2
    if electrons % 2 or filled == energies.shape[1]:
        level = float(energies[:, min(filled, energies.shape[1] - 1)].min())
        return Gap(0.0, 0.0, False, level, level, "metal", kpoints[0], kpoints[0])
    at = [kpoints[energies[:, filled - 1].argmax()], kpoints[energies[:, filled].argmin()]]
    ends = [float(energies[:, filled - 1].max()), float(energies[:, filled].min())]
    for _ in range(rounds):
        if ends[0] - ends[1] > settings.overlap:  # a metal whatever comes
            break
        step = step / 2
        near = np.concatenate([place + _AROUND * step for place in at])
        refined = levels(near)
        for k, (column, best, sign) in enumerate(((filled - 1, np.argmax, 1), (filled, np.argmin, -1))):
            place = int(best(refined[:, column]))
            if sign * (refined[place, column] - ends[k]) > 0:
                ends[k], at[k] = float(refined[place, column]), near[place]
    difference = ends[1] - ends[0]
    apart = at[0] - at[1]
    direct = bool(np.abs(apart - np.rint(apart)).max() < 2 * step.max())
    kind: BandClass = "semiconductor" if difference >= settings.min_gap else "semimetal"
    if -difference > settings.overlap:
        kind = "metal"
    return Gap(max(difference, 0.0), max(-difference, 0.0), direct, ends[0], ends[1], kind, at[0], at[1])


def fermi_level(energies: np.ndarray, weights: np.ndarray, electrons: int, *, width: float) -> float:
    """Find the level (eV) below which Gaussians of `width` eV at energies (k, n) hold the electrons, two in each."""
    low, high = float(energies.min()) - 5 * width, float(energies.max()) + 5 * width
    share = np.vectorize(lambda x: 0.5 * (1 + erf(x / (sqrt(2) * width))), otypes=[float])
    while high - low > 1e-4:
        middle = (low + high) / 2
        clear = np.clip((middle - energies) / width, -6, 6) * width
        occupied = 2 * float(weights @ share(clear).sum(axis=1))
        low, high = (middle, high) if occupied < electrons else (low, middle)
    return (low + high) / 2


def density_of_states(energies: np.ndarray, weights: np.ndarray, at: np.ndarray, *, width: float) -> np.ndarray:
    """Return states (m,) per eV and cell, both spins, at energies `at` (m,): a Gaussian of `width` eV at each level."""
    flat, weight = energies.ravel(), np.repeat(weights, energies.shape[1])
    out = np.zeros(len(at))
    for begin in range(0, len(flat), 4096):
        part = slice(begin, begin + 4096)
        out += np.exp(-(((at[:, None] - flat[part]) / width) ** 2) / 2) @ weight[part]
    return 2 * out / (width * sqrt(2 * pi))
