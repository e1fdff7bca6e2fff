"""The command `energy`: what it says of files, and one sentence for each that is no crystal it can compute."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifWriter
from pymatgen.io.vasp import Poscar

from legocryst.crystal.files import to_cif
from legocryst.crystal.readers import from_cif
from legocryst.crystal.table import decode, encode
from legocryst.environment.targets import target
from legocryst.stages.curate import shipped
from tests.cli.test_commands import PARTIAL

Call = Callable[..., dict[str, Any]]
EMPTY = "data_empty\n_cell_length_a 3\n_cell_length_b 3\n_cell_length_c 3\n" + "".join(
    f"_cell_angle_{name} 90\n" for name in ("alpha", "beta", "gamma")
)
WRONG = {
    "hydrogen.vasp": "it holds H, and energies are counted from graphite: give a crystal of that element only",
    "overlap.vasp": "overlapping atoms: correct the file",
    "touching.vasp": "atoms 1 and 2 of the structure overlap (0.10 angstrom apart): remove one of them",
    "big.vasp": "the crystal has 1000 atoms in its conventional cell, and 800 are the most: give a smaller one",
    "many.vasp": "more than 200 atoms in the primitive cell: allow more with --max-atoms",
    "molecule.vasp": "a molecule in a box: its copies are more than 5 angstrom apart: give a crystal",
    "no_atoms.cif": "no_atoms.cif",
    "partial.cif": "partial occupancy",
    "nan.csv": "not a number",
    "diary.cif": "diary.cif cannot be read as a CIF",
    "nothing.cif": "nothing.cif is empty",
    "two.csv": "two.csv holds 2 crystals: give files of one crystal each",
    "missing.cif": "there is no file",
    "folder": "folder is a folder: name its files",
    "notes.txt": "notes.txt is of no known kind",
}


def diamond() -> Structure:
    return Structure.from_spacegroup("Fd-3m", Lattice.cubic(3.57), ["C"], [[0, 0, 0]])  # origin choice 1


def cluster(edge: float, bond: float, atoms: list[str]) -> Structure:
    """A cube of eight atoms in a box."""
    points = bond * np.stack(np.meshgrid(*[[0.0, 1.0]] * 3), axis=-1).reshape(-1, 3)
    return Structure(Lattice.cubic(edge), atoms, points, coords_are_cartesian=True)


def shaken(cells: int) -> Structure:
    """Diamond of so many cubic cells along each axis, with no symmetry left."""
    many = diamond() * (cells, cells, cells)
    many.perturb(0.03)
    return many


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wrong")
    np.random.seed(0)
    pair = encode(target().reference.crystals())
    structures = {
        "hydrogen": cluster(3.0, 1.5, ["C", "H"] * 4),
        "overlap": Structure(Lattice.cubic(3.0), ["C", "C"], np.array([[0, 0, 0], [0.25, 0, 0]])),
        "touching": Structure(Lattice.cubic(3.0), ["C", "C"], np.array([[0, 0, 0], [0.0333, 0, 0]])),
        "big": shaken(5),
        "many": shaken(3),
        "molecule": cluster(15.0, 1.45, ["C"] * 8),
    }
    for name, structure in structures.items():
        Poscar(structure).write_file(folder / f"{name}.vasp")
    (folder / "no_atoms.cif").write_text(EMPTY)
    (folder / "partial.cif").write_text(PARTIAL)
    pair.assign(x0=np.nan).to_csv(folder / "nan.csv", index=False)
    pd.concat([pair, pair]).to_csv(folder / "two.csv", index=False)
    (folder / "diary.cif").write_text("Dear diary, today I made graphite.\n")
    (folder / "nothing.cif").touch()
    (folder / "folder").mkdir()
    (folder / "notes.txt").write_text("graphite")
    return folder


def test_wrong_files_get_one_sentence_each(wrong: Path, call: Call) -> None:
    found = call("energy", *(wrong / name for name in WRONG))["results"]
    assert [Path(result["file"]).name for result in found] == list(WRONG)
    for result in found:
        assert set(result) == {"file", "error"}
        assert WRONG[Path(result["file"]).name] in result["error"] and "\n" not in result["error"]


def test_good_files_between_wrong_ones(wrong: Path, tmp_path: Path, call: Call) -> None:
    (tmp_path / "graphite.cif").write_text(to_cif(target().reference.crystals()))
    CifWriter(diamond() * (1, 2, 1)).write_file(tmp_path / "diamond.cif")
    files = [tmp_path / "diamond.cif", wrong / "diary.cif", tmp_path / "graphite.cif"]
    first, second, third = call("energy", *files, "--model", "7net-0")["results"]
    assert "error" in second and "error" not in first
    assert first["space_group"] == 227 and first["atoms"] == 2 and first["relaxed"] is False
    assert 0.11 < first["energy_above_reference"] < 0.125 and 0 < third["energy_above_reference"] < 0.005
    assert first["energy_per_atom"] - third["energy_per_atom"] == pytest.approx(
        first["energy_above_reference"] - third["energy_above_reference"], abs=1e-6
    )


def test_relaxed_files(tmp_path: Path, call: Call) -> None:
    table = shipped().set_index("name")
    for name in ("lig", "acs-g"):
        crystal = decode(table.loc[[name]].reset_index()).crystals
        (tmp_path / f"{name}.cif").write_text(to_cif(crystal))
    arguments = ("--relax", "--model", "7net-0", "--steps", 60, "--fmax", 0.05)
    kept, lost = call("energy", tmp_path / "lig.cif", tmp_path / "acs-g.cif", *arguments)["results"]
    assert kept["relaxed"]["net_kept"] and kept["relaxed"]["converged"] and kept["relaxed"]["force"] <= 0.05
    assert kept["energy_above_reference"] < kept["relaxed"]["energy_before"]
    assert not lost["relaxed"]["net_kept"] and lost["energy_above_reference"] < 0.2
    (tmp_path / "again.cif").write_text(kept["relaxed"]["cif"])
    assert from_cif((tmp_path / "again.cif").read_text()).group[0] == kept["space_group"] == 141
    again = call("energy", tmp_path / "again.cif", "--model", "7net-0", "--fmax", 0.05)["results"][0]
    assert again["energy_per_atom"] == pytest.approx(kept["energy_per_atom"], abs=1e-5)


def test_wrong_options(refused: Callable[..., str]) -> None:
    assert "there is no target 'glass'" in refused("energy", "x.cif", "--target", "glass")
    assert "invalid choice: 'nonsense'" in refused("energy", "x.cif", "--model", "nonsense")
    assert "the setting steps is wrong" in refused("energy", "x.cif", "--steps", "0")
