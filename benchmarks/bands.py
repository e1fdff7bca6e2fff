"""Gaps by tight binding: what they cost, and what GPAW says of the same crystals.

python -m benchmarks.bands                all shipped crystals: classes, ms each by atoms; graphene's Dirac point
python -m benchmarks.bands --dft FOLDER   the twelve crystals, and graphene and diamond, by GPAW too (after `make dft`)

With --dft each crystal's result is kept in FOLDER, so that a call that was cut off goes on. No parameter of the model
was fitted to the twelve. All CPU-s are of one thread.
"""

import argparse
import json
import os
import time
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from pymatgen.core import Lattice, Structure

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.readers import from_cif
from legocryst.crystal.io.structures import from_structure
from legocryst.crystal.io.table import decode
from legocryst.crystal.symmetry.primitive import primitive_atoms
from legocryst.electronic.bands import bands, gaps
from legocryst.electronic.brillouin import primitive
from legocryst.electronic.dft import calculate
from legocryst.environment.target_library import target
from legocryst.settings import BandSettings, DftSettings
from legocryst.stages.curate import shipped

TARGET = target("sp2-carbon")
TWELVE = ("lig", "etb", "eta", "pcu-h", "bto", "twt", "clh", "hcb", "noj", "nta", "noi", "nbo-a")
DFT = DftSettings(cutoff=300, spacing=0.5, line_spacing=0.7, rounds=4, empty=3)
"""Coarse, but the same class: the rounds look for the edges of the gap off mesh and path."""
FINE = DftSettings(cutoff=400, spacing=0.3, line_spacing=0.2, rounds=5)


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--dft", type=Path, metavar="FOLDER", help="compare with GPAW")
    parser.add_argument("--cif", type=Path, nargs="*", default=[], help="crystals of your own to compare too")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.dft is None:
        _dirac()
        _cost()
        return
    options.dft.mkdir(parents=True, exist_ok=True)
    named = {name: _seed(name) for name in TWELVE} | {path.stem: from_cif(path.read_text()) for path in options.cif}
    agreed = [_compared(name, crystal, options.dft) for name, crystal in named.items()]
    print(f"{sum(agreed)} of {len(agreed)} in the same class")
    for name, crystal in (("graphene", _graphene()), ("diamond", target("sp3-carbon").reference.crystals())):
        result = _dft(name, crystal, FINE, options.dft)
        print(f"{name}: GPAW gap {result['gap']:.3f} eV, direct {result['direct']}, {result['cpu_seconds']:.0f} CPU-s")


def _dirac() -> None:
    result = bands(_graphene(), TARGET)
    place = next(at for at, name in result.path.ticks if name == "K")
    near = int(np.abs(result.path.distance - place).argmin())
    print(f"graphene: gap {result.gap.gap:.1e} eV, {result.gap.band_class}, at {result.gap.top_at.round(4).tolist()}")
    print(f"  levels at K: {result.levels[near].round(6).tolist()} eV")


def _cost() -> None:
    table = shipped("sp2-carbon")
    crystals = decode(table, max_atoms=2000, element=6).crystals
    atoms = primitive_atoms(crystals)
    gaps(crystals.take([0]), TARGET)  # loads and compiles
    seconds, classes = np.zeros(len(crystals)), []
    for k in range(len(crystals)):
        start = time.process_time()
        row = gaps(crystals.take([k]), TARGET)[0]
        seconds[k] = time.process_time() - start
        classes.append(row["band_class"] or row["band_reason"].split(" degrees")[0][:40])
    names, counts = np.unique(classes, return_counts=True)
    print(f"{len(crystals)} shipped crystals: {dict(zip(names.tolist(), counts.tolist(), strict=True))}")
    for low, high in ((1, 8), (9, 16), (17, 32), (33, BandSettings().max_atoms)):
        in_range = (atoms >= low) & (atoms <= high)
        print(f"  {low}-{high} atoms: {in_range.sum()} crystals, {1000 * seconds[in_range].mean():.0f} CPU-ms each")


def _compared(name: str, crystal: Crystals, folder: Path) -> bool:
    """Print both answers; whether the class is the same."""
    start = time.process_time()
    ours = bands(crystal, TARGET).gap
    seconds = time.process_time() - start
    theirs = _dft(name, crystal, DFT, folder)
    print(
        f"{name} ({theirs['atoms']} atoms): tight binding {ours.band_class} {ours.gap - ours.overlap:+.2f} eV "
        f"({1000 * seconds:.0f} ms), GPAW {theirs['class']} {theirs['gap'] - theirs['overlap']:+.2f} eV "
        f"({theirs['cpu_seconds']:.0f} CPU-s)",
        flush=True,
    )
    return ours.band_class == str(theirs["class"])


def _dft(name: str, crystal: Crystals, settings: DftSettings, folder: Path) -> dict[str, Any]:
    """Return what GPAW says, as it was kept or computed now."""
    path = folder / f"{name}.json"
    if not path.exists():
        start, cell = time.process_time(), primitive(crystal)
        outcome = calculate(cell, settings)
        result = {
            "gap": outcome.gap.gap,
            "overlap": outcome.gap.overlap,
            "class": outcome.gap.band_class,
            "direct": outcome.gap.direct,
            "atoms": len(cell.species),
            "energy": outcome.energy / len(cell.species),
            "steps": outcome.steps,
            "change": outcome.change,
            "settings": settings.model_dump(),
            "cpu_seconds": time.process_time() - start,
        }
        path.write_text(json.dumps(result))
    kept: dict[str, Any] = json.loads(path.read_text())
    return kept


def _seed(name: str) -> Crystals:
    table = shipped("sp2-carbon")
    return decode(table[table["name"] == name], max_atoms=1000, element=6).crystals


def _graphene() -> Crystals:
    cell = Lattice.hexagonal(2.46, 10.0)
    return from_structure(Structure(cell, ["C", "C"], [[1 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, 0.5]]))


if __name__ == "__main__":
    main()
