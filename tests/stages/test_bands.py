"""Gaps of a table: relaxed crystals where the net was kept, in processes as in one, and what is known is not redone."""

from typing import Any

import pandas as pd

from legocryst.crystal.io.structures import to_cif
from legocryst.crystal.io.table import decode
from legocryst.environment.target_library import target
from legocryst.infra.run_context import RunContext
from legocryst.settings import BandSettings
from legocryst.stages.bands import NOT_ASKED, find_gaps
from legocryst.stages.curate import shipped

SP2 = target("sp2-carbon")


def table(*names: str) -> pd.DataFrame:
    training = shipped("sp2-carbon").set_index("name").loc[list(names)].reset_index()
    return training.assign(row=range(10, 10 + len(training)))


def test_gaps_by_row_and_the_relaxed_crystal_where_its_net_is_kept() -> None:
    valid = table("lig", "srs", "bod")
    lig, srs = (to_cif(decode(valid[valid["name"] == name], element=6).crystals) for name in ("lig", "srs"))
    kept = {"row": [12, 11], "net_kept": pd.array([True, False], "boolean"), "relaxed_cif": [lig, lig]}
    result = find_gaps(valid, SP2, BandSettings(), ranked=pd.DataFrame(kept))
    assert list(result["row"]) == [10, 11, 12]
    assert list(result["band_class"]) == ["semiconductor", "metal", "semiconductor"]  # bod became lig, srs stayed
    assert result["gap"].iloc[0] == result["gap"].iloc[2] and set(result["band_reason"]) == {""}
    assert srs != lig


def test_what_is_kept_is_not_computed_again_and_a_stop_leaves_the_rest() -> None:
    valid = table("lig", "srs", "ths")
    cache: dict[str, dict[str, Any]] = {}
    seen: list[int] = []
    context = RunContext(cache=cache, progress=lambda done, total, **_: seen.append(done))
    whole = find_gaps(valid, SP2, BandSettings(), context)
    assert len(cache) == 3 and seen[-1] == 3
    again = find_gaps(valid, SP2, BandSettings(), RunContext(cache=cache, should_stop=lambda: True))
    pd.testing.assert_frame_equal(again, whole)
    stopped = find_gaps(valid, SP2, BandSettings(), RunContext(should_stop=lambda: True))
    assert set(stopped["band_reason"]) == {"stopped"} and stopped["gap"].isna().all()


def test_not_asked() -> None:
    result = find_gaps(table("lig"), SP2, BandSettings(bands=False))
    assert list(result["band_reason"]) == [NOT_ASKED] and result["gap"].isna().all()
    assert find_gaps(table("lig").iloc[:0], SP2, BandSettings()).empty
