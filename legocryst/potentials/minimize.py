"""Minimisation of one crystal in an energy that is given as a Python function, keeping its space group, cell included.

The same L-BFGS on the same symmetry-free variables as the compiled relaxation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from legocryst.relax.lbfgs import ARMIJO, FAILS, HISTORY, Descent, begin, propose, take
from legocryst.relax.system import System, place, pull_back
from legocryst.settings import EnergySettings

Energy = Callable[[np.ndarray, np.ndarray], tuple[float, np.ndarray, np.ndarray]]
"""Energy (eV) of the conventional cell and its gradients over lattice (3, 3) and fractional coordinates (a, 3)."""
GPA = 160.21766
"""Gigapascal in one eV per cubic angstrom (CODATA 2018)."""
GAMMA = 0.02
"""Inverse Hessian (square angstrom per eV) to begin with: that of a stiff bond."""
NOISE = 1e-6
"""Energies (eV/atom) that differ by less are taken as equal: networks compute in single precision."""
VOLUME_RANGE = (1 / 3, 3.0)
"""Ratio of volumes outside which a minimisation ends."""


@dataclass(frozen=True, slots=True)
class Minimum:
    """Where a minimisation ended."""

    x: np.ndarray  # (v,) variables
    energy_before: float  # eV, of the conventional cell
    energy: float
    steps: int  # energies computed
    force: float  # largest on an atom, eV/angstrom
    stress: float  # largest component, GPa
    reason: str  # why it did not converge, "" where it did


def minimum(system: System, energy: Energy, settings: EnergySettings) -> Minimum:
    """Lower the energy of the one crystal of a system until forces and stress are as small as the settings want."""
    d, atoms = _descent(system), len(system.base)
    s, lattice, fractional = begin(d, GAMMA), np.empty((3, 3)), np.empty_like(system.base)
    first = value = force = stress = np.nan
    limits = abs(np.linalg.det(system.lattice[0])) * np.array(VOLUME_RANGE)
    reason, count = f"not converged after {settings.steps} steps", 0
    while count < settings.steps:
        propose(d, s)
        place(system, 0, d.trial, lattice, fractional)
        if not limits[0] < abs(np.linalg.det(lattice)) < limits[1]:
            reason = "the volume changed more than threefold"
            break
        new, lattice_pull, fractional_pull = energy(lattice, fractional)
        count += 1
        if np.isfinite(new) and np.isfinite(lattice_pull).all() and np.isfinite(fractional_pull).all():
            pull_back(system, 0, lattice_pull, fractional_pull, d.trial_gradient)
        elif count == 1:
            reason = "the energy is not a number"
            break
        else:
            new = np.inf
        first = new if count == 1 else first
        rise = new - first - s.value
        if abs(rise) < NOISE * atoms:  # equal but for rounding: the gradient decides
            rise = min(rise, ARMIJO * s.scale * s.slope)
        s = take(d, s, s.value + rise if count > 1 else 0.0, settings.max_step)
        if s.fails == 0:
            value = new
            force = largest_force(system, lattice, d.gradient)
            stress = largest_stress(system, lattice, d.gradient)
            if force <= settings.max_force and stress <= settings.max_stress:
                reason = ""
                break
        elif s.fails >= FAILS:
            reason = "no step lowers the energy"
            break
    return Minimum(d.x, float(first), float(value), count, force, stress, reason)


def added(terms: Sequence[Energy]) -> Energy:
    """Return the sum of energies as one."""

    def total(lattice: np.ndarray, fractional: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        value, over_lattice, over_atoms = 0.0, np.zeros((3, 3)), np.zeros_like(fractional)
        for term in terms:
            part = term(lattice, fractional)
            value, over_lattice, over_atoms = value + part[0], over_lattice + part[1], over_atoms + part[2]
        return value, over_lattice, over_atoms

    return total


def _descent(system: System) -> Descent:
    v = len(system.reach)
    x, trial, gradient, trial_gradient, step = np.zeros((5, v))
    moves, changes = np.zeros((2, HISTORY, v))
    inverse, product = np.zeros((2, HISTORY))
    return Descent(x, trial, gradient, trial_gradient, step, system.reach, moves, changes, inverse, product)


def largest_force(system: System, lattice: np.ndarray, gradient: np.ndarray) -> float:
    """Return the largest force on an atom (eV/angstrom), from the gradient over the variables of the one crystal."""
    first = system.first_atom[:-1]
    free = system.scale > 0
    slope = np.where(free, gradient[system.variable] / np.where(free, system.scale, 1.0), 0.0)
    arm = np.swapaxes(system.rotation[first], 1, 2) @ lattice * free[:, :, None]
    force = np.einsum("sij,sj->si", np.linalg.pinv(arm), slope) / np.diff(system.first_atom)[:, None]
    return float(np.linalg.norm(force, axis=1).max(initial=0.0))


def largest_stress(system: System, lattice: np.ndarray, gradient: np.ndarray) -> float:
    """Return the largest component of the stress (GPa), from the gradient over the variables of the one crystal."""
    cell = int(system.cell_variables[0])
    strain = system.strain[:cell].reshape(cell, 9)
    virial = np.linalg.pinv(strain) @ gradient[:cell]
    return float(np.abs(virial).max()) / abs(float(np.linalg.det(lattice))) * GPA
