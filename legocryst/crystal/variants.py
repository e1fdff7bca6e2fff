"""Equivalent descriptions of a crystal in its own space group: other origins, other points of the orbits."""

from functools import cache
from itertools import product

import numpy as np

from legocryst.crystal.projection import wrapped
from legocryst.crystal.representation import Crystals
from legocryst.crystal.subgroups import Subgroup, split
from legocryst.crystal.wyckoff import wyckoff


@cache
def polar_axes(group: int) -> np.ndarray:
    """(3,) bool: axes along which a space group leaves the origin free."""
    return np.abs(wyckoff().general(group)[0].mean(axis=0)).max(axis=1) > 1e-6


@cache
def origins(group: int) -> np.ndarray:
    """(k, 3) shifts x' = x + t that leave every operation of a group as it is, modulo the lattice; the first is none.

    These are the translations of its Euclidean normaliser, without those along polar axes (International Tables A,
    15.2). All are multiples of 1/12.
    """
    rotation, translation = wyckoff().general(group)
    unit = np.abs(rotation - np.eye(3)).max(axis=(1, 2)) < 1e-6
    centring, rotations = translation[unit], np.unique(rotation, axis=0)
    steps = [np.zeros(1) if polar else np.arange(12) / 12 for polar in polar_axes(group)]
    candidates = np.array(list(product(*steps)))
    for turn in rotations:
        offset = (candidates @ (turn - np.eye(3)).T)[:, None] - centring
        on_lattice = np.abs(offset - np.rint(offset)).max(axis=2).min(axis=1) < 1e-6
        candidates = candidates[on_lattice]
    equal = np.where(polar_axes(group), 0.0, candidates[:, None] + centring)
    keys = np.rint(equal * 12).astype(int) % 12 @ np.array([144, 12, 1])
    return candidates[np.unique(keys.min(axis=1), return_index=True)[1]]


@cache
def equivalent_points(position_id: int) -> np.ndarray:
    """Operations of a position, as indices into `wyckoff()`, that keep a point on the first operation's subspace."""
    table, ops = wyckoff(), wyckoff().operations(position_id)
    across = np.eye(3) - table.rotation[ops.start]
    kept = np.abs(across @ table.rotation[ops]).max(axis=(1, 2)) < 1e-6
    offset = (table.translation[ops] - table.translation[ops.start]) @ across.T
    kept &= np.abs(offset - np.rint(offset)).max(axis=1) < 1e-6
    return ops.start + np.flatnonzero(kept)


@cache
def _moved(position_id: int, group: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Position (k,), rotation (k, 3, 3) and translation (k, 3) of a site after each shift of `origins`."""
    shifts = [Subgroup(group, group, 1, np.eye(3), -shift) for shift in origins(group)]
    splits = [split(position_id, shift) for shift in shifts]
    parts = [(s.position_id[0], s.rotation[0], s.translation[0]) for s in splits]
    identity, rotation, translation = (np.array(part) for part in zip(*parts, strict=True))
    return identity, rotation, translation


def variants(crystals: Crystals, i: int, n: int, *, rng: np.random.Generator) -> tuple[Crystals, np.ndarray]:
    """Draw n descriptions of crystal i, some perhaps equal, with the shift (n, 3), x' = x + shift, of each.

    Each takes one of the group's `origins` and any point of each orbit on its position's first operation. Sites are
    sorted by Wyckoff position, then coordinates. Along polar axes the origin is put on the first site.
    """
    crystal, table = crystals.take([i]), wyckoff()
    group, sites = int(crystal.group[0]), len(crystal.species)
    drawn = rng.integers(len(origins(group)), size=n)
    identity, points = np.empty((n, sites), np.int64), np.empty((n, sites, 3))
    for k, (position_id, u) in enumerate(zip(crystal.position_id, crystal.coordinates, strict=True)):
        where, rotation, translation = _moved(int(position_id), group)
        identity[:, k], points[:, k] = where[drawn], (rotation @ u + translation)[drawn]
    chance = rng.random((n, sites))
    for position_id in np.unique(identity):
        mine, choices = identity == position_id, equivalent_points(int(position_id))
        op = choices[(chance[mine] * len(choices)).astype(int)]
        points[mine] = np.einsum("sij,sj->si", table.rotation[op], points[mine]) + table.translation[op]
    first = table.op_first[identity]
    points = wrapped(np.einsum("nsij,nsj->nsi", table.rotation[first], points) + table.translation[first])

    order = np.lexsort([*(np.round(points[..., axis], 6) for axis in (2, 1, 0)), identity], axis=-1)
    identity = np.take_along_axis(identity, order, axis=1)
    points = np.take_along_axis(points, order[..., None], axis=1)
    polar = np.where(polar_axes(group), -points[:, 0], 0.0)
    written = Crystals(
        group=np.repeat(crystal.group, n),
        cell=np.repeat(crystal.cell, n, axis=0),
        first_site=np.arange(n + 1) * sites,
        species=crystal.species[order].ravel(),
        position=identity.ravel() - table.first[group],
        coordinates=wrapped(points + polar[:, None]).reshape(-1, 3),
    )
    return written, origins(group)[drawn] + polar
