"""The drawing of a crystal against the bond graph and pymatgen's neighbours."""

import numpy as np
import pytest

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.structures import to_structure
from legocryst.crystal.io.table import decode
from legocryst.crystal.symmetry.wyckoff import wyckoff
from legocryst.stages.curate import shipped
from legocryst.ui.widgets.scene import SceneError, scene, turned

CUTOFF = 1.7


@pytest.fixture(scope="module")
def crystals() -> Crystals:
    table = shipped("sp2-carbon")
    return decode(table[table["atoms"] <= 64].iloc[::12], element=6).crystals


@pytest.mark.parametrize("supercell", [(1, 1, 1), (2, 1, 3)])
def test_every_atom_inside_has_its_three_bonds(crystals: Crystals, supercell: tuple[int, int, int]) -> None:
    for i in range(len(crystals)):
        drawn = scene(crystals, i, cutoff=CUTOFF, supercell=supercell)
        degree = np.bincount(drawn.bonds.ravel(), minlength=len(drawn.positions))
        assert set(degree[drawn.inside]) == {3}
        ends = drawn.positions[drawn.bonds]
        length = np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)
        assert length.min() > 1.2 and length.max() <= CUTOFF
        assert len(np.unique(np.sort(drawn.bonds, axis=1), axis=0)) == len(drawn.bonds)


def test_atoms_are_those_of_pymatgen(crystals: Crystals) -> None:
    for i in range(len(crystals)):
        drawn, structure = scene(crystals, i, cutoff=CUTOFF), to_structure(crystals, i)
        fractional = drawn.positions[drawn.inside] @ np.linalg.inv(drawn.axes)
        assert fractional.min() > -2e-3 and fractional.max() < 1 + 2e-3  # in the cell, faces included
        offset = fractional[:, None] - structure.frac_coords
        distance = np.linalg.norm((offset - np.rint(offset)) @ structure.lattice.matrix, axis=-1)
        assert distance.min(axis=1).max() < 1e-3
        assert set(distance.argmin(axis=1)) == set(range(len(structure)))


def test_atom_at_a_corner_is_drawn_at_all_eight() -> None:
    right = np.pi / 2
    last = len(wyckoff().positions(221)) - 1  # 1a
    corner = Crystals.build([221], [[1.5, 1.5, 1.5, right, right, right]], [[(6, last, (0, 0, 0))]])
    alone = scene(corner, cutoff=1.6, across=False)
    assert alone.inside.sum() == len(alone.positions) == 8
    assert len(alone.bonds) == len(alone.edges) == 12
    across = scene(corner, cutoff=1.6)
    assert len(across.bonds) == 12 + 24  # three more leave each corner


def test_cells_share_their_edges(crystals: Crystals) -> None:
    drawn = scene(crystals, 0, cutoff=CUTOFF, supercell=(2, 2, 2))
    assert len(drawn.edges) == 3 * 2 * 9
    length = np.linalg.norm(drawn.edges[:, 0] - drawn.edges[:, 1], axis=1)
    assert np.unique(length.round(6)) == pytest.approx(np.unique(crystals.cell[0, :3].round(6)))


def test_too_many_atoms_are_refused_in_one_sentence(crystals: Crystals) -> None:
    with pytest.raises(SceneError, match="choose a smaller supercell"):
        scene(crystals, int(crystals.atom_count.argmax()), cutoff=CUTOFF, supercell=(9, 9, 9))


def test_a_turned_scene_keeps_its_shape(crystals: Crystals) -> None:
    drawn = scene(crystals, 0, cutoff=CUTOFF)
    turn = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0.0]])
    for matrix in (turn, -turn):
        other = turned(drawn, drawn.axes @ matrix)
        assert np.allclose(other.axes, drawn.axes @ matrix) and np.array_equal(other.bonds, drawn.bonds)
        before, after = (np.linalg.norm(s.positions[:, None] - s.positions, axis=-1) for s in (drawn, other))
        assert np.allclose(before, after)
        before, after = (s.positions @ np.linalg.inv(s.axes) for s in (drawn, other))
        assert np.allclose(before, after)
