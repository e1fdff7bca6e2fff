"""Energies and relaxations with the potentials: what they give, what they cost, and what ASE finds.

python -m benchmarks.energy [--model 7net-0]    graphite and diamond; crystals per CPU-minute at 16 and 40 atoms
python -m benchmarks.energy --seeds             all shipped crystals relaxed: nets and coordination kept
python -m benchmarks.energy --ase 8             that many shipped crystals relaxed by ASE, and by ours

All CPU-s are of one thread. Atoms are those of the primitive cell. "All atoms" is SevenNet's own calculator in the
primitive cell that spglib finds.
"""

import argparse
import os
import time
import warnings
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import torch
from ase import Atoms
from ase.constraints import FixSymmetry
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.structures import to_structure
from legocryst.crystal.io.table import decode
from legocryst.crystal.symmetry.primitive import primitive_atoms
from legocryst.environment.target_library import target
from legocryst.potentials.base import potential
from legocryst.potentials.energies import energies, relaxed
from legocryst.potentials.minimize import minimum
from legocryst.potentials.reference_energy import reference_energy
from legocryst.potentials.relaxation import relaxation
from legocryst.potentials.sevennet import SevenNet
from legocryst.relax.system import System, moved_to
from legocryst.settings import EnergySettings
from legocryst.stages.curate import shipped
from legocryst.topology.nets import nets
from legocryst.vocabulary.registry import POTENTIALS

TARGET = target("sp2-carbon")
SIZES = {16: (16, 16), 40: (36, 44)}
"""Atoms in the primitive cell that stand for a size."""
TIMED = 8
"""Crystals of a size that are timed."""
EXACTLY = {"steps": 25, "max_force": 1e-9, "max_stress": 1e-9}


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--model", choices=POTENTIALS.names(), action="append", help="potential (default: both)")
    parser.add_argument("--seeds", action="store_true", help="relax all shipped crystals")
    parser.add_argument("--ase", type=int, default=0, help="shipped crystals relaxed by ASE too")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="No tensor product accelerator")
    for model in options.model or POTENTIALS.names():
        settings = EnergySettings.model_validate({"model": model})
        relaxed(TARGET.reference.crystals(), TARGET, settings)  # loads and compiles
        if options.seeds:
            _training_crystals(settings)
        elif options.ase:
            _ase(settings, options.ase)
        else:
            _graphite_and_diamond(settings)
            for size, (low, high) in SIZES.items():
                _cost(settings, size, low, high)


def _seed_crystals() -> tuple[pd.DataFrame, Crystals]:
    table = shipped("sp2-carbon")
    return table, decode(table, max_atoms=1000, element=6).crystals


def _graphite_and_diamond(settings: EnergySettings) -> None:
    graphite, diamond = TARGET.reference.crystals(), target("sp3-carbon").reference.crystals()
    pair = Crystals.concatenate([graphite, diamond])
    single, outcome = (
        energies(pair, TARGET, settings).energy,
        relaxed(pair, TARGET, settings),
    )
    free = minimum(System.build(graphite), potential(settings.model).of(graphite, 0), settings)
    without = moved_to(System.build(graphite), free.x, graphite).cell[0]
    after, cell = outcome.table["relaxed_energy"], outcome.crystals.cell
    print(
        f"{settings.model}: diamond - graphite {1e3 * (single[1] - single[0]):+.1f} meV/atom as they stand, "
        f"{1e3 * (after[1] - after[0]):+.1f} relaxed; diamond a {cell[1, 0]:.3f} angstrom; "
        f"graphite with D3 a {cell[0, 0]:.3f} c {cell[0, 2]:.2f}, without {without[0]:.3f}, {without[2]:.2f}"
    )


def _cost(settings: EnergySettings, size: int, low: int, high: int) -> None:
    """Measure crystals per CPU-minute, ours and with all atoms."""
    _, crystals = _seed_crystals()
    atoms = primitive_atoms(crystals)
    chosen = crystals.take(np.flatnonzero((atoms >= low) & (atoms <= high))[:TIMED])
    number = [len(SevenNet(settings.model).of(chosen, k).centre) for k in range(len(chosen))]
    single = _seconds(lambda: energies(chosen, TARGET, settings))
    exactly = settings.model_copy(update=EXACTLY)
    relaxing = _seconds(lambda: [relaxation(chosen.take([k]), TARGET, exactly) for k in range(len(chosen))])
    calculator = _calculator(settings.model)
    cells = [_cell(chosen.take([k]), primitive=True) for k in range(len(chosen))]
    plain = _seconds(lambda: [calculator.calculate(cell) for cell in cells])
    print(
        f"{settings.model}, {len(chosen)} crystals of about {size} atoms in {np.mean(number):.1f} orbits: "
        f"{60 * len(chosen) / single:.0f} single points and {60 * len(chosen) / relaxing:.1f} relaxations of 25 "
        f"energies per CPU-minute; with all atoms {60 * len(chosen) / plain:.0f} single points",
        flush=True,
    )


