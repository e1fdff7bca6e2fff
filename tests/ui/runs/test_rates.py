"""What a run gives for its time, and its finds as crystals to learn from."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from legocryst.database.store import Store
from legocryst.environment.target_library import target
from legocryst.infra.files import write_json, write_parquet
from legocryst.jobs.create import create
from legocryst.jobs.record import Job
from legocryst.jobs.worker import work
from legocryst.settings import CurateSettings
from legocryst.stages import baseline
from legocryst.stages.curate import curate
from legocryst.ui.runs.new_training_set import finds, low_energy_filter
from legocryst.ui.runs.rates import rates, trained_in
from tests.workspaces import few_training_crystals, tiny, tiny_job


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    made = tiny_job(tmp_path_factory.mktemp("rates"))
    work(made)
    return made


@pytest.fixture
def store(job: Job) -> Iterator[Store]:
    with Store.open(job.folder.parent.parent) as result:
        result.ingest()
        yield result


def test_rates_of_a_run_and_of_random_crystals(job: Job, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    summary, beside = job.summary, {"rows": 10, "cpu_seconds": 30.0, "valid": 4, "new": 2, "several": 1}
    write_json(baseline.STAGE.path(job.folder), beside)
    table = rates(store, job).set_index("Generator")
    run, random = table.loc["This run (random)"], table.loc["Random symmetric crystals"]
    seconds = summary["cpu_seconds"]
    assert run["Rows"] == 50 and run["New per CPU-minute"] == pytest.approx(
        60 * summary["new"] / (seconds["sample"] + seconds["relax"])
    )
    assert list(random) == [10, 40.0, 4.0, 2.0]
    assert len(table) == 2  # it has no training
    network = {**job.record["settings"], "train": {"model": "vae"}}
    monkeypatch.setitem(job.record, "settings", network)
    trained = rates(store, job).set_index("Generator").loc["This run (vae), its training counted"]
    assert trained["New per CPU-minute"] < run["New per CPU-minute"] and trained_in(job) == seconds["train"]


def test_time_of_a_training_that_was_taken_over(job: Job) -> None:
    child = create(job.folder.parent.parent, "run", tiny(), threads=1, parent=job)
    assert trained_in(child) == trained_in(job) > 0
    child.delete()


def test_finds_are_crystals_to_learn_from(job: Job, store: Store, tmp_path: Path) -> None:
    where = low_energy_filter(job, None, frameworks=False)
    table = finds(store, where)
    assert len(table) == store.total(where) > 0
    table["energy"] = [0.25 + 0.01 * k for k in range(len(table))]
    write_parquet(table, tmp_path / "finds.parquet")
    curated = curate(
        [few_training_crystals(tmp_path), tmp_path / "finds.parquet"], target("sp2-carbon"), CurateSettings()
    ).table
    own = curated[curated["net_key"].isin(table["net_key"])]
    assert sorted(own["energy"]) == sorted(table["energy"]) and len(own) == len(table)
    assert set(own["source"]) == set(table["source"])
    frameworks = job.summary["new_by_kind"].get("framework", 0)
    assert store.total(low_energy_filter(job, None, frameworks=True)) == frameworks
    assert store.total(low_energy_filter(job, 0.5, frameworks=False)) == 0  # none of the run has an energy


def test_nothing_is_said_of_a_run_without_rows(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    with Store.open(tmp_path / "w") as empty:
        empty.ingest()
        assert isinstance(rates(empty, job), pd.DataFrame) and rates(empty, job).empty
