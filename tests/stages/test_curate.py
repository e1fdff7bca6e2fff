"""Curate: the shipped set, a user's files, and a reason for each crystal that is not kept."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.structures import from_structure, to_cif, to_structure
from legocryst.crystal.io.table import TableError, decode, encode
from legocryst.environment.strain import strain
from legocryst.environment.target_library import target
from legocryst.environment.validity import judge
from legocryst.infra.run_context import RunContext
from legocryst.settings import CurateSettings
from legocryst.stages.curate import (
    DESCRIPTION,
    OTHER_ELEMENTS,
    REFERENCE,
    REPORT,
    UNREADABLE,
    Examined,
    curate,
    described,
    dropped,
    examine,
    reference,
    select,
    shipped_file,
)
from legocryst.stages.curate import shipped as shipped_set
from legocryst.topology.nets import nets

TARGET = target("sp2-carbon")


def graphite() -> Crystals:
    return TARGET.reference.crystals()


def diamond() -> Crystals:
    return target("sp3-carbon").reference.crystals()


@pytest.fixture(scope="module")
def shipped() -> pd.DataFrame:
    return shipped_set("sp2-carbon")


def test_shipped_set_is_strictly_valid_and_of_distinct_nets(shipped: pd.DataFrame) -> None:
    decoded = decode(shipped, mode="strict", element=6)
    assert len(decoded.rows) == len(shipped) >= 200
    assert decoded.shift.max() < 1e-6
    verdict = judge(decoded.crystals, TARGET)
    assert verdict.valid.all() and verdict.published.all()
    assert np.allclose(verdict.loss, shipped["loss"], atol=1e-6)
    named = shipped["name"] != ""
    assert shipped["net_key"].is_unique and shipped.loc[named, "name"].is_unique
    assert (named == shipped["source"].str.startswith("RCSR")).all()
    assert (decoded.crystals.site_count <= 8).all()
    assert (shipped["atoms"] == decoded.crystals.atom_count).all() and shipped["atoms"].max() <= 500
    assert shipped["kind"].isin(["framework", "layers"]).all() and (shipped["kind"] == "layers").sum() <= 40
    assert set(shipped["licence"]) == {"MIT"}


def test_shipped_set_has_low_energies(shipped: pd.DataFrame) -> None:
    """An energy is missing only where the relaxation changed the net."""
    framework = shipped["kind"] == "framework"
    assert (framework & (shipped["energy"] < 0.5)).sum() >= 25
    assert framework[shipped["energy"].isna()].all() and shipped["energy"].isna().sum() < 40
    assert np.isfinite(pd.read_parquet(shipped_file("sp2-carbon"), columns=["screen_energy"])).all(axis=None)


def test_stored_nets_are_those_of_the_crystals(shipped: pd.DataFrame) -> None:
    some = shipped.iloc[::6]
    result = nets(decode(some, element=6).crystals, cutoff=TARGET.bond_window[1])
    assert [net.key for net in result] == some["net_key"].tolist()
    assert [net.name for net in result] == some["name"].tolist()


def test_shipped_crystals_have_the_group_they_are_written_in(shipped: pd.DataFrame) -> None:
    crystals = decode(shipped.iloc[::12], element=6).crystals
    for k in range(len(crystals)):
        assert from_structure(to_structure(crystals, k)).group[0] == crystals.group[k]


def test_nothing_named_gives_the_shipped_set(shipped: pd.DataFrame) -> None:
    curated = curate(None, TARGET)
    pd.testing.assert_frame_equal(curated.table, shipped)
    assert curated.report["kept"].all() and len(curated.report) == len(shipped)


def test_limits_leave_out_with_a_reason(shipped: pd.DataFrame) -> None:
    curated = curate(None, TARGET, settings=CurateSettings(max_sites=1, max_atoms=24))
    left_out = curated.report[~curated.report["kept"]]
    assert set(left_out["reason"]) == {"more than 1 Wyckoff sites", "more than 24 atoms in the conventional cell"}
    assert len(curated.table) + len(left_out) == len(shipped)
    assert curated.table["atoms"].max() <= 24 and (curated.table["wp1"] == -1).all()


def test_own_files(tmp_path: Path) -> None:
    """A folder with graphite as a CIF, in a doubled cell without symmetry, and diamond: one is kept."""
    (tmp_path / "a.cif").write_text(to_cif(graphite()))
    doubled = to_structure(graphite()).make_supercell([2, 1, 1])
    doubled.to(filename=str(tmp_path / "b.vasp"), fmt="poscar")
    (tmp_path / "c.cif").write_text(to_cif(diamond()))
    curated = curate(tmp_path, TARGET)
    assert curated.report["reason"].tolist() == ["", "same net as another", "too many bonds"]
    assert curated.report["detail"].tolist() == ["", "crystal 0, a.cif", ""]
    assert curated.report["source"].tolist() == ["a.cif", "b.vasp", "c.cif"]
    (row,) = curated.table.to_dict("records")
    assert (row["spg"], row["name"], row["kind"], row["atoms"]) == (194, "hcb", "layers", 4)
    assert set(DESCRIPTION) < set(curated.table.columns)
    two = curate([tmp_path / "b.vasp", tmp_path / "a.cif"], TARGET).report
    assert two["reason"].tolist() == ["", "same net as another"] and two["source"].tolist() == ["b.vasp", "a.cif"]


def test_own_table_is_standardised() -> None:
    """Graphite written without symmetry comes back in its group."""
    one = graphite()
    table = encode(Crystals.build([1], one.cell, [[(6, 0, x.tolist()) for x in one.atoms().fractional % 1]]))
    assert curate(table, TARGET).table["spg"].tolist() == [194]


def test_no_valid_crystal_is_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"none of the 1 crystals can be used for sp2-carbon \(most often: too many"):
        curate(encode(diamond()), TARGET)


def test_unreadable_input_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.cif").write_text("")
    with pytest.raises(ValueError, match=r"empty\.cif is empty"):
        curate(tmp_path / "empty.cif", TARGET)
    with pytest.raises(TableError, match="lacks the column"):
        curate(encode(graphite()).drop(columns="b"), TARGET)
    with pytest.raises(ValueError, match=r"most often: cannot be read: space group outside 1\.\.230"):
        curate(encode(graphite()).assign(spg=231), TARGET)


def test_one_bad_file_among_others_gets_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.cif").write_text("no crystal")
    (tmp_path / "b.cif").write_text(to_cif(graphite()))
    (tmp_path / "c.cif").write_text(to_cif(graphite()).replace(" C ", " N "))
    seen: list[tuple[int, int]] = []
    context = RunContext(progress=lambda done, total: seen.append((done, total)))
    curated = curate(tmp_path, TARGET, context=context)
    assert tuple(curated.report.columns) == REPORT and curated.report["crystal"].tolist() == [0, 1, 2]
    assert curated.report["reason"].tolist() == [UNREADABLE, "", OTHER_ELEMENTS]
    assert curated.report["detail"][0].startswith("a.cif cannot be read as a CIF")
    assert curated.report["name"].tolist() == ["", "hcb", ""]
    assert (3, 3) in seen and seen[-1] == (1, 1)  # three files, then one net


def test_the_report_tells_the_setting_that_a_file_without_operators_is_read_in(tmp_path: Path) -> None:
    lines = to_cif(graphite()).splitlines()
    kept = [line for line in lines if not line.startswith("'") and "equiv_pos" not in line]
    kept.remove("loop_")  # of the operators
    (tmp_path / "a.cif").write_text("\n".join(kept))
    described = ["read in the setting P 63/m m c"]
    assert curate(tmp_path, TARGET).report["detail"].tolist() == described
    assert reference(tmp_path, TARGET, CurateSettings()).report["detail"].tolist() == described


def test_strain_and_rings(shipped: pd.DataFrame) -> None:
    crystals = decode(shipped, element=6).crystals
    assert np.allclose(strain(crystals, TARGET), shipped["strain"], atol=1e-12)
    assert shipped["strain"].between(0, 0.3).all()
    by_name = shipped.set_index("name")["rings"]
    assert by_name["hcb"] == "6" and by_name["srs"] == "10"  # graphite's net; (10,3)-a, O'Keeffe & Hyde
    assert all(list(map(int, rings.split())) == sorted(set(map(int, rings.split()))) for rings in by_name)


def test_described_gives_the_columns_anew(shipped: pd.DataFrame) -> None:
    some = shipped.iloc[::30]
    again = described(some.drop(columns=["strain", "rings"]).reset_index(drop=True), TARGET)
    pd.testing.assert_frame_equal(again, some.reset_index(drop=True))
    with pytest.raises(ValueError, match="row 1 of the table is no crystal"):
        described(some.assign(spg=[194, 231, *some["spg"][2:]]), TARGET)


FILTERS: dict[str, tuple[Any, Callable[[pd.DataFrame], pd.Series]]] = {
    "max_sites": (2, lambda t: t["wp2"] >= 0),
    "max_atoms": (40, lambda t: t["atoms"] > 40),
    "max_strain": (0.05, lambda t: t["strain"] > 0.05),
    "max_energy": (0.5, lambda t: t["energy"] > 0.5),
    "periodicities": ((2,), lambda t: t["periodicity"] != 2),
    "crystal_systems": (("cubic", "hexagonal"), lambda t: ~((t["spg"] >= 195) | t["spg"].between(168, 194))),
    "space_groups": ("1-15, 230", lambda t: ~((t["spg"] <= 15) | (t["spg"] == 230))),
}


@pytest.fixture(scope="module")
def examined() -> Examined:
    return examine(None, TARGET, CurateSettings())


@pytest.mark.parametrize("name", FILTERS)
def test_each_filter_leaves_out_what_it_says(name: str, examined: Examined, shipped: pd.DataFrame) -> None:
    value, out = FILTERS[name]
    settings = CurateSettings.model_validate({name: value})
    kept = select(examined, TARGET, settings)
    pd.testing.assert_frame_equal(kept.table, shipped[~out(shipped)].reset_index(drop=True))
    lost = kept.report[~kept.report["kept"]]
    assert lost["reason"].nunique() == 1 and len(lost) == out(shipped).sum()
    rows = dropped(examined.table, settings).set_index("reason")
    assert rows.loc[lost["reason"].iloc[0], ["alone", "only"]].tolist() == [len(lost)] * 2
    assert rows["alone"].sum() == len(lost)


def test_filters_together(examined: Examined, shipped: pd.DataFrame) -> None:
    settings = CurateSettings(max_strain=0.05, max_energy=0.5)
    strained, high = shipped["strain"] > 0.05, shipped["energy"] > 0.5
    rows = dropped(examined.table, settings).set_index("reason")
    assert list(rows.loc["strain above 0.05"]) == [strained.sum(), (strained & ~high).sum()]
    assert list(rows.loc["energy above 0.5 eV/atom"]) == [high.sum(), (high & ~strained).sum()]
    assert len(select(examined, TARGET, settings).table) == (~(strained | high)).sum()


def test_unknown_energies_pass_unless_asked_otherwise(shipped: pd.DataFrame) -> None:
    some = shipped[shipped["energy"].notna()].head(6).reset_index(drop=True)
    some.loc[0, "energy"] = np.nan
    assert some["energy"][1:].max() > 0.9
    assert len(curate(some, TARGET, CurateSettings(max_energy=0.9)).table) == 1 + (some["energy"] <= 0.9).sum()
    left = curate(some, TARGET, CurateSettings(known_energy_only=True))
    assert len(left.table) == 5 and left.report["reason"][0] == "energy not known"
    with pytest.raises(ValueError, match=r"most often: energy above -5\.0 eV/atom\): loosen the filters"):
        curate(some, TARGET, CurateSettings(max_energy=-5, known_energy_only=True))


def test_repeated_nets_are_counted_behind_the_filters(shipped: pd.DataFrame) -> None:
    """Of two crystals with one net, the one that passes is kept, whichever comes first."""
    one = shipped[shipped["name"] == "srs"]
    large = one.assign(a=one["a"] * 1.005, b=one["b"] * 1.005, c=one["c"] * 1.005)
    both = pd.concat([large, one], ignore_index=True)
    examined = examine(both, TARGET, CurateSettings())
    strains = examined.table["strain"]
    assert select(examined, TARGET, CurateSettings()).report["reason"].tolist() == [
        "",
        "same net as another",
    ]
    settings = CurateSettings(max_strain=float(strains.mean()))
    assert strains[0] > strains[1]
    assert select(examined, TARGET, settings).report["kept"].tolist() == [False, True]
    assert list(dropped(examined.table, settings).set_index("reason").loc["same net as another"]) == [1, 0]


def test_reference_set_takes_nets_of_other_geometry(tmp_path: Path) -> None:
    """Bonds of 1.2 angstrom are too short for a training crystal, and still the net is known; diamond has none here."""
    pressed = graphite()
    pressed.cell[:, :2] *= 0.85
    (tmp_path / "a.cif").write_text(to_cif(pressed))
    (tmp_path / "b.cif").write_text(to_cif(diamond()))
    (tmp_path / "c.cif").write_text("no crystal")
    with pytest.raises(ValueError, match="none of the 3 crystals"):
        curate(tmp_path, TARGET)
    curated = reference(tmp_path, TARGET, CurateSettings(max_atoms=1))
    assert curated.table["name"].tolist() == ["hcb"] and tuple(curated.table.columns) == REFERENCE
    assert curated.report["kept"].tolist() == [True, False, False]
    assert curated.report["reason"].tolist() == ["", "too many bonds", UNREADABLE]
    with pytest.raises(ValueError, match="of the reference has a net"):
        reference(encode(diamond()), TARGET, CurateSettings())
