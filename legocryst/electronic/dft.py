"""Density functional theory of one crystal with GPAW in plane waves: energy, bands, density of states, charge.

GPAW (Mortensen et al., J. Chem. Phys. 160, 092503, 2024) is the extra `dft`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from legocryst.electronic.brillouin import Path, Primitive
from legocryst.electronic.gap import NEAR, Gap, density_of_states, gap
from legocryst.infra.extras import require
from legocryst.settings import DftSettings

AT_ONCE = 12
"""k-points computed between two reports of progress."""
SPARE = 2
"""Empty bands beside those that are converged, which help them converge."""
DOS_STEP = 0.05
"""eV between two points of a density of states."""
DOS_BELOW, DOS_ABOVE = 22.0, 7.0
"""How far below and above the Fermi level a density of states goes, in eV."""
Progress = Callable[..., None]


class DftError(ValueError):
    """A calculation that is not possible or did not converge; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Dft:
    """What a calculation found, energies in eV; bands and DOS are counted from the Fermi level."""

    energy: float  # a cell, free of smearing, on GPAW's scale
    steps: int  # to the density that reproduces itself
    change: dict[str, float]  # in the last step: energy (eV a cell), density (as GPAW measures it)
    gap: Gap
    path: Path
    bands: np.ndarray  # (k, n)
    dos_energy: np.ndarray  # (m,)
    dos: np.ndarray  # (m,) states per eV and cell, both spins
    density: np.ndarray  # (x, y, z) valence electrons per cubic angstrom in the primitive cell


def calculate(cell: Primitive, settings: DftSettings, *, progress: Progress | None = None) -> Dft:
    """Return energy, bands and density of a crystal in its standard primitive cell.

    `progress(done, total, part=...)`. Raises MissingExtra without GPAW, and DftError where the cell is too large or the
    density does not converge.
    """
    require("dft")
    if len(cell.species) > settings.max_atoms:
        raise DftError(
            f"the primitive cell has {len(cell.species)} atoms, and {settings.max_atoms} are the most: "
            "choose a smaller crystal, or allow more"
        )
    from gpaw import KohnShamConvergenceError

    report = _Report(progress or (lambda done, total, **numbers: None), settings)
    try:
        return _calculated(cell, settings, report)
    except KohnShamConvergenceError as error:
        raise DftError(
            f"the calculation did not converge in {settings.max_steps} steps: allow more, or use a larger smearing"
        ) from error


def _calculated(cell: Primitive, settings: DftSettings, report: "_Report") -> Dft:
    calculator, steps, change = _density(cell, settings, report)
    electrons = round(calculator.get_number_of_electrons())
    bands = (electrons + 1) // 2 + settings.empty

    def levels(kpoints: np.ndarray) -> np.ndarray:
        out = []
        for begin in range(0, len(kpoints), AT_ONCE):
            some = kpoints[begin : begin + AT_ONCE]
            options = {"nbands": bands + SPARE, "convergence": {"bands": bands}, "txt": None}
            fixed = calculator.fixed_density(kpts=some, symmetry="off", **options)
            out += [fixed.get_eigenvalues(kpt=k)[:bands] for k in range(len(some))]
            report.levels(len(some))
        return np.array(out)

    divisions, path = cell.divisions(settings.spacing), cell.path(settings.line_spacing)
    mesh, weights = cell.mesh(divisions)
    kpoints = np.concatenate([mesh, path.kpoints])
    report.points = len(kpoints) + settings.rounds * NEAR
    energies = levels(kpoints)
    result = gap(levels, kpoints, energies, electrons, 1 / divisions, settings, rounds=settings.rounds)
    fermi = float(calculator.get_fermi_level()) if result.band_class == "metal" else (result.top + result.bottom) / 2
    at = np.arange(-DOS_BELOW, DOS_ABOVE, DOS_STEP)
    return Dft(
        energy=float(calculator.get_potential_energy()),
        steps=steps,
        change=change,
        gap=result,
        path=path,
        bands=energies[len(mesh) :] - fermi,
        dos_energy=at,
        dos=density_of_states(energies[: len(mesh)] - fermi, weights, at, width=settings.width),
        density=np.asarray(calculator.get_pseudo_density()),
    )


def _density(cell: Primitive, settings: DftSettings, report: "_Report") -> tuple[Any, int, dict[str, float]]:
    """Return a calculator with the density that reproduces itself, the steps it took, and the change in the last."""
    from ase import Atoms
    from ase.units import Hartree
    from gpaw import GPAW, PW, FermiDirac

    calculator = GPAW(
        mode=PW(settings.cutoff),
        xc=settings.functional,
        kpts={"size": tuple(cell.divisions(settings.spacing).tolist()), "gamma": True},
        occupations=FermiDirac(settings.smearing),
        symmetry={"symmorphic": False},
        convergence={"energy": settings.energy_error, "density": settings.density_error},
        maxiter=settings.max_steps,
        txt=None,
    )
    atoms = Atoms(cell.species, cell=cell.lattice, scaled_positions=cell.fractional, pbc=True)
    energy, change = np.nan, {}
    for step in calculator.iconverge(atoms):
        before, energy = energy, float(step.energies.total_extrapolated) * Hartree
        change = {"energy": abs(energy - before), "density": float(step.dens.error)}
        report.density(step.niter)
    return calculator, step.niter, change


class _Report:
    """Progress in steps to the density, then in k-points."""

    def __init__(self, progress: Progress, settings: DftSettings) -> None:
        self._progress, self._settings, self._done = progress, settings, 0
        self.points = 0  # most k-points that are computed

    def density(self, step: int) -> None:
        self._progress(step, self._settings.max_steps, part="density")

    def levels(self, number: int) -> None:
        self._done += number
        self._progress(self._done, self.points, part="bands")
