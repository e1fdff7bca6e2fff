"""D3 in the primitive cell, mapped back, against s-dftd3's own calculator on the whole cell and finite differences."""

import numpy as np
import pytest
from ase import Atoms
from dftd3.ase import DFTD3

from legocryst.potentials.dispersion import Dispersion
from legocryst.relax.system import System, place, pull_back
from tests.crystals_at_random import spaced_crystals


def test_energy_and_gradient() -> None:
    groups = [2, 5, 9, 12, 36, 43, 62, 88, 146, 166, 194, 214, 227]
    crystals = spaced_crystals(20, seed=5, distance=1.0, max_atoms=32, groups=groups)
    rng = np.random.default_rng(0)
    for k in range(len(crystals)):
        one = crystals.take([k])
        system, lattice = System.build(one), np.empty((3, 3))
        fractional, gradient = np.empty_like(system.base), np.zeros(len(system.reach))
        energy, direction = Dispersion(crystals, k), rng.normal(size=len(system.reach))
        values = []
        for h in (-1e-3, 1e-3, 0.0):
            place(system, 0, 0.1 * direction + h * direction, lattice, fractional)
            value, over_lattice, over_atoms = energy(lattice, fractional)
            values.append(value)
        pull_back(system, 0, over_lattice, over_atoms, gradient)
        # s-dftd3 counts neighbours up to a sharp cutoff, so that its energy has small steps
        assert (values[1] - values[0]) / 2e-3 == pytest.approx(gradient @ direction, rel=3e-3, abs=1e-3)
        cell = Atoms(one.atoms().species, cell=lattice, scaled_positions=fractional, pbc=True)
        cell.calc = DFTD3(method="pbe", damping="d3bj", params_tweaks={"method": "pbe", "atm": False})
        assert values[-1] == pytest.approx(cell.get_potential_energy(), abs=2e-4 * len(cell))
