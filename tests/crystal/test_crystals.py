import numpy as np

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.symmetry.wyckoff import wyckoff
from tests.crystals_at_random import random_crystals


def test_atoms_are_closed_under_the_group() -> None:
    crystals = random_crystals(60, seed=4)
    atoms = crystals.atoms()
    for k in range(len(crystals)):
        points = atoms.fractional[atoms.first[k] : atoms.first[k + 1]]
        rotation, translation = wyckoff().general(int(crystals.group[k]))
        images = (points @ np.swapaxes(rotation, 1, 2) + translation[:, None]).reshape(-1, 3)
        offset = images[:, None] - points
        assert np.abs(offset - np.rint(offset)).max(axis=2).min(axis=1).max() < 1e-9


def test_counts_agree_with_atoms() -> None:
    crystals = random_crystals(40, seed=5)
    atoms = crystals.atoms()
    assert np.array_equal(np.diff(atoms.first), crystals.atom_count)
    assert np.array_equal(np.bincount(atoms.site), crystals.multiplicity)
    assert crystals.atom_count.sum() == len(atoms.fractional) == crystals.multiplicity.sum()


def test_diamond() -> None:
    diamond = Crystals.build([227], [[3.567] * 3 + [np.pi / 2] * 3], [[(6, 8, (0.125, 0.125, 0.125))]])
    assert diamond.letters[0] == "a" and diamond.atom_count[0] == 8
    points = diamond.atoms().fractional @ diamond.lattice[0]
    offset = points[:, None] - points
    offset -= np.rint(offset / 3.567) * 3.567
    distance = np.linalg.norm(offset, axis=-1) + 9 * np.eye(8)
    assert np.isclose(distance.min(axis=1), 3.567 * np.sqrt(3) / 4).all()


def test_take_and_concatenate() -> None:
    crystals = random_crystals(12, seed=6)
    again = Crystals.concatenate([crystals.take(slice(0, 5)), crystals.take([]), crystals.take(np.arange(12) >= 5)])
    reversed_twice = crystals.take(np.arange(12)[::-1]).take(np.arange(12)[::-1])
    for other in (again, reversed_twice):
        for name in ("group", "cell", "first_site", "species", "position", "coordinates"):
            assert np.array_equal(getattr(other, name), getattr(crystals, name)), name


def test_an_empty_batch() -> None:
    empty = Crystals.concatenate([])
    assert len(empty) == 0 and len(empty.atoms().fractional) == 0 and empty.lattice.shape == (0, 3, 3)
