"""Rank: order by energy, the best relaxed, a reason for each crystal without energy, nothing computed twice."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from legocryst.active_learning import calibration
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.density import densities
from legocryst.crystal.io.readers import from_cif
from legocryst.crystal.io.table import decode, encode
from legocryst.crystal.symmetry.primitive import primitive_atoms
from legocryst.environment.target_library import target
from legocryst.infra.result_cache import ResultCache
from legocryst.infra.run_context import RunContext
from legocryst.settings import RankSettings
from legocryst.stages.curate import shipped
from legocryst.stages.rank import COLUMNS, NET_LOST, NOT_ASKED, rank
from legocryst.vocabulary.quantities import ENERGY_COLUMNS

SP2 = target("sp2-carbon")

SETTINGS = RankSettings(model="7net-0", max_relaxed=0, max_rattled=0)


def relaxed() -> pd.DataFrame:
    """Diamond (primitive cell of 2 atoms), graphite (4), and a row that is no crystal."""
    pair = [target(name).reference.crystals() for name in ("sp3-carbon", "sp2-carbon")]
    table = encode(Crystals.concatenate([*pair, pair[0]]))
    table.loc[2, "spg"] = 231
    return table.assign(row=[40, 41, 42], kind=["framework", "layers", ""])


def test_lowest_energy_first() -> None:
    seen: list[tuple[int, int]] = []
    ranked = rank(
        relaxed(),
        SP2,
        SETTINGS,
        RunContext(progress=lambda done, total, **_: seen.append((done, total))),
    )
    assert ranked["row"].tolist() == [41, 40, 42]
    assert ranked["rank"].isna().tolist() == [False, False, True] and ranked["rank"].tolist()[:2] == [1, 2]
    assert ranked["energy"][0] < ranked["energy"][1] and ranked["energy"].equals(ranked["screen_energy"])
    assert ranked["energy_model"].tolist() == ["7net-0", "7net-0", ""]
    assert ranked["energy_reason"].tolist()[:2] == ["", ""] and "space group" in ranked["energy_reason"][2]
    assert ranked["relaxed"].tolist()[:2] == [False, False] and ranked["low_energy"].isna().all()
    assert [done for done, _ in seen if done] == [1, 2, 2] or seen[-1] == (2, 2)
    assert set(COLUMNS) == {"row", *ENERGY_COLUMNS} == set(ranked.columns)


def test_the_best_are_relaxed_and_keep_or_lose_their_net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training = shipped("sp2-carbon").set_index("name", drop=False).loc[["srs", "acs-g", "hcb", "lig"]]
    table = training.reset_index(drop=True).assign(row=range(4))
    settings = RankSettings(model="7net-0", max_relaxed=2, max_rattled=1, low_energy=0.8)
    seen: list[tuple[int, int]] = []
    with ResultCache(tmp_path) as cache:
        ranked = rank(
            table,
            SP2,
            settings,
            RunContext(cache=cache, progress=lambda done, total, **_: seen.append((done, total))),
        )
    rows: Any = ranked.set_index("row").loc[[0, 1, 2, 3]]
    assert rows["relaxed"].tolist() == [True, False, True, True]  # two frameworks and the layers
    done = rows[rows["relaxed"].astype(bool)]
    assert (done["relaxed_energy"] < done["screen_energy"] + 1e-6).all() and done["net_kept"].all()
    assert (done["energy"] == done["relaxed_energy"]).all() and done["relaxed_density"].notna().all()
    assert rows["low_energy"].sum() == (done["relaxed_energy"].drop(2) < 0.8).sum() > 0
    assert not rows.loc[2, "low_energy"] and rows.loc[2, "dispersion"] < 0
    assert rows["rattle_kept"].sum() == 1 and abs(rows["rattle_energy"].dropna().iloc[0]) < 0.005
    assert seen[-1] == (8, 8) and [done for done, _ in seen] == sorted(done for done, _ in seen)
    _same_crystal(rows.loc[0])

    known = ResultCache(tmp_path / "other", [tmp_path])
    again = rank(table, SP2, settings, RunContext(cache=known, should_stop=lambda: True))
    pd.testing.assert_frame_equal(again, ranked)  # all of it was known

    monkeypatch.setattr("legocryst.stages.rank.MAX_RATTLED_ATOMS", 1)
    large = rank(table, SP2, settings, RunContext(cache=ResultCache(tmp_path)))
    refused = large["rattle_reason"] == "not shaken: more than 1 atoms"
    assert refused.tolist() == large["low_energy"].fillna(False).astype(bool).tolist() and refused.any()
    assert large["rattle_kept"].isna().all()


def _same_crystal(row: Any) -> None:
    crystal = from_cif(row["relaxed_cif"])
    assert crystal.group[0] == 214 and crystal.site_count[0] == 1
    assert densities(crystal)[0] == pytest.approx(row["relaxed_density"], rel=1e-6)


def test_a_crystal_that_loses_its_net_has_no_energy() -> None:
    table = shipped("sp2-carbon")
    lost = table[table["name"] == "acs-g"].reset_index(drop=True).assign(row=7)
    ranked = rank(lost, SP2, RankSettings(model="7net-0")).iloc[0]
    assert np.isnan(ranked["energy"]) and ranked["energy_reason"] == NET_LOST and pd.isna(ranked["rank"])
    assert ranked["relaxed_energy"] < ranked["screen_energy"] and not ranked["net_kept"] and not ranked["low_energy"]


def test_smallest_primitive_cells_are_taken_first() -> None:
    ranked = rank(
        relaxed(),
        SP2,
        SETTINGS.model_copy(update={"max_energies": 1, "order": "smallest"}),
    ).set_index("row")
    assert ranked.loc[40, "rank"] == 1
    assert ranked.loc[41, "energy_reason"] == "not among the 1 smallest cells"
    assert ranked["energy"].isna().tolist() == [False, True, True]


def test_energies_are_learnt_where_not_all_are_computed(tmp_path: Path) -> None:
    table = shipped("sp2-carbon")
    size = primitive_atoms(decode(table, element=6).crystals)
    table = table.iloc[np.argsort(size, kind="stable")[:34]].reset_index(drop=True).assign(row=range(34))
    settings = SETTINGS.model_copy(update={"max_energies": 26, "rounds": 3})
    seen: list[tuple[int, int]] = []
    with ResultCache(tmp_path) as cache:
        ranked = rank(
            table,
            SP2,
            settings,
            RunContext(cache=cache, progress=lambda done, total, **_: seen.append((done, total))),
        )
        assert len(cache) == 26
    assert seen[-1] == (26, 26) and [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert ranked["energy_round"].value_counts().to_dict() == {1: 20, 2: 3, 3: 3}
    assert ranked["screen_energy"].notna().sum() == 26 and ranked["rank"].notna().sum() == 26
    left = ranked[ranked["screen_energy"].isna()]
    assert set(left["energy_reason"]) == {"not among the 26 chosen for an energy"}
    assert left["predicted_energy"].notna().all() and (left["predicted_error"] > 0).all()
    assert ranked.loc[ranked["energy_round"] == 1, "predicted_energy"].isna().all()
    described = calibration.numbers(ranked, 0.5)
    assert described["tested"] == 6 and described["predicted"] == 8 and described["cpu_minutes"] > 0
    known = ResultCache(tmp_path / "other", [tmp_path])
    again = rank(table, SP2, settings, RunContext(cache=known, should_stop=lambda: True))
    pd.testing.assert_frame_equal(again, ranked)  # resumed, it chooses the same
    stopped = rank(table, SP2, settings, RunContext(should_stop=lambda: True))
    assert stopped["screen_energy"].isna().all()


def test_energies_of_some_at_random_and_none_of_large_cells() -> None:
    settings = SETTINGS.model_copy(update={"max_energies": 1, "order": "random", "max_atoms": 3})
    ranked = rank(relaxed(), SP2, settings).set_index("row")
    assert ranked.loc[41, "energy_reason"] == "more than 3 atoms in the primitive cell"
    assert ranked.loc[40, "rank"] == 1


def test_without_energies() -> None:
    ranked = rank(relaxed(), SP2, RankSettings(energies=False))
    assert ranked["row"].tolist() == [40, 41, 42]
    assert set(ranked["energy_reason"]) == {NOT_ASKED} and ranked["rank"].isna().all()
    assert rank(relaxed().iloc[:0], SP2, RankSettings()).empty


def test_result_cache(tmp_path: Path) -> None:
    own, other = tmp_path / "a", tmp_path / "b"
    with ResultCache(other) as cache:
        cache["x"] = {"energy": float("nan"), "reason": ""}
    with ResultCache(own, [own, other]) as cache:
        assert list(cache) == ["x"] and np.isnan(cache["x"]["energy"])
        cache["y"] = {"n": 1}
        cache.write()
        cache["z"] = {"n": 2}
    assert len(list(own.glob("*.parquet"))) == 2 and len(list(other.glob("*.parquet"))) == 1
    assert dict(ResultCache(own)) == {"y": {"n": 1}, "z": {"n": 2}}
    with pytest.raises(TypeError):
        del cache["x"]
