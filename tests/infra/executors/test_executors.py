"""Every executor gives the same results in the same order, ends early, hands on errors and outlives dead workers."""

import json
import os
import signal
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from legocryst.environment.target_library import target
from legocryst.generators.base import generator
from legocryst.infra.executors import SERIAL, Executor, ExecutorError, LocalProcesses, checked, executor
from legocryst.infra.extras import MissingExtra
from legocryst.infra.run_context import RunContext
from legocryst.settings import RelaxSettings, TrainSettings
from legocryst.stages.curate import shipped
from legocryst.stages.relax import relax_chunks

if TYPE_CHECKING:
    from distributed import LocalCluster

needs_dask = pytest.mark.skipif(
    find_spec("distributed") is None, reason="Dask distributed is not installed: call `make cluster`"
)
WAYS = ("serial", "local", pytest.param("dask", marks=needs_dask))


@pytest.fixture(scope="module")
def dask() -> Iterator[Executor]:
    with executor("local:2") as spread:
        yield spread


@pytest.fixture
def way(request: pytest.FixtureRequest) -> Executor:
    """The executor of a name in WAYS."""
    if request.param == "dask":
        return request.getfixturevalue("dask")  # type: ignore[no-any-return]
    return {"serial": SERIAL, "local": LocalProcesses(2)}[request.param]


each_way = pytest.mark.parametrize("way", WAYS, indirect=True)


class Heavy:
    """An input that notes each process in which it is unpickled."""

    def __init__(self, notes: Path) -> None:
        self.notes = notes

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self.notes,)


def _unpickled(notes: Path) -> Heavy:
    with notes.open("a") as file:
        file.write(f"{os.getpid()}\n")
    return Heavy(notes)


def _backwards(part: int, *, pause: float = 0.0) -> tuple[int, int]:
    """The later parts are done first."""
    time.sleep(pause / (1 + part))
    return part, os.getpid()


def _noted(part: int, *, heavy: Heavy, folder: Path, pause: float = 0.0) -> int:
    (folder / f"begun-{part}").touch()
    time.sleep(pause)
    return part


def _wrong(part: int) -> int:
    if part == 3:
        raise ValueError("part 3 is no crystal: correct it")
    return part


def _kill_once(part: int, *, folder: Path) -> int:
    """The first worker that meets part 4 is killed in the midst of it."""
    with (folder / "log").open("a") as file:
        file.write(f"{part}\n")
    if part == 4 and not (folder / "killed").exists():
        (folder / "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return part * part


def _cluster() -> "LocalCluster":
    """A scheduler with one worker, as another program would start them."""
    from distributed import LocalCluster

    return LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        memory_limit=0,
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
    )


def _threads(_: int) -> tuple[int, str | None]:
    import torch

    return torch.get_num_threads(), os.environ.get("OMP_NUM_THREADS")


@each_way
def test_results_come_in_order(way: Executor) -> None:
    results = list(way.map(_backwards, range(7), shared={"pause": 0.2}))
    assert [part for part, _ in results] == list(range(7))
    here = {process for _, process in results} == {os.getpid()}
    assert here == (way is SERIAL)
    assert list(way.map(_backwards, [])) == []


@each_way
def test_shared_inputs_travel_once_to_each_worker(way: Executor, tmp_path: Path) -> None:
    shared = {"heavy": Heavy(tmp_path / "notes"), "folder": tmp_path, "pause": 0.05}
    assert list(way.map(_noted, range(12), shared=shared)) == list(range(12))
    notes = tmp_path / "notes"
    lines = notes.read_text().split() if notes.exists() else []
    assert len(set(lines)) == len(lines) == (0 if way is SERIAL else 2)


@each_way
def test_closing_cancels_what_has_not_begun(way: Executor, tmp_path: Path) -> None:
    parts = range(100_000)
    results = way.map(_noted, parts, shared={"heavy": None, "folder": tmp_path, "pause": 0.02})
    assert next(results) == 0 and next(results) == 1
    results.close()
    time.sleep(0.3)
    begun = len(list(tmp_path.glob("begun-*")))
    assert begun < 100
    time.sleep(0.3)
    assert len(list(tmp_path.glob("begun-*"))) == begun


@each_way
def test_an_error_of_the_work_is_raised_with_its_message(way: Executor) -> None:
    results = way.map(_wrong, range(6))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match=r"^part 3 is no crystal: correct it$"):
        next(results)
    assert list(way.map(_wrong, range(3))) == [0, 1, 2]  # it can be used again


def test_a_killed_process_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ExecutorError, match=r"was killed, perhaps .* a job is resumed where it was"):
        list(LocalProcesses(2).map(_kill_once, range(9), shared={"folder": tmp_path}))


