"""Bands, gap and class of three-coordinated crystals, by tight binding (see `electronic.tight_binding`)."""

from dataclasses import dataclass

import numpy as np

from legocryst.crystal.batch import Row, computed
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.elements import SYMBOLS
from legocryst.crystal.symmetry.primitive import primitive_atoms
from legocryst.electronic.brillouin import Path, Primitive, primitive
from legocryst.electronic.gap import Gap, density_of_states, fermi_level, gap
from legocryst.electronic.tight_binding import BONDS, Hamiltonian, as_crystal, hamiltonian, normals
from legocryst.environment.target import Orbitals, Target
from legocryst.infra.run_context import SILENT, RunContext
from legocryst.potentials.base import refusal
from legocryst.settings import BandSettings
from legocryst.topology.contacts import between_parts

DOS_POINTS = 400
SECONDS = 0.02, 1e-6
"""CPU-s for the gap of any crystal, and for each cubed atom of the primitive cell."""


class NoBands(ValueError):
    """The model does not hold for a crystal; the message says why."""


@dataclass(frozen=True, slots=True)
class Bands:
    """Bands of one crystal, energies in eV above the Fermi level (of the middle of the gap, where there is one)."""

    cell: Primitive
    path: Path
    levels: np.ndarray  # (k, n) along the path
    gap: Gap
    dos_energy: np.ndarray  # (m,)
    dos: np.ndarray  # (m,) states per eV and atom, both spins


def bands(crystal: Crystals, target: Target, settings: BandSettings | None = None) -> Bands:
    """Return bands along the standard path, gap and density of states of the one crystal of a batch.

    Raises NoBands where the model does not hold.
    """
    settings = BandSettings() if settings is None else settings
    cell, model = _model(crystal, target, settings)
    n, divisions = len(cell.species), cell.divisions(settings.spacing)
    mesh, weights = cell.mesh(divisions)
    path = cell.path(settings.line_spacing)
    energies = model.levels(np.concatenate([mesh, path.kpoints]))
    result = _gap(model, cell, mesh, path, energies, settings)
    fermi = (result.top + result.bottom) / 2
    if result.band_class == "metal":
        fermi = fermi_level(energies[: len(mesh)], weights, n, width=settings.width)
    at = np.linspace(energies.min() - 1, energies.max() + 1, DOS_POINTS)
    dos = density_of_states(energies[: len(mesh)], weights, at, width=settings.width) / n
    return Bands(cell, path, energies[len(mesh) :] - fermi, result, at - fermi, dos)


def gaps(
    crystals: Crystals,
    target: Target,
    settings: BandSettings | None = None,
    context: RunContext = SILENT,
) -> list[Row]:
    """Compute `gap` (eV), `band_class` and `band_reason`, why there is no gap or "", of each crystal.

    Crystals not done when `context.should_stop()` becomes true carry the reason "stopped". The context is used as in
    `batch.computed`.
    """
    settings = BandSettings() if settings is None else settings
    rows = computed(
        crystals,
        _row,
        estimate(crystals, settings),
        context,
        name=repr(("gap", target.name, target.orbitals, settings)),
        shared={"target": target, "settings": settings},
    )
    return [row or _without("stopped") for row in rows]


def estimate(crystals: Crystals, settings: BandSettings) -> np.ndarray:
    """Estimate (n,) of the CPU-s that the gap of each takes; 0 for larger ones, which are refused at once."""
    size = primitive_atoms(crystals).astype(float)
    return np.where(size <= settings.max_atoms, SECONDS[0] + SECONDS[1] * size**3, 0.0)


def _row(crystal: Crystals, target: Target, settings: BandSettings) -> Row:
    """Return what is known of the gap of the one crystal of a batch."""
    try:
        cell, model = _model(crystal, target, settings)
    except NoBands as error:
        return _without(str(error))
    mesh, path = cell.mesh(cell.divisions(settings.spacing))[0], cell.path(settings.line_spacing)
    result = _gap(model, cell, mesh, path, model.levels(np.concatenate([mesh, path.kpoints])), settings)
    return {"gap": result.gap, "band_class": result.band_class, "band_reason": ""}


def _without(reason: str) -> Row:
    return {"gap": np.nan, "band_class": "", "band_reason": reason}


def _gap(
    model: Hamiltonian, cell: Primitive, mesh: np.ndarray, path: Path, energies: np.ndarray, settings: BandSettings
) -> Gap:
    step = 1 / cell.divisions(settings.spacing)
    kpoints = np.concatenate([mesh, path.kpoints])
    return gap(model.levels, kpoints, energies, len(cell.species), step, settings, rounds=settings.rounds)


def _model(crystal: Crystals, target: Target, settings: BandSettings) -> tuple[Primitive, Hamiltonian]:
    """Return the primitive cell and its Hamiltonian; raises NoBands."""
    if target.orbitals is None:
        raise NoBands(f"there is no tight-binding model for the target {target.name}")
    if others := sorted({SYMBOLS[k] for k in crystal.species} - {target.element}):
        raise NoBands(f"it holds {', '.join(others)}, and the model is one of {target.element}")
    if reason := refusal(crystal, target, settings.max_atoms):
        raise NoBands(reason)
    try:
        cell = primitive(crystal)
    except ValueError as error:
        raise NoBands(str(error)) from error
    cutoff = target.bond_window[1]
    if reason := _does_not_hold(as_crystal(cell), target.orbitals, cutoff):
        raise NoBands(reason)
    return cell, hamiltonian(cell, target.orbitals, cutoff=cutoff)


def _does_not_hold(crystal: Crystals, orbitals: Orbitals, cutoff: float) -> str:
    """Say why one orbital an atom does not describe the one crystal of a batch, "" where it does."""
    _, number, degrees = normals(crystal, cutoff=cutoff)
    if (number != BONDS).any():
        return f"an atom has {number[number != BONDS][0]} bonds, and the model needs {BONDS}"
    if degrees.max() > orbitals.off_plane:
        return f"an atom's bonds are more than {orbitals.off_plane:g} degrees off one plane"
    if between_parts(crystal, cutoff=cutoff, reach=orbitals.apart) < orbitals.apart:
        return f"its parts are nearer than {orbitals.apart:g} angstrom to each other"
    return ""
