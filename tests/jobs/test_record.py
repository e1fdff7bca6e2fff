import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from legocryst.database.store import Store
from legocryst.infra.files import process_start
from legocryst.infra.run_context import Stopped
from legocryst.jobs.create import create, launch, resume
from legocryst.jobs.lease import claim
from legocryst.jobs.pipeline import run
from legocryst.jobs.record import Job, jobs
from legocryst.jobs.record import job as find_job
from legocryst.jobs.worker import NICE, work
from legocryst.stages.curate import REFERENCE_SHARD
from tests.workspaces import few_training_crystals, tiny, tiny_job, wait_for

SHORT = {"descriptor_steps": 1, "coordination_steps": 1, "refine_steps": 0}


def children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def test_record_says_what_was_asked(tmp_path: Path) -> None:
    job = tiny_job(tmp_path, threads=3)
    again = find_job(tmp_path / "w", job.id)
    assert again.state == "queued" and again.command == "run" and again.threads == 3
    assert again.settings == tiny()
    assert [path.read_text() for path in again.training_files] == [few_training_crystals(tmp_path).read_text()]
    assert again.record["versions"]["torch"] and len(again.record["input"]) == 64
    assert again.cluster == "" and again.place == "3 cores"
    assert again.latest() == {} and again.progress() == [] and again.log_tail() == ""


