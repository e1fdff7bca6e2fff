"""The primitive cell; atoms of a position that part of the operations make equal: its translations, its rotations."""

from functools import lru_cache

import numpy as np

from legocryst.crystal import cell as cells
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.symmetry.projection import group_of_position
from legocryst.crystal.symmetry.wyckoff import primitive, wyckoff


def primitive_atoms(crystals: Crystals) -> np.ndarray:
    """Return atoms (n,) in the primitive cell of each crystal's space group."""
    points = np.array([round(1 / np.linalg.det(primitive(int(group)))) for group in crystals.group], np.int64)
    return crystals.atom_count // points


def without_symmetry(crystal: Crystals) -> Crystals:
    """Return the one crystal of a batch as a crystal of P1 in its primitive cell."""
    basis, atoms, chosen = primitive(int(crystal.group[0])).T, crystal.atoms(), in_primitive_cell(crystal)
    points = atoms.fractional[chosen] @ np.linalg.inv(basis)
    sites = [(int(number), 0, point) for number, point in zip(atoms.species[chosen], points.tolist(), strict=True)]
    return Crystals.build([1], cells.cell_of(basis @ crystal.lattice[0])[None], [sites])


def in_primitive_cell(crystals: Crystals) -> np.ndarray:
    """Find the atoms of all crystals that are in their primitive cells, one of each class of translations."""
    first = np.cumsum(crystals.multiplicity) - crystals.multiplicity
    return np.concatenate(
        [start + translation_classes(int(p)) for start, p in zip(first, crystals.position_id, strict=True)]
    )


@lru_cache(maxsize=4096)
def translation_classes(position_id: int) -> np.ndarray:
    """Return of a position's atoms, in the order of its operations, one for each in the primitive cell."""
    table, ops = wyckoff(), wyckoff().operations(position_id)
    inverse = np.linalg.inv(primitive(group_of_position(position_id)).T)
    offset = (table.translation[ops][:, None] - table.translation[ops]) @ inverse
    same = np.abs(offset - np.rint(offset)).max(axis=2) < 1e-6
    same &= np.abs(table.rotation[ops][:, None] - table.rotation[ops]).max(axis=(2, 3)) < 1e-6
    return np.unique(same.argmax(axis=1))


@lru_cache(maxsize=4096)
def rotation_orbits(position_id: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the atoms of a position as orbits of the group's rotations and screw rotations, one or two.

    Orbit (m,) of each atom; operation (m,), of those of the general position, that carries the orbit's first atom to
    it; first atom of each orbit.
    """
    table = wyckoff()
    rotation, translation = table.general(group_of_position(position_id))
    own = table.operations(position_id)
    turn, shift = table.rotation[own], table.translation[own]
    proper = np.flatnonzero(np.linalg.det(rotation) > 0)
    orbit, via, first = np.full(len(turn), -1), np.zeros(len(turn), np.int64), list[int]()
    while (orbit < 0).any():
        start = int(np.flatnonzero(orbit < 0)[0])
        carried = rotation[proper] @ turn[start]
        offset = (rotation[proper] @ shift[start] + translation[proper])[:, None] - shift
        same = np.abs(carried[:, None] - turn).max(axis=(2, 3)) < 1e-6
        same &= np.abs(offset - np.rint(offset)).max(axis=2) < 1e-6
        reached = same.any(axis=0)
        orbit[reached], via[reached] = len(first), proper[same[:, reached].argmax(axis=0)]
        first.append(start)
    return orbit, via, np.array(first)
