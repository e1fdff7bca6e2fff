"""What the page says of a job while it runs."""

from pathlib import Path

import pytest
import streamlit as st

from legocryst.jobs.record import Job
from legocryst.ui.shell.live import live, planned, speed, stage_progress, training_curve
from tests.workspaces import tiny_job


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return tiny_job(tmp_path, train={"model": "vae"})


def test_stages_of_a_job(job: Job, tmp_path: Path) -> None:
    assert planned(job)[:4] == ["curate", "augment", "featurize", "train"]
    assert planned(tiny_job(tmp_path / "2", command="train")) == ["curate", "train"]


def test_words_of_a_stage() -> None:
    assert stage_progress({}, "running") == (0.0, "waiting")
    assert stage_progress({"cpu_seconds": 2.0, "done": 3, "total": 4}, "running") == (0.75, "3 of 4 done, 2 CPU-s")
    epochs = {"cpu_seconds": 2.0, "epoch": 1, "epochs": 4, "valid": 0.5}
    assert stage_progress(epochs, "running") == (0.25, "1 of 4 epochs, 2 CPU-s")
    judged = stage_progress({**epochs, "seconds_left": 9, "judging": 40}, "running")[1]
    assert judged == "1 of 4 epochs, 2 CPU-s, 40 fresh samples are relaxed and judged now"
    relaxed = {"cpu_seconds": 2.0, "done": 4, "total": 4, "valid": 1, "complete": True}
    assert stage_progress(relaxed, "running") == (1.0, "done, 2 CPU-s")
    timed = {"cpu_seconds": 2.0, "done": 3, "total": 4, "seconds_left": 2583}
    assert stage_progress(timed, "running") == (0.75, "3 of 4 done, 2 CPU-s, about 43 min left")
    assert stage_progress(timed, "stopped") == (0.75, "3 of 4 done, 2 CPU-s")


def test_the_page_is_drawn_anew_at_the_end_before_it_says_finished(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reads that a job has finished may follow a link, and a later `st.rerun` would take the place of that."""
    states = iter(["running", "finished"])
    monkeypatch.setattr(Job, "state", property(lambda job: next(states)))
    monkeypatch.setattr(st, "fragment", lambda run_every: lambda part: part)

    def again() -> None:
        raise RuntimeError("again")

    monkeypatch.setattr(st, "rerun", again)
    drawn: list[Job] = []
    with pytest.raises(RuntimeError, match="again"):
        live(job, drawn.append)
    assert not drawn and next(states, None) is None  # nothing was shown, nor asked for


def test_curve_takes_the_later_report_of_an_epoch(job: Job) -> None:
    for attempt, loss in ((1, 9.0), (2, 3.0)):
        job.report(stage="train", attempt=attempt, cpu_seconds=1, epoch=1, epochs=2, loss=loss, seconds_left=4)
    job.report(stage="train", attempt=2, cpu_seconds=2, epoch=2, epochs=2, loss=2.0, valid=0.25)
    curve = training_curve(job)
    assert curve[curve["quantity"] == "loss"]["value"].tolist() == [3.0, 2.0]
    assert set(curve["quantity"]) == {"loss", "valid"}


def test_speed_counts_the_last_attempt_only(job: Job) -> None:
    assert speed(job) is None
    steps = [(1, 0.0, 0), (1, 10.0, 100), (2, 50.0, 100), (2, 60.0, 150)]
    for attempt, when, done in steps:
        job.report(stage="relax", attempt=attempt, cpu_seconds=1, done=done, total=200, time=when)
    assert speed(job) == pytest.approx(5.0)
