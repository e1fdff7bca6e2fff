"""Where a relaxation starts from: the row's crystal scaled, its atoms moved at random, its sites merged."""

import zlib
from dataclasses import replace

import numpy as np

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.symmetry.projection import project, wrapped
from legocryst.crystal.symmetry.wyckoff import wyckoff

RESTART = 0.5
"""Most angstrom that a restart moves an atom from where it started first."""


def scaled(crystals: Crystals, volume: np.ndarray) -> Crystals:
    """Scale each cell to a volume (n,) (cubic angstrom) per atom, NaN to keep its own; all fractions are kept."""
    factor = np.cbrt(volume * crystals.atom_count / crystals.volume)
    cell = crystals.cell.copy()
    cell[:, :3] *= np.where(np.isfinite(factor), factor, 1.0)[:, None]
    return replace(crystals, cell=cell)


def moved(crystals: Crystals, attempt: int) -> Crystals:
    """Move every site at random along its free directions by at most `RESTART` angstrom.

    The moves depend on the crystal and the attempt only, not on the batch.
    """
    table = wyckoff()
    arm = np.linalg.norm(crystals.lattice, axis=2)[crystals.crystal_of_site]
    step = np.empty_like(crystals.coordinates)
    for k in range(len(crystals)):
        sites = slice(crystals.first_site[k], crystals.first_site[k + 1])
        seed = zlib.crc32(crystals.coordinates[sites].tobytes() + crystals.cell[k].tobytes())
        step[sites] = np.random.default_rng([seed, attempt]).uniform(-1, 1, step[sites].shape)
    step *= RESTART / 2 / arm * table.free[crystals.position_id]
    op = table.op_first[crystals.position_id]
    # along the position's free directions, and no further than asked for in skewed cells
    fractional = np.einsum("sij,sj->si", table.rotation[op], step)
    far = np.linalg.norm(np.einsum("si,sij->sj", fractional, crystals.lattice[crystals.crystal_of_site]), axis=1)
    fractional *= (RESTART / np.maximum(far, RESTART))[:, None]
    coordinates = wrapped(crystals.coordinates + fractional)
    return replace(crystals, coordinates=coordinates)


def merged(crystals: Crystals, within: float) -> tuple[Crystals, np.ndarray]:
    """Move sites within a distance (angstrom) of a more special position onto it, and count them (n,) in each.

    There the atoms of such a site fall together in twos or more. A site takes the nearest of these positions, again
    until none is near; a position without free coordinates is taken by one site only. No site is lost.
    """
    table, lattice, owner = wyckoff(), crystals.lattice, crystals.crystal_of_site
    position, coordinates = crystals.position.copy(), crystals.coordinates.copy()
    sites = np.arange(len(position))
    while len(sites):
        group = crystals.group[owner[sites]]
        identity = table.first[group] + position[sites]
        higher = [
            [p for p in table.positions(g) if table.multiplicity[p] < table.multiplicity[m]]
            for g, m in zip(group.tolist(), identity.tolist(), strict=True)
        ]
        site = np.repeat(sites, [len(ids) for ids in higher])
        ids = np.array([p for each in higher for p in each], np.int64)
        points, away = project(ids, _points(identity, coordinates[sites], sites, site), lattice[owner[site]])
        far = np.linalg.norm(np.einsum("si,sij->sj", away, lattice[owner[site]]), axis=1)
        changed = []
        for k in np.argsort(far, kind="stable"):
            if far[k] > within:
                break
            crystal, index = owner[site[k]], ids[k] - table.first[crystals.group[owner[site[k]]]]
            others = position[crystals.first_site[crystal] : crystals.first_site[crystal + 1]]
            if site[k] in changed or (not table.free[ids[k]].any() and index in others):
                continue
            position[site[k]], coordinates[site[k]] = index, points[k]
            changed.append(site[k])
        sites = np.array(sorted(changed), np.int64)
    count = np.bincount(owner[position != crystals.position], minlength=len(crystals))
    return replace(crystals, position=position, coordinates=coordinates), count


def _points(identity: np.ndarray, coordinates: np.ndarray, sites: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return the points on the first operations of some sites, in the order asked for."""
    table, op = wyckoff(), wyckoff().op_first[identity]
    points = np.einsum("sij,sj->si", table.rotation[op], coordinates) + table.translation[op]
    return points[np.searchsorted(sites, chosen)]
