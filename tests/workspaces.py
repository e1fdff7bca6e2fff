"""Small jobs for tests: a few shipped crystals, the random generator, a relaxation of few steps."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from legocryst.jobs import Job, create
from legocryst.settings import RunSettings
from legocryst.stages.curate import shipped_file

SEEDS = 12
HOLD = """
import sys
from pathlib import Path
from legocryst.store import Store
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


def few_seeds(folder: Path) -> Path:
    """A table of some shipped crystals with few atoms."""
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.read_parquet(shipped_file())
    path = folder / "few.csv"
    table[table["atoms"] <= 24].head(SEEDS).iloc[:, :39].to_csv(path, index=False)
    return path


def tiny_job(folder: Path, *, command: str = "run", threads: int = 1, **changes: Mapping[str, object]) -> Job:
    """A job, not yet started, in the workspace `folder / "w"`."""
    return create(folder / "w", command, tiny(**changes), seeds=[few_seeds(folder)], threads=threads)


def wait_for(condition: Callable[[], bool], *, seconds: float = 120.0) -> None:
    """Wait until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)