@needs_dask
def test_parts_of_a_killed_worker_are_done_again(dask: Executor, tmp_path: Path) -> None:
    results = list(dask.map(_kill_once, range(40), shared={"folder": tmp_path}))
    assert (tmp_path / "killed").exists()
    assert results == [part * part for part in range(40)]
    assert (tmp_path / "log").read_text().split().count("4") == 2


@needs_dask
def test_workers_have_one_thread_and_the_environment_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with executor("local:1") as spread:
        assert os.environ["OMP_NUM_THREADS"] == "2"
        assert list(spread.map(_threads, [0])) == [(1, "1")]


@needs_dask
def test_a_scheduler_is_reached_by_address_and_file_and_a_late_worker_takes_part(tmp_path: Path) -> None:
    notes, file = tmp_path / "notes", tmp_path / "scheduler.json"
    shared = {"heavy": Heavy(notes), "folder": tmp_path, "pause": 0.1}
    with _cluster() as cluster:
        file.write_text(json.dumps({"address": cluster.scheduler_address}))
        with executor(cluster.scheduler_address) as spread:
            results = spread.map(_noted, range(300), shared=shared)
            assert next(results) == 0 and len(notes.read_text().split()) == 1
            cluster.scale(2)
            rest = []
            for part in results:
                rest.append(part)
                if len(set(notes.read_text().split())) == 2 and part < 290:
                    results.close()
            lines = notes.read_text().split()
            assert len(set(lines)) == len(lines) == 2 and rest == list(range(1, len(rest) + 1))
        with executor(str(file)) as spread:
            assert list(spread.map(_wrong, range(2))) == [0, 1]
            assert spread.cpu_seconds > 0


@needs_dask
def test_other_versions_are_told_in_a_sentence(dask: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    from legocryst.infra.executors import dask_worker

    here = dask_worker.versions()
    monkeypatch.setattr(dask_worker, "versions", lambda: here | {"numba": "0.1"})
    with pytest.raises(ExecutorError, match=rf"other versions .*\(numba {here['numba']} instead of 0\.1\): install"):
        list(dask.map(_wrong, range(2)))


def test_more_processes_than_a_computer_can_bear_are_refused() -> None:
    with pytest.raises(ExecutorError, match="too many processes for this computer: name at most local:"):
        checked("local:99999")


@pytest.mark.parametrize("text", ["nowhere", "local:", "local:0", "local:two", "node7:8786", "tcp://node7"])
def test_text_that_names_no_cluster(text: str) -> None:
    with pytest.raises(ExecutorError, match=r"names no cluster: give local:N .*tcp://HOST:PORT, or the path"):
        checked(text)


def test_file_that_is_no_scheduler_s(tmp_path: Path) -> None:
    for content in ("a,b", "[1]", '{"id": 1}'):
        path = tmp_path / "file.json"
        path.write_text(content)
        with pytest.raises(ExecutorError, match=r"file\.json is no file of a Dask scheduler: give one"):
            checked(str(path))


def test_without_dask_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("legocryst.infra.extras.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"packages are missing for a cluster \(distributed\): run `make cluster`"):
        checked("local:2")
    assert checked(" ") == ""


@needs_dask
def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("legocryst.infra.executors.dask.CONNECT_SECONDS", 1)
    with (
        pytest.raises(ExecutorError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1: start one"),
        executor("tcp://127.0.0.1:1"),
    ):
        pass


@needs_dask
def test_a_scheduler_that_ends_is_told_in_a_sentence(tmp_path: Path) -> None:
    cluster = _cluster()
    with executor(cluster.scheduler_address) as spread:
        results = spread.map(_noted, range(50), shared={"heavy": None, "folder": tmp_path, "pause": 0.1})
        assert next(results) == 0
        cluster.close()
        with pytest.raises(ExecutorError, match=r"ended or is out of reach: start it again, and then this"):
            list(results)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    model = generator("random", volume_per_atom=target("sp2-carbon").volume_per_atom)
    model.fit(shipped("sp2-carbon"), TrainSettings(model="random"))
    return model.sample(60, seed=3)


def relaxed(rows: pd.DataFrame, spread: Executor) -> bytes:
    frames = relax_chunks(rows, target("sp2-carbon"), RelaxSettings(), RunContext(executor=spread), chunk=20, cif=True)
    return pd.concat(list(frames), ignore_index=True).to_parquet(index=False)


@each_way
def test_relaxed_rows_are_the_same_bytes(way: Executor, rows: pd.DataFrame) -> None:
    assert relaxed(rows, way) == relaxed(rows, SERIAL)


def test_little_work_starts_no_processes() -> None:
    two = LocalProcesses(2)
    cases = {(9, 15.0): 1, (9, 17.0): 2, (1, 99.0): 1, (0, 0.0): 1}
    assert {case: two.at_once(*case) for case in cases} == cases
    assert two.at_once(9) == 2 and SERIAL.at_once(9) == 1
