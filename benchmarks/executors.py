"""The same rows relaxed in this process, by two processes and by Dask with two workers: bytes, CPU-s, and faults.

python -m benchmarks.executors [TABLE] [--rows 4000] [--seed 0]

Rows are those of TABLE, repeated with noise on cell and coordinates, or, without one, of the random symmetric
generator. Every way is a process of its own, whose CPU-s are counted with those of all its workers, from their start to
their end. Then the same with a worker killed in the midst of a chunk, and last a job over a cluster whose process is
killed in the midst of its relaxation, with a worker, and that is resumed: each row must be there once.
"""

import argparse
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from benchmarks.features import random_table
from legocryst.crystal.io.table import read_table
from legocryst.environment.target_library import target
from legocryst.infra.executors import executor
from legocryst.infra.run_context import RunContext
from legocryst.jobs.create import create, launch, resume
from legocryst.settings import RelaxSettings, RunSettings
from legocryst.stages.relax import relax_chunks

WAYS = {"in this process": ("", 1), "two processes": ("", 2), "Dask, two workers": ("local:2", 1)}
KILLED = "Dask, two workers, one killed"
CHUNK = 100
FEWEST = 2000
"""Rows of the job, so that it has several shards."""
RATTLE = 0.02
"""Standard deviation (angstrom, and of fractional coordinates a tenth of it) of the noise on repeated rows."""


def main() -> None:
    """Print a table of the ways, and what became of the job."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("table", nargs="?", type=Path, help="a .csv, .parquet or .json table")
    parser.add_argument("--rows", type=int, default=4000, help="number of rows (default 4000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--one", help=argparse.SUPPRESS)  # what a child process does
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one_way(options.one, options.table)))
        return
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "rows.parquet"
        rows(options).to_parquet(table, index=False)
        results = {way: child(way, table) for way in (*WAYS, KILLED)}
        print(f"{'':32} {'SHA-256':14} {'rows':>6} {'valid':>6} {'CPU-s':>8} {'seconds':>8}")
        for way, figures in results.items():
            numbers = (
                f"{figures['rows']:6} {figures['valid']:6} {figures['cpu_seconds']:8.1f} {figures['seconds']:8.1f}"
            )
            print(f"{way:32} {figures['hash'][:12]:14} {numbers}")
        same = len({figures["hash"] for figures in results.values()}) == 1
        print("all the same bytes" if same else "THE BYTES DIFFER")
        print(resumed(Path(folder) / "w", max(options.rows, FEWEST), options.seed))


def rows(options: argparse.Namespace) -> pd.DataFrame:
    """Return as many rows as asked for."""
    if options.table is None:
        return random_table(options.rows, seed=options.seed)
    inputs = read_table(options.table)
    table = pd.concat([inputs] * -(-options.rows // len(inputs)), ignore_index=True).head(options.rows)
    rng, later = np.random.default_rng(options.seed), np.arange(options.rows) >= len(inputs)
    for name in (name for name in table.columns if name in "abc" or name[:1] in "xyz"):
        noise = rng.normal(scale=RATTLE / (1 if name in "abc" else 10), size=len(table))
        table[name] += np.where(later & (table[name] >= 0), noise, 0.0)
    return table


def child(way: str, table: Path) -> dict[str, Any]:
    """Return what a process of its own reports of one way, with its CPU-s and those of its children."""
    before, start = _children(), time.monotonic()
    command = [sys.executable, "-m", "benchmarks.executors", str(table), "--one", way]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    times = {"cpu_seconds": _children() - before, "seconds": time.monotonic() - start}
    return dict(json.loads(done.stdout.splitlines()[-1])) | times


def one_way(way: str, table: Path) -> dict[str, Any]:
    """Relax the rows; a worker is killed after the first chunk where the way says so."""
    cluster, processes = WAYS.get(way, WAYS["Dask, two workers"])
    frames = []
    with executor(cluster, processes=processes) as spread:
        chunks = relax_chunks(
            pd.read_parquet(table),
            target("sp2-carbon"),
            RelaxSettings(),
            RunContext(executor=spread),
            chunk=CHUNK,
            cif=True,
        )
        for frame in chunks:
            frames.append(frame)
            if way == KILLED and len(frames) == 1:
                os.kill(workers(os.getpid())[0], signal.SIGKILL)
    relaxed = pd.concat(frames, ignore_index=True)
    content = relaxed.to_parquet(index=False)
    return {
        "hash": hashlib.sha256(content).hexdigest(),
        "rows": int(relaxed["row"].nunique()),
        "valid": int((relaxed["status"] == "valid").sum()),
    }


def resumed(workspace: Path, number: int, seed: int) -> str:
    """Kill a worker, then the process, of a job in the midst of its relaxation, resume it, and count its rows."""
    values = {"train": {"model": "random"}, "sample": {"samples": number}, "rank": {"energies": False}, "seed": seed}
    job = create(workspace, "relax", RunSettings.model_validate(values), threads=1, cluster="local:2")
    launch(job)
    wait(lambda: len(list(job.shards.glob("crystals-*"))) >= 1 or job.state != "running")
    assert job.state == "running", job.log_tail()
    pid = json.loads((job.folder / "lease.json").read_text())["pid"]
    own = workers(pid)
    os.kill(own[0], signal.SIGKILL)
    wait(lambda: len(list(job.shards.glob("crystals-*"))) >= 2 or job.state != "running")
    assert job.state == "running", job.log_tail()
    left = workers(pid)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    wait(lambda: not any(Path(f"/proc/{worker}").exists() for worker in left))
    done = len(list(job.shards.glob("crystals-*")))
    resume(job)
    wait(lambda: job.state != "running")
    numbers = sorted(row for path in job.shards.glob("crystals-*") for row in pd.read_parquet(path)["row"])
    once = "each row once" if numbers == list(range(number)) else "ROWS ARE MISSING OR DOUBLE"
    return f"job of {number} rows, killed after {done} of {-(-number // 500)} shards and resumed: {job.state}, {once}"


def workers(pid: int) -> list[int]:
    """Return the Dask workers that a process started, named by multiprocessing's spawn on their command line."""
    children = [
        int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()
    ]
    return [child for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def wait(condition: Callable[[], bool], seconds: float = 3600.0) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