def _training_crystals(settings: EnergySettings) -> None:
    table, crystals = _seed_crystals()
    start = time.process_time()
    computed = relaxed(crystals, TARGET, settings.model_copy(update={"max_atoms": 1000})).table
    spent, n = time.process_time() - start, int((computed["energy_reason"] == "").sum())
    kept = computed["net_kept"].fillna(False).astype(bool)
    both = kept & computed["coordination_kept"].fillna(False).astype(bool)
    low = both & (table["kind"] == "framework") & (computed["relaxed_energy"] < 0.5)
    print(
        f"{settings.model}, {n} of {len(table)} shipped crystals: {spent:.0f} CPU-s, "
        f"{computed['converged'].sum()} converged, "
        f"{computed['relax_steps'].mean():.1f} energies each (at most {computed['relax_steps'].max()}), "
        f"{60 * n / spent:.1f} crystals per CPU-minute; net kept {kept.sum()} ({kept.sum() / n:.0%}), and "
        f"three-coordinated {both.sum()}; {low.sum()} frameworks below 0.5 eV/atom; median change "
        f"{1e3 * (computed['relaxed_energy'] - computed['energy_before'])[kept].median():.0f} meV/atom where kept",
        flush=True,
    )


def _ase(settings: EnergySettings, number: int) -> None:
    """Compare energies of minima, steps and CPU-s, ours and ASE's with its symmetry constraint on the usual cell."""
    table, crystals = _seed_crystals()
    small, zero = np.flatnonzero(crystals.atom_count <= 16), reference_energy(settings, TARGET)
    chosen = small[:: max(1, len(small) // number)][:number]
    for k in chosen:
        one = crystals.take([k])
        start = time.process_time()
        ours = relaxed(one, TARGET, settings).table.iloc[0]
        between = time.process_time()
        energy, steps = _by_ase(one, settings)
        print(
            f"{settings.model}, {table['name'][k]} ({one.atom_count[0]} atoms): ours less ASE's "
            f"{1e3 * (ours['relaxed_energy'] + zero - energy):+.2f} meV/atom; "
            f"{ours['relax_steps']} energies, {between - start:.1f} CPU-s; "
            f"ASE {steps} energies, {time.process_time() - between:.1f} CPU-s",
            flush=True,
        )


def _by_ase(crystal: Crystals, settings: EnergySettings) -> tuple[float, int]:
    """Return energy in eV/atom, on the model's own scale, of the crystal relaxed by ASE, and the energies it took."""
    from dftd3.ase import DFTD3

    cell, calculator = _cell(crystal), _calculator(settings.model)
    layered = nets(crystal, cutoff=TARGET.bond_window[1])[0].components[-1].periodicity < 3
    tweaks = {"method": "pbe", "atm": False}
    dispersion = DFTD3(damping="d3bj", params_tweaks=tweaks)
    cell.calc = dispersion.add_calculator(calculator) if layered else calculator
    cell.set_constraint(FixSymmetry(cell, symprec=1e-3))
    free: Any = FrechetCellFilter(cell)
    search = BFGS(free, logfile=None)
    search.run(fmax=settings.max_force, steps=300)
    calculator.calculate(cell)
    return calculator.results["energy"] / len(cell), search.nsteps + 1


def _calculator(model: str) -> Any:
    from sevenn.calculator import SevenNetCalculator

    return SevenNetCalculator(model=model, device="cpu")


def _cell(crystal: Crystals, *, primitive: bool = False) -> Atoms:
    structure = to_structure(crystal)
    if primitive:
        structure = structure.get_primitive_structure(0.01)
    return Atoms(
        structure.atomic_numbers, cell=structure.lattice.matrix, scaled_positions=structure.frac_coords, pbc=True
    )


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
