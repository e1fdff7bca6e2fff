"""Relaxation of one crystal with a potential, cell included, that keeps its space group; and what it did.

Where parts of the crystal are joined by no bonds (layers, chains, cages) dispersion takes part in the geometry, never
in the energy.
"""

from dataclasses import dataclass

import numpy as np

from legocryst.crystal.crystals import Crystals
from legocryst.environment.target import Target
from legocryst.potentials.base import apart, one_thread, potential, refusal
from legocryst.potentials.minimize import Energy, added, minimum
from legocryst.relax.system import System, moved_to, place
from legocryst.settings import EnergySettings
from legocryst.topology.nets import Net, bond_graph, nets


@dataclass(frozen=True, slots=True)
class Relaxation:
    """What became of one crystal; energies in eV/atom on the model's own scale, without dispersion."""

    crystal: Crystals  # a batch of one, in the space group and positions it came in
    reason: str  # why it was not relaxed, "" where it was; then the rest means nothing
    energy_before: float = np.nan
    energy: float = np.nan
    dispersion: float = np.nan  # D3, eV/atom; NaN where it takes no part
    net: Net | None = None  # of the relaxed crystal
    net_kept: bool = False
    coordination_kept: bool = False  # every atom has as many bonds as the target wants
    volume_change: float = np.nan  # volume after / before - 1
    rmsd: float = np.nan  # of the atoms, beside the change of the cell, angstrom
    steps: int = 0
    force: float = np.nan  # largest, eV/angstrom
    stress: float = np.nan  # largest component, GPa
    not_converged: str = ""  # why, "" where converged


def relaxation(crystal: Crystals, target: Target, settings: EnergySettings) -> Relaxation:
    """Relax the one crystal of a batch."""
    cutoff = target.bond_window[1]
    reason = refusal(crystal, target, settings.max_atoms, settings.potential)
    if reason:
        return Relaxation(crystal, reason)
    net = nets(crystal, cutoff=cutoff)[0]
    reason = apart(crystal, net, relax=True, reach=settings.potential.reach)
    if reason:
        return Relaxation(crystal, reason)
    system, n = System.build(crystal), int(crystal.atom_count[0])
    dispersion = [] if settings.potential.dispersion else _dispersion(crystal, net)
    with one_thread():
        result = minimum(system, added([potential(settings.model).of(crystal, 0), *dispersion]), settings)
    before, after = _placed(system, np.zeros_like(result.x)), _placed(system, result.x)
    bound = [sum(term(*geometry)[0] for term in dispersion) for geometry in (before, after)]
    relaxed = moved_to(system, result.x, crystal)
    net_after = nets(relaxed, cutoff=cutoff)[0]
    return Relaxation(
        crystal=relaxed,
        reason="",
        energy_before=(result.energy_before - bound[0]) / n,
        energy=(result.energy - bound[1]) / n,
        dispersion=bound[1] / n if dispersion else np.nan,
        net=net_after,
        net_kept=net_after.key == net.key,
        coordination_kept=_coordinated(relaxed, target),
        volume_change=float(relaxed.volume[0] / crystal.volume[0]) - 1,
        rmsd=_rmsd(before[1], *after),
        steps=result.steps,
        force=result.force,
        stress=result.stress,
        not_converged=result.reason,
    )


def _dispersion(crystal: Crystals, net: Net) -> list[Energy]:
    """Return dispersion where something is held together by no bonds, else nothing."""
    if net.components[-1].periodicity == 3:
        return []
    from legocryst.potentials.dispersion import Dispersion

    return [Dispersion(crystal, 0)]


def _placed(system: System, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return lattice (3, 3) and fractional coordinates (a, 3) of the one crystal at its variables."""
    lattice, fractional = np.empty((3, 3)), np.empty_like(system.base)
    place(system, 0, x, lattice, fractional)
    return lattice, fractional


def _rmsd(before: np.ndarray, lattice: np.ndarray, after: np.ndarray) -> float:
    """Give the root mean square move (angstrom) of atoms from fractional coordinates to others, less a common shift."""
    move = after - before
    return float(np.sqrt((((move - move.mean(axis=0)) @ lattice) ** 2).sum(axis=1).mean()))


def _coordinated(crystal: Crystals, target: Target) -> bool:
    edges = bond_graph(crystal, 0, cutoff=target.bond_window[1]).edges
    bonds = np.bincount(edges[:, :2].ravel(), minlength=crystal.atom_count[0])
    return bool((bonds == target.coordination).all())
