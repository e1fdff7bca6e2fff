"""A target of another element, from a file to new crystals with energies, by the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from legocryst.crystal.io.readers import from_cif
from legocryst.environment.target_library import target
from legocryst.environment.validity import judge
from tests.other_elements import CRYSTALS, check, cif_of


@pytest.mark.parametrize("element", CRYSTALS)
def test_a_run_to_a_target_of_one_crystal(element: str, tmp_path: Path, call: Callable[..., dict[str, Any]]) -> None:
    folder = tmp_path / "w"
    made = call("target", "make", cif_of(element, tmp_path), "--name", "own", "--workspace", folder)
    assert made["element"] == element
    check(call("run", "--preset", "smoke", "--target", "own", "--workspace", folder, "--rank-max-energies", 2))
    written = call("export", "--workspace", folder, "--out", tmp_path / "out", "--filters", "class=new")
    assert written["files"] > 0
    for path in (tmp_path / "out").glob("*.cif"):
        crystal = from_cif(path.read_text())
        assert judge(crystal, target("own", folder)).valid.all()
        assert set(crystal.species) == {target("own", folder).atomic_number}
