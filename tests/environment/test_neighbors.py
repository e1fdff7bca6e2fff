"""Neighbour lists against pymatgen, with short and strongly skewed cells."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from legocryst.crystal.crystals import Crystals
from legocryst.environment.neighbors import neighbor_list
from tests.crystals_at_random import random_crystals

CELLS = {
    "short": [1.1, 1.3, 0.9, 90, 90, 90],
    "flat": [8.0, 7.5, 1.0, 90, 90, 90],
    "skewed": [4.0, 5.0, 6.0, 35, 40, 50],
    "obtuse": [3.0, 3.2, 9.0, 130, 60, 120],
}


@pytest.mark.parametrize("name", CELLS)
def test_awkward_cells_agree_with_pymatgen(name: str) -> None:
    rng = np.random.default_rng(5)
    cell = np.array(CELLS[name], float)
    cell[3:] = np.radians(cell[3:])
    points = rng.uniform(-2, 2, (3, 3))
    _agree(Crystals.build([1], cell[None], [[(6, 0, point) for point in points]]), 2.9)


def test_random_symmetric_crystals_agree_with_pymatgen() -> None:
    crystals = random_crystals(20, seed=2, max_atoms=40)
    for k in range(len(crystals)):
        _agree(crystals.take([k]), 2.5)


def test_a_batch_gives_each_crystal_its_own_neighbours() -> None:
    crystals = random_crystals(12, seed=4, max_atoms=60)
    together = neighbor_list(crystals, 2.4)
    of = crystals.crystal_of_site[together.site]
    for k in range(len(crystals)):
        alone = neighbor_list(crystals.take([k]), 2.4).distance
        assert np.array_equal(np.sort(alone), np.sort(together.distance[of == k]))


def _agree(crystals: Crystals, cutoff: float) -> None:
    atoms = crystals.atoms()
    structure = Structure(Lattice(crystals.lattice[0]), ["C"] * len(atoms.site), atoms.fractional)
    first = np.searchsorted(atoms.site, np.arange(len(crystals.species)))
    ours = neighbor_list(crystals, cutoff)
    for site, atom in enumerate(first):
        distance = np.sort(ours.distance[ours.site == site])
        theirs = np.sort([n.nn_distance for n in structure.get_neighbors(structure[atom], cutoff)])
        assert len(distance) == len(theirs)
        assert np.allclose(distance, theirs, atol=1e-8)
