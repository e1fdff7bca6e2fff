"""Energies with SevenNet, a machine-learned potential trained on DFT (PBE) whose weights ship in its wheel.

Park et al., J. Chem. Theory Comput. 20, 4857 (2024). Energies are per atom, above graphite relaxed with the same model
and settings; no dispersion enters on either side.
"""

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from legocryst import DATA
from legocryst.crystal.representation import Crystals

if TYPE_CHECKING:
    from ase import Atoms

REFERENCES = DATA / "energy" / "references.json"
MODELS = ("7net-0", "7net-l3i5")
CARBON = 6
SYMPREC = 1e-3
"""Angstrom within which spglib looks for the primitive cell."""


@dataclass(frozen=True, slots=True)
class Energies:
    """One entry a crystal."""

    energy: np.ndarray  # (n,) eV/atom above graphite, NaN where not computed
    reason: np.ndarray  # (n,) object, why not; "" where computed


def energies(
    crystals: Crystals,
    *,
    model: str = "7net-0",
    max_atoms: int = 200,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Energies:
    """Single-point energies of carbon crystals as they stand, in their primitive cells, of at most `max_atoms` atoms.

    `progress(done, total)` after each crystal; when `should_stop()` is true the others carry the reason "stopped".
    Torch uses as many threads as the caller has set. Raises ValueError for an unknown model.
    """
    energy = np.full(len(crystals), np.nan)
    reason = np.full(len(crystals), "", object)
    for k in range(len(crystals)):
        if should_stop is not None and should_stop():
            reason[k:] = "stopped"
            break
        atoms = primitive_cell(crystals, k)
        reason[k] = _refusal(atoms, max_atoms)
        if atoms is not None and not reason[k]:
            energy[k] = energy_per_atom(atoms, model) - reference_energy(model)
        if progress is not None:
            progress(k + 1, len(crystals))
    return Energies(energy, reason)


def _refusal(atoms: "Atoms | None", max_atoms: int) -> str:
    if atoms is None:
        return "spglib finds no cell"
    if (atoms.numbers != CARBON).any():
        return "no reference energy for elements other than carbon"
    if len(atoms) > max_atoms:
        return f"more than {max_atoms} atoms in the primitive cell"
    return ""


def primitive_cell(crystals: Crystals, i: int) -> "Atoms | None":
    """Crystal i in a primitive cell, as ASE atoms; None where spglib finds none."""
    import spglib
    from ase import Atoms

    one = crystals.take([i])
    if not np.nan_to_num(one.volume[0]) > 0:
        return None
    atoms = one.atoms()
    cell = (one.lattice[0].tolist(), (atoms.fractional % 1).tolist(), atoms.species.tolist())
    found = spglib.find_primitive(cell, symprec=SYMPREC)
    if found is None:
        return None
    lattice, positions, numbers = found
    return Atoms(numbers=numbers, scaled_positions=positions, cell=lattice, pbc=True)


def energy_per_atom(atoms: "Atoms", model: str = "7net-0") -> float:
    """Energy of a cell in eV/atom, on the model's own scale."""
    return float(calculator(model).get_potential_energy(atoms)) / len(atoms)


@lru_cache(maxsize=2)
def calculator(model: str = "7net-0") -> Any:
    """The ASE calculator of a model; raises ValueError for an unknown one."""
    if model not in MODELS:
        raise ValueError(f"there is no energy model {model!r}; choose one of {', '.join(MODELS)}")
    from sevenn.calculator import SevenNetCalculator

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="No tensor product accelerator")
        return SevenNetCalculator(model=model, device="cpu")


@lru_cache(maxsize=2)
def reference_energy(model: str = "7net-0") -> float:
    """Energy of graphite in eV/atom on the model's own scale.

    Read from `data/energy/references.json`, or computed anew (seconds) where that holds another version of sevenn.
    """
    stored = json.loads(REFERENCES.read_text(encoding="utf-8")) if REFERENCES.exists() else {}
    entry = stored.get(model, {})
    return float(entry["energy"]) if entry.get("sevenn") == version("sevenn") else graphite_energy(model)


def graphite_energy(model: str = "7net-0") -> float:
    """Energy of graphite, cell and atoms relaxed until no force exceeds 1 meV/angstrom, in eV/atom."""
    from ase.filters import FrechetCellFilter
    from ase.optimize import BFGS

    from legocryst.environment.targets import target

    atoms = primitive_cell(target("sp2-carbon").reference.crystals(), 0)
    assert atoms is not None
    atoms.calc = calculator(model)
    relaxed: Any = FrechetCellFilter(atoms)
    BFGS(relaxed, logfile=None).run(fmax=1e-3, steps=300)
    return energy_per_atom(atoms, model)


def write_references() -> None:
    """Compute the reference of every model and store them."""
    entries = {model: {"energy": graphite_energy(model), "sevenn": version("sevenn")} for model in MODELS}
    REFERENCES.parent.mkdir(exist_ok=True)
    REFERENCES.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
