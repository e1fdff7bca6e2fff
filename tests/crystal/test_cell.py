import numpy as np
import pytest
import spglib
from pymatgen.core import Lattice

from legocryst.crystal import cell as cells


def random_cells(n: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.c_[rng.uniform(2, 20, (n, 3)), np.radians(rng.uniform(65, 115, (n, 3)))]


def test_lattice_is_pymatgens_up_to_rotation() -> None:
    for cell in random_cells(20):
        theirs = Lattice.from_parameters(*cell[:3], *np.degrees(cell[3:]))
        ours = cells.lattice(cell)
        assert np.allclose(ours @ ours.T, theirs.matrix @ theirs.matrix.T)
        assert cells.volume(cell) == pytest.approx(theirs.volume)


def test_cell_of_inverts_lattice() -> None:
    cell = random_cells(50)
    assert np.allclose(cells.cell_of(cells.lattice(cell)), cell)


def test_an_impossible_cell_has_no_volume() -> None:
    assert np.isnan(cells.volume(np.array([3.0, 3, 3, 0.3, 0.3, 2.0])))


def test_crystal_systems_are_those_of_spglib() -> None:
    # First and last group of each system, with its point group: the borders are what can be wrong.
    borders = {1: "1", 2: "-1", 3: "2", 15: "2/m", 16: "222", 74: "mmm", 75: "4", 142: "4/mmm", 143: "3", 167: "-3m"}
    borders |= {168: "6", 194: "6/mmm", 195: "23", 230: "m-3m"}
    kinds = [kind for hall in range(1, 531) if (kind := spglib.get_spacegroup_type(hall))]
    point_group = {kind.number: kind.pointgroup_international for kind in kinds}
    assert {group: point_group[group] for group in borders} == borders
    names = ["triclinic"] * 2 + ["monoclinic"] * 2 + ["orthorhombic"] * 2 + ["tetragonal"] * 2 + ["trigonal"] * 2
    names += ["hexagonal"] * 2 + ["cubic"] * 2
    assert [cells.crystal_system(group) for group in borders] == names


def test_symmetrized_cells_are_invariant_under_their_group_and_have_the_free_parameters_promised() -> None:
    from legocryst.crystal.symmetry.wyckoff import wyckoff

    for group in range(1, 231):
        cell = cells.symmetrized(np.array([group]), random_cells(1))[0]
        metric = cells.lattice(cell) @ cells.lattice(cell).T
        rotations = np.unique(wyckoff().general(group)[0], axis=0)
        assert np.allclose(np.swapaxes(rotations, 1, 2) @ metric @ rotations, metric), group
        # The metrics a group allows are those the mean over its operations leaves: as many as the mean has rank.
        mean = sum(np.kron(r.T, r.T) for r in rotations) / len(rotations)
        antisymmetric = round(sum((np.trace(r) ** 2 - np.trace(r @ r)) / 2 for r in rotations) / len(rotations))
        assert round(np.trace(mean)) - antisymmetric == cells.free_parameters(group), group


def test_symmetrized_takes_the_mean_of_equal_lengths() -> None:
    cell = np.array([[4.0, 4.2, 9.0, 1.5, 1.6, 2.0], [4.0, 4.2, 4.4, 1.5, 1.6, 2.0]])
    fixed = cells.symmetrized(np.array([166, 225]), cell)
    assert np.allclose(fixed[0], [4.1, 4.1, 9.0, np.pi / 2, np.pi / 2, 2 * np.pi / 3])
    assert np.allclose(fixed[1], [4.2] * 3 + [np.pi / 2] * 3)
