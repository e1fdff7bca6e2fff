"""The part of a run that can be done again and again: draw, relax and judge, energies, gaps.

A round is a fresh lot of rows and its refinements (see `stages.drawn`), then the energies and gaps of what is new in
it. A run is one round, or, with a goal, as many as it takes.
"""

from legocryst.jobs.attempt import Attempt
from legocryst.jobs.record import Job
from legocryst.stages import rank
from legocryst.stages.base import Stage, When
from legocryst.stages.catalogue import STAGES
from legocryst.stages.drawn import classified, first_batch


def do(attempt: Attempt, stage: Stage, number: int = 0) -> None:
    """Do a stage, of a lot or round, unless the job leaves it out or has it."""
    if _belongs(attempt.job, stage) and not stage.is_done(attempt.job, number):
        attempt.begin(stage.name)
        stage.work(attempt, number)
        attempt.complete()


def done_when(when: When) -> list[Stage]:
    """Return the stages that a run does at some time, in order."""
    return [stage for stage in STAGES.values() if stage.when == when]


def run_rounds(attempt: Attempt) -> None:
    """Do what is left of the rounds of a job, until its goal is reached or the time over."""
    settings, number = attempt.settings, 0
    while True:
        _round(attempt, number)
        number += 1
        if attempt.job.command != "run" or not settings.goal.crystals:
            return
        count = reached(attempt.job)
        attempt.note(
            complete=True, round=number, found=count, wanted=settings.goal.crystals, seconds=round(attempt.seconds)
        )
        if count >= settings.goal.crystals or attempt.late():
            return


def reached(job: Job) -> int:
    """Return how many crystals of a job count for its goal."""
    if job.settings.goal.kind == "low in energy":
        return int(rank.STAGE.read_all(job.folder)["low_energy"].fillna(False).sum())
    return int((classified(job)["class"] == "new").sum())


def _round(attempt: Attempt, number: int) -> None:
    """Do what is left of one round."""
    job = attempt.job
    first, end = first_batch(job, number), first_batch(job, number + 1)
    for batch in range(first, end if "relax" in job.stages else first + 1):
        if batch > first and attempt.late():
            break
        for stage in done_when("batch"):
            do(attempt, stage, batch)
    for stage in done_when("beside"):
        do(attempt, stage)
    for stage in done_when("round"):
        do(attempt, stage, number)


def _belongs(job: Job, stage: Stage) -> bool:
    if stage.when == "beside":
        return "relax" in job.stages and stage.asked(job.settings)
    return stage.name in job.stages
