"""The lease of a job: one process at a time, also after a kill, from another computer, and with a reused number."""

import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from legocryst.infra.files import process_start, write_json
from legocryst.jobs import lease
from legocryst.jobs.lease import BEFORE_LEASES, FILE, Holder, Lease, LeaseHeld, claim, held, holder, release
from legocryst.jobs.record import Job
from legocryst.jobs.worker import work
from tests.workspaces import tiny_job, wait_for


def elsewhere(folder: Path, *, age: float) -> Holder:
    """A lease that another computer renewed some seconds ago."""
    other = replace(claim(folder), host="node7", system="another boot", renewed=time.time() - age)
    write_json(folder / FILE, asdict(other))
    return other


def test_a_second_process_is_refused_with_a_sentence_that_names_the_first(tmp_path: Path) -> None:
    with held(tmp_path), pytest.raises(LeaseHeld, match=rf"running already \(process {os.getpid()} on .*: wait for"):
        claim(tmp_path)
    assert holder(tmp_path) is None
    claim(tmp_path)


def test_who_knows_the_token_takes_over(tmp_path: Path) -> None:
    first = claim(tmp_path)
    second = claim(tmp_path, pid=os.getppid(), token=first.token)
    assert second.token == first.token and second.pid == os.getppid()
    with pytest.raises(LeaseHeld):
        claim(tmp_path, token="another")
    release(tmp_path, first)
    assert holder(tmp_path) is None


def test_a_dead_process_and_a_reused_number_hold_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    claim(tmp_path, pid=process.pid)
    process.wait()
    assert (dead := holder(tmp_path)) is not None and not dead.alive
    reused = replace(claim(tmp_path), start=1)
    write_json(tmp_path / FILE, asdict(reused))
    assert not reused.alive
    claim(tmp_path)


def test_a_job_that_an_earlier_version_still_runs_is_left_alone(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    noted = {"pid": os.getppid(), "start": process_start(os.getppid())}
    write_json(job.folder / BEFORE_LEASES, noted)
    assert job.state == "running"
    with pytest.raises(LeaseHeld, match=rf"running already \(process {os.getppid()} on "):
        claim(job.folder)
    with pytest.raises(ValueError, match="stop it before deleting it"):
        job.delete()
    write_json(job.folder / BEFORE_LEASES, noted | {"start": 1})  # killed, and its number is another's now
    assert holder(job.folder) is None
    claim(job.folder)


def test_on_another_computer_the_last_sign_of_life_counts(tmp_path: Path) -> None:
    assert elsewhere(tmp_path, age=lease.EXPIRE / 2).alive
    with pytest.raises(LeaseHeld, match="on node7, last heard of 60 s ago"):
        claim(tmp_path)
    (tmp_path / FILE).unlink()
    assert not elsewhere(tmp_path, age=2 * lease.EXPIRE).alive
    assert claim(tmp_path).pid == os.getpid()


def test_it_is_renewed_and_its_loss_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "RENEW", 0.05)
    with held(tmp_path) as own:
        first = holder(tmp_path)
        assert first is not None
        wait_for(lambda: (now := holder(tmp_path)) is not None and now.renewed > first.renewed)
        (tmp_path / FILE).unlink()
        other = claim(tmp_path)
        wait_for(lambda: own.lost)
    assert (left := holder(tmp_path)) is not None and left.token == other.token  # it is not given back for the other


def test_a_deleted_folder_is_a_loss(tmp_path: Path) -> None:
    own = Lease(tmp_path / "gone", claim(tmp_path))
    own.renew()
    assert own.lost


def test_a_job_is_not_done_twice_and_ends_when_it_is_taken_over(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    other = elsewhere(job.folder, age=1)
    assert job.state == "running"
    with pytest.raises(LeaseHeld, match="running already"):
        work(job)
    assert not (job.folder / "state.json").exists()
    write_json(job.folder / FILE, asdict(replace(other, renewed=0)))
    assert job.state == "lost" and "ended on node7" in job.reason

    def taken_over(_: object) -> None:
        (job.folder / FILE).unlink(missing_ok=True)
        claim(job.folder)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(LeaseHeld, match="deleted or taken over"):
        patch.setattr(lease, "RENEW", 0.01)
        patch.setattr(Job, "stopping", lambda job: time.sleep(0.05))  # so that it is noticed in a run of a second
        work(job, progress=taken_over)
    assert not (job.folder / "state.json").exists()


def test_a_job_whose_folder_is_removed_ends_in_a_sentence(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    with pytest.raises(LeaseHeld, match="was deleted or taken over"):
        work(job, progress=lambda _: shutil.rmtree(job.folder, ignore_errors=True))
    assert not (job.folder / "state.json").exists()


def _claimed(folder: Path) -> bool:
    try:
        claim(folder)
    except LeaseHeld:
        return False
    time.sleep(2)
    return True


def test_of_many_that_claim_at_once_one_gets_it(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(6) as pool:
        assert sum(pool.map(_claimed, [tmp_path] * 6, chunksize=1)) == 1
