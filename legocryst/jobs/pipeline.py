"""A run: the stages chained over the files of a job's folder; what is finished is not done again.

The counts of a run add up: every sampled row is undecodable, invalid, a duplicate of an earlier row of the run, known
(its net is in the training or the reference set) or new.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from legocryst.infra.executors import executor
from legocryst.jobs.attempt import Attempt, Report
from legocryst.jobs.record import Job, by_chance
from legocryst.jobs.rounds import do, done_when, run_rounds
from legocryst.settings import CurateSettings
from legocryst.stages import curate
from legocryst.stages.catalogue import STAGES

if TYPE_CHECKING:
    from legocryst.environment.target import Target

FEWEST = 2
"""Crystals that a training set must have to be learnt from."""


def run(
    job: Job,
    *,
    progress: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
    cluster: str | None = None,
) -> dict[str, Any]:
    """Do what is left of a job; returns the counts of what it has (see `summary`).

    Work is spread over `cluster`, by default the one that the job was made with (see `executors.executor`). Raises
    Stopped when the job was asked to stop: what is done stays, and a later call goes on from there.
    """
    import torch

    torch.set_num_threads(job.threads)
    with executor(job.cluster if cluster is None else cluster, processes=job.threads) as spread:
        attempt = Attempt(job, progress or (lambda numbers: None), should_stop or job.stopping, spread)
        for stage in (*done_when("once"), *done_when("alone")):
            do(attempt, stage)
            if stage is curate.STAGE and stage.name in job.stages:
                _substitute_for_few(attempt)
        if "sample" in job.stages:
            run_rounds(attempt)
        for stage in done_when("end"):
            do(attempt, stage)
    return summary(job)


def summary(job: Job) -> dict[str, Any]:
    """Return the counts of a job: model, seed, version, threads, `cpu_seconds` by stage and in all, those of stages.

    `seeds` counts the training set, `reference` the reference set, `augmented` the rows that are learnt from. After the
    relaxation `sampled` = `undecodable` + the sum of `invalid` (by reason) + `duplicate` + `known` + `new`, and there
    are `new_by_periodicity`, `new_by_kind`; after the ranking `energies` and `relaxed` count the crystals that have
    them, `low_energy` those that METHOD calls so, and where energies were learnt, `learned` holds what
    `active_learning.calibration` says of them; `band_classes` counts valid crystals by their bands. CPU-s include the
    stage's child processes and earlier attempts, of a killed attempt up to its last sign of life.
    """
    settings = job.settings
    seconds = _cpu_seconds(job)
    out: dict[str, Any] = {"model": settings.train.model, "seed": settings.seed, "version": job.record["version"]}
    if job.substitute:
        out["substitute"] = job.substitute
    for stage in STAGES.values():
        has_files = all(stage.path(job.folder, file=k).exists() for k in range(len(stage.files)))
        if has_files and (stage.name in job.stages or stage.when == "beside"):
            out |= stage.counts(job)
    return out | {"threads": job.threads, "cpu_seconds": seconds, "total_cpu_seconds": round(sum(seconds.values()), 3)}


def examine_files(
    training: Sequence[Path], reference: Sequence[Path], target: "Target", settings: CurateSettings
) -> dict[str, curate.Examined]:
    """Read and judge the crystals that a job is made with, as `create` takes them.

    Raises ValueError, with one sentence, if no training set, or no reference set, can be made of these files.
    """
    inputs = {"seeds": training, "reference": reference}
    examined = {name: curate.examine(paths, target, settings) for name, paths in inputs.items() if paths}
    if "seeds" in examined:
        curate.select(examined["seeds"], target, settings)
    if "reference" in examined:
        curate.as_reference(examined["reference"])
    return examined


def _substitute_for_few(attempt: Attempt) -> None:
    """Let a run go on with random rows where the training set has too few crystals to learn from."""
    crystals = len(curate.STAGE.read(attempt.job.folder))
    model = attempt.settings.train.spec
    if crystals >= FEWEST or not model.learns or "train" not in attempt.job.stages:
        return
    rows = by_chance(attempt.settings.sample.samples)
    attempt.substitute(
        f"The training set has {crystals} crystal, and the model {model.name} learns from {FEWEST} or more: {rows:,} "
        "rows are drawn at random instead. Add crystals, or find some with bootstrap."
    )


def _cpu_seconds(job: Job) -> dict[str, float]:
    """Return CPU-s of each stage, summed over attempts: the last that each attempt reported."""
    last = {(line["stage"], line["attempt"]): line["cpu_seconds"] for line in job.progress()}
    return {
        stage: round(sum(value for (name, _), value in last.items() if name == stage), 3)
        for stage in sorted(STAGES, key=lambda name: STAGES[name].number)
        if any(name == stage for name, _ in last)
    }
