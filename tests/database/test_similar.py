"""The nearest crystals of a database are those of all."""

from pathlib import Path

import numpy as np
import pandas as pd

from legocryst.comparison.novelty import signature
from legocryst.comparison.pdd import distance, pdds
from legocryst.crystal.io.table import decode
from legocryst.database.similar import similar
from legocryst.database.store import Store
from legocryst.environment.target_library import target
from legocryst.infra.files import write_parquet
from legocryst.stages.curate import shipped
from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS
from tests.workspaces import tiny_job


def test_nearest_of_a_database(tmp_path: Path) -> None:
    job, goal = tiny_job(tmp_path), target("sp2-carbon")
    table = shipped("sp2-carbon")
    table = table[table["atoms"] <= 24].head(60).reset_index(drop=True)
    invariants = pdds(decode(table, element=6).crystals, goal)
    keys = [*table["net_key"][:-1], table["net_key"][0]]  # the last is called a duplicate of the first
    about = {"row": range(len(table)), "status": "valid", "reason": "", "net_key": keys, "kind": "framework"}
    crystals = table[list(CRYSTAL_COLUMNS)].assign(**about, net_name=table["name"], periodicity=3)
    write_parquet(
        crystals.assign(amd=pd.Series([signature(pdd) for pdd in invariants])), job.shards / "crystals-00000.parquet"
    )
    write_parquet(pd.DataFrame([{"spg": 1, "net_key": "k"}]), job.shards / "seeds.parquet")
    apart = np.array([[distance(one, other) for other in invariants] for one in invariants])
    with Store.open(tmp_path / "w") as store:
        store.ingest()
        for k in (0, 17, 59):
            rows = similar(store, invariants[k], goal, but=f"{job.id}-{k}", repeated=True, most=7)
            order = sorted((value, i) for i, value in enumerate(apart[k]) if i != k)[:7]
            np.testing.assert_allclose(rows["distance"].astype(float), [value for value, _ in order], atol=1e-4)
        assert list(similar(store, invariants[59], goal, most=1)["class"]) != ["duplicate"]
        assert similar(store, invariants[59], goal, repeated=True, most=1)["distance"].iloc[0] < 1e-4
        assert similar(store, invariants[0], target("sp3-carbon")).empty
