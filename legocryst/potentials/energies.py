"""Energies of crystals above a reference, as they stand and relaxed, by machine-learned potentials.

No dispersion enters an energy, on either side.
"""

from dataclasses import dataclass
from importlib.metadata import version
from math import pi
from typing import TYPE_CHECKING

import numpy as np

from legocryst.crystal.batch import Row, computed, from_text, to_text
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.density import densities
from legocryst.crystal.symmetry.primitive import rotation_orbits
from legocryst.environment.target import Target
from legocryst.infra.run_context import SILENT, RunContext
from legocryst.potentials.base import apart, one_thread, potential, refusal
from legocryst.potentials.reference_energy import reference_energy
from legocryst.potentials.relaxation import relaxation
from legocryst.settings import MEAN_STEPS, SCREEN, EnergySettings
from legocryst.topology.nets import nets
from legocryst.vocabulary.registry import POTENTIALS

if TYPE_CHECKING:
    import pandas as pd

TRUTHS = ("net_kept", "coordination_kept", "converged")
TEXTS = ("energy_model", "energy_reason", "relaxed_key", "relax_reason")
NUMBERS = (
    *("relaxed_energy", "energy_before", "dispersion", "volume_change", "rmsd", "relax_steps", "force", "stress"),
    "relaxed_density",
)


