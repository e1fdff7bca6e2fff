"""The part of a run that can be done again and again: draw, relax and judge, energies, gaps.

A lot is what is drawn at once: fresh rows of the model, or rows drawn anew near those that stayed invalid. A round is a
fresh lot and its refinements, then the energies and gaps of what is new in it. A run is one round, or, with a goal, as
many as it takes. Rows, and the shards of relaxed ones, are numbered through all lots.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from legocryst.infra.files import read_json, write_json, write_parquet
from legocryst.jobs.attempt import Line
from legocryst.jobs.layout import BASELINE, FILES, REFERENCE
from legocryst.jobs.record import Job, Stopped
from legocryst.settings import RunSettings
from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS

if TYPE_CHECKING:
    from legocryst.comparison.novelty import Known

CHUNK = 500
"""Rows relaxed together and kept in one shard."""
SHARD = "crystals-{:05d}.parquet"
KEPT = "energies"
"""Folder of a job with the energies it computed."""
KEPT_GAPS = "gaps"
"""Folder of a job with the gaps it computed."""
SEVERAL = 3
"""Crystals of so many sites and more are counted apart: chance finds few of them."""


@dataclass(frozen=True, slots=True)
class Lot:
    """Rows drawn at once: which they are of all rows of the job, and which shards they become."""

    number: int
    rows: range
    shards: range


def run_rounds(line: Line) -> None:
    """Do what is left of the rounds of a job, until its goal is reached or the time over."""
    settings, number = line.settings, 0
    while True:
        _round(line, number)
        number += 1
        if line.job.command != "run" or not settings.goal.crystals:
            return
        found = reached(line.job)
        line.note(complete=True, round=number, found=found, wanted=settings.goal.crystals, seconds=round(line.seconds))
        if found >= settings.goal.crystals or line.late():
            return


def reached(job: Job) -> int:
    """How many crystals of a job count for its goal."""
    if job.settings.goal.kind == "low in energy":
        return int(ranked(job)["low_energy"].fillna(False).sum())
    return int((classified(job)["class"] == "new").sum())


def lots(job: Job) -> list[Lot]:
    """What was drawn so far, in order."""
    found: list[Lot] = []
    first = shard = 0
    while (path := _left(job, "sample", len(found))).exists():
        rows = pq.read_metadata(path).num_rows
        shards = -(-rows // CHUNK)
        found.append(Lot(len(found), range(first, first + rows), range(shard, shard + shards)))
        first, shard = first + rows, shard + shards
    return found


def all_relaxed(job: Job) -> bool:
    """Whether there are rows, and all of them were relaxed."""
    drawn = lots(job)
    return bool(drawn) and all(_relaxed(job, lot) for lot in drawn)


def classified(job: Job) -> pd.DataFrame:
    """All relaxed rows of a job with their `class`: undecodable, invalid, known, duplicate or new."""
    paths = sorted(job.shards.glob("crystals-*.parquet"))
    table = pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True).sort_values("row")
    return with_class(table.reset_index(drop=True), known_nets(job))


def with_class(table: pd.DataFrame, known: set[str]) -> pd.DataFrame:
    """A table of relaxed rows with their `class`, where the nets of some keys are known."""
    valid = table["status"] == "valid"
    familiar = valid & table["net_key"].isin(known)
    repeated = table.loc[valid, "net_key"].duplicated().reindex(table.index, fill_value=False)
    fate = np.select([~valid, familiar, repeated], [table["status"], "known", "duplicate"], "new")
    return table.assign(**{"class": fate})


def ranked(job: Job) -> pd.DataFrame:
    """What the rankings of all rounds found."""
    return _all(job, "ranked")


def gaps(job: Job) -> pd.DataFrame:
    """What was found of the bands in all rounds."""
    return _all(job, "bands")


def known_nets(job: Job) -> set[str]:
    """Net keys of a job's training set and, where it has one, reference set."""
    paths = [path for path in (job.folder / FILES["curate"][0], job.folder / REFERENCE) if path.exists()]
    return {key for path in paths for key in pd.read_parquet(path, columns=["net_key"])["net_key"]}


