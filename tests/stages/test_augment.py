import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice
from pymatgen.symmetry.settings import JonesFaithfulTransformation

from legocryst import ROOT
from legocryst.crystal.cell import free_parameters
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.structures import to_structure
from legocryst.crystal.io.table import TableError, columns, decode, encode
from legocryst.crystal.symmetry.redescription import SAME
from legocryst.crystal.symmetry.wyckoff import wyckoff
from legocryst.environment.target_library import target
from legocryst.infra.run_context import RunContext
from legocryst.settings import AugmentSettings
from legocryst.stages.augment import DESCRIPTION, augment, proof
from legocryst.stages.curate import shipped
from legocryst.vocabulary.quantities import QUANTITIES
from tests.crystals_at_random import random_crystals

SP2 = target("sp2-carbon")

RIGHT, HEX = np.pi / 2, 2 * np.pi / 3
KNOWN = Crystals.build(
    [194, 227],
    [[2.46, 2.46, 6.7, RIGHT, RIGHT, HEX], [3.567] * 3 + [RIGHT] * 3],
    [[(6, 10, (0, 0, 0.25)), (6, 9, (1 / 3, 2 / 3, 0.25))], [(6, 8, (0.125, 0.125, 0.125))]],
)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return augment(encode(KNOWN), SP2, AugmentSettings(rows=120, rows_per_crystal=60), RunContext(seed=1)).table


def crystal_columns(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns=list(DESCRIPTION))


def test_the_table_has_methods_columns_and_those_of_a_description(table: pd.DataFrame) -> None:
    assert list(table.columns) == [*columns(8), *DESCRIPTION] and set(DESCRIPTION) < set(QUANTITIES)
    assert table["label"].is_monotonic_increasing and table["label"].value_counts().to_dict() == {0: 60, 1: 60}
    assert set(table["k_index"]) == {1, 2, 3, 4} and table["t_index"].max() > 4
    assert not table["mirror"].any() and not table["variant"].any()


def test_each_crystal_comes_first_as_it_is(table: pd.DataFrame) -> None:
    first = table.drop_duplicates("label").reset_index(drop=True)
    pd.testing.assert_frame_equal(crystal_columns(first), encode(KNOWN))
    assert list(first["basis"]) == ["a,b,c"] * 2 and not first[["origin_x", "origin_y", "origin_z"]].any(axis=None)


def test_every_row_is_its_source(table: pd.DataFrame) -> None:
    assert table["deviation"].max() < 1e-9
    decoded = decode(table, mode="strict", element=6)
    assert len(decoded.rows) == len(table) and decoded.shift.max() < 1e-9
    matcher = StructureMatcher(scale=False)
    sources = [to_structure(KNOWN, k) for k in (0, 1)]
    groups = decoded.crystals.group
    assert len(set(groups)) > 15
    for k in np.unique(np.unique(groups, return_index=True)[1]):
        assert matcher.fit(sources[table["label"][k]], to_structure(decoded.crystals, k)), groups[k]


def test_a_transformation_alone_makes_the_row_from_its_source(table: pd.DataFrame) -> None:
    """pymatgen reads P from the row's text and finds each of the row's atoms among the source's."""
    for k in range(0, len(table), 7):
        row = table.iloc[k]
        P = np.array(JonesFaithfulTransformation.parse_transformation_string(f"{row['basis']};0,0,0")[0], float)
        source, written = to_structure(KNOWN, row["label"]), to_structure(decode(table.iloc[[k]], element=6).crystals)
        lattice = Lattice(P.T @ source.lattice.matrix)
        assert np.allclose(lattice.metric_tensor, written.lattice.metric_tensor, atol=1e-9)
        origin = row[["origin_x", "origin_y", "origin_z"]].to_numpy(float)
        distance = source.lattice.get_all_distances(written.frac_coords @ P.T + origin, source.frac_coords)
        assert distance.min(axis=1).max() < 1e-6


def test_no_two_rows_are_equal(table: pd.DataFrame) -> None:
    assert not crystal_columns(table).round(6).duplicated().any()


