"""The commands `identify` and `powder`: what they say of files, and one sentence for each that is no crystal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymatgen.io.ase import AseAtomsAdaptor
from pymatgen.io.cif import CifWriter
from pymatgen.io.vasp import Poscar

from legocryst.crystal.io.structures import to_cif, to_structure
from legocryst.crystal.io.table import decode
from legocryst.database.store import snapshot
from legocryst.environment.target_library import target
from legocryst.jobs.worker import work
from legocryst.stages.curate import shipped
from tests.cli.wrong_files import IDENTIFY, diamond
from tests.workspaces import tiny_job

SP2 = target("sp2-carbon")

Call = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("name", IDENTIFY)
def test_wrong_file_gets_one_sentence(name: str, wrong: Path, call: Call) -> None:
    (result,) = call("identify", wrong / name)["results"]
    assert set(result) == {"file", "error"} and Path(result["file"]).name == name
    assert IDENTIFY[name] in result["error"] and "\n" not in result["error"]


def test_shipped_crystals_are_named(tmp_path: Path, call: Call) -> None:
    """As CIFs, POSCARs and extended XYZ, between files that are wrong."""
    table = shipped("sp2-carbon")
    table = table[table["atoms"] <= 16].iloc[::6].reset_index(drop=True)
    crystals = decode(table, element=6).crystals
    files, expected = [], []
    for k, (name, key) in enumerate(zip(table["name"], table["net_key"], strict=True)):
        structure = to_structure(crystals, k) * (1, 1, 1 + k % 2)
        path = tmp_path / f"{k}.{('cif', 'vasp', 'extxyz')[k % 3]}"
        if path.suffix == ".cif":
            CifWriter(structure).write_file(path)
        elif path.suffix == ".vasp":
            Poscar(structure).write_file(path)
        else:
            AseAtomsAdaptor.get_atoms(structure).write(path, format="extxyz")
        files += [path, tmp_path / f"{k}.missing"]
        expected.append((name, key))
    results = call("identify", *files)["results"]
    assert [Path(result["file"]) for result in results] == files
    assert all("error" in result for result in results[1::2])
    for result, (name, key) in zip(results[::2], expected, strict=True):
        assert (result["net"], result["key"], result["novelty"]) == (name, key, "in training set")
        near = result["nearest"]
        assert near["name"] == name and near["same_net"] and near["distance"] < 1e-3


def test_what_is_told_of_a_net(tmp_path: Path, call: Call) -> None:
    (tmp_path / "graphite.cif").write_text(to_cif(SP2.reference.crystals()))
    CifWriter(diamond() * (1, 2, 1)).write_file(tmp_path / "diamond.cif")
    layers, dia = call("identify", tmp_path / "graphite.cif", tmp_path / "diamond.cif")["results"]
    assert layers["duplicate_of"] is None and dia["duplicate_of"] is None
    assert layers["net"] == "hcb" and layers["kind"] == "layers" and layers["periodicity"] == 2
    assert layers["coordination_sequence"] == [list(range(3, 37, 3))] and layers["point_symbol"] == "{6^3}"
    assert layers["rings"] == {"6": 1} and layers["interpenetration"] == 0
    assert dia["net"] == "dia" and dia["novelty"] == "known net" and dia["atoms"] == 2
    assert dia["coordination_sequence"][0][:4] == [4, 12, 24, 42] and dia["point_symbol"] == "{6^6}"
    assert dia["nearest"]["distance"] > 0.3 and not dia["nearest"]["same_net"]


def test_duplicates_among_the_files(tmp_path: Path, call: Call) -> None:
    (tmp_path / "graphite.cif").write_text(to_cif(SP2.reference.crystals()))
    apart = to_structure(SP2.reference.crystals())
    apart.scale_lattice(apart.volume * 1.03)
    Poscar(apart * (2, 1, 1)).write_file(tmp_path / "larger.vasp")
    files = [tmp_path / name for name in ("graphite.cif", "missing.cif", "larger.vasp")]
    first, missing, same = call("identify", *files)["results"]
    assert first["duplicate_of"] is None and "error" in missing
    assert same["duplicate_of"]["file"] == str(files[0])
    assert same["duplicate_of"]["reason"] == "same net, same geometry (0.00 Å apart)"


def test_reference_and_workspace(tmp_path: Path, call: Call) -> None:
    """A net of the user's own is known once it stands in a reference set or in a workspace's database."""
    job = tiny_job(tmp_path)
    work(job)
    with snapshot(tmp_path / "w") as store:
        rows = store.query("SELECT * FROM candidates WHERE status = 'valid' ORDER BY novelty = 'new' DESC, id")
    assert len(rows) and rows["nearest"].ne("").all() and (rows["nearest_distance"] >= 0).all()
    row = rows.iloc[[0]]
    path = tmp_path / "one.cif"
    path.write_text(to_cif(decode(row, element=6).crystals))
    plain, known, own = (
        call("identify", path, *more)["results"][0]
        for more in ((), ("--reference", path), ("--workspace", tmp_path / "w"))
    )
    assert plain["key"] == known["key"] == own["key"] == row["net_key"].iloc[0]
    assert own["nearest"]["distance"] < 1e-3 and own["nearest"]["same_net"]
    assert known["nearest"]["distance"] < 1e-3
    assert row["novelty"].iloc[0] == plain["novelty"] == "new"
    assert own["novelty"] == "in database" and own["nearest"]["set"] == "database"
    assert known["novelty"] == "in reference set" and known["nearest"]["set"] == "reference set"


def test_wrong_options(refused: Callable[..., str], tmp_path: Path) -> None:
    assert "there is no target 'glass'" in refused("identify", "x.cif", "--target", "glass")
    assert "is no workspace, it holds no jobs" in refused("identify", "x.cif", "--workspace", tmp_path)
    assert "the setting max_atoms is wrong" in refused("identify", "x.cif", "--max-atoms", "0")
    (tmp_path / "graphite.cif").write_text(to_cif(SP2.reference.crystals()))
    text = refused("powder", tmp_path / "graphite.cif", "--min-angle", "60", "--max-angle", "50")
    assert "the smallest angle (60) is not below the largest (50): change one" in text


def test_powder_patterns(tmp_path: Path, wrong: Path, call: Call) -> None:
    (tmp_path / "graphite.cif").write_text(to_cif(SP2.reference.crystals()))
    CifWriter(diamond()).write_file(tmp_path / "diamond.cif")
    files = [tmp_path / "diamond.cif", wrong / "nothing.cif", tmp_path / "graphite.cif"]
    dia, nothing, graphite = call("powder", *files)["results"]
    assert "is empty" in nothing["error"] and dia["likeness"] == pytest.approx(1) and graphite["likeness"] < 0.2
    assert [peak["hkl"] for peak in dia["peaks"]] == [[[1, 1, 1]], [[2, 2, 0]]]
    for peak in dia["peaks"]:  # Bragg, of a cubic crystal
        spacing = 3.57 / np.linalg.norm(peak["hkl"][0])
        assert peak["d"] == pytest.approx(spacing)
        assert 2 * spacing * np.sin(np.radians(peak["two_theta"] / 2)) == pytest.approx(1.54184, abs=1e-4)
    largest = max(graphite["peaks"], key=lambda peak: peak["intensity"])
    assert largest["hkl"] == [[0, 0, 2]] and largest["d"] == pytest.approx(3.35, abs=0.01)
