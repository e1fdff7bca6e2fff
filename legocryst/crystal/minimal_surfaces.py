"""Crystals whose atoms start on triply periodic minimal surfaces, as those of schwarzites lie.

Three-coordinated nets of low strain are tilings of such surfaces (Mackay & Terrones, Nature 352, 762, 1991), and random
points of space hardly ever find them. The surfaces are taken in their nodal approximations F = 0 (von Schnering &
Nesper, Z. Phys. B 83, 407, 1991), with one period in a cube of edge 1. Cells of crystals are such cubes, prisms on
their face diagonals, and the hexagonal cells along their body diagonals.
"""

from collections.abc import Callable, Collection
from functools import cache
from math import sqrt

import numpy as np

from legocryst.crystal.cell import HEXAGONAL, RIGHT, SYSTEMS, crystal_system, system_index
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.symmetry.wyckoff import N_GROUPS, wyckoff

ORIGINS = np.stack(np.meshgrid(*[np.arange(8) / 8] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
"""Where a group's origin may lie with respect to the surface."""
ON = 1e-3
"""|F| of a point on the surface."""
CUBIC = 0.6
"""Share of crystals in cubic groups."""


def _prism(half: float) -> np.ndarray:
    """Return axes a and b along face diagonals."""
    return np.array([[half, half, 0], [-half, half, 0], [0, 0, 1]])


def _along_body(across: float, along: float) -> np.ndarray:
    """Return hexagonal axes with c along the body diagonal; the sign of `across` makes rhombohedral groups obverse."""
    return np.array([[-across, across, 0], [0, -across, across], [along, along, along]])


_PRISMS = (np.eye(3), _prism(0.5), _prism(1.0))
FRAMES: dict[str, tuple[np.ndarray, ...]] = {
    "orthorhombic": _PRISMS,
    "tetragonal": _PRISMS,
    "trigonal": (_along_body(-1.0, 1.0), _along_body(0.5, 1.0), _along_body(1.0, 0.5)),
    "cubic": (np.eye(3),),
}
"""Axes of cells, rows, in edges of the cube; the halves are for surfaces whose lattice is centred."""


def _p(c: np.ndarray, s: np.ndarray) -> np.ndarray:
    return c.sum(axis=-1)


def _g(c: np.ndarray, s: np.ndarray) -> np.ndarray:
    return (s * np.roll(c, -1, axis=-1)).sum(axis=-1)


def _d(c: np.ndarray, s: np.ndarray) -> np.ndarray:
    return s.prod(axis=-1) + (s * np.roll(c, -1, axis=-1) * np.roll(c, 1, axis=-1)).sum(axis=-1)


def _i_wp(c: np.ndarray, s: np.ndarray) -> np.ndarray:
    return 2 * (c * np.roll(c, -1, axis=-1)).sum(axis=-1) - (c**2 - s**2).sum(axis=-1)


SURFACES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {"P": _p, "G": _g, "D": _d, "I-WP": _i_wp}
"""F of the cosines and sines (..., 3) of 2 pi x."""


def level(surface: str, points: np.ndarray) -> np.ndarray:
    """Return F (...) at fractional points (..., 3)."""
    return SURFACES[surface](np.cos(2 * np.pi * points), np.sin(2 * np.pi * points))


def slope(surface: str, points: np.ndarray) -> np.ndarray:
    """Return gradient (..., 3) of F by central differences."""
    steps = 1e-5 * np.eye(3)
    return np.stack([(level(surface, points + h) - level(surface, points - h)) / 2e-5 for h in steps], axis=-1)


@cache
def area(surface: str) -> float:
    """Return area of the surface in a cube of edge 1, as the integral of delta(F) |grad F| over a grid."""
    ticks, half_width = np.arange(96) / 96, 0.15
    points = np.stack(np.meshgrid(ticks, ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 3)
    value = level(surface, points)
    near = np.abs(value) < half_width
    delta = (1 + np.cos(np.pi * value[near] / half_width)) / (2 * half_width)
    return float((delta * np.linalg.norm(slope(surface, points[near]), axis=-1)).sum() / len(points))


@cache
def origins(surface: str, group: int, frame: int = 0) -> np.ndarray:
    """Find those of `ORIGINS` (k, 3) for which every operation of the group keeps the surface, sides exchanged or not.

    `frame` is the place, among those of the group's crystal system, of the cell's axes.
    """
    axes = FRAMES[crystal_system(group)][frame]
    rotation, translation = wyckoff().general(group)
    rotation = np.concatenate([rotation, np.tile(np.eye(3), (3, 1, 1))])  # the cell's own translations, too
    translation = np.concatenate([translation, np.eye(3)])
    points, candidates = np.random.default_rng(0).random((6, 3)), ORIGINS
    before = level(surface, points @ axes + candidates[:, None])
    for turn, shift in zip(rotation, translation, strict=True):
        after = level(surface, (points @ turn.T + shift) @ axes + candidates[:, None])
        equal = np.minimum(*(np.abs(after - sign * before).max(axis=1) for sign in (1, -1))) < 1e-6
        candidates, before = candidates[equal], before[equal]
    return candidates


def _groups(groups: Collection[int] | None = None, *, cubic: bool) -> np.ndarray:
    """Return the cubic ones of some groups, or all, or those of the other systems that have cells on the surfaces."""
    system = system_index(np.arange(1, N_GROUPS + 1))
    systems = [SYSTEMS.index(name) for name in FRAMES if (name == "cubic") == cubic]
    result = 1 + np.flatnonzero(np.isin(system, systems))
    return result if groups is None else result[np.isin(result, list(groups))]


def honeycomb(bond: float) -> float:
    """Return area of each atom, in square angstrom, in a flat honeycomb with bonds of this length in angstrom."""
    return 3 * sqrt(3) / 4 * bond**2


def possible(groups: Collection[int] | None, *, atoms: tuple[int, int], sites: tuple[int, int]) -> bool:
    """Say whether any of the groups keeps a surface and has, with so many general positions, so many atoms."""
    either = np.concatenate([_groups(groups, cubic=cubic) for cubic in (False, True)])
    return any(_fits(_multiplicity(group), atoms, sites) and _kept(group) for group in either.tolist())


def surface_crystals(
    n: int,
    *,
    species: int,
    area_per_atom: float,
    atoms: tuple[int, int],
    sites: tuple[int, int],
    rng: np.random.Generator,
    groups: Collection[int] | None = None,
    cubic: float = CUBIC,
) -> Crystals:
    """Return a batch of n crystals with atoms at random on a surface, on general positions of a group that keeps it.

    `area_per_atom` in square angstrom sets the size of the cell; `atoms` are the fewest and most in it, `sites` the
    fewest and most positions, `groups` those that may be, all if left out, `cubic` the share of crystals in cubic ones.
    The chance of a group grows with the points of its general position, and with the surfaces and cells that it has.
    Raises ValueError where no crystal is so.
    """
    if not possible(groups, atoms=atoms, sites=sites):
        raise ValueError(
            "no crystal on a minimal surface has the space groups, sites and atoms that were asked for: such a crystal "
            "is orthorhombic, tetragonal, trigonal or cubic, with every site on the general position"
        )
    kinds = [_groups(groups, cubic=of) for of in (False, True)]
    shares = [np.cumsum([_multiplicity(group) for group in kind.tolist()]) for kind in kinds]
    drawn: list[tuple[int, np.ndarray, np.ndarray]] = []
    while len(drawn) < n:
        of = int(rng.random() < cubic)
        if not len(kinds[of]):
            continue
        group = int(kinds[of][np.searchsorted(shares[of], rng.integers(shares[of][-1]), side="right")])
        surface, frames = str(rng.choice(list(SURFACES))), FRAMES[crystal_system(group)]
        count, frame = int(rng.integers(sites[0], sites[1] + 1)), int(rng.integers(len(frames)))
        number = count * _multiplicity(group)
        if not atoms[0] <= number <= atoms[1] or not len(places := origins(surface, group, frame)):
            continue
        points = _onto(surface, rng.random((count, 3)), rng.choice(places), frames[frame])
        if points is not None:
            edge = np.sqrt(number * area_per_atom / (area(surface) * np.linalg.det(frames[frame])))
            drawn.append((group, edge * np.linalg.norm(frames[frame], axis=1), points))
    gamma = [HEXAGONAL if crystal_system(group) == "trigonal" else RIGHT for group, _, _ in drawn]
    cell = [(*axes.tolist(), RIGHT, RIGHT, angle) for (_, axes, _), angle in zip(drawn, gamma, strict=True)]
    orbits = [[(species, 0, point) for point in points.tolist()] for _, _, points in drawn]
    return Crystals.build([group for group, _, _ in drawn], cell, orbits)


def _multiplicity(group: int) -> int:
    """Return the multiplicity of the general position."""
    return int(wyckoff().multiplicity[wyckoff().first[group]])


def _fits(multiplicity: int, atoms: tuple[int, int], sites: tuple[int, int]) -> bool:
    """Say whether some number of sites of a multiplicity makes a number of atoms."""
    return max(sites[0], -(-atoms[0] // multiplicity)) <= min(sites[1], atoms[1] // multiplicity)


def _kept(group: int) -> bool:
    """Say whether a group keeps any surface."""
    frames = range(len(FRAMES[crystal_system(group)]))
    return any(len(origins(surface, group, frame)) for surface in SURFACES for frame in frames)


def _onto(surface: str, points: np.ndarray, origin: np.ndarray, axes: np.ndarray) -> np.ndarray | None:
    """Move points (k, 3) of a cell along the gradient onto the surface seen from an origin; None if one stays off."""
    place = points @ axes + origin
    for _ in range(30):
        value, normal = level(surface, place), slope(surface, place)
        if np.abs(value).max() < ON:
            return (place - origin) @ np.linalg.inv(axes) % 1.0
        step = np.clip(value / np.maximum((normal**2).sum(axis=-1), 1e-3), -1, 1)
        place = place - 0.7 * step[:, None] * normal
    return None
