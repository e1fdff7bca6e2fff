"""The rows that a job drew: in which lots, in which shards they lie relaxed, and what became of each.

A lot is what is drawn at once: fresh rows of the model, or rows drawn anew near those that stayed invalid. A round is a
fresh lot and its refinements. Rows, and the shards of relaxed ones, are numbered through all lots.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from legocryst.stages import curate
from legocryst.stages.base import JobFiles, numbered
from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS

CHUNK = 500
"""Rows relaxed together and kept in one shard."""
SAMPLES = "samples.parquet"
"""The rows of the first lot as they were drawn; those of later ones are numbered."""
SHARD = "shards/crystals-{:05d}.parquet"
"""Rows after the relaxation."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows drawn at once: which they are of all rows of the job, and which shards they become."""

    number: int
    rows: range
    shards: range


def batches(job: JobFiles) -> list[Batch]:
    """Return what was drawn so far, in order."""
    import pyarrow.parquet as pq

    results: list[Batch] = []
    first = shard = 0
    while (path := numbered(job.folder / SAMPLES, len(results))).exists():
        rows = pq.read_metadata(path).num_rows
        shards = -(-rows // CHUNK)
        results.append(Batch(len(results), range(first, first + rows), range(shard, shard + shards)))
        first, shard = first + rows, shard + shards
    return results


def sampled(job: JobFiles, number: int) -> pd.DataFrame:
    """Return the rows of a lot as they were drawn."""
    return pd.read_parquet(numbered(job.folder / SAMPLES, number))


def missing(job: JobFiles, batch: Batch) -> list[int]:
    """Return numbers of the shards of a lot that are not there yet."""
    return [k for k in batch.shards if not (job.folder / SHARD.format(k)).exists()]


def is_relaxed(job: JobFiles, number: int) -> bool:
    """Say whether a lot was drawn and all of its rows were relaxed."""
    drawn = batches(job)
    return len(drawn) > number and not missing(job, drawn[number])


def all_relaxed(job: JobFiles) -> bool:
    """Say whether there are rows, and all of them were relaxed."""
    drawn = batches(job)
    return bool(drawn) and not any(missing(job, batch) for batch in drawn)


def relaxed_rows(job: JobFiles, batch: Batch) -> pd.DataFrame:
    """Return the relaxed rows of a batch."""
    frames = [pd.read_parquet(job.folder / SHARD.format(k)) for k in batch.shards]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["status", *CRYSTAL_COLUMNS])


def classified(job: JobFiles) -> pd.DataFrame:
    """Return all relaxed rows of a job with their `class`: undecodable, invalid, known, duplicate or new."""
    paths = sorted((job.folder / SHARD).parent.glob("crystals-*.parquet"))
    table = pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True).sort_values("row")
    return with_class(table.reset_index(drop=True), known_nets(job))


def with_class(table: pd.DataFrame, known: set[str]) -> pd.DataFrame:
    """Return a table of relaxed rows with their `class`, where the nets of some keys are known."""
    valid = table["status"] == "valid"
    familiar = valid & table["net_key"].isin(known)
    repeated = table.loc[valid, "net_key"].duplicated().reindex(table.index, fill_value=False)
    fate = np.select([~valid, familiar, repeated], [table["status"], "known", "duplicate"], "new")
    return table.assign(**{"class": fate})


def known_nets(job: JobFiles) -> set[str]:
    """Return net keys of a job's training set and, where it has one, reference set."""
    both = curate.STAGE.path(job.folder), job.folder / curate.REFERENCE_SHARD
    return {key for path in both if path.exists() for key in pd.read_parquet(path, columns=["net_key"])["net_key"]}


def first_batch(job: JobFiles, number: int) -> int:
    """Return the number of a round's fresh batch."""
    return number * (1 + job.settings.sample.refine_rounds)


def of_round(job: JobFiles, number: int) -> pd.DataFrame:
    """Return the relaxed rows, with their class, that came in a round."""
    table, first = classified(job), batches(job)[first_batch(job, number)]
    return table[table["row"] >= first.rows.start].reset_index(drop=True)
