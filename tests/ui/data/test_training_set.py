"""A training set in SQL, shipped and of a job: the same numbers as computed from its crystals."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from legocryst.crystal.io.table import decode
from legocryst.database import queries
from legocryst.database.store import Store
from legocryst.jobs.worker import work
from legocryst.stages.curate import shipped
from legocryst.ui.data.training_set import Known
from tests.workspaces import tiny_job

Set = tuple[Known, Store, pd.DataFrame]


@pytest.fixture(scope="module", params=["shipped", "own"])
def training(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Set:
    folder: Path = tmp_path_factory.mktemp("known")
    job = tiny_job(folder, command="curate")
    work(job)
    store = Store.open(folder / "w")
    store.ingest()
    if request.param == "shipped":
        return Known.of(None, shipped="sp2-carbon"), store, shipped("sp2-carbon")
    return Known.of(job, shipped="sp2-carbon"), store, pd.read_parquet(job.shards / "seeds.parquet")


def test_counts_and_rows(training: Set) -> None:
    known, store, table = training
    assert known.counts(store) == (len(table), (table["periodicity"] == 3).sum())
    page = known.page(store, limit=5, offset=3)
    assert page["number"].tolist() == [3, 4, 5, 6, 7] and page["name"].tolist() == table["name"][3:8].tolist()
    assert known.row(store, 7)["net_key"].tolist() == [table["net_key"][7]]
    strained = known.page(store, order="strain", descending=True, limit=3)
    assert strained["strain"].tolist() == sorted(table["strain"], reverse=True)[:3]


def test_what_sql_computes_is_right(training: Set) -> None:
    known, store, table = training
    rows = known.page(store, limit=1000)
    crystals = decode(table, max_atoms=10**6, element=6).crystals
    assert rows["sites"].tolist() == crystals.site_count.tolist()
    assert np.allclose(rows["volume"], crystals.volume, rtol=1e-9)
    frameworks = rows["kind"] == "framework"
    assert rows["density"].isna().tolist() == (~frameworks).tolist()
    mass = 12.011 * 1.66053907 * crystals.atom_count / crystals.volume
    assert np.allclose(rows["density"][frameworks], mass[frameworks], rtol=1e-4)


def test_distributions_count_every_crystal(training: Set) -> None:
    known, store, table = training
    for name in ("spg", "strain", "atoms"):
        assert queries.histogram(store, known.sql, name, parameters=known.parameters)["n"].sum() == len(table)
    sites = queries.count_by(store, known.sql, "sites", parameters=known.parameters)
    assert sites["n"].sum() == len(table)
    rings = queries.ring_sizes(store, known.sql, known.parameters).set_index("ring")["n"].to_dict()
    sizes = table["rings"].str.split().explode().astype(int)
    assert rings == sizes.value_counts().to_dict()


def test_tiles_are_named_by_their_crystals(training: Set) -> None:
    known, store, table = training
    rows = known.page(store, limit=3)
    tiles = known.tiles(rows, lambda row: f"{row['atoms']} atoms")
    assert [tile.title for tile in tiles] == table["name"][:3].tolist()
    assert len({tile.name for tile in tiles}) == 3
    assert [tile.text for tile in tiles] == [f"{n} atoms" for n in table["atoms"][:3]]
    assert all(tile.scene.inside.sum() >= n for tile, n in zip(tiles, table["atoms"], strict=False))
