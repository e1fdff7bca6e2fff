"""Density functional theory of a file of one crystal, and input sets for other programs."""

import argparse
import json
from typing import Any

from legocryst import settings as s
from legocryst.cli.crystal_files import read_one
from legocryst.cli.options import settings_of, target_of
from legocryst.cli.output import Clock, Result, say
from legocryst.infra.extras import require
from legocryst.infra.run_context import RunContext


def dft(options: argparse.Namespace) -> Result:
    """Compute energy, gap, bands, density of states and charge density of each file by GPAW; else its error."""
    clock = Clock()
    require("dft")
    settings, element = settings_of(options, s.DftSettings), target_of(options).atomic_number
    results = []
    for path in options.files:
        crystal_or_reason = read_one(path, element=element, max_atoms=settings.max_atoms)
        entry = (
            {"error": crystal_or_reason}
            if isinstance(crystal_or_reason, str)
            else _entry(crystal_or_reason, settings, path.stem)
        )
        results.append({"file": str(path)} | entry)
        say(f"{path}: {_words(entry)}")
    return {"results": results, "cpu_seconds": clock.seconds()}


def _entry(crystal: Any, settings: s.DftSettings, name: str) -> dict[str, Any]:
    from legocryst.stages.dft import dft as stage

    def progress(done: int, total: int, *, part: str) -> None:
        say(f"{name}: {f'step {done} to the density' if part == 'density' else f'bands at {done} k-points'}")

    try:
        row = stage(crystal, settings, RunContext(progress=progress), name=name).iloc[0].to_dict()
    except ValueError as error:
        return {"error": str(error)}
    names = {"dft_energy": "energy_per_atom", "dft_gap": "gap", "dft_class": "class", "dft_direct": "direct"}
    names |= {"dft_atoms": "atoms"} | {
        f"dft_{name}": name for name in ("settings", "convergence", "bands", "dos", "density", "versions")
    }
    entry = {new: row[old] for old, new in names.items()}
    values = {name: json.loads(value) if str(value).startswith("{") else value for name, value in entry.items()}
    return {name: value.item() if hasattr(value, "item") else value for name, value in values.items()}


def _words(entry: dict[str, Any]) -> str:
    if "error" in entry:
        return f"not computed: {entry['error']}"
    steps = entry["convergence"]["steps"]
    return f"{entry['energy_per_atom']:.4f} eV/atom, {entry['class']}, gap {entry['gap']:.2f} eV ({steps} steps)"


def inputs(options: argparse.Namespace) -> Result:
    """Write input sets for VASP and Quantum ESPRESSO of each file, a folder each under `--out`; else its error."""
    from legocryst.electronic.dft_inputs import input_files

    settings, element = settings_of(options, s.DftSettings), target_of(options).atomic_number
    results: list[dict[str, Any]] = []
    for path in options.files:
        crystal_or_reason = read_one(path, element=element, max_atoms=settings.max_atoms)
        if isinstance(crystal_or_reason, str):
            results.append({"file": str(path), "error": crystal_or_reason})
            say(f"{path}: no input: {crystal_or_reason}")
            continue
        written = input_files(crystal_or_reason, settings, name=path.stem)
        for place, text in written.items():
            (options.out / place).parent.mkdir(parents=True, exist_ok=True)
            (options.out / place).write_text(text, encoding="utf-8")
        results.append({"file": str(path), "written": [str(options.out / place) for place in written]})
    return {"results": results}
