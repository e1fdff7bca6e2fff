"""Strain against values worked out by hand, and against angles from pymatgen's neighbours."""

import numpy as np
import pytest

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.structures import to_structure
from legocryst.crystal.io.table import decode
from legocryst.environment.strain import reference_angles, strain
from legocryst.environment.target_library import target
from legocryst.stages.curate import shipped

GRAPHITE, DIAMOND = target("sp2-carbon"), target("sp3-carbon")


def honeycomb(bond: float, *, c: float = 6.7) -> Crystals:
    """Graphite with another bond length, angstrom."""
    one = GRAPHITE.reference.crystals()
    cell = one.cell.copy()
    cell[0, :3] = bond * np.sqrt(3), bond * np.sqrt(3), c
    return Crystals(one.group, cell, one.first_site, one.species, one.position, one.coordinates)


def test_angles_are_those_of_the_reference() -> None:
    assert np.degrees(reference_angles(GRAPHITE)) == pytest.approx([120] * 3)
    assert np.degrees(reference_angles(DIAMOND)) == pytest.approx([np.degrees(np.arccos(-1 / 3))] * 6)


@pytest.mark.parametrize("stretch", [-0.05, 0.0, 0.02])
def test_stretched_bonds_alone(stretch: float) -> None:
    """Half of the six deviations of each atom are bonds; the angles stay 120 degrees."""
    result = strain(honeycomb(GRAPHITE.bond * (1 + stretch)), GRAPHITE)
    assert result == pytest.approx([abs(stretch) / np.sqrt(2)], abs=1e-12)


def test_same_as_from_pymatgens_neighbours() -> None:
    table = shipped("sp2-carbon")
    crystals = decode(table[table["atoms"] <= 40].iloc[::15], element=6).crystals
    result = strain(crystals, GRAPHITE)
    for k in range(len(crystals)):
        structure = to_structure(crystals, k)
        squares = []
        for site in range(len(structure)):
            near = structure.get_neighbors(structure[site], GRAPHITE.bond_window[1])
            bonds = np.array([other.coords - structure[site].coords for other in near])
            length = np.linalg.norm(bonds, axis=1)
            cosine = (bonds @ bonds.T) / np.outer(length, length)
            theta = np.degrees(np.arccos(cosine[np.triu_indices(3, 1)]))
            squares += [*(length / 1.42 - 1) ** 2, *(theta / 120 - 1) ** 2]
        assert result[k] == pytest.approx(np.sqrt(np.mean(squares)), abs=1e-9)


def test_does_not_depend_on_the_cell_or_on_other_crystals() -> None:
    table = shipped("sp2-carbon").iloc[:8]
    crystals = decode(table, element=6).crystals
    together = strain(crystals, GRAPHITE)
    for k in range(len(crystals)):
        assert strain(crystals.take([k]), GRAPHITE)[0] == pytest.approx(together[k], rel=1e-12)
        atoms = crystals.take([k]).atoms()
        plain = Crystals.build([1], crystals.cell[[k]], [[(6, 0, x.tolist()) for x in atoms.fractional]])
        assert strain(plain, GRAPHITE)[0] == pytest.approx(together[k], rel=1e-9)


def test_undefined_where_bonds_are_missing_or_too_many() -> None:
    diamond, flat = DIAMOND.reference.crystals(), honeycomb(1.42)
    flat.cell[0, 3:] = np.pi  # no volume
    both = Crystals.concatenate([diamond, flat, honeycomb(1.42), honeycomb(2.0)])
    assert np.isnan(strain(both, GRAPHITE)).tolist() == [True, True, False, True]
    stretch = 3.567 * np.sqrt(3) / 4 / DIAMOND.bond - 1
    assert strain(diamond, DIAMOND)[0] == pytest.approx(stretch * np.sqrt(4 / 10))  # four bonds, six angles


def test_reference_that_does_not_fit_is_named() -> None:
    wrong = DIAMOND.model_copy(update={"coordination": 5})
    with pytest.raises(ValueError, match="reference crystal of the target sp3-carbon has not 5 bonds"):
        reference_angles(wrong)
