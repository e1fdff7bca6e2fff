"""The command `bands`: gap and class of files, and one sentence for each that the model does not describe."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.io.vasp import Poscar

from legocryst.crystal.io.structures import to_cif
from legocryst.crystal.io.table import decode
from legocryst.environment.target_library import target
from legocryst.stages.curate import shipped

SP2 = target("sp2-carbon")

Call = Callable[..., dict[str, Any]]


def test_files_in_order_with_bands_or_a_sentence(tmp_path: Path, call: Call) -> None:
    table = shipped("sp2-carbon")
    (tmp_path / "graphite.cif").write_text(to_cif(SP2.reference.crystals()))
    (tmp_path / "diamond.cif").write_text(to_cif(target("sp3-carbon").reference.crystals()))
    (tmp_path / "lig.cif").write_text(to_cif(decode(table[table["name"] == "lig"], element=6).crystals))
    methane = Structure(Lattice.cubic(6), ["C", "H"], np.array([[0, 0, 0], [0.18, 0, 0]]))
    Poscar(methane).write_file(tmp_path / "hydrogen.vasp")
    (tmp_path / "diary.cif").write_text("Dear diary, today I made graphite.\n")
    names = ["graphite.cif", "diamond.cif", "diary.cif", "lig.cif", "hydrogen.vasp", "missing.cif"]
    result = call("bands", *(tmp_path / name for name in names))["results"]
    assert [Path(entry["file"]).name for entry in result] == names
    graphite, diamond, diary, lig, hydrogen, missing = result
    assert graphite["class"] == "semimetal" and graphite["gap"] == 0 and graphite["space_group"] == 194
    assert lig["class"] == "semiconductor" and lig["gap"] > 0.5 and lig["atoms"] == 8
    levels = np.array(lig["bands"])
    assert levels.shape == (len(lig["kpoints"]), 8)
    assert levels[:, 4].min() - levels[:, 3].max() >= lig["gap"] - 1e-3  # the path cannot see a smaller one
    assert [name for _, name in graphite["path"]][:4] == ["Γ", "M", "K", "Γ"]
    expected = "an atom has 4 bonds, and the model needs 3: give a three-coordinated crystal, or use `dft`"
    assert diamond == {"file": diamond["file"], "error": expected}
    assert hydrogen["error"] == "it holds H, and the model is one of C: give a crystal of that element only"
    assert "diary.cif cannot be read as a CIF" in diary["error"] and "there is no file" in missing["error"]


def test_wrong_options(refused: Callable[..., str]) -> None:
    assert "there is no target 'glass'" in refused("bands", "x.cif", "--target", "glass")
    assert "the setting spacing is wrong" in refused("bands", "x.cif", "--spacing", "0")


def test_input_files_are_written_and_a_wrong_file_is_named(tmp_path: Path, call: Call) -> None:
    (tmp_path / "graphite.cif").write_text(to_cif(SP2.reference.crystals()))
    result = call("inputs", tmp_path / "graphite.cif", tmp_path / "missing.cif", "--out", tmp_path / "o")["results"]
    assert len(result[0]["written"]) == 5 and all(Path(path).stat().st_size for path in result[0]["written"])
    assert "there is no file" in result[1]["error"]


def test_without_gpaw_the_command_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: Callable[..., str]
) -> None:
    monkeypatch.setattr("legocryst.infra.extras.find_spec", lambda name: None)
    assert refused("dft", tmp_path / "any.cif").endswith("density functional theory (gpaw): run `make dft`\n")
