"""Objectives: a value for each site and the gradient over its bond vectors.

Each has a cutoff (angstrom) beyond which its slope is zero.
"""

from math import sqrt
from typing import NamedTuple

import numpy as np

from legocryst.environment.descriptors import (
    DESCRIPTORS,
    Descriptor,
    Scratch,
    descriptor,
    expand,
    make_features,
    pull_to_coefficients,
    pull_to_vectors,
    reference,
)
from legocryst.environment.target import Target
from legocryst.infra.compiled import compiled

ANGLE = 20.0
"""Degrees above the target's smallest angle up to which the coordination opens angles."""
OBJECTIVES = ("coordination", "coarse", *DESCRIPTORS)
"""The order of the weights; "coarse" is the power spectrum with few angular momenta."""


class Coordination(NamedTuple):
    """Smooth count of neighbours: the nearest are drawn to the bond length, all others pushed outside.

    Each atom's `coordination` nearest neighbours give (r - bond)^2, levelled off at `cutoff`; every other gives
    (shell - r)^2 inside the second shell. Two of the nearest that are d apart give (apart - d)^2 where d is smaller,
    without which triangles of atoms would be perfect; `apart` belongs to an angle ANGLE above the target's smallest.
    Which are the nearest is settled when the neighbour list is made, so that the value is smooth between two lists.
    """

    coordination: int
    bond: float
    shell: float
    cutoff: float
    apart: float

    @staticmethod
    def of(target: Target) -> "Coordination":
        """Return the coordination of a target."""
        opened = np.radians((target.min_angle + ANGLE) / 2)
        shell = target.second_shell
        return Coordination(
            target.coordination, target.bond, shell, shell + 0.4, 2 * target.bond * float(np.sin(opened))
        )


class Environment(NamedTuple):
    """Squared distance of a descriptor of each site from the reference's."""

    descriptor: Descriptor
    reference: np.ndarray  # (features,)

    @staticmethod
    def of(target: Target, kind: str) -> "Environment":
        """Return the environment of a target in one descriptor."""
        return Environment(descriptor(kind, target.descriptor), reference(target, kind))


class Objectives(NamedTuple):
    """All objectives of a target, in the order of `OBJECTIVES`."""

    coordination: Coordination
    environments: tuple[Environment, Environment, Environment, Environment]

    @staticmethod
    def of(target: Target, coarse_l_max: int) -> "Objectives":
        """Return the objectives; the coarse one sees angular momenta up to `coarse_l_max`."""
        low_order = target.descriptor.model_copy(update={"l_max": min(coarse_l_max, target.descriptor.l_max)})
        coarse = Environment.of(target.model_copy(update={"descriptor": low_order}), "power_spectrum")
        spectrum, angular, radial = (Environment.of(target, kind) for kind in DESCRIPTORS)
        return Objectives(Coordination.of(target), (coarse, spectrum, angular, radial))


@compiled
def add_coordination(
    c: Coordination,
    begin: int,
    end: int,
    vector: np.ndarray,
    distance: np.ndarray,
    scale: float,
    force: np.ndarray,
) -> float:
    """Return a site's value from bonds begin..end - 1, nearest first; adds `scale` times its gradient to `force`."""
    far = (c.cutoff - c.bond) ** 2
    value = c.coordination * far
    for e in range(begin, end):
        r = distance[e]
        if r >= c.cutoff:
            continue
        if e - begin < c.coordination:
            stretch = r - c.bond
            value += stretch * stretch - far
        elif r < c.shell:
            stretch = r - c.shell
            value += stretch * stretch
        else:
            continue
        push = 2 * scale * stretch / max(r, 1e-6)
        for i in range(3):
            force[e, i] += push * vector[e, i]
    bonded = min(begin + c.coordination, end)
    for a in range(begin, bonded):
        for b in range(a + 1, bonded):
            value += _add_angle(c, a, b, vector, distance, scale, force)
    return value


@compiled
def _add_angle(
    c: Coordination,
    a: int,
    b: int,
    vector: np.ndarray,
    distance: np.ndarray,
    scale: float,
    force: np.ndarray,
) -> float:
    """Return what two bonded neighbours of one atom give that are too near each other."""
    x, y, z = (vector[a, 0] - vector[b, 0], vector[a, 1] - vector[b, 1], vector[a, 2] - vector[b, 2])
    d = max(sqrt(x * x + y * y + z * z), 1e-6)
    if d >= c.apart:
        return 0.0
    fade_a, drop_a = _fade(c, distance[a])
    fade_b, drop_b = _fade(c, distance[b])
    short = c.apart - d
    push = 2 * scale * short * fade_a * fade_b / d
    pull_a = scale * short * short * fade_b * drop_a / max(distance[a], 1.0)
    pull_b = scale * short * short * fade_a * drop_b / max(distance[b], 1.0)
    for i, each in enumerate((x, y, z)):
        force[a, i] += pull_a * vector[a, i] - push * each
        force[b, i] += pull_b * vector[b, i] + push * each
    return fade_a * fade_b * short * short


@compiled
def _fade(c: Coordination, r: float) -> tuple[float, float]:
    """Return 1 inside the second shell, 0 beyond the cutoff, and the slope."""
    width = c.cutoff - c.shell
    t = min(max((c.cutoff - r) / width, 0.0), 1.0)
    return t * t * (3 - 2 * t), -6 * t * (1 - t) / width


@compiled
def add_environment(
    environment: Environment,
    begin: int,
    end: int,
    vector: np.ndarray,
    distance: np.ndarray,
    atom: np.ndarray,
    species: np.ndarray,
    scale: float,
    work: Scratch,
    force: np.ndarray,
) -> float:
    """Return a site's value from bonds begin..end - 1; adds `scale` times its gradient to `force`."""
    d = environment.descriptor
    count = expand(d, begin, end, vector, distance, atom, species, work)
    make_features(d, work)
    value = 0.0
    for f in range(len(environment.reference)):
        difference = work.feature[f] - environment.reference[f]
        value += difference * difference
        work.feature[f] = 2 * scale * difference
    pull_to_coefficients(d, work)
    pull_to_vectors(d, count, work, distance, force)
    return value
