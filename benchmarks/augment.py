"""Rows of the augmentation per CPU-second, and what they cover; proof included, one thread.

    python -m benchmarks.augment [--check 1000] [--variants 0]

The shipped set is augmented with the default settings, in this process and in another one with two threads, whose
tables must be the same bytes. Of `--check` random rows the net key and pymatgen's StructureMatcher tell besides whether
they are their source; of `--variants` random rows variants are made and their yield is told.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import spglib
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.structures import to_structure
from legocryst.crystal.io.table import decode
from legocryst.crystal.symmetry.redescription import SAME
from legocryst.environment.target_library import target
from legocryst.settings import AugmentSettings
from legocryst.stages.augment import DESCRIPTION, augment, proof
from legocryst.stages.curate import shipped
from legocryst.topology.nets import nets

SP2 = target("sp2-carbon")


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", type=int, default=1000, help="rows given to the net key and StructureMatcher")
    parser.add_argument("--variants", type=int, default=0, help="rows aimed at when variants are made")
    parser.add_argument("--table", type=Path, help=argparse.SUPPRESS)  # the other process: write the table there
    options = parser.parse_args()
    training = shipped("sp2-carbon")
    augment(
        training.head(2), SP2, AugmentSettings(rows=10)
    )  # compiles or loads compiled code, which is not what is measured
    begin = time.process_time()
    table = augment(training, SP2, AugmentSettings()).table
    seconds = time.process_time() - begin
    if options.table:
        table.to_parquet(options.table)
        return
    figures: dict[str, Any] = {"cpu_seconds": round(seconds, 2), "rows_per_cpu_second": round(len(table) / seconds)}
    figures |= coverage(table) | {"proof": proof_alone(training, table), "two_runs": two_runs(table)}
    if options.check:
        figures["checked"] = checked(training, table, options.check)
    if options.variants:
        figures["variants"] = variants(training, options.variants)
    print(json.dumps(figures))


def coverage(table: pd.DataFrame) -> dict[str, Any]:
    """Return counts of what a table has."""
    crystal = table.drop(columns=list(DESCRIPTION))
    positions = [name for name in crystal if str(name).startswith("wp")]
    rows = table["label"].value_counts()
    kind = np.bincount(2 * (table["k_index"] > 1) + (table["t_index"] > 1), minlength=4).tolist()
    return {
        "rows": len(table),
        "sources": len(rows),
        "groups": int(table["spg"].nunique()),
        "combinations": len(crystal[["spg", *positions]].drop_duplicates()),
        "proved": int((table["deviation"] <= SAME).sum()),
        "largest_deviation": float(table["deviation"].max()),
        "duplicates": int(crystal.round(6).duplicated().sum()),
        "mirror_images": int(table["mirror"].sum()),
        "rows_by_subgroup": dict(zip(("itself", "t", "k", "t and k"), kind, strict=True)),
        "rows_by_cells": table["k_index"].value_counts().sort_index().to_dict(),
        "rows_by_sites": np.bincount((table[positions] >= 0).sum(axis=1)).tolist(),
        "rows_of_a_group": table["spg"].value_counts().quantile([0, 0.25, 0.5, 0.75, 1]).tolist(),
        "rows_of_a_source": rows.quantile([0, 0.05, 0.5, 1]).tolist(),
    }


def proof_alone(training: pd.DataFrame, table: pd.DataFrame) -> dict[str, float]:
    """Return CPU seconds of the proof from the finished table, decoding included."""
    sources = decode(training, mode="strict", max_atoms=10**6, element=6).crystals
    begin = time.process_time()
    proof(sources, table, SP2)
    seconds = time.process_time() - begin
    return {"cpu_seconds": round(seconds, 2), "rows_per_cpu_second": round(len(table) / seconds)}


def two_runs(table: pd.DataFrame) -> dict[str, Any]:
    """Say whether another process, with two threads and another hash seed, writes the same file."""
    with tempfile.TemporaryDirectory() as folder:
        own, other = Path(folder) / "own.parquet", Path(folder) / "other.parquet"
        table.to_parquet(own)
        environment = os.environ | {"OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "7"}
        command = [sys.executable, "-m", "benchmarks.augment", "--table", str(other)]
        subprocess.run(command, env=environment, check=True)
        digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (own, other)]
    return {"sha256": digests[0][:16], "equal": digests[0] == digests[1]}


def checked(training: pd.DataFrame, table: pd.DataFrame, rows: int) -> dict[str, Any]:
    """Count the random rows that have the net key of their source, and those StructureMatcher takes for it."""
    chosen = table.sample(min(rows, len(table)), random_state=0).reset_index(drop=True)
    crystals = decode(chosen, mode="strict", max_atoms=10**6, element=6).crystals
    sources = decode(training, mode="strict", max_atoms=10**6, element=6).crystals
    begin = time.process_time()
    keys = np.array([net.key for net in nets(crystals, cutoff=SP2.bond_window[1])])
    seconds = time.process_time() - begin
    originals = np.array([net.key for net in nets(sources, cutoff=SP2.bond_window[1])])
    matcher = StructureMatcher(scale=False, primitive_cell=False)
    cells = [smallest(sources, k) for k in range(len(sources))]
    matched = sum(
        matcher.fit(cells[label], smallest(crystals, k)) for k, label in enumerate(chosen["label"].to_numpy())
    )
    return {
        "rows": len(chosen),
        "same_net_key": int((keys == originals[chosen["label"]]).sum()),
        "net_key_cpu_seconds": round(seconds, 1),
        "structure_matcher": int(matched),
    }


def smallest(crystals: Crystals, i: int) -> Structure:
    """Return the primitive cell as spglib finds it."""
    structure = to_structure(crystals, i)
    cell: Any = (structure.lattice.matrix, structure.frac_coords, structure.atomic_numbers)
    primitive: Any = spglib.find_primitive(cell, symprec=1e-3)
    return Structure(primitive[0], primitive[2].tolist(), primitive[1])


def variants(training: pd.DataFrame, rows: int) -> dict[str, Any]:
    """Return what became of some rows that were moved a little and relaxed."""
    begin = time.process_time()
    made = augment(training, SP2, AugmentSettings(rows=rows, variants=True))
    seconds = time.process_time() - begin
    return {
        "aimed_at": rows,
        "rows": len(made.table),
        "lost": made.lost,
        "deviation": made.table["deviation"].quantile([0.5, 0.95, 1]).round(4).tolist(),
        "rows_per_cpu_second": round(rows / seconds, 1),
    }


if __name__ == "__main__":
    main()
