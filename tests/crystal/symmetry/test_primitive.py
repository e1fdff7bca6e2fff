"""Parts of orbits, for every Wyckoff position of all groups."""

import numpy as np

from legocryst.crystal.symmetry.primitive import primitive_atoms, rotation_orbits, translation_classes, without_symmetry
from legocryst.crystal.symmetry.projection import group_of_position
from legocryst.crystal.symmetry.wyckoff import primitive, wyckoff
from tests.crystals_at_random import random_crystals


def test_primitive_bases_hold_exactly_the_translations_of_their_group() -> None:
    for group in range(1, 231):
        rotation, translation = wyckoff().general(group)
        pure = translation[np.abs(rotation - np.eye(3)).max(axis=(1, 2)) < 1e-6]
        basis = primitive(group).T
        in_basis = pure @ np.linalg.inv(basis)
        assert np.allclose(in_basis, np.rint(in_basis)), group
        assert np.isclose(np.linalg.det(basis), 1 / len(np.unique(np.round(pure % 1, 6), axis=0))), group


def test_every_position_has_its_share_of_atoms_in_the_primitive_cell() -> None:
    table = wyckoff()
    for p in range(1, len(table.multiplicity)):
        copies = round(1 / np.linalg.det(primitive(group_of_position(p))))
        assert len(translation_classes(p)) * copies == table.multiplicity[p]


def test_rotations_carry_the_first_atom_of_an_orbit_to_the_others() -> None:
    crystals = random_crystals(200, seed=3)
    atoms, first = crystals.atoms(), np.cumsum(crystals.multiplicity) - crystals.multiplicity
    two = 0
    for s, position_id in enumerate(crystals.position_id):
        rotation, translation = wyckoff().general(int(crystals.group[crystals.crystal_of_site[s]]))
        orbit, via, start = rotation_orbits(int(position_id))
        points = atoms.fractional[first[s] : first[s] + len(orbit)]
        assert (np.linalg.det(rotation[via]) > 0).all()
        carried = np.einsum("aij,aj->ai", rotation[via], points[start[orbit]]) + translation[via]
        offset = carried - points
        assert np.abs(offset - np.rint(offset)).max() < 1e-9
        two += len(start) == 2
        assert len(start) in (1, 2) and (len(start) == 1 or np.bincount(orbit).tolist() == [len(orbit) // 2] * 2)
    assert 20 < two < len(crystals.species) - 20


def test_primitive_atoms_against_spglib() -> None:
    import spglib

    crystals = random_crystals(60, seed=4, max_atoms=100)
    atoms, compared = crystals.atoms(), 0
    for k, ours in enumerate(primitive_atoms(crystals)):
        own = slice(atoms.first[k], atoms.first[k + 1])
        cell = (crystals.lattice[k].tolist(), (atoms.fractional[own] % 1).tolist(), atoms.species[own].tolist())
        dataset = spglib.get_symmetry_dataset(cell, symprec=1e-4)
        if dataset is not None and len(dataset.rotations) == len(wyckoff().general(int(crystals.group[k]))[0]):
            compared += 1
            primitive = spglib.find_primitive(cell, symprec=1e-4)
            assert primitive is not None and ours == len(primitive[2])
    assert compared > 30


def test_the_primitive_cell_without_symmetry_is_the_same_crystal() -> None:
    """Every atom of it is one of the conventional cell's, modulo that cell's edges."""
    crystals = random_crystals(60, seed=4)
    for k, size in enumerate(primitive_atoms(crystals)):
        crystal = crystals.take([k])
        free, basis, atoms = without_symmetry(crystal), primitive(int(crystal.group[0])).T, crystal.atoms()
        assert len(free.species) == size and np.isclose(np.linalg.det(basis) * len(atoms.species), size)
        assert np.allclose(
            free.lattice[0] @ free.lattice[0].T, basis @ crystal.lattice[0] @ (basis @ crystal.lattice[0]).T
        )
        offset = (free.coordinates @ basis)[:, None] - atoms.fractional
        away = np.abs(offset - np.rint(offset)).max(axis=2)
        assert (away.min(axis=1) < 1e-9).all() and (free.species == atoms.species[away.argmin(axis=1)]).all()
