import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher

from legocryst.crystal.cell import symmetrized
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io import table as tables
from legocryst.crystal.io.structures import to_structure
from legocryst.crystal.io.table import TableError, columns, decode, encode, read_table
from legocryst.crystal.symmetry.wyckoff import wyckoff
from tests.crystal import by_spglib
from tests.crystals_at_random import random_crystals

LEGO_XTAL = """spg,a,b,c,alpha,beta,gamma,wp0,x0,y0,z0,wp1,x1,y1,z1,energy,label
194,2.46,2.45,6.71,1.5708,1.5707,2.0944,10,0.0,0.0,0.25,9,0.33,0.66,0.24,-9.2,3
227,3.56,3.58,3.57,1.5708,1.5707,1.5709,8,0.125,0.126,0.125,-1,-0.99,-1.0,-1.0,-9.1,4
"""


def row(**changes: Any) -> pd.DataFrame:
    """Graphite, one row, with changes."""
    values = dict.fromkeys(columns(2), -1.0)
    values |= {
        "spg": 194,
        "a": 2.46,
        "b": 2.46,
        "c": 6.7,
        "alpha": np.pi / 2,
        "beta": np.pi / 2,
        "gamma": 2 * np.pi / 3,
    }
    values |= {"wp0": 9, "x0": 1 / 3, "y0": 2 / 3, "z0": 0.25, "wp1": 10, "x1": 0, "y1": 0, "z1": 0.25}
    return pd.DataFrame([values | changes])


@pytest.fixture(scope="module")
def one_of_each_group() -> Crystals:
    return Crystals.concatenate(
        [random_crystals(1, seed=g, groups=[g], max_sites=3, max_atoms=96 if g < 200 else 200) for g in range(1, 231)]
    )


def test_decode_inverts_encode_in_all_groups(one_of_each_group: Crystals) -> None:
    decoded = decode(encode(one_of_each_group), element=6)
    assert np.array_equal(decoded.rows, np.arange(230)) and not decoded.reason.astype(bool).any()
    assert decoded.shift.max() < 1e-9
    matcher = StructureMatcher(scale=False)
    for k in range(230):
        before, after = to_structure(one_of_each_group, k), to_structure(decoded.crystals, k)
        offset = before.frac_coords - after.frac_coords
        assert np.abs(offset - np.rint(offset)).max() < 1e-9
        assert np.allclose(before.lattice.matrix, after.lattice.matrix)
        if len(before) <= 16:
            assert matcher.fit(before, after)
        assert by_spglib.operation_set(*wyckoff().general(k + 1)) <= by_spglib.operations(after, 1e-3), (
            f"group {k + 1} or a supergroup"
        )


def test_two_generic_orbits_keep_exactly_their_group() -> None:
    rng = np.random.default_rng(11)
    # Two atoms in P1 always have an inversion between them; three do not.
    sites = [[(6, 0, rng.random(3).tolist()) for _ in range(3 if g == 1 else 2)] for g in range(1, 231)]
    group = np.arange(1, 231)
    cell = symmetrized(group, np.c_[rng.uniform(8, 16, (230, 3)), np.radians(rng.uniform(75, 105, (230, 3)))])
    decoded = decode(encode(Crystals.build(group, cell, sites)), element=6)
    assert len(decoded.rows) == 230
    for k in range(230):
        assert by_spglib.group(to_structure(decoded.crystals, k), 1e-4) == k + 1


def test_a_table_of_lego_xtal_loads(tmp_path: Path) -> None:
    (tmp_path / "lego.csv").write_text(LEGO_XTAL)
    decoded = decode(read_table(tmp_path / "lego.csv"), element=6)
    graphite, diamond = decoded.crystals.take([0]), decoded.crystals.take([1])
    assert list(graphite.letters) == ["b", "c"] and graphite.atom_count[0] == 4
    assert graphite.cell[0] == pytest.approx([2.455, 2.455, 6.71, np.pi / 2, np.pi / 2, 2 * np.pi / 3])
    assert diamond.letters[0] == "a" and diamond.atom_count[0] == 8
    assert decoded.shift == pytest.approx([np.hypot(0.01 * 6.71, 2.455 * 3**0.5 / 300), 0.001 * 3.57])