def test_limits_hold() -> None:
    settings = AugmentSettings(
        rows=400, rows_per_crystal=40, max_sites=4, max_atoms=60, max_free=9, max_index=12, max_cells=3
    )
    crystals = random_crystals(12, seed=8, max_sites=2, max_atoms=60)
    table = augment(encode(crystals), SP2, settings).table
    written = decode(table, element=6).crystals
    free = free_parameters(written.group) + np.bincount(
        written.crystal_of_site, weights=wyckoff().free[written.position_id].sum(axis=1)
    )
    assert written.site_count.max() <= 4 and written.atom_count.max() <= 60 and free.max() <= 9
    assert (table["t_index"] * table["k_index"]).max() <= 12 and set(table["k_index"]) == {1, 2, 3}
    assert 20 < table["label"].value_counts().max() <= 40 and len(table) <= 400


def test_the_seed_decides() -> None:
    training, settings = encode(KNOWN), AugmentSettings(rows=60)
    one, again, other = (augment(training, SP2, settings, RunContext(seed=s)).table for s in (1, 1, 2))
    pd.testing.assert_frame_equal(one, again)
    assert not one.equals(other)


def test_another_process_makes_the_same_bytes(tmp_path: Path) -> None:
    code = """
import sys
from legocryst.environment.target_library import target
from legocryst.infra.run_context import RunContext
from legocryst.settings import AugmentSettings
from legocryst.stages.augment import augment
from legocryst.stages.curate import shipped
made = augment(shipped("sp2-carbon").head(4), target("sp2-carbon"), AugmentSettings(rows=300), RunContext(seed=3))
made.table.to_parquet(sys.argv[1])
"""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "1"}
    subprocess.run([sys.executable, "-c", code, tmp_path / "other"], cwd=ROOT, env=environment, check=True)
    augment(shipped("sp2-carbon").head(4), SP2, AugmentSettings(rows=300), RunContext(seed=3)).table.to_parquet(
        tmp_path / "own"
    )
    assert (tmp_path / "other").read_bytes() == (tmp_path / "own").read_bytes()


def test_progress_counts_crystals_rows_and_those_left_out() -> None:
    seen = []
    training = encode(Crystals.concatenate([KNOWN, random_crystals(1, seed=3, groups=[2], max_atoms=400)]))
    limit = AugmentSettings(rows=20, max_free=7)
    context = RunContext(progress=lambda done, total, **numbers: seen.append((done, total, numbers)))
    made = augment(training, SP2, limit, context)
    assert [(done, total) for done, total, _ in seen[:3]] == [(1, 3), (2, 3), (3, 3)]
    assert made.left_out == 1 and set(made.table["label"]) == {0, 1}
    assert seen[-1][2] == {"rows": len(made.table), "left_out": 1}


def test_wrong_seeds_get_one_sentence() -> None:
    with pytest.raises(TableError, match=r"row 1 of the seeds is no crystal \(space group outside"):
        augment(encode(KNOWN).assign(spg=[194, 231]), SP2, AugmentSettings())
    with pytest.raises(TableError, match="lacks the column c"):
        augment(encode(KNOWN).drop(columns="c"), SP2, AugmentSettings())
    with pytest.raises(TableError, match="no seed crystal fits the limits"):
        augment(encode(KNOWN), SP2, AugmentSettings(max_atoms=1))


def test_proof_notices_a_wrong_transformation_label_or_number(table: pd.DataFrame) -> None:
    assert np.array_equal(proof(KNOWN, table, SP2), table["deviation"])
    for wrong in (
        table.assign(origin_z=table["origin_z"] + 1e-3),
        table.assign(basis="a,b,2c"),
        table.assign(label=1 - table["label"]),
        table.assign(a=table["a"] * 1.001, b=table["b"] * 1.001),
    ):
        assert np.isinf(proof(KNOWN, wrong, SP2)).mean() > 0.5
    assert (proof(KNOWN, table.assign(wp0=99), SP2) == np.inf).all(), "not decodable"


def test_shipped_seeds_share_the_rows() -> None:
    made = augment(shipped("sp2-carbon").iloc[:180:6].reset_index(drop=True), SP2, AugmentSettings(rows=3000))
    assert len(made.table) == 3000 and (made.table["deviation"] < SAME).all() and made.table["mirror"].any()
    rows, groups = made.table["label"].value_counts(), made.table["spg"].value_counts()
    assert len(rows) == 30 and rows.quantile(0.9) < 1.5 * rows.quantile(0.2)
    assert len(groups) > 120 and groups.max() < 0.04 * len(made.table)