def baseline(job: Job) -> dict[str, Any]:
    """What random crystals gave beside the run (see `_baseline`), empty where they were not tried."""
    return read_json(job.folder / FILES[BASELINE][0])


def _round(line: Line, number: int) -> None:
    """What is left of one round."""
    job = line.job
    first, end = _first_lot(job, number), _first_lot(job, number + 1)
    for turn in range(first, end if "relax" in job.stages else first + 1):
        if turn > first and line.late():
            break
        for stage, work in (("sample", _sample), ("relax", _relax)):
            drawn = lots(job)
            done = len(drawn) > turn and (stage == "sample" or _relaxed(job, drawn[turn]))
            if stage in job.stages and not done:
                line.begin(stage)
                work(line, turn)
                line.complete()
    if "relax" in job.stages and _compares(line.settings) and not baseline(job):
        line.begin(BASELINE)
        _baseline(line)
        line.complete()
    for stage, judge in (("rank", _rank), ("bands", _bands)):
        if stage in job.stages and not _left(job, stage, number).exists():
            line.begin(stage)
            judge(line, number)
            line.complete()


def _compares(settings: RunSettings) -> bool:
    return settings.sample.baseline > 0 and not settings.train.spec.baseline


def _first_lot(job: Job, number: int) -> int:
    """The fresh lot of a round."""
    return number * (1 + job.settings.sample.refine_rounds)


def _left(job: Job, stage: str, number: int) -> Path:
    """What a stage leaves: drawing of a lot, the others of a round."""
    path = job.folder / FILES[stage][0]
    return path.with_stem(f"{path.stem}-{number}") if number else path


def _all(job: Job, name: str) -> pd.DataFrame:
    paths = sorted(job.shards.glob(f"{name}*.parquet"), key=lambda path: (len(path.stem), path.stem))
    return pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)


def _missing(job: Job, lot: Lot) -> list[int]:
    return [k for k in lot.shards if not (job.shards / SHARD.format(k)).exists()]


def _relaxed(job: Job, lot: Lot) -> bool:
    return not _missing(job, lot)


def _sample(line: Line, turn: int) -> None:
    """Draw a lot: fresh rows, or, after those of a round, rows near the ones that stayed invalid."""
    from legocryst.generators.base import load
    from legocryst.stages.sample import refined, sample

    job, settings = line.job, line.settings.sample
    model, context = load(job.folder / FILES["train"][1]), line.context("sample", turn)
    if turn % _first_lot(job, 1) == 0:
        table = sample(model, settings, context)
    else:
        table = refined(model, _of_lot(job, lots(job)[turn - 1]), settings, context)
    write_parquet(table, _left(job, "sample", turn))


def _of_lot(job: Job, lot: Lot) -> pd.DataFrame:
    """The relaxed rows of a lot."""
    frames = [pd.read_parquet(job.shards / SHARD.format(k)) for k in lot.shards]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["status", *CRYSTAL_COLUMNS])


def _relax(line: Line, turn: int) -> None:
    """Relax the chunks of a lot that have no shard yet."""
    from legocryst.stages.relax import relax_chunks

    job, settings, lot = line.job, line.settings, lots(line.job)[turn]
    table, missing = pd.read_parquet(_left(job, "sample", turn)), _missing(job, lot)
    parts = [table.iloc[(k - lot.shards.start) * CHUNK :][:CHUNK] for k in missing]
    rest = pd.concat(parts)
    frames = relax_chunks(
        rest,
        line.target,
        settings.relax,
        line.context("relax", turn),
        decode=settings.sample.decode,
        max_atoms=settings.sample.max_atoms,
        chunk=CHUNK,
        known=_known(line),
    )
    done, total, valid = lot.rows.stop - len(rest), lot.rows.stop, 0
    line.tick(done, total)
    for place, (k, frame) in enumerate(zip(missing, frames, strict=True)):
        first = lot.rows.start + (k - lot.shards.start - place) * CHUNK
        write_parquet(frame.assign(row=frame["row"] + first), job.shards / SHARD.format(k))
        done, valid = done + len(frame), valid + int((frame["status"] == "valid").sum())
        line.tick(done, total, valid=valid, loss=float(frame["loss"].median()))
        if done < total and line.should_stop():
            frames.close()
            raise Stopped


