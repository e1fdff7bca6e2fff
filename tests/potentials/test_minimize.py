"""The plain loop: an energy known in closed form, its forces and stress, and every way to end."""

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.lj import LennardJones
from scipy.optimize import minimize_scalar

from legocryst.crystal.crystals import Crystals
from legocryst.potentials.minimize import Energy, added, largest_force, largest_stress, minimum
from legocryst.relax.lbfgs import FAILS, HISTORY, Descent, begin, propose, take
from legocryst.relax.system import System, moved_to, place, pull_back
from legocryst.settings import EnergySettings
from tests.crystals_at_random import spaced_crystals

TIGHT = EnergySettings(steps=200, max_force=1e-3, max_stress=1e-3, max_step=0.2)


def lennard_jones(crystal: Crystals) -> Energy:
    """ASE's Lennard-Jones potential with a smooth cutoff as an energy of the crystal."""
    cell = Atoms(crystal.atoms().species, cell=crystal.lattice[0], pbc=True)
    cell.calc = LennardJones(sigma=2.5, epsilon=0.5, rc=6.0, smooth=True)

    def energy(lattice: np.ndarray, fractional: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        cell.set_cell(lattice)
        cell.set_scaled_positions(fractional)
        virial = cell.get_stress(voigt=False) * cell.get_volume()
        return cell.get_potential_energy(), np.linalg.solve(lattice.T, virial), -cell.get_forces() @ lattice.T

    return energy


def argon() -> Crystals:
    return Crystals.build([225], [[4.8, 4.8, 4.8, *[np.pi / 2] * 3]], [[(18, 11, (0, 0, 0))]])


def test_face_centred_cubic_of_lennard_jones() -> None:
    """The edge that SciPy finds on the same energy; nearest neighbours at 1.09 sigma, the textbook's value."""
    crystal = argon()
    system, energy, points = System.build(crystal), lennard_jones(crystal), crystal.atoms().fractional
    result = minimum(system, energy, TIGHT)
    assert result.reason == "" and result.steps < 20 and result.stress <= 1e-3
    a = moved_to(system, result.x, crystal).cell[0, 0]
    best = minimize_scalar(lambda edge: energy(edge * np.eye(3), points)[0], bounds=(3.4, 4.4), method="bounded")
    assert a == pytest.approx(best.x, abs=1e-4) and result.energy == pytest.approx(best.fun, abs=1e-6)
    assert a / np.sqrt(2) / 2.5 == pytest.approx(1.09, abs=0.01)
    assert result.energy < result.energy_before == pytest.approx(energy(4.8 * np.eye(3), points)[0])


def test_forces_and_stress_are_those_of_the_atoms_where_symmetry_allows_any() -> None:
    groups = [1, 2, 14, 19, 61, 88, 146, 148, 176, 205]
    crystals = spaced_crystals(12, seed=2, distance=1.5, max_atoms=24, groups=groups)
    for k in range(len(crystals)):
        one = crystals.take([k])
        system, energy = System.build(one), lennard_jones(one)
        lattice, fractional, gradient = np.empty((3, 3)), np.empty_like(system.base), np.zeros(len(system.reach))
        place(system, 0, gradient, lattice, fractional)
        _, over_lattice, over_atoms = energy(lattice, fractional)
        pull_back(system, 0, over_lattice, over_atoms, gradient)
        forces = np.linalg.norm(over_atoms @ np.linalg.inv(lattice).T, axis=1)
        assert largest_force(system, lattice, gradient) == pytest.approx(forces.max(), rel=1e-6, abs=1e-9)
        stress = lattice.T @ over_lattice / abs(np.linalg.det(lattice)) * 160.21766
        assert largest_stress(system, lattice, gradient) == pytest.approx(np.abs(stress).max(), rel=1e-6, abs=1e-9)


def test_ways_to_end() -> None:
    crystal = argon()
    system, energy = System.build(crystal), lennard_jones(crystal)

    def nothing(lattice: np.ndarray, fractional: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        return np.nan, np.zeros((3, 3)), np.zeros_like(fractional)

    def swelling(lattice: np.ndarray, fractional: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        return (
            -1e3 * float(np.linalg.norm(lattice)),
            -1e3 * lattice / np.linalg.norm(lattice),
            np.zeros_like(fractional),
        )

    def wrong(lattice: np.ndarray, fractional: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        value, over_lattice, over_atoms = energy(lattice, fractional)
        return value, -over_lattice, over_atoms

    assert minimum(system, nothing, TIGHT).reason == "the energy is not a number"
    assert minimum(system, swelling, TIGHT).reason == "the volume changed more than threefold"
    assert minimum(system, energy, TIGHT.model_copy(update={"steps": 2})).reason == "not converged after 2 steps"
    lost = minimum(system, wrong, TIGHT)
    assert lost.reason == "no step lowers the energy" and lost.steps == FAILS + 1
    assert np.array_equal(lost.x, np.zeros(1)) and lost.energy == lost.energy_before


def test_a_step_into_the_unknown_is_taken_back() -> None:
    crystal = argon()
    system, energy = System.build(crystal), lennard_jones(crystal)

    def broken_beyond(lattice: np.ndarray, fractional: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        value, over_lattice, over_atoms = energy(lattice, fractional)
        return (value if lattice[0, 0] > 3.7 else np.nan), over_lattice, over_atoms

    assert minimum(system, broken_beyond, TIGHT.model_copy(update={"max_step": 2.0})).reason == ""


def test_added_energies() -> None:
    crystal = argon()
    one, lattice, fractional = lennard_jones(crystal), crystal.lattice[0], crystal.atoms().fractional
    for single, double in zip(one(lattice, fractional), added([one, one])(lattice, fractional), strict=True):
        assert np.allclose(2 * np.asarray(single), np.asarray(double))


def test_lbfgs_from_a_plain_loop_finds_the_end_of_rosenbrocks_valley() -> None:
    x, trial, gradient, trial_gradient, step = np.zeros((5, 2))
    x[:] = -1.2, 1.0
    store, inverse, product = np.zeros((2, HISTORY, 2)), np.zeros(HISTORY), np.zeros(HISTORY)
    d = Descent(x, trial, gradient, trial_gradient, step, np.ones(2), store[0], store[1], inverse, product)
    s = begin(d, 1e-3)
    for _ in range(100):
        propose(d, s)
        a, b = trial
        trial_gradient[:] = -400 * a * (b - a * a) - 2 * (1 - a), 200 * (b - a * a)
        s = take(d, s, 100 * (b - a * a) ** 2 + (1 - a) ** 2, 0.5)
        assert np.abs(step).max() <= 0.5 + 1e-12
    assert s.value < 1e-10 and np.allclose(x, 1, atol=1e-4)