@dataclass(frozen=True, slots=True)
class Energies:
    """One entry a crystal."""

    energy: np.ndarray  # (n,) eV/atom above the reference, NaN where not computed
    reason: np.ndarray  # (n,) object, why not; "" where computed


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a relaxation made of n crystals."""

    crystals: Crystals  # relaxed; as they came where that was not possible
    table: "pd.DataFrame"  # n rows with the columns NUMBERS, TRUTHS and TEXTS, see `legocryst.vocabulary.quantities`


def energies(
    crystals: Crystals,
    target: Target,
    settings: EnergySettings | None = None,
    context: RunContext = SILENT,
) -> Energies:
    """Return single-point energies of crystals as they stand, counted from the reference of the target.

    Of the settings, by default those of the model SCREEN, only the model and the largest cell count. Larger crystals
    carry a reason instead, as do those not done when `context.should_stop()` becomes true ("stopped"). The context is
    used as in `batch.computed`.
    """
    inputs = EnergySettings(model=SCREEN) if settings is None else settings
    settings = EnergySettings(model=inputs.model, max_atoms=inputs.max_atoms)  # rows are kept under what counts only
    zero = reference_energy(settings, target)
    rows = computed(
        crystals,
        _single,
        estimate(crystals, settings.model),
        context,
        name=named("single", settings, target.name),
        shared={"settings": settings, "target": target},
    )
    energy = np.array([row.get("energy", np.nan) if row else np.nan for row in rows], float) - zero
    return Energies(energy, np.array([row["energy_reason"] if row else "stopped" for row in rows], object))


def relaxed(
    crystals: Crystals,
    target: Target,
    settings: EnergySettings | None = None,
    context: RunContext = SILENT,
) -> Outcome:
    """Return crystals relaxed with a potential, cells included, in their space groups, and what that did to each.

    Arguments and exceptions as in `energies`.
    """
    settings = EnergySettings() if settings is None else settings
    zero = reference_energy(settings, target)
    rows = computed(
        crystals,
        _relaxed,
        estimate(crystals, settings.model) * min(MEAN_STEPS, settings.steps),
        context,
        name=named("relaxed", settings, target.name),
        shared={"settings": settings, "target": target},
    )
    parts = [crystals.take([k]) for k in range(len(crystals))]
    for k, row in enumerate(rows):
        if row and row.get("crystal"):
            parts[k] = from_text(row["crystal"])
    after = Crystals.concatenate(parts)
    return Outcome(after, _table(rows, after, settings.model, zero))


def estimate(crystals: Crystals, model: str) -> np.ndarray:
    """Estimate (n,) of the CPU-s that one energy with its gradient takes, on the machine of docs/energy.md."""
    spec = POTENTIALS[model]
    orbits = np.array([len(rotation_orbits(int(position_id))[2]) for position_id in crystals.position_id], float)
    nodes = np.bincount(crystals.crystal_of_site, weights=orbits, minlength=len(crystals))
    with np.errstate(invalid="ignore", divide="ignore"):
        near = 4 / 3 * pi * spec.reach**3 * crystals.atom_count / crystals.volume
    fixed, each = spec.seconds
    return fixed + each * nodes * np.nan_to_num(near, posinf=0.0)


def named(what: str, settings: EnergySettings, *conditions: object) -> str:
    """Return what is computed, under which conditions: rows of one name and one crystal are the same."""
    values = [getattr(settings, name) for name in EnergySettings.model_fields]
    return repr((what, *settings.potential.identity, version("dftd3"), *values, *conditions))


def _single(crystal: Crystals, settings: EnergySettings, target: Target) -> Row:
    """Return energy (eV/atom, the model's own scale) of one crystal, or the reason why there is none."""
    spec = settings.potential
    reason = refusal(crystal, target, settings.max_atoms, spec)
    reason = reason or apart(crystal, nets(crystal, cutoff=target.bond_window[1])[0], relax=False, reach=spec.reach)
    if reason:
        return {"energy": np.nan, "energy_reason": reason}
    try:
        with one_thread():
            energy, _, _ = potential(settings.model).of(crystal, 0)(crystal.lattice[0], crystal.atoms().fractional)
    except (MemoryError, RuntimeError) as error:
        return {"energy": np.nan, "energy_reason": _failed(error)}
    return {"energy": energy / int(crystal.atom_count[0]), "energy_reason": ""}


def _relaxed(crystal: Crystals, settings: EnergySettings, target: Target) -> Row:
    """Return a `Relaxation` as a row; energies on the model's own scale."""
    try:
        result = relaxation(crystal, target, settings)
    except (MemoryError, RuntimeError) as error:
        return {"energy_reason": _failed(error)}
    if result.net is None:
        return {"energy_reason": result.reason}
    return {
        "energy_reason": "",
        "crystal": to_text(result.crystal),
        "relaxed_energy": result.energy,
        "energy_before": result.energy_before,
        "dispersion": result.dispersion,
        "relaxed_key": result.net.key,
        "net_kept": result.net_kept,
        "coordination_kept": result.coordination_kept,
        "volume_change": result.volume_change,
        "rmsd": result.rmsd,
        "relax_steps": result.steps,
        "force": result.force,
        "stress": result.stress,
        "converged": not result.not_converged,
        "relax_reason": result.not_converged,
    }


def _failed(error: Exception) -> str:
    """Return Torch raises RuntimeError where memory is short, too."""
    if isinstance(error, MemoryError) or "memory" in str(error).lower():
        return "not enough memory"
    return f"the potential failed with {type(error).__name__}"


def _table(rows: list[Row | None], after: Crystals, model: str, zero: float) -> "pd.DataFrame":
    import pandas as pd

    table = pd.DataFrame([row or {"energy_reason": "stopped"} for row in rows])
    table = table.reindex(columns=[*NUMBERS, *TRUTHS, *TEXTS])
    done = (table["energy_reason"] == "").to_numpy(bool)
    for name in NUMBERS:
        table[name] = table[name].astype(float)
    for name in ("relaxed_energy", "energy_before"):
        table[name] -= zero
    table["relaxed_density"] = np.where(done, densities(after), np.nan)
    table["relax_steps"] = table["relax_steps"].astype("Int64")
    for name in TRUTHS:
        table[name] = table[name].astype("boolean")
    table["energy_model"] = np.where(done, model, "")
    for name in ("relaxed_key", "relax_reason"):
        table[name] = table[name].fillna("")
    return table
