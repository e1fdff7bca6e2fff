import numpy as np
import pandas as pd
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher

from legocryst import DATA
from legocryst.crystal.cell import free_parameters
from legocryst.crystal.files import to_structure
from legocryst.crystal.representation import Crystals
from legocryst.crystal.table import TableError, columns, decode, encode
from legocryst.crystal.wyckoff import wyckoff
from legocryst.settings import AugmentSettings
from legocryst.stages.augment import augment
from tests.crystals_at_random import random_crystals

RIGHT, HEX = np.pi / 2, 2 * np.pi / 3
KNOWN = Crystals.build(
    [194, 227],
    [[2.46, 2.46, 6.7, RIGHT, RIGHT, HEX], [3.567] * 3 + [RIGHT] * 3],
    [[(6, 10, (0, 0, 0.25)), (6, 9, (1 / 3, 2 / 3, 0.25))], [(6, 8, (0.125, 0.125, 0.125))]],
)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return augment(encode(KNOWN), AugmentSettings(rows_per_crystal=60), seed=1)


def test_the_table_has_methods_columns_and_labels(table: pd.DataFrame) -> None:
    assert list(table.columns) == [*columns(8), "label"]
    assert table["label"].is_monotonic_increasing and set(table["label"]) == {0, 1}
    assert table["label"].value_counts().max() <= 60


def test_each_crystal_comes_first_as_it_is(table: pd.DataFrame) -> None:
    first = table.drop_duplicates("label").drop(columns="label").reset_index(drop=True)
    pd.testing.assert_frame_equal(first, encode(KNOWN))


def test_every_row_is_its_source(table: pd.DataFrame) -> None:
    decoded = decode(table, mode="strict")
    assert len(decoded.rows) == len(table) and decoded.shift.max() < 1e-9
    matcher = StructureMatcher(scale=False)
    sources = [to_structure(KNOWN, k) for k in (0, 1)]
    groups = decoded.crystals.group
    assert len(set(groups)) > 15
    for k in np.unique(np.unique(groups, return_index=True)[1]):
        assert matcher.fit(sources[table["label"][k]], to_structure(decoded.crystals, k)), groups[k]


def test_no_two_rows_are_equal(table: pd.DataFrame) -> None:
    assert not table.drop(columns="label").round(6).duplicated().any()


def test_limits_hold_and_subgroups_share_the_rows() -> None:
    settings = AugmentSettings(rows_per_crystal=40, max_sites=4, max_atoms=60, max_free=9, max_index=12)
    crystals = random_crystals(12, seed=8, max_sites=2, max_atoms=60)
    table = augment(encode(crystals), settings)
    written = decode(table).crystals
    free = free_parameters(written.group) + np.bincount(
        written.crystal_of_site, weights=wyckoff().free[written.position_id].sum(axis=1)
    )
    assert written.site_count.max() <= 4 and written.atom_count.max() <= 60 and free.max() <= 9
    assert table["label"].value_counts().max() <= 40
    for _, own in table.groupby("label"):
        assert own["spg"].nunique() == 1 or own["spg"].value_counts(normalize=True).max() < 0.8


def test_the_seed_decides() -> None:
    seeds, settings = encode(KNOWN), AugmentSettings(rows_per_crystal=30)
    one, again, other = (augment(seeds, settings, seed=s) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(one, again)
    assert not one.equals(other)


def test_a_crystal_is_augmented_alike_whatever_stands_beside_it() -> None:
    seeds, settings = encode(KNOWN), AugmentSettings(rows_per_crystal=30)
    alone, both = augment(seeds.iloc[:1], settings), augment(seeds, settings)
    pd.testing.assert_frame_equal(alone, both[both["label"] == 0])


def test_progress_counts_crystals_rows_and_those_left_out() -> None:
    seen = []
    seeds = encode(Crystals.concatenate([KNOWN, random_crystals(1, seed=3, groups=[225], max_atoms=400)]))
    limit = AugmentSettings(rows_per_crystal=10, max_atoms=8)
    table = augment(seeds, limit, progress=lambda done, total, **numbers: seen.append((done, total, numbers)))
    assert [(done, total) for done, total, _ in seen] == [(1, 3), (2, 3), (3, 3)]
    assert seen[-1][2] == {"rows": len(table), "left_out": int(decode(seeds).crystals.atom_count[2] > 8)}


def test_wrong_seeds_get_one_sentence() -> None:
    with pytest.raises(TableError, match=r"row 1 of the seeds is no crystal \(space group outside"):
        augment(encode(KNOWN).assign(spg=[194, 231]), AugmentSettings())
    with pytest.raises(TableError, match="lacks the column c"):
        augment(encode(KNOWN).drop(columns="c"), AugmentSettings())
    with pytest.raises(TableError, match="no seed crystal fits the limits"):
        augment(encode(KNOWN), AugmentSettings(max_atoms=2))


def test_shipped_seeds_fill_their_rows() -> None:
    seeds = pd.read_parquet(DATA / "seeds" / "sp2_carbon.parquet").iloc[::12].reset_index(drop=True)
    table = augment(seeds, AugmentSettings(rows_per_crystal=20))
    assert table["label"].value_counts().to_dict() == dict.fromkeys(range(len(seeds)), 20)
