"""The relax stage: one row out for each row in, described in METHOD's words."""

import numpy as np
import pandas as pd
import pytest

from legocryst.crystal.io.table import encode
from legocryst.environment.target_library import target
from legocryst.settings import RelaxSettings
from legocryst.stages.curate import shipped
from legocryst.stages.relax import relax_chunks, relax_table
from tests.crystals_at_random import random_crystals

SP2 = target("sp2-carbon")


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """srs, graphene, a row that is no crystal, and random ones."""
    training = shipped("sp2-carbon")
    known = pd.concat([training[training["name"] == name] for name in ("srs", "hcb")])
    broken = known.head(1).assign(wp0=99)
    columns = encode(random_crystals(1, seed=0)).columns
    return pd.concat([known, broken, encode(random_crystals(12, seed=3))], ignore_index=True)[list(columns)]


def test_every_row_comes_out_with_its_verdict(table: pd.DataFrame) -> None:
    out = relax_table(table, SP2, RelaxSettings(restarts=0))
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
    whole = relax_table(table, SP2, RelaxSettings(restarts=0))
    frames = list(relax_chunks(table, SP2, RelaxSettings(restarts=0), chunk=4))
    assert max(map(len, frames)) == 4
    parts = pd.concat(frames, ignore_index=True)
    assert parts["row"].tolist() == whole["row"].tolist()
    assert parts["status"].tolist() == whole["status"].tolist()


def test_crystal_in_which_spglib_sees_less_symmetry_stays_in_its_group() -> None:
    points = [
        (0.146210313, 0.0629428923),
        (0.142488584, 0.594067752),
        (0.173797816, 0.981388092),
        (0.180452392, 0.984954834),
        (0.281689912, 0.0912768096),
        (0.268010676, 0.226283908),
        (0.243626028, 0.419670284),
        (0.244660467, 0.53348279),
    ]
    row = {"spg": 135, "a": 5.995199420218319, "b": 5.995199420218319, "c": 11.973038769494046}
    row |= dict.fromkeys(("alpha", "beta", "gamma"), np.pi / 2)
    for k, (x, y) in enumerate(points):
        row |= {f"wp{k}": 1, f"x{k}": x, f"y{k}": y, f"z{k}": 0.0}
    result = relax_table(pd.DataFrame([row]), SP2, RelaxSettings(restarts=0, merge=0)).iloc[0]
    assert result["status"] == "valid" and (result["space_group"], result["sites"]) == (135, 8)
