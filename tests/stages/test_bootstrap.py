"""Crystals found where none are known: distinct nets, energies, and going on after a stop."""

from pathlib import Path

import numpy as np
import pytest

from legocryst.crystal.io.table import decode
from legocryst.environment.target_library import target
from legocryst.environment.validity import judge
from legocryst.infra.run_context import RunContext
from legocryst.settings import BootstrapSettings
from legocryst.stages import bootstrap as stage
from legocryst.stages.bootstrap import bootstrap, valid_nets
from legocryst.stages.curate import DESCRIPTION, curate

SP2 = target("sp2-carbon")

FEW = BootstrapSettings(random=60, surfaces=80, max_atoms=96, min_ring=3, max_ring=24, max_energies=2, max_relaxed=1)


def test_each_net_comes_once_and_a_stopped_search_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "BATCH", 40)
    calls: list[tuple[int, int]] = []
    at_once = valid_nets(
        SP2,
        FEW,
        RunContext(progress=lambda done, total, valid: calls.append((done, total))),
        folder=tmp_path / "one",
    )
    assert calls == [(40, 140), (60, 140), (100, 140), (140, 140)]
    assert len(at_once) > 5 and at_once["net_key"].is_unique and set(at_once["kind"]) == {"framework"}
    assert set(at_once["source"]) <= set(stage.SOURCES.values())

    flags = iter([False, False, True])
    valid_nets(SP2, FEW, RunContext(should_stop=lambda: next(flags)), folder=tmp_path / "two")
    assert len(list((tmp_path / "two").glob("*.parquet"))) == 2
    assert valid_nets(SP2, FEW, folder=tmp_path / "two").equals(at_once)


def test_low_energies_are_kept_as_a_training_set(tmp_path: Path) -> None:
    high = FEW.model_copy(update={"max_energy": 10.0})
    made = bootstrap(SP2, high, folder=tmp_path)
    assert made.distinct >= made.ringed > 2 and made.relaxed == 1
    assert len(made.table) == 1 and list(made.table.columns)[-len(DESCRIPTION) :] == list(DESCRIPTION)
    nets = valid_nets(SP2, high, folder=tmp_path)["net_key"]
    without = bootstrap(SP2, high.model_copy(update={"max_energies": 0}), folder=tmp_path, known=set(nets[1:]))
    assert without.distinct == 1 and len(without.table) == 0
    kept = decode(made.table[[name for name in made.table.columns if name not in DESCRIPTION]], element=6).crystals
    assert judge(kept, SP2).valid.all() and np.isfinite(made.table["energy"]).all()
    assert len(curate(made.table, SP2).table) == 1


def test_surfaces_are_for_three_coordinated_targets(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="crystals on minimal surfaces are three-coordinated, and sp3-carbon is not"):
        valid_nets(target("sp3-carbon"), BootstrapSettings(random=0), folder=tmp_path)
    with pytest.raises(ValueError, match="nothing was drawn"):
        valid_nets(SP2, BootstrapSettings(random=0, surfaces=0), folder=tmp_path)
