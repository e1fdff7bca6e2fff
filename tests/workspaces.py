"""Small jobs for tests: a few shipped crystals, the random generator, a relaxation of few steps."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from legocryst.infra.files import write_json, write_parquet
from legocryst.jobs.create import create
from legocryst.jobs.record import Job
from legocryst.settings import RunSettings
from legocryst.stages.curate import shipped_file

TRAINING_CRYSTALS = 12
ROWS = 1000
HOLD = """
import sys
from pathlib import Path
from legocryst.database.store import Store
with Store.open(Path(sys.argv[1])):
    print("open", flush=True)
    sys.stdin.readline()
"""
"""A program that keeps a workspace open until it reads a line."""


def tiny(**changes: Mapping[str, object]) -> RunSettings:
    """Settings of a run of a few seconds; `changes` by stage."""
    values: dict[str, dict[str, object]] = {
        "train": {"model": "random"},
        "sample": {"samples": 50, "max_atoms": 40},
        "relax": {"descriptor_steps": 30, "coordination_steps": 30, "refine_steps": 30},
        "rank": {"energies": False},
    }
    for stage, own in changes.items():
        values[stage] = {**values.get(stage, {}), **own}
    return RunSettings.model_validate(values)


def few_training_crystals(folder: Path) -> Path:
    """A table of some shipped crystals with few atoms."""
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.read_parquet(shipped_file("sp2-carbon"))
    path = folder / "few.csv"
    table[table["atoms"] <= 24].head(TRAINING_CRYSTALS).iloc[:, :39].to_csv(path, index=False)
    return path


def tiny_job(folder: Path, *, command: str = "run", threads: int = 1, **changes: Mapping[str, object]) -> Job:
    """A job, not yet started, in the workspace `folder / "w"`."""
    return create(folder / "w", command, tiny(**changes), training=[few_training_crystals(folder)], threads=threads)


def wait_for(condition: Callable[[], bool], *, seconds: float = 120.0) -> None:
    """Wait until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def finished(workspace: Path, settings: RunSettings, *, slow: float = 1.0, threads: int = 1, busy: int = 1) -> Job:
    """A job whose stages took known times: each 2 s to begin, and 1 s (times slow) for its work, on `busy` cores."""
    job = create(workspace, "run", settings, threads=threads)
    clock = began = 1000.0

    def note(stage: str, **numbers: Any) -> None:
        line = {"time": clock, "attempt": 1, "stage": stage, "cpu_seconds": busy * (clock - began), **numbers}
        with (job.folder / "progress.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")

    for stage in (*job.stages, "baseline"):
        began = clock
        note(stage)
        clock += 2
        if stage == "train":
            epochs = settings.train.passes(ROWS)
            for epoch in range(1, epochs + 1):
                clock += slow / epochs
                note(stage, epoch=epoch, epochs=epochs, loss=1 / epoch)
        else:
            note(stage, done=0, total=1)
            clock += slow
        note(stage, complete=True)
    tenth = settings.sample.samples // 10
    summary: dict[str, Any] = {"seeds": 10, "augmented": ROWS, "sampled": 10 * tenth, "undecodable": tenth}
    summary |= {"invalid": {"too few bonds": 4 * tenth}, "duplicate": tenth, "known": tenth, "new": 3 * tenth}
    summary |= {"energies": 3, "relaxed": 2, "low_energy": 1, "total_cpu_seconds": 12.3}
    write_json(job.folder / "state.json", {"state": "finished", "reason": "", "summary": summary})
    passed = [*range(1, settings.train.passes(ROWS) + 1)]
    curve = pd.DataFrame({"epoch": 2 * passed, "quantity": np.repeat(["loss", "new"], len(passed)), "value": 1.0})
    write_parquet(curve, job.shards / "training.parquet")
    rows = pd.DataFrame({"status": ["valid"] * 50 + ["invalid"] * 50, "sites": [3] * 100, "row": range(100)})
    write_parquet(rows, job.shards / "crystals-00000.parquet")
    return job
