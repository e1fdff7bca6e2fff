"""Crystals of other elements than carbon, and what a run to a target made of one must have done."""

from pathlib import Path
from typing import Any

from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifWriter

CRYSTALS: dict[str, tuple[str, Lattice, list[float]]] = {
    "Si": ("Fd-3m", Lattice.cubic(5.431), [0, 0, 0]),
    "As": ("R-3m", Lattice.hexagonal(3.760, 10.548), [0, 0, 0.2271]),
    "P": ("Cmce", Lattice.orthorhombic(3.3136, 10.478, 4.3763), [0, 0.10168, 0.08056]),
}
"""Silicon (in pymatgen's origin choice 1), grey arsenic and black phosphorus: group, cell, the one site."""


def cif_of(element: str, folder: Path) -> Path:
    """A file of the crystal of an element."""
    group, lattice, point = CRYSTALS[element]
    path = folder / f"{element}.cif"
    CifWriter(Structure.from_spacegroup(group, lattice, [element], [point]), symprec=0.01).write_file(path)
    return path


def check(counts: dict[str, Any]) -> None:
    """Hold the counts of a finished run to a target of one known crystal against what they must be."""
    assert counts["seeds"] == 1 and counts["model"] == "random" and "1 crystal" in counts["substitute"]
    assert counts["sampled"] == 1000 and counts["new"] > 0 and counts["energies"] > 0
    rejected = counts["undecodable"] + sum(counts["invalid"].values())
    assert counts["sampled"] == rejected + counts["duplicate"] + counts["known"] + counts["new"]
