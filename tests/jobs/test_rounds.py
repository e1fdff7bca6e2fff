from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from legocryst.infra.run_context import Stopped
from legocryst.jobs.create import create
from legocryst.jobs.pipeline import run
from legocryst.jobs.rounds import reached
from legocryst.jobs.worker import work
from legocryst.stages import drawn
from legocryst.stages.baseline import baseline
from legocryst.stages.drawn import Batch, batches, classified
from legocryst.stages.rank import STAGE as RANK
from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS
from tests.workspaces import tiny, tiny_job

CVAE = {"model": "cvae", "epochs": 1, "check_samples": 10, "hidden": 32, "latent": 4, "quality": False}
FEW = {"rows_per_crystal": 3, "max_atoms": 40}


def untimed(summary: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in summary.items() if "seconds" not in name}


def test_a_goal_is_reached_round_by_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn, "CHUNK", 20)
    once = work(tiny_job(tmp_path))
    expected = once["new"] + 1
    goal = {"crystals": expected, "kind": "new"}
    job = tiny_job(tmp_path, goal=goal)
    summary = work(job)
    assert summary["new"] == reached(job) >= expected and summary["sampled"] % 50 == 0
    number = summary["sampled"] // 50
    assert [batch.rows for batch in batches(job)] == [range(50 * k, 50 * (k + 1)) for k in range(number)]
    assert [batch.shards for batch in batches(job)] == [range(3 * k, 3 * (k + 1)) for k in range(number)]
    assert list(classified(job)["row"]) == list(range(50 * number))
    new = classified(job)["row"][classified(job)["class"] == "new"]
    assert sorted(RANK.read_all(job.folder)["row"]) == sorted(new)  # each in the round in which it came
    said = [step for step in job.progress() if "found" in step]
    assert [step["round"] for step in said] == list(range(1, number + 1))
    assert said[-1]["found"] == summary["new"] and said[-2]["found"] < expected == said[-1]["wanted"]

    other = tiny_job(tmp_path, goal=goal)
    calls = iter(range(10**6))
    with pytest.raises(Stopped):
        run(other, should_stop=lambda: next(calls) > 11)
    assert 0 < len(list(other.shards.glob("crystals-*"))) < 3 * number
    assert untimed(run(other)) == untimed(summary)
    pd.testing.assert_frame_equal(classified(other), classified(job))


def test_time_ends_a_run(tmp_path: Path) -> None:
    job = tiny_job(tmp_path, goal={"crystals": 10_000, "kind": "new", "minutes": 0.001})
    assert work(job)["sampled"] == 50  # the round that began is done


def test_rows_that_stay_invalid_are_drawn_again(tmp_path: Path) -> None:
    job = tiny_job(tmp_path, train=CVAE, augment=FEW, sample={"samples": 40, "refine_rounds": 2, "baseline": 30})
    summary = work(job)
    first, second, third = batches(job)
    table = classified(job)
    assert summary["sampled"] == len(table) == third.rows.stop and list(table["row"]) == list(range(len(table)))
    for before, after in ((first, second), (second, third)):
        rows = table.iloc[before.rows.start : before.rows.stop]
        invalid = rows[(rows["status"] == "invalid") & ~rows["published"]]
        drawn = pd.read_parquet(job.folder / f"samples-{after.number}.parquet")
        assert len(drawn) == len(after.rows) == len(invalid) > 0
        assert drawn["spg"].tolist() == invalid["spg"].tolist() and list(drawn.columns) == list(CRYSTAL_COLUMNS)
    assert sorted(RANK.read_all(job.folder)["row"]) == sorted(table["row"][table["class"] == "new"])
    beside = baseline(job)
    assert summary["baseline"] == beside and beside["rows"] == 30
    assert 0 <= beside["several"] <= beside["new"] <= beside["valid"] <= 30 and beside["cpu_seconds"] > 0


def test_lots_are_counted_through(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    assert batches(job) == [] and not drawn.all_relaxed(job)
    for name, rows in (("samples", 700), ("samples-1", 0), ("samples-2", 500)):
        pd.DataFrame({"spg": [1] * rows}).to_parquet(job.folder / f"{name}.parquet")
    assert batches(job) == [
        Batch(0, range(700), range(2)),
        Batch(1, range(700, 700), range(2, 2)),
        Batch(2, range(700, 1200), range(2, 3)),
    ]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sample": {"refine_rounds": 1}}, "the model random cannot draw rows near others"),
        ({"sample": {"groups": "194"}}, "the model random cannot be asked for space groups: leave that open"),
        ({"goal": {"crystals": 3}}, "no energies are computed: compute them, or count new ones"),
    ],
)
def test_contradictions_are_refused_before_the_run(tmp_path: Path, changes: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        create(tmp_path / "w", "run", tiny(**changes), threads=1)
    assert not (tmp_path / "w").exists()