def test_record_of_a_version_without_clusters(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    record = {name: value for name, value in job.record.items() if name != "cluster"}
    (job.folder / "settings.json").write_text(json.dumps(record))
    assert find_job(tmp_path / "w", job.id).cluster == ""


def test_scheduler_file_is_kept_as_a_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process of a job works in another folder."""
    pytest.importorskip("distributed", reason="Dask distributed is not installed: call `make cluster`")
    (tmp_path / "scheduler.json").write_text('{"address": "tcp://127.0.0.1:1"}')
    monkeypatch.chdir(tmp_path)
    job = create(tmp_path / "w", "run", tiny(), threads=1, cluster="scheduler.json")
    assert job.cluster == str(tmp_path / "scheduler.json") and job.place == "1 core and a Dask cluster"


def test_job_of_a_version_with_other_settings(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    record = job.record | {"version": "0.0.1", "settings": job.record["settings"] | {"weather": {}}}
    (job.folder / "settings.json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match=r"was made by version 0\.0\.1, whose settings were others"):
        _ = find_job(tmp_path / "w", job.id).settings
    with Store.open(tmp_path / "w") as store:
        store.ingest()
        assert list(store.query("SELECT model FROM jobs")["model"]) == ["random"]


def test_newest_first_and_unknown_ones_are_refused(tmp_path: Path) -> None:
    made = [tiny_job(tmp_path).id for _ in range(3)]
    assert [job.id for job in jobs(tmp_path / "w")] == sorted(made, reverse=True)
    assert jobs(tmp_path / "nowhere") == []
    for name in ("", "..", "no-such-job"):
        with pytest.raises(ValueError, match="there is no job"):
            find_job(tmp_path / "w", name)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"command": "fly"}, "no command 'fly'"),
        ({"threads": 0}, "at least one core"),
        ({"cluster": "nowhere"}, "'nowhere' names no cluster: give local:N"),
        ({"training": ["missing.cif"]}, "there is no file missing.cif"),
        ({"training": ["a/few.csv", "b/few.csv"]}, "two of the files have one name"),
        ({"reference": ["missing.cif"]}, "there is no file missing.cif"),
    ],
)
def test_wrong_orders_leave_no_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], sentence: str
) -> None:
    few_training_crystals(tmp_path / "a"), few_training_crystals(tmp_path / "b")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=sentence):
        create(tmp_path / "w", options.pop("command", "run"), tiny(), **{"threads": 1} | options)
    assert not (tmp_path / "w").exists()


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    """What a link leads to is not copied, and the report of the job says so."""
    folder = few_training_crystals(tmp_path / "given").parent
    (tmp_path / "secret.csv").write_text("secret")
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    job = create(tmp_path / "w", "curate", tiny(), training=[folder], reference=[folder / "few.csv"], threads=1)
    assert (job.training_files[0] / "link.csv").is_symlink() and [path.name for path in job.reference] == ["few.csv"]
    work(job)
    report = pd.read_parquet(job.folder / "curation.parquet")
    (line,) = report[report["source"] == "link.csv"].to_dict("records")
    assert not line["kept"] and "leads out of its folder" in line["detail"]
    child = create(tmp_path / "w", "augment", tiny(), threads=1, parent=job, through="curate")
    assert (child.folder / "input" / "given" / "few.csv").exists() and (child.folder / REFERENCE_SHARD).exists()
    with pytest.raises(ValueError, match="takes over its crystals: give no others"):
        create(tmp_path / "w", "augment", tiny(), threads=1, parent=job, through="curate", training=[folder])


def test_killed_job_is_lost_its_workers_end_and_resuming_finishes_it(tmp_path: Path) -> None:
    job = tiny_job(tmp_path, threads=2, sample={"samples": 1100}, relax=SHORT)
    launch(job)
    assert job.holder is not None
    pid = job.holder.pid
    assert job.state == "running"
    with pytest.raises(ValueError, match="running already"):
        launch(job)
    with pytest.raises(ValueError, match="stop it before deleting"):
        job.delete()
    wait_for(lambda: job.state != "running" or (job.latest().get("stage") == "relax" and len(children(pid)) >= 3))
    assert job.state == "running", job.log_tail()
    assert os.getpriority(os.PRIO_PROCESS, pid) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + NICE)
    workers = {child: process_start(child) for child in children(pid)}  # two, and the tracker of their resources
    with Store.open(tmp_path / "w") as store:
        store.ingest()
        assert store.query("SELECT count(*) AS n FROM seeds")["n"].iloc[0] > 0  # the database has the first half

    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: job.state == "lost")
    assert "resume" in job.reason
    wait_for(lambda: all(process_start(child) != start for child, start in workers.items()))

    resume(job)
    wait_for(lambda: job.state not in ("queued", "running"))
    assert job.state == "finished", job.log_tail()
    stages = [line["stage"] for line in job.progress() if line["attempt"] == 2]
    assert stages[0] == "relax" and stages[-1] == "bands"  # finished stages are not done again
    with Store.open(tmp_path / "w") as store:
        store.ingest()
        assert store.ingest() == 0
        rows = store.query("SELECT row FROM crystals ORDER BY row")["row"]
        assert list(rows) == list(range(1100))
        shards = store.query("SELECT path FROM shards")["path"]
        assert sorted(shards) == sorted(str(p.relative_to(tmp_path / "w")) for p in job.shards.iterdir())
        assert store.counts(job.id) | job.summary == job.summary


def test_stop_and_go_on(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    job.stop()
    assert work(job) == {} and job.state == "stopped" and "resumed" in job.reason
    job.reopen()
    assert work(job)["sampled"] == 50 and job.state == "finished"
    with pytest.raises(ValueError, match="is finished"):
        resume(job)


def test_process_stops_when_asked(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    job.stop()
    launch(job)
    wait_for(lambda: job.state != "running")
    assert job.state == "stopped", job.log_tail()


def test_failure_is_noted_in_one_sentence(tmp_path: Path) -> None:
    empty = tmp_path / "empty.cif"
    empty.touch()
    job = create(tmp_path / "w", "run", tiny(), training=[empty], threads=1)
    with pytest.raises(ValueError, match="empty"):
        work(job)
    assert job.state == "failed" and "empty.cif is empty" in job.reason and "\n" not in job.reason


def test_process_that_dies_at_once_is_lost(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    claim(job.folder, pid=process.pid)
    wait_for(lambda: job.state == "lost")  # dead, though nobody has waited for it
    process.wait()


def test_job_from_anothers_results(tmp_path: Path) -> None:
    first = tiny_job(tmp_path, command="train")
    work(first)
    assert not (first.folder / "samples.parquet").exists()
    second = create(tmp_path / "w", "sample", tiny(sample={"samples": 7}), threads=1, parent=first)
    first.delete()
    assert work(second)["seeds"] > 0
    assert [line["stage"] for line in second.progress()] == ["sample", "sample"]
    assert len(pd.read_parquet(second.folder / "samples.parquet")) == 7
    with pytest.raises(ValueError, match="has not finished the stage curate"):
        create(tmp_path / "w", "run", tiny(), threads=1, parent=tiny_job(tmp_path))


def test_deleted_job_is_gone(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    job.delete()
    assert jobs(tmp_path / "w") == [] and list((tmp_path / "w" / "jobs").iterdir()) == []


def test_half_a_line_of_progress_is_passed_over(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    job.report(stage="train", attempt=1, epoch=1)
    with (job.folder / "progress.jsonl").open("a") as file:
        file.write('{"time": 12, "sta')
    assert len(job.progress()) == 1 and job.latest()["epoch"] == 1
    for epoch in (2, 3):  # the next attempt; its first line is lost to the half one
        job.report(stage="train", attempt=2, epoch=epoch)
    assert [step["epoch"] for step in job.progress()] == [1, 3] and job.latest()["epoch"] == 3


def test_should_stop_is_asked_before_each_stage(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    answers = iter([False, True])
    with pytest.raises(Stopped):
        run(job, should_stop=lambda: next(answers))
    assert {line["stage"] for line in job.progress()} == {"curate"}
    assert isinstance(job, Job) and (job.shards / "seeds.parquet").exists()
