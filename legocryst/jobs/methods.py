"""What a job did, as the paragraph of a paper, with the references it rests on."""

from dataclasses import dataclass

from legocryst.environment.target_library import target
from legocryst.jobs.record import Job
from legocryst.stages.base import Paper
from legocryst.stages.catalogue import STAGES
from legocryst.vocabulary.references import Reference

NAMES = {"torch": "PyTorch", "numpy": "NumPy", "spglib": "spglib", "sevenn": "sevenn", "rdt": "RDT", "ctgan": "CTGAN"}
"""Packages whose versions are named."""


@dataclass(frozen=True, slots=True)
class Methods:
    """A paragraph with numbers in square brackets, and the references that they stand for, in order."""

    text: str
    references: tuple[Reference, ...]

    @property
    def listed(self) -> str:
        """The references, a line each."""
        return "\n".join(f"[{k}] {reference.text}" for k, reference in enumerate(self.references, 1))


def methods(job: Job) -> Methods:
    """Return the paragraph of a finished job, from its record and its counts.

    Raises ValueError for a job that has not finished, or that a version with other settings made.
    """
    if job.state != "finished":
        raise ValueError(f"job {job.id} is {job.state}: its methods can be written when it has finished")
    paper = Paper(job, target(job.settings.curate.target, job.folder), job.summary)
    for name, stage in STAGES.items():
        if name in job.stages or stage.when == "beside":
            stage.methods(paper)
    _end(paper, job.place)
    return Methods(" ".join(paper.sentences), tuple(paper.references))


def _end(paper: Paper, place: str) -> None:
    """Say seed, time, versions and input."""
    record, summary = paper.job.record, paper.summary
    versions = [f"{name} {record['versions'][key]}" for key, name in NAMES.items() if key in record["versions"]]
    paper.say(
        f"All random choices follow from the seed {paper.settings.seed}; the job {paper.job.folder.name} took "
        f"{summary['total_cpu_seconds']:,.0f} CPU-s on {place} (Python "
        f"{record['versions']['python']}, {', '.join(versions)}; SHA-256 of the input {record['input'][:12]})."
    )