def test_both_spellings_of_the_columns_load() -> None:
    other = row().rename(columns={f"{n}{i}": f"{n}_{i}" for n in ("wp", "x", "y", "z") for i in (0, 1)})
    assert np.array_equal(decode(other, element=6).crystals.coordinates, decode(row(), element=6).crystals.coordinates)


def test_only_the_shift_across_the_free_directions_counts() -> None:
    # 6h of P6_3/mmc is (x, 2x, 1/4): x is free.
    decoded = decode(row(wp0=4, x0=0.2, y0=0.4, z0=0.26, wp1=-1), element=6)
    assert decoded.crystals.letters[0] == "h"
    assert decoded.shift[0] == pytest.approx(0.01 * 6.7)
    assert decoded.crystals.coordinates[0] == pytest.approx([0.2, 0.4, 0.25])
    assert decode(row(wp0=4, x0=0.3, y0=0.6, z0=0.25, wp1=-1), element=6).shift[0] == pytest.approx(0, abs=1e-9)


def test_any_point_of_the_orbit_may_stand() -> None:
    # 2c at its second place, and (-2x, -x, 3/4) of 6h.
    assert decode(row(x0=2 / 3, y0=1 / 3, z0=0.75), element=6).shift[0] < 1e-9
    decoded = decode(row(wp0=4, x0=-0.4, y0=-0.2, z0=1.25, wp1=-1), element=6)
    assert decoded.shift[0] < 1e-9 and decoded.crystals.coordinates[0, 1] == pytest.approx(
        2 * decoded.crystals.coordinates[0, 0] % 1
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"spg": 231}, tables.OUTSIDE_GROUPS),
        ({"spg": 0}, tables.OUTSIDE_GROUPS),
        ({"wp0": 12}, tables.OUTSIDE_POSITIONS),
        ({"wp1": 9}, tables.FIXED_TWICE),
        ({"a": -2.46, "b": -2.46}, tables.IMPOSSIBLE_CELL),
        ({"c": 0.0}, tables.IMPOSSIBLE_CELL),
        ({"c": 1e5}, tables.IMPOSSIBLE_CELL),
        ({"spg": 1, "wp0": 0, "wp1": -1, "alpha": 0.3, "beta": 0.3, "gamma": 2.0}, tables.IMPOSSIBLE_CELL),
        ({"wp0": -1, "wp1": -1}, tables.NO_SITES),
        ({"wp0": 0, "wp1": 0}, tables.TOO_MANY_ATOMS),
        ({"x1": np.nan}, tables.NOT_A_NUMBER),
        ({"a": np.inf}, tables.NOT_A_NUMBER),
        ({"wp0": np.nan}, tables.NOT_A_NUMBER),
        ({"spg": np.nan}, tables.NOT_A_NUMBER),
        ({"wp0": 8.5}, tables.NOT_WHOLE),
        ({"el0": "C", "el1": "Qq"}, tables.UNKNOWN_ELEMENT),
    ],
)
def test_undecodable_rows_say_why(changes: dict, reason: str) -> None:
    # A good row before and after: reasons must stand at the right row.
    table = pd.concat([row(el0="C", el1="C"), row(**({"el0": "C", "el1": "C"} | changes)), row(el0="C", el1="C")])
    decoded = decode(table, max_atoms=24, element=6)
    assert decoded.reason.tolist() == ["", reason, ""]
    assert decoded.rows.tolist() == [0, 2] and len(decoded.crystals) == len(decoded.shift) == 2
    assert decoded.crystals.atom_count.tolist() == [4, 4]


def test_unused_sites_are_not_read() -> None:
    decoded = decode(row(wp1=-1, x1=np.nan, y1=np.inf, z1=-0.2), element=6)
    assert decoded.reason[0] == "" and decoded.crystals.atom_count[0] == 2


def test_round_off_of_whole_numbers_is_accepted() -> None:
    assert decode(row(spg=193.99999, wp0=9.00001), element=6).crystals.group[0] == 194


