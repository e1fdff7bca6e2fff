"""Translationengleiche subgroups: a crystal written again in a subgroup of its space group.

The data file is written by `scripts/make_subgroups.py` from pyxtal's tables; every entry is verified there.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.spatial import cKDTree

from legocryst import DATA
from legocryst.crystal import cell as cells
from legocryst.crystal.projection import carrier, wrapped
from legocryst.crystal.representation import Crystals
from legocryst.crystal.wyckoff import wyckoff

SAME = 1e-4  # angstrom: how far apart two descriptions of one atom may be
_GENERIC = np.sqrt([0.0184, 0.0739, 0.1716])  # on no symmetry element, and on no edge of the grid, by accident
_GRID = 10**6


@dataclass(frozen=True, eq=False, slots=True)
class Subgroup:
    """A subgroup in its standard setting: (a', b', c') = (a, b, c) P and x = P x' + p (International Tables A1)."""

    parent: int
    group: int
    index: int
    P: np.ndarray  # (3, 3)
    p: np.ndarray  # (3,)


@dataclass(frozen=True, slots=True)
class Split:
    """What becomes of one Wyckoff position, with u a point on its first operation, in the axes of a subgroup.

    Orbit j is on Wyckoff position `position_id[j]`, at `rotation[j] @ u + translation[j]` on its first operation. The
    atoms of the subgroup's cell, straight from the parent's orbit, are `atom_rotation @ u + atom_translation`.
    """

    position_id: np.ndarray  # (orbits,)
    rotation: np.ndarray  # (orbits, 3, 3)
    translation: np.ndarray  # (orbits, 3)
    atom_rotation: np.ndarray  # (atoms, 3, 3)
    atom_translation: np.ndarray  # (atoms, 3)


@cache
def subgroups(group: int) -> tuple[Subgroup, ...]:
    """The t-subgroups of a space group, itself first, one for each class of conjugates, by increasing index.

    Conjugate subgroups describe a crystal in the same numbers, so one of them stands for all.
    """
    with np.load(DATA / "subgroups.npz") as file:
        entries = zip(*(file[k][file["parent"] == group] for k in ("group", "index", "matrix", "origin")), strict=True)
        found = [Subgroup(group, int(g), int(index), P, p) for g, index, P, p in entries]
    return (Subgroup(group, group, 1, np.eye(3), np.zeros(3)), *found)


@cache
def split(position_id: int, subgroup: Subgroup) -> Split:
    """How the orbit of a position falls into orbits of a subgroup, found on a generic point of it."""
    table = wyckoff()
    ops, inverse = table.operations(position_id), np.linalg.inv(subgroup.P)
    first = table.op_first[position_id]
    u = table.rotation[first] @ _GENERIC + table.translation[first]
    steps = _cosets(subgroup)
    rotation = np.repeat(inverse @ table.rotation[ops], len(steps), axis=0)
    translation = ((table.translation[ops][:, None] + steps).reshape(-1, 3) - subgroup.p) @ inverse.T
    keys, chosen = np.unique(_key(rotation @ u + translation), return_index=True)
    rotation, translation = rotation[chosen], translation[chosen]

    own_rotation, own_translation = table.general(subgroup.group)
    left, orbits = np.ones(len(keys), bool), []
    while left.any():
        k = int(np.argmax(left))
        point = rotation[k] @ u + translation[k]
        orbit = np.unique(_key(own_rotation @ point + own_translation))
        members = np.minimum(np.searchsorted(keys, orbit), len(keys) - 1)
        if np.any(keys[members] != orbit) or not left[members].all():
            raise ValueError(f"{subgroup} does not carry position {position_id} into whole orbits")
        left[members] = False
        identity, back, shift = _placed(subgroup.group, point, len(orbit))
        form, base = table.rotation[table.op_first[identity]], table.translation[table.op_first[identity]]
        onto = form @ back
        orbits.append((identity, onto @ rotation[k], onto @ translation[k] + form @ shift + base))
    identities, rotations, translations = zip(*orbits, strict=True)
    return Split(np.array(identities), np.array(rotations), np.array(translations), rotation, translation)


def transform(crystals: Crystals, i: int, subgroup: Subgroup) -> Crystals:
    """Crystal i written in a subgroup of its space group, as a batch of one.

    Raises ValueError if the subgroup is another group's, or if the crystal written so is not the same set of atoms.
    """
    crystal = crystals.take([i])
    if subgroup.parent != crystal.group[0]:
        raise ValueError(f"the subgroup is one of group {subgroup.parent}, and the crystal has {crystal.group[0]}")
    splits = [split(int(p), subgroup) for p in crystal.position_id]
    count = [len(s.position_id) for s in splits]
    coordinates = [s.rotation @ u + s.translation for s, u in zip(splits, crystal.coordinates, strict=True)]
    cell = cells.cell_of(subgroup.P.T @ crystal.lattice)
    identities = np.concatenate([s.position_id for s in splits])
    written = Crystals(
        group=np.array([subgroup.group]),
        cell=cells.symmetrized(np.array([subgroup.group]), cell),
        first_site=np.array([0, sum(count)]),
        species=np.repeat(crystal.species, count),
        position=identities - wyckoff().first[subgroup.group],
        coordinates=wrapped(np.concatenate(coordinates)),
    )
    prove(crystal, subgroup, written, np.zeros((1, 3)))
    return written


def prove(source: Crystals, subgroup: Subgroup, written: Crystals, shift: np.ndarray) -> None:
    """Check that crystals are the source (a batch of one) under x' = P^-1 (x - p) + shift, to 1e-4 angstrom.

    `shift` (n, 3) belongs to the n crystals of `written`. Raises ValueError if cell, atoms or species differ.
    """
    metric = (lattice := subgroup.P.T @ source.lattice[0]) @ lattice.T
    own = written.lattice @ np.swapaxes(written.lattice, -1, -2)
    if np.abs(own - metric).max() > SAME * np.sqrt(np.abs(metric).max()):
        raise ValueError(f"the cell of a crystal written in group {subgroup.group} is not its source's")
    splits = [split(int(p), subgroup) for p in source.position_id]
    expected = np.concatenate(
        [s.atom_rotation @ u + s.atom_translation for s, u in zip(splits, source.coordinates, strict=True)]
    )
    species = np.repeat(source.species, [len(s.atom_rotation) for s in splits])
    atoms = written.atoms()
    if np.any(np.diff(atoms.first) != len(expected)):
        raise ValueError(f"a crystal written in group {subgroup.group} has not the atoms of its source")
    found = (atoms.fractional.reshape(len(written), -1, 3) - shift[:, None]).reshape(-1, 3)
    _, match = cKDTree(wrapped(expected), boxsize=1.0).query(wrapped(found))
    offset = found - expected[match]
    distance = np.linalg.norm((offset - np.rint(offset)) @ lattice, axis=1)
    once = np.sort(match.reshape(len(written), -1), axis=1) == np.arange(len(expected))
    if distance.max() > SAME or not once.all() or np.any(atoms.species != species[match]):
        raise ValueError(f"a crystal written in group {subgroup.group} is not its source")


@cache
def _cosets(subgroup: Subgroup) -> np.ndarray:
    """Parent lattice vectors that make the subgroup's cell, one for each class modulo its lattice."""
    steps = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    _, chosen = np.unique(_key(steps @ np.linalg.inv(subgroup.P).T), return_index=True)
    return steps[chosen]


def _key(points: np.ndarray) -> np.ndarray:
    """One integer for each point (..., 3), the same for periodic images."""
    grid = np.rint(points * _GRID).astype(np.int64) % _GRID
    return (grid[..., 0] * _GRID + grid[..., 1]) * _GRID + grid[..., 2]


def _placed(group: int, point: np.ndarray, multiplicity: int) -> tuple[int, np.ndarray, np.ndarray]:
    """Position of a generic point whose orbit has `multiplicity` members, and the way to its first operation."""
    table = wyckoff()
    for identity in table.positions(group):
        if table.multiplicity[identity] == multiplicity and (way := carrier(identity, point)) is not None:
            return identity, *way
    raise ValueError(f"a point of {multiplicity} images is on no Wyckoff position of group {group}")
