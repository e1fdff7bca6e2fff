"""Distributions of graphite and diamond against what geometry says, and of others against pymatgen's neighbours."""

import numpy as np
import pytest

from legocryst.crystal.io.structures import to_structure
from legocryst.crystal.io.table import decode
from legocryst.environment.distributions import mean_angular, mean_radial
from legocryst.environment.target_library import target
from legocryst.stages.curate import shipped

GRAPHITE = target("sp2-carbon").reference.crystals()
DIAMOND = target("sp3-carbon").reference.crystals()
R = np.linspace(0.5, 4.0, 1401)


def neighbors(curve: np.ndarray, low: float, high: float) -> float:
    inside = (low < R) & (high > R)
    return float(np.trapezoid(curve[inside], R[inside]))


def test_peaks_hold_the_neighbours() -> None:
    curve = mean_radial(GRAPHITE, R)
    near = R < 2.6
    assert R[near][curve[near].argmax()] == pytest.approx(2.46, abs=3e-3)
    assert neighbors(curve, 1.1, 1.8) == pytest.approx(3, abs=1e-3)
    assert neighbors(curve, 2.1, 2.65) == pytest.approx(6, abs=1e-2)
    assert neighbors(mean_radial(DIAMOND, R), 1.2, 1.9) == pytest.approx(4, abs=1e-3)


def test_angular_series_of_flat_trigonal_and_tetrahedral_bonds() -> None:
    """Nine at l = 0, 3, 6, none between for three bonds in a plane; for four, 4 + 12 cos(l 109.47 degrees)."""
    assert mean_angular(GRAPHITE, cutoff=1.7, l_max=6) == pytest.approx([9, 0, 0, 9, 0, 0, 9], abs=1e-9)
    level = np.arange(7)
    expected = 4 + 12 * np.cos(level * np.arccos(-1 / 3))
    assert mean_angular(DIAMOND, cutoff=1.75, l_max=6) == pytest.approx(expected)


def test_means_over_all_atoms_as_with_pymatgen() -> None:
    table = shipped("sp2-carbon")
    crystals = decode(table[(table["atoms"] <= 40) & (table["wp1"] >= 0)].iloc[::12], element=6).crystals
    for i in range(len(crystals)):
        structure = to_structure(crystals, i)
        distance = structure.get_neighbor_list(4.3)[3]
        gauss = np.exp(-(((R[:, None] - distance) / 0.05) ** 2) / 2) / 0.05 / np.sqrt(2 * np.pi)
        assert mean_radial(crystals, R, i=i) == pytest.approx(gauss.sum(axis=1) / len(structure), abs=1e-4)