def test_modes() -> None:
    near, far = {"z0": 0.25 + 0.05 / 6.7}, {"z0": 0.25 + 0.15 / 6.7}
    table = pd.concat([row(), row(**near), row(**far), row(x1=-0.02), row(**far, x1=-0.02)], ignore_index=True)
    snap, strict, drop = (decode(table, mode=mode, element=6) for mode in ("snap", "strict", "drop"))
    assert snap.rows.tolist() == [0, 1, 2, 3, 4]
    assert snap.shift[:3] == pytest.approx([0, 0.05, 0.15], abs=1e-9) and (snap.crystals.site_count == 2).all()
    assert strict.reason.tolist() == ["", "", tables.FAR_FROM_POSITION, "", tables.FAR_FROM_POSITION]
    assert drop.crystals.site_count.tolist() == [2, 2, 1, 1]
    assert drop.reason.tolist() == ["", "", "", "", tables.NO_SITES]
    with pytest.raises(TableError, match="choose snap, strict or drop"):
        decode(table, mode="loose", element=6)  # type: ignore[arg-type]


def test_several_elements_keep_their_columns() -> None:
    crystals = Crystals.build([225], [[5.64] * 3 + [np.pi / 2] * 3], [[(11, 11, (0, 0, 0)), (17, 10, (0.5, 0.5, 0.5))]])
    table = encode(crystals)
    assert table[["el0", "el1", "el2"]].iloc[0].tolist() == [11, 17, -1]
    assert decode(table, element=6).crystals.species.tolist() == [11, 17]
    table["el0"], table["el1"] = "Na", "Cl"
    assert decode(table, element=6).crystals.species.tolist() == [11, 17]
    assert "el0" not in encode(crystals.take([]))


def test_encode_refuses_more_sites_than_a_row_holds() -> None:
    crystals = Crystals.build([1], [[9, 9, 9, 1.5, 1.5, 1.5]], [[(6, 0, (0.1 * k, 0, 0)) for k in range(9)]])
    with pytest.raises(TableError, match="9 sites"):
        encode(crystals)
    assert decode(encode(crystals, sites=9), element=6).crystals.site_count[0] == 9


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (row().drop(columns="beta"), "lacks the column beta"),
        (row().drop(columns=["x1", "y1"]), "lacks the columns x1, y1"),
        (row().drop(columns=[f"{n}{i}" for n in ("wp", "x", "y", "z") for i in (0, 1)]), "wp0, x0, y0, z0"),
        (row().iloc[:0], "is empty"),
        (row(a="long"), "column a of the table holds text"),
        (row(x0=12, y0=30, z0=7, x1=0, y1=0, z1=25), "integers for coordinates"),
        (row(alpha=90, beta=90, gamma=120), "not in radians"),
        (row(el0="C"), "1 element columns for 2 sites"),
    ],
)
def test_wrong_tables_get_one_sentence(table: pd.DataFrame, message: str) -> None:
    with pytest.raises(TableError, match=message) as caught:
        decode(table, element=6)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.csv", None, "there is no file"),
        ("empty.csv", "", "is empty"),
        ("head.csv", LEGO_XTAL.splitlines()[0], "is empty"),
        ("text.csv", "hello\nthis, is\nnot, a, table", "cannot be read as a csv table"),
        ("text.parquet", "hello", "cannot be read as a parquet table"),
        ("text.txt", "hello", "no table"),
        ("lacking.csv", "spg,a\n1,2\n", "lacks the columns b, c"),
    ],
)
def test_wrong_files_get_one_sentence(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(TableError, match=message):
        read_table(tmp_path / name)


def test_formats_agree(tmp_path: Path) -> None:
    table = pd.read_csv(io.StringIO(LEGO_XTAL))
    table.to_csv(tmp_path / "t.csv", index=False)
    table.to_parquet(tmp_path / "t.parquet")
    table.to_json(tmp_path / "t.json", orient="records")
    first, second, third = (read_table(tmp_path / f"t.{kind}") for kind in ("csv", "parquet", "json"))
    assert np.allclose(first, second) and np.allclose(first, third)
