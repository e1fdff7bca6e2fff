"""The command `energy`: what it says of files, and one sentence for each that is no crystal it can compute."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymatgen.io.cif import CifWriter

from legocryst.crystal.io.readers import from_cif
from legocryst.crystal.io.structures import to_cif
from legocryst.crystal.io.table import decode
from legocryst.environment.target_library import target
from legocryst.stages.curate import shipped
from tests.cli.wrong_files import ENERGY, diamond

Call = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("name", ENERGY)
def test_wrong_file_gets_one_sentence(name: str, wrong: Path, call: Call) -> None:
    (result,) = call("energy", wrong / name)["results"]
    assert set(result) == {"file", "error"} and Path(result["file"]).name == name
    assert ENERGY[name] in result["error"] and "\n" not in result["error"]


def test_good_files_between_wrong_ones(wrong: Path, tmp_path: Path, call: Call) -> None:
    (tmp_path / "graphite.cif").write_text(to_cif(target("sp2-carbon").reference.crystals()))
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
    table = shipped("sp2-carbon").set_index("name")
    for name in ("lig", "acs-g"):
        crystal = decode(table.loc[[name]].reset_index(), element=6).crystals
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
