"""Rank: order by energy, a reason for each crystal without one."""

import pandas as pd

from legocryst.crystal.representation import Crystals
from legocryst.crystal.table import encode
from legocryst.environment.targets import target
from legocryst.settings import RankSettings
from legocryst.stages.rank import NOT_ASKED, rank


def relaxed() -> pd.DataFrame:
    """Diamond (primitive cell of 2 atoms), graphite (4), and a row that is no crystal."""
    pair = [target(name).reference.crystals() for name in ("sp3-carbon", "sp2-carbon")]
    table = encode(Crystals.concatenate([*pair, pair[0]]))
    table.loc[2, "spg"] = 231
    return table.assign(row=[40, 41, 42])


def test_lowest_energy_first() -> None:
    seen: list[tuple[int, int]] = []
    found = rank(relaxed(), RankSettings(), progress=lambda *at: seen.append(at))
    assert found["row"].tolist() == [41, 40, 42]
    assert found["rank"].isna().tolist() == [False, False, True] and found["rank"].tolist()[:2] == [1, 2]
    assert found["energy"][0] < found["energy"][1]
    assert found["energy_model"].tolist() == ["7net-0", "7net-0", ""]
    assert found["energy_reason"].tolist()[:2] == ["", ""] and "space group" in found["energy_reason"][2]
    assert seen == [(1, 2), (2, 2)]


def test_smallest_primitive_cells_are_taken_first() -> None:
    found = rank(relaxed(), RankSettings(max_energies=1)).set_index("row")
    assert found.loc[40, "rank"] == 1
    assert found.loc[41, "energy_reason"] == "not among the 1 smallest cells"
    assert found["energy"].isna().tolist() == [False, True, True]


def test_without_energies() -> None:
    found = rank(relaxed(), RankSettings(energies=False))
    assert found["row"].tolist() == [40, 41, 42]
    assert set(found["energy_reason"]) == {NOT_ASKED} and found["rank"].isna().all()
    assert rank(relaxed().iloc[:0], RankSettings()).empty
