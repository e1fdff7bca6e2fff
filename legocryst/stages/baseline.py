"""Baseline: random symmetric crystals, drawn and relaxed like those of a model, to compare its yield with."""

import time
from typing import Any

from legocryst.infra.files import read_json, write_json
from legocryst.settings import RunSettings
from legocryst.stages import curate, drawn
from legocryst.stages.base import Attempt, JobFiles, Paper, Stage

SEVERAL = 3
"""Crystals of so many sites and more are counted apart: chance finds few of them."""


def baseline(job: JobFiles) -> dict[str, Any]:
    """Return what random crystals gave beside the run (see `_work`), empty where they were not tried."""
    return read_json(STAGE.path(job.folder))


def _work(attempt: Attempt, _: int) -> None:
    """Draw and relax random symmetric crystals in the same way, and count what they give for their time.

    `rows`, `cpu_seconds`, `valid`, `new`, and `several`: the new ones of SEVERAL sites and more.
    """
    from legocryst.generators.random_symmetric import RandomSymmetric
    from legocryst.stages.relax import relax_table

    job, settings, target = attempt.job, attempt.settings, attempt.target
    model = RandomSymmetric(volume_per_atom=target.volume_per_atom)
    model.fit(curate.STAGE.read(job.folder), settings.train)
    start = time.process_time()
    rows = model.sample(settings.sample.baseline, seed=attempt.context("sample").seed)
    frame = relax_table(
        rows, target, settings.relax, decode=settings.sample.decode, max_atoms=settings.sample.max_atoms
    )
    seconds = time.process_time() - start
    frame = drawn.with_class(frame, drawn.known_nets(job))
    new = frame[frame["class"] == "new"]
    results = {"rows": len(rows), "cpu_seconds": round(seconds, 3), "valid": int((frame["status"] == "valid").sum())}
    several = int((new["sites"] >= SEVERAL).sum())
    write_json(STAGE.path(job.folder), results | {"new": len(new), "several": several})


def _counts(job: JobFiles) -> dict[str, Any]:
    counts = baseline(job)
    return {STAGE.name: counts} if counts else {}


def _asked(settings: RunSettings) -> bool:
    return settings.sample.baseline > 0 and not settings.train.spec.baseline


def _methods(paper: Paper) -> None:
    if beside := paper.summary.get(STAGE.name):
        paper.say(
            f"For comparison {beside['rows']:,} random symmetric crystals were relaxed in the same way: "
            f"{beside['valid']:,} became valid, {beside['new']:,} of them new."
        )


STAGE = Stage(
    name="baseline",
    number=100,
    title="Random crystals beside",
    work=_work,
    when="beside",
    files=("baseline.json",),
    asked=_asked,
    counts=_counts,
    size=lambda amount: amount.settings.sample.baseline,
    spread=True,
    methods=_methods,
)
