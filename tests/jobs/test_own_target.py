"""Runs to targets that are not the first: one of the user's, found in every process, and sp3 carbon from its seeds."""

from pathlib import Path

import pandas as pd
import pytest

from legocryst.crystal.io.table import decode
from legocryst.environment.derive import derive
from legocryst.environment.target_library import delete, save, target
from legocryst.environment.validity import judge
from legocryst.jobs.create import create
from legocryst.jobs.worker import work
from legocryst.stages.curate import shipped
from tests.workspaces import few_training_crystals, tiny


def test_a_run_to_a_users_target_outlives_the_workspaces_file(tmp_path: Path) -> None:
    save(derive(target("sp2-carbon").reference.crystals(), 1, name="mine"), tmp_path / "w")
    settings = tiny(curate={"target": "mine"}, sample={"samples": 120})
    job = create(tmp_path / "w", "relax", settings, training=[few_training_crystals(tmp_path)], threads=2)
    delete("mine", tmp_path / "w")
    counts = work(job)
    assert counts["sampled"] == 120 and counts["new"] + counts["known"] > 0
    with pytest.raises(ValueError, match="no target 'mine'"):
        target("mine")


def test_sp3_carbon_has_seeds_and_a_run(tmp_path: Path) -> None:
    goal, training = target("sp3-carbon"), shipped("sp3-carbon")
    crystals = decode(training, mode="strict", element=goal.atomic_number, max_atoms=1000).crystals
    assert len(crystals) == len(training) >= 10 and judge(crystals, goal).valid.all()
    assert training["net_key"].is_unique and {"dia", "lon"} <= set("/".join(training["name"]).split("/"))
    counts = work(create(tmp_path / "w", "relax", tiny(curate={"target": "sp3-carbon"}), threads=1))
    assert counts["seeds"] == len(training) and counts["sampled"] == 50 and counts["new"] + counts["known"] > 0
    rows = pd.concat(pd.read_parquet(path) for path in (tmp_path / "w").glob("jobs/*/shards/crystals-*.parquet"))
    valid = decode(rows[rows["status"] == "valid"], element=6, max_atoms=1000).crystals
    assert judge(valid, goal).valid.all()
