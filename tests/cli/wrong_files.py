"""Files that are no crystal to identify or to compute an energy of, and what each command says of them."""

from pathlib import Path

import numpy as np
import pandas as pd
from pymatgen.core import Lattice, Structure
from pymatgen.io.vasp import Poscar

from legocryst.crystal.io.table import encode
from legocryst.environment.target_library import target
from tests.cli.test_commands import PARTIAL

EMPTY = "data_empty\n_cell_length_a 3\n_cell_length_b 3\n_cell_length_c 3\n" + "".join(
    f"_cell_angle_{name} 90\n" for name in ("alpha", "beta", "gamma")
)
ONE_ATOM = "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
BOTH = {
    "overlap.vasp": "overlapping atoms: correct the file",
    "touching.vasp": "atoms 1 and 2 of the structure overlap (0.10 angstrom apart): remove one of them",
    "molecule.vasp": "a molecule in a box: its copies are more than 5 angstrom apart: give a crystal",
    "element.cif": "the structure has dummy atoms (Qq): give real elements only",
    "dummy.vasp": "the structure has dummy atoms (X): give real elements only",
    "no_cell.xyz": "the atoms have no cell with a volume: give a crystal",
    "flat.vasp": "the cell of the structure is impossible",
    "no_atoms.cif": "no_atoms.cif",
    "partial.cif": "partial occupancy: give an ordered structure",
    "nan.csv": "not a number",
    "nan.vasp": "nan.vasp: the structure has coordinates or cell lengths that are not numbers: correct the file",
    "nan.cif": "coordinates or cell lengths that are not numbers (a coordinate of C1 is 'nan'): correct it",
    "diary.cif": "diary.cif cannot be read as a CIF",
    "nothing.cif": "nothing.cif is empty",
    "two.csv": "two.csv holds 2 crystals: give files of one crystal each",
    "missing.cif": "there is no file",
    "folder": "folder is a folder: name its files",
    "notes.txt": "notes.txt is of no known kind",
}
ENERGY = BOTH | {
    "hydrogen.vasp": "it holds H, and energies are counted from graphite: give a crystal of the target's element only",
    "big.vasp": "the crystal has 1000 atoms in its conventional cell, and 800 are the most: give a smaller one",
    "5000.vasp": "the crystal has 5000 atoms in its conventional cell, and 800 are the most: give a smaller one",
    "many.vasp": "more than 200 atoms in the primitive cell: allow more with --max-atoms",
}
IDENTIFY = BOTH | {
    "hydrogen.vasp": "it holds H, and the bonds of sp2-carbon are between atoms of C: give a crystal of that element",
    "5000.vasp": "the crystal has 5000 atoms in its conventional cell, and 4000 are the most: give a smaller one",
    "middle.vasp": "more than 1000 atoms in the primitive cell: allow more with --max-atoms",
}


def diamond() -> Structure:
    return Structure.from_spacegroup("Fd-3m", Lattice.cubic(3.57), ["C"], [[0, 0, 0]])  # origin choice 1


def cluster(edge: float, bond: float, atoms: list[str]) -> Structure:
    """A cube of eight atoms in a box."""
    points = bond * np.stack(np.meshgrid(*[[0.0, 1.0]] * 3), axis=-1).reshape(-1, 3)
    return Structure(Lattice.cubic(edge), atoms, points, coords_are_cartesian=True)


def rattled(*cells: int) -> str:
    """Diamond of some cubic cells along each axis, with no symmetry left, as a POSCAR."""
    corners = np.stack(np.meshgrid(*map(np.arange, cells)), axis=-1).reshape(-1, 1, 3)
    points = (diamond().frac_coords + corners).reshape(-1, 3) * 3.57
    points += np.random.default_rng(0).normal(scale=0.03, size=points.shape)
    edges = "".join(" ".join(map(str, row)) + "\n" for row in np.diag(cells) * 3.57)
    rows = "".join(f"{x:.6f} {y:.6f} {z:.6f}\n" for x, y, z in points)
    return f"shaken\n1.0\n{edges}C\n{len(points)}\nCartesian\n{rows}"


def write(folder: Path) -> None:
    """All of them but the one that is missing."""
    pair = encode(target("sp2-carbon").reference.crystals())
    structures = {
        "hydrogen": cluster(3.0, 1.5, ["C", "H"] * 4),
        "overlap": Structure(Lattice.cubic(3.0), ["C", "C"], np.array([[0, 0, 0], [0.25, 0, 0]])),
        "touching": Structure(Lattice.cubic(3.0), ["C", "C"], np.array([[0, 0, 0], [0.0333, 0, 0]])),
        "molecule": cluster(15.0, 1.45, ["C"] * 8),
    }
    for name, structure in structures.items():
        Poscar(structure).write_file(folder / f"{name}.vasp")
    for name, cells in {"big": (5, 5, 5), "middle": (5, 5, 6), "5000": (5, 5, 25), "many": (3, 3, 3)}.items():
        (folder / f"{name}.vasp").write_text(rattled(*cells))
    lines = Poscar(diamond()).get_str().splitlines()
    edited = {
        "dummy.vasp": {5: "X"},
        "flat.vasp": {4: "0.0 0.0 0.0"},
        "nan.vasp": {8: "nan 0.0 0.0 C"},
    }
    for name, new in edited.items():
        (folder / name).write_text("\n".join(new.get(k, line) for k, line in enumerate(lines)) + "\n")
    (folder / "no_cell.xyz").write_text("2\nno cell\nC 0 0 0\nC 0 0 1.4\n")
    (folder / "no_atoms.cif").write_text(EMPTY)
    (folder / "element.cif").write_text(f"{EMPTY}{ONE_ATOM}Qq1 0.1 0.2 0.3\n")
    (folder / "nan.cif").write_text(f"{EMPTY}{ONE_ATOM}C1 nan 0.2 0.3\n")
    (folder / "partial.cif").write_text(PARTIAL)
    pair.assign(x0=np.nan).to_csv(folder / "nan.csv", index=False)
    pd.concat([pair, pair]).to_csv(folder / "two.csv", index=False)
    (folder / "diary.cif").write_text("Dear diary, today I made graphite.\n")
    (folder / "nothing.cif").touch()
    (folder / "folder").mkdir()
    (folder / "notes.txt").write_text("graphite")
