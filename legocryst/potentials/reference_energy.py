"""Energies of the crystals that others are measured against: relaxed in the same way, counted in the same way."""

import json
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from legocryst import DATA
from legocryst.environment.target import Target
from legocryst.infra.extras import require
from legocryst.potentials.relaxation import relaxation
from legocryst.settings import EnergySettings
from legocryst.vocabulary.registry import POTENTIALS

REFERENCES = DATA / "energy" / "references.json"
STEPS = 500
"""Most energies computed for a reference."""


def reference_energy(settings: EnergySettings, target: Target) -> float:
    """Return the energy of the crystal from which a target's energies are counted, eV/atom on the model's own scale.

    It is relaxed with the same model, to the same force and stress; layers with dispersion, whose energy is left out.
    Read from `data/energy/references.json`, or computed anew (seconds) where that does not hold the same.
    """
    require("energy")
    return _energy(settings.model, target.of_energy, settings.max_force, settings.max_stress)


@lru_cache(maxsize=64)
def _energy(model: str, target: Target, max_force: float, max_stress: float) -> float:
    stored = json.loads(REFERENCES.read_text(encoding="utf-8")) if REFERENCES.exists() else []
    conditions = _conditions(model, target, max_force, max_stress)
    for entry in stored:
        if {name: entry.get(name) for name in conditions} == conditions:
            return float(entry["energy"])
    return float(_computed(model, target, max_force, max_stress)["energy"])


def _conditions(model: str, target: Target, max_force: float, max_stress: float) -> dict[str, Any]:
    """Return all that the energy of a reference depends on."""
    limits = {"max_force": max_force, "max_stress": max_stress}
    crystal = target.reference.model_dump(mode="json")
    spec = POTENTIALS[model]
    versions = dict(zip(spec.packages or ("file",), spec.identity, strict=True)) | {"dftd3": version("dftd3")}
    return {"model": model, "crystal": crystal, **limits, **versions}


def _computed(model: str, target: Target, max_force: float, max_stress: float) -> dict[str, Any]:
    values = {"model": model, "max_force": max_force, "max_stress": max_stress, "steps": STEPS}
    result = relaxation(target.reference.crystals(), target, EnergySettings.model_validate(values))
    if result.reason or result.not_converged:
        why, name = result.reason or result.not_converged, target.reference.name
        raise ValueError(f"the energy of {name} cannot be computed ({why}): allow larger forces or stress")
    cell = [round(float(value), 4) for value in result.crystal.cell[0, :3]]
    return {**_conditions(model, target, max_force, max_stress), "energy": result.energy, "relaxed_cell": cell}


def write_references(target: Target) -> None:
    """Compute the reference of a target by every model with the default settings, and store them."""
    plain = EnergySettings()
    names = POTENTIALS.names()
    entries = [_computed(name, target.of_energy, plain.max_force, plain.max_stress) for name in names]
    REFERENCES.parent.mkdir(exist_ok=True)
    REFERENCES.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")
