"""Real crystal files put through import: how many are read, how many kept for a target, and why the others are not.

The files are those that installed packages carry: pyxtal's database/cifs, and pymatgen's own test structures and carbon
prototypes, which pymatgen writes as CIFs first. The space group found is compared with pymatgen's.

python -m benchmarks.imports [--target sp2-carbon] [--report REPORT.csv] [PATH ...]
"""

import argparse
import gzip
import json
import os
import tempfile
import time
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pandas as pd

from legocryst.crystal.io.structures import to_structure
from legocryst.environment.target_library import target
from legocryst.settings import CurateSettings
from legocryst.stages.curate import UNREADABLE, examine, select

SP2 = target("sp2-carbon")


def package(name: str) -> Path:
    """Return folder of an installed package, which is not imported."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"the package {name} is not installed")
    return Path(next(iter(spec.submodule_search_locations)))


def written_by_pymatgen(folder: Path) -> list[Path]:
    """Return CIFs of pymatgen's test structures and of its prototypes (AFLOW's) that are carbon."""
    from pymatgen.core import Structure

    home = package("pymatgen")
    named = {path.stem: Structure.from_file(path) for path in sorted((home / "util" / "structures").glob("*.json"))}
    with gzip.open(home / "analysis" / "prototypes" / "aflow_prototypes.json.gz") as file:
        prototypes = json.load(file)
    for entry in prototypes:
        structure, tags = Structure.from_dict(entry["snl"]), entry["tags"]
        if structure.composition.reduced_formula == "C":
            named[f"{tags['aflow']}_{tags['mineral']}".replace(" ", "_")] = structure
    for name, structure in named.items():
        structure.to(filename=str(folder / f"{name}.cif"), fmt="cif")
    return sorted(folder.glob("*.cif"))


def figures(paths: Sequence[Path], settings: CurateSettings) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return what becomes of the files, and the report."""
    began = time.process_time()
    examined = examine(paths, SP2, settings)
    seconds = time.process_time() - began
    table = examined.table
    try:
        report = select(examined, SP2, settings).report
    except ValueError:  # none is kept: the report is what the judge said
        report = table.assign(kept=table["reason"] == "")
    counts = {
        "files": len(paths),
        "offered": len(table),
        "read": int((table["reason"] != UNREADABLE).sum()),
        "group_as_pymatgen": same_groups(examined.crystals),
        "kept": int(report["kept"].sum()),
        "reasons": {str(k): int(n) for k, n in report.loc[~report["kept"], "reason"].value_counts().items()},
        "cpu_seconds": round(seconds, 2),
    }
    return counts, report[["source", "name", "kept", "reason", "detail"]]


def same_groups(crystals: Any) -> int:
    """Return how many crystals have the group that pymatgen finds at the same tolerance."""
    structures = [to_structure(crystals, k) for k in range(len(crystals))]
    groups = [structure.get_space_group_info(0.01)[1] for structure in structures]
    return sum(int(ours == theirs) for ours, theirs in zip(crystals.group, groups, strict=True))


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="other files, folders or archives")
    parser.add_argument("--target", default="sp2-carbon")
    parser.add_argument("--report", type=Path, metavar="REPORT.csv", help="where to write what became of each file")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    settings = CurateSettings(target=options.target)
    sources = {"given": list(options.paths)}
    with tempfile.TemporaryDirectory() as folder:
        if not options.paths:
            cifs = package("pyxtal") / "database" / "cifs"
            sources = {"pyxtal": sorted(cifs.glob("*.cif")), "pymatgen": written_by_pymatgen(Path(folder))}
        results = {name: figures(paths, settings) for name, paths in sources.items()}
    if options.report:
        pd.concat([report for _, report in results.values()]).to_csv(options.report, index=False)
    print(json.dumps({name: measured for name, (measured, _) in results.items()}, indent=1))


if __name__ == "__main__":
    main()
