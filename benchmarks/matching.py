"""Crystals that StructureMatcher takes to be different."""

import sys
from functools import partial

import numpy as np
from pymatgen.core import Structure
from scipy.spatial import cKDTree

from legocryst.comparison.duplicates import matcher
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.structures import to_structure
from legocryst.crystal.symmetry.primitive import without_symmetry
from legocryst.infra.executors import Executor


def distinct(crystals: Crystals, keys: list[str], *, executor: Executor) -> int:
    """Return crystals of which StructureMatcher takes no two of one net to be the same."""
    by_net: dict[str, list[int]] = {}
    for k, key in enumerate(keys):
        by_net.setdefault(key, []).append(k)
    several = [crystals.take(rows) for rows in by_net.values() if len(rows) > 1]
    total = len(by_net) - len(several)
    for done, count in enumerate(executor.map(kinds, several), start=1):
        total += count
        if done % 500 == 0:
            print(f"StructureMatcher: {done} of {len(several)} nets", file=sys.stderr, flush=True)
    return total


def kinds(crystals: Crystals) -> int:
    """Return how many different ones there are among crystals of one element, as StructureMatcher groups them.

    Its `group_structures` does the same, but takes nine tenths of its time to find that a cell is primitive.
    """
    same = partial(matcher().fit, skip_structure_reduction=True)
    distinct: list[Structure] = []
    for k in range(len(crystals)):
        cell = reduced(crystals, k)
        if not any(same(other, cell) for other in distinct):
            distinct.append(cell)
    return len(distinct)


def reduced(crystals: Crystals, k: int) -> Structure:
    """Return the reduced primitive cell of a crystal, as StructureMatcher makes it."""
    cell = to_structure(without_symmetry(crystals.take([k]))).get_reduced_structure()
    if translations(cell) == 1:
        return cell
    # a smaller cell is nearly one, too, and which of several it finds depends on the cell it is given
    return to_structure(crystals, k).get_reduced_structure().get_primitive_structure()


def translations(structure: Structure) -> int:
    """Return how many translations carry each atom to one, within half an angstrom along each axis.

    `get_primitive_structure` (which allows 0.25 for each of the two) divides the cell by these; 1 is none but 0.
    """
    reach = 0.5 / np.array(structure.lattice.abc)
    box, points = 1 / reach, structure.frac_coords / reach
    start, moved = (
        np.minimum(np.mod(at, box), box * (1 - 1e-15)) for at in (points, points[:, None] + points - points[0])
    )
    away, _ = cKDTree(start, boxsize=box).query(moved.reshape(-1, 3), p=np.inf, distance_upper_bound=1.0)
    return int(np.isfinite(away).reshape(len(points), -1).all(axis=1).sum())
