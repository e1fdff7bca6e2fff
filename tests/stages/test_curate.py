"""Curate: the shipped set, a user's files, and a reason for each crystal that is not kept."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from legocryst.analysis.nets import nets
from legocryst.crystal.files import from_structure, to_cif, to_structure
from legocryst.crystal.representation import Crystals
from legocryst.crystal.table import TableError, decode, encode
from legocryst.environment.targets import target
from legocryst.environment.validity import judge
from legocryst.settings import CurateSettings
from legocryst.stages.curate import DESCRIPTION, curate
from legocryst.stages.curate import shipped as shipped_set

TARGET = target("sp2-carbon")


def graphite() -> Crystals:
    return TARGET.reference.crystals()


def diamond() -> Crystals:
    return target("sp3-carbon").reference.crystals()


@pytest.fixture(scope="module")
def shipped() -> pd.DataFrame:
    return shipped_set()


def test_shipped_set_is_strictly_valid_and_of_distinct_nets(shipped: pd.DataFrame) -> None:
    decoded = decode(shipped, mode="strict")
    assert len(decoded.rows) == len(shipped) >= 120
    assert decoded.shift.max() < 1e-6
    verdict = judge(decoded.crystals, TARGET)
    assert verdict.valid.all() and verdict.published.all()
    assert np.allclose(verdict.loss, shipped["loss"], atol=1e-6)
    assert shipped["net_key"].is_unique and shipped["name"].is_unique and (shipped["name"] != "").all()
    assert (decoded.crystals.site_count <= 8).all()
    assert (shipped["atoms"] == decoded.crystals.atom_count).all() and shipped["atoms"].max() <= 500
    assert shipped["kind"].isin(["framework", "layers"]).all() and (shipped["kind"] == "layers").sum() <= 40
    assert set(shipped["licence"]) == {"MIT"} and np.isfinite(shipped["energy"]).all()


def test_stored_nets_are_those_of_the_crystals(shipped: pd.DataFrame) -> None:
    some = shipped.iloc[::6]
    found = nets(decode(some).crystals, cutoff=TARGET.bond_window[1])
    assert [net.key for net in found] == some["net_key"].tolist()
    assert [net.name for net in found] == some["name"].tolist()


def test_shipped_crystals_have_the_group_they_are_written_in(shipped: pd.DataFrame) -> None:
    crystals = decode(shipped.iloc[::12]).crystals
    for k in range(len(crystals)):
        assert from_structure(to_structure(crystals, k)).group[0] == crystals.group[k]


def test_nothing_named_gives_the_shipped_set(shipped: pd.DataFrame) -> None:
    found = curate()
    pd.testing.assert_frame_equal(found.table, shipped)
    assert found.report["kept"].all() and len(found.report) == len(shipped)


def test_limits_leave_out_with_a_reason(shipped: pd.DataFrame) -> None:
    found = curate(settings=CurateSettings(max_sites=1, max_atoms=24))
    left_out = found.report[~found.report["kept"]]
    assert set(left_out["reason"]) == {"more than 1 Wyckoff sites", "more than 24 atoms in the conventional cell"}
    assert len(found.table) + len(left_out) == len(shipped)
    assert found.table["atoms"].max() <= 24 and (found.table["wp1"] == -1).all()


def test_own_files(tmp_path: Path) -> None:
    """A folder with graphite as a CIF, in a doubled cell without symmetry, and diamond: one is kept."""
    (tmp_path / "a.cif").write_text(to_cif(graphite()))
    doubled = to_structure(graphite()).make_supercell([2, 1, 1])
    doubled.to(filename=str(tmp_path / "b.vasp"), fmt="poscar")
    (tmp_path / "c.cif").write_text(to_cif(diamond()))
    found = curate(tmp_path)
    assert found.report["reason"].tolist() == ["", "same net as crystal 0", "too many bonds"]
    assert found.report["source"].tolist() == ["a.cif", "b.vasp", "c.cif"]
    (row,) = found.table.to_dict("records")
    assert (row["spg"], row["name"], row["kind"], row["atoms"]) == (194, "hcb", "layers", 4)
    assert set(DESCRIPTION) < set(found.table.columns)
    two = curate([tmp_path / "b.vasp", tmp_path / "a.cif"]).report
    assert two["reason"].tolist() == ["", "same net as crystal 0"] and two["source"].tolist() == ["b.vasp", "a.cif"]


def test_own_table_is_standardised() -> None:
    """Graphite written without symmetry comes back in its group."""
    one = graphite()
    table = encode(Crystals.build([1], one.cell, [[(6, 0, x.tolist()) for x in one.atoms().fractional % 1]]))
    assert curate(table).table["spg"].tolist() == [194]


def test_no_valid_crystal_is_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"none of the 1 crystals can be used for sp2-carbon \(most often: too many"):
        curate(encode(diamond()))


def test_unreadable_input_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.cif").write_text("")
    with pytest.raises(ValueError, match=r"empty\.cif is empty"):
        curate(tmp_path / "empty.cif")
    with pytest.raises(TableError, match="lacks the column"):
        curate(encode(graphite()).drop(columns="b"))
    with pytest.raises(ValueError, match="row 0 of the table is no crystal"):
        curate(encode(graphite()).assign(spg=231))