def _known(line: Line) -> "Known":
    """The crystals of the training set, of the reference set and of the shipped set, kept in the job's folder."""
    from legocryst.comparison.novelty import FILE, REFERENCE, SHIPPED, TRAINING, Known
    from legocryst.stages.curate import as_reference, known, shipped

    job = line.job
    path = job.folder / FILE
    if path.exists():
        return Known.read(path)
    seeds = pd.read_parquet(job.folder / FILES["curate"][0])
    found = known(seeds, line.target, of_set=TRAINING)
    if job.reference:
        given = as_reference(line.examined("reference", job.reference))
        found += known(given.table, line.target, of_set=REFERENCE, crystals=given.crystals)
    if job.seeds and len(mine := shipped(line.target.name)):
        found += known(mine, line.target, of_set=SHIPPED)
    found.write(path)
    return found


def _baseline(line: Line) -> None:
    """Draw and relax random symmetric crystals in the same way, and count what they give for their time.

    `rows`, `cpu_seconds`, `valid`, `new`, and `several`: the new ones of SEVERAL sites and more.
    """
    from legocryst.generators.random_symmetric import RandomSymmetric
    from legocryst.stages.relax import relax_table

    job, settings = line.job, line.settings
    seeds = pd.read_parquet(job.folder / FILES["curate"][0])
    model = RandomSymmetric(volume_per_atom=line.target.volume_per_atom)
    model.fit(seeds, settings.train)
    start = time.process_time()
    rows = model.sample(settings.sample.baseline, seed=line.seed("sample"))
    frame = relax_table(
        rows, line.target, settings.relax, decode=settings.sample.decode, max_atoms=settings.sample.max_atoms
    )
    seconds = time.process_time() - start
    frame = with_class(frame, known_nets(job))
    new = frame[frame["class"] == "new"]
    found = {"rows": len(rows), "cpu_seconds": round(seconds, 3), "valid": int((frame["status"] == "valid").sum())}
    write_json(
        job.folder / FILES[BASELINE][0], found | {"new": len(new), "several": int((new["sites"] >= SEVERAL).sum())}
    )


def _fresh(job: Job, number: int) -> pd.DataFrame:
    """The relaxed rows, with their class, that came in a round."""
    table, first = classified(job), lots(job)[_first_lot(job, number)]
    return table[table["row"] >= first.rows.start].reset_index(drop=True)


def _rank(line: Line, number: int) -> None:
    """Energies already computed, by this job or another of the workspace, are not computed again.

    They end when the job was asked to stop, or its time is over; what has none then says so.
    """
    from legocryst.infra.result_cache import ResultCache
    from legocryst.stages.rank import rank

    job, settings = line.job, line.settings
    table = _fresh(job, number)
    with ResultCache(job.folder / KEPT, job.folder.parent.glob(f"*/{KEPT}")) as cache:
        context = replace(
            line.context("rank", number), cache=cache, should_stop=lambda: line.should_stop() or line.late()
        )
        found = rank(table[table["class"] == "new"].reset_index(drop=True), line.target, settings.rank, context)
    line.check()
    write_parquet(found, _left(job, "rank", number))


def _bands(line: Line, number: int) -> None:
    """Gaps of all valid crystals, relaxed with the potential where they kept their net; found ones stay found."""
    from legocryst.infra.result_cache import ResultCache
    from legocryst.stages.bands import find_gaps

    job, settings = line.job, line.settings
    table = _fresh(job, number)
    with ResultCache(job.folder / KEPT_GAPS, job.folder.parent.glob(f"*/{KEPT_GAPS}")) as cache:
        found = find_gaps(
            table[table["status"] == "valid"],
            line.target,
            settings.bands,
            replace(line.context("bands", number), cache=cache),
            ranked=pd.read_parquet(_left(job, "rank", number)),
        )
    line.check()
    write_parquet(found, _left(job, "bands", number))
