"""The relax stage: one row out for each row in, described in METHOD's words."""

import numpy as np
import pandas as pd
import pytest

from legocryst.crystal.table import encode
from legocryst.settings import RelaxSettings
from legocryst.stages.curate import shipped
from legocryst.stages.relax import relax_chunks, relax_table
from tests.crystals_at_random import random_crystals


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """srs, graphene, a row that is no crystal, and random ones."""
    seeds = shipped()
    known = pd.concat([seeds[seeds["name"] == name] for name in ("srs", "hcb")])
    broken = known.head(1).assign(wp0=99)
    columns = encode(random_crystals(1, seed=0)).columns
    return pd.concat([known, broken, encode(random_crystals(12, seed=3))], ignore_index=True)[list(columns)]


def test_every_row_comes_out_with_its_verdict(table: pd.DataFrame) -> None:
    out = relax_table(table, "sp2-carbon", RelaxSettings(restarts=0))
    assert out["row"].tolist() == list(range(len(table)))
    assert out["status"].tolist()[:3] == ["valid", "valid", "undecodable"]
    assert ((out["reason"] == "") == (out["status"] == "valid")).all()
    assert out["net_name"].tolist()[:2] == ["srs", "hcb"]
    assert out["periodicity"].tolist()[:2] == [3, 2]
    assert out["space_group"].tolist()[0] == 214
    # a cubic cell of edge 1.42 * 2 sqrt 2 angstrom with 8 atoms of carbon
    assert out["density"][0] == pytest.approx(8 * 12.011 * 1.66054 / (1.42 * 2 * np.sqrt(2)) ** 3, rel=0.01)
    assert np.isnan(out["density"][1])


def test_chunks_count_rows_over_the_whole_table(table: pd.DataFrame) -> None:
    whole = relax_table(table, "sp2-carbon", RelaxSettings(restarts=0))
    frames = list(relax_chunks(table, "sp2-carbon", RelaxSettings(restarts=0), chunk=4))
    assert max(map(len, frames)) == 4
    parts = pd.concat(frames, ignore_index=True)
    assert parts["row"].tolist() == whole["row"].tolist()
    assert parts["status"].tolist() == whole["status"].tolist()
