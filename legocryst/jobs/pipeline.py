"""A run: the stages chained over the files of a job's folder; what is finished is not done again.

The counts of a run add up: every sampled row is undecodable, invalid, a duplicate of an earlier row of the run, known
(its net is in the training or the reference set) or new.
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from legocryst.infra.executors import executor
from legocryst.infra.files import write_json, write_parquet
from legocryst.infra.run_context import RunContext
from legocryst.jobs.attempt import Line, Report
from legocryst.jobs.counts import count
from legocryst.jobs.layout import BASELINE, DFT, FILES, QUALITY, REFERENCE, STAGES
from legocryst.jobs.record import Job, by_chance
from legocryst.jobs.rounds import all_relaxed, baseline, classified, gaps, known_nets, ranked, run_rounds
from legocryst.settings import CurateSettings, RelaxSettings

if TYPE_CHECKING:
    from legocryst.environment.target import Target
    from legocryst.stages.curate import Examined

FEWEST = 2
"""Crystals that a training set must have to be learnt from."""
CHECK = RelaxSettings(restarts=0, merge=0, descriptor_steps=40, coordination_steps=40, refine_steps=60)
"""A short relaxation, which tells during training how many fresh samples become valid."""


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
        line = Line(job, progress or (lambda numbers: None), should_stop or job.stopping, spread)
        for stage in job.stages:
            if stage in _STAGES and stage in job.stages and not _done(job, stage):
                line.begin(stage)
                _STAGES[stage](line)
                line.complete()
            if stage == "curate":
                _substitute_for_few(line)
        if "sample" in job.stages:
            run_rounds(line)
    return summary(job)


def summary(job: Job) -> dict[str, Any]:
    """Counts of a job: model, seed, version, threads, `cpu_seconds` of each stage, their total, rows of each stage.

    `reference` counts the crystals of a reference set, where there is one.

    After the relaxation also `sampled` = `undecodable` + the sum of `invalid` (by reason) + `duplicate` + `known` +
    `new`, and `new_by_periodicity`, `new_by_kind`; after the ranking `energies` and `relaxed` count the crystals that
    have them, `low_energy` those that METHOD calls so, and where energies were learnt, `learned` holds what
    `active_learning.calibration` says of them; `band_classes` counts valid crystals by their bands. CPU-s include the
    stage's child processes and earlier attempts, of a killed attempt up to its last sign of life.
    """
    from legocryst.active_learning import calibration

    settings = job.settings
    seconds = _cpu_seconds(job)
    out: dict[str, Any] = {"model": settings.train.model, "seed": settings.seed, "version": job.record["version"]}
    for stage, name in (("curate", "seeds"), ("augment", "augmented")):
        if stage in job.stages and _done(job, stage):
            out[name] = len(_read(job, stage))
    if job.substitute:
        out["substitute"] = job.substitute
    if job.reference and _done(job, "curate"):
        out["reference"] = len(pd.read_parquet(job.folder / REFERENCE))
    if "relax" in job.stages and all_relaxed(job):
        out |= count(classified(job))
    if found := baseline(job):
        out[BASELINE] = found
    if _done(job, "rank"):
        energies = ranked(job)
        out |= {
            "energies": int(energies["screen_energy"].notna().sum()),
            "relaxed": int(energies["relaxed_energy"].notna().sum()),
        }
        out["low_energy"] = int(energies["low_energy"].sum())
        if learned := calibration.numbers(energies, settings.rank.low_energy):
            out["learned"] = learned
    if _done(job, "bands"):
        classes = gaps(job)["band_class"].value_counts()
        out["band_classes"] = {str(name or "none"): int(number) for name, number in classes.items()}
    if _done(job, DFT):
        row = _read(job, DFT).iloc[0]
        out |= {name: row[name] for name in ("crystal_id", "dft_energy", "dft_gap", "dft_class")}
    return out | {"threads": job.threads, "cpu_seconds": seconds, "total_cpu_seconds": round(sum(seconds.values()), 3)}


def share_valid(
    target: "Target", settings: RelaxSettings = CHECK, *, known: Collection[str] = ()
) -> Callable[[pd.DataFrame], dict[str, float]]:
    """An evaluator for training, which relaxes fresh rows.

    It tells what share of them is `decodable` and what becomes `valid`, how many `distinct` nets these are as a share
    of the rows, and how many of the nets are `new`, that is, not among the `known` keys.
    """
    from legocryst.stages.relax import relax_table

    def evaluate(rows: pd.DataFrame) -> dict[str, float]:
        relaxed = relax_table(rows, target, settings)
        valid = relaxed[relaxed["status"] == "valid"]
        nets = set(valid["net_key"])
        decodable = int((relaxed["status"] != "undecodable").sum())
        numbers = {"decodable": decodable, "valid": len(valid), "distinct": len(nets), "new": len(nets - set(known))}
        return {name: number / len(rows) for name, number in numbers.items()}

    return evaluate


def nets_of_sources(table: pd.DataFrame, target: "Target") -> set[str]:
    """Net keys of the crystals of an augmented table, from one row of each `label`; none where there are no labels."""
    from legocryst.crystal.io.table import decode
    from legocryst.topology.nets import nets

    if "label" not in table.columns:
        return set()
    decoded = decode(table.drop_duplicates("label"), element=target.atomic_number, max_atoms=10**6)
    return {net.key for net in nets(decoded.crystals, cutoff=target.bond_window[1])}


def examine_files(
    seeds: Sequence[Path], reference: Sequence[Path], target: "Target", settings: CurateSettings
) -> dict[str, "Examined"]:
    """Read and judge the crystals that a job is made with, as `create` takes them.

    Raises ValueError, with one sentence, if no training set, or no reference set, can be made of these files.
    """
    from legocryst.stages.curate import as_reference, choose, examine

    given = {"seeds": seeds, "reference": reference}
    examined = {name: examine(paths, target, settings) for name, paths in given.items() if paths}
    if "seeds" in examined:
        choose(examined["seeds"], target, settings)
    if "reference" in examined:
        as_reference(examined["reference"])
    return examined


def _curate(line: Line) -> None:
    from legocryst.stages.curate import as_reference, choose

    job, settings = line.job, line.settings.curate
    curated = choose(line.examined("seeds", job.seeds), line.target, settings)
    report = curated.report.assign(use="training")
    if job.reference:
        known = as_reference(line.examined("reference", job.reference))
        report = pd.concat([report, known.report.assign(use="reference")], ignore_index=True)
        write_parquet(known.table, job.folder / REFERENCE)
    write_parquet(report, job.folder / FILES["curate"][1])
    write_parquet(curated.table, _path(job, "curate"))


def _substitute_for_few(line: Line) -> None:
    """Let a run go on with random rows where the training set has too few crystals to learn from."""
    crystals = len(_read(line.job, "curate"))
    model = line.settings.train.spec
    if crystals >= FEWEST or not model.learns or "train" not in line.job.stages:
        return
    rows = by_chance(line.settings.sample.samples)
    line.substitute(
        f"The training set has {crystals} crystal, and the model {model.name} learns from {FEWEST} or more: {rows:,} "
        "rows are drawn at random instead. Add crystals, or find some with bootstrap."
    )


def _augment(line: Line) -> None:
    from legocryst.stages.augment import augment

    seeds, settings = _read(line.job, "curate"), line.settings
    made = augment(seeds, line.target, settings.augment, line.context("augment"))
    line.note(rows=len(made.table), left_out=made.left_out, lost=made.lost)
    write_parquet(made.table, _path(line.job, "augment"))


def _featurize(line: Line) -> None:
    from legocryst.stages.featurize import featurize

    table = _read(line.job, "augment")
    line.featurizer, columns = featurize(table, line.settings.features, line.context("featurize"))
    columns = columns.rename(columns={"name": "column", "kind": "encoding"})
    write_parquet(columns, _path(line.job, "featurize"))


def _train(line: Line) -> None:
    from legocryst.generators.quality import ROWS as QUALITY_ROWS
    from legocryst.generators.quality import quality
    from legocryst.stages.featurize import featurize
    from legocryst.stages.train import train

    job, settings = line.job, line.settings
    learnt = "augment" if "augment" in job.stages else "curate"
    table, seeds = _read(job, learnt), _read(job, "curate")
    if learnt == "augment":
        table = table.assign(energy=seeds["energy"].to_numpy()[table["label"]])
    if "featurize" in job.stages and line.featurizer is None:  # a resumed job: the same seed gives the same features
        line.featurizer, _ = featurize(table, settings.features, RunContext(seed=line.seed("featurize")))
    judge = share_valid(line.target, known=known_nets(job))

    def evaluate(rows: pd.DataFrame) -> dict[str, float]:
        line.note(judging=len(rows))
        return judge(rows)

    model = train(
        table,
        line.target,
        settings.train,
        line.context("train").with_progress(lambda numbers: line.note(**numbers)),
        features=settings.features,
        folder=job.folder / "model",
        featurizer=line.featurizer,
        evaluate=evaluate,
    )
    line.check()
    if settings.train.quality and learnt == "augment":
        scores = quality(table, model.sample(QUALITY_ROWS, seed=line.seed("sample")), rows=QUALITY_ROWS)
        write_json(job.folder / QUALITY, scores)
    write_parquet(_curves(job), _path(job, "train"))


def _dft(line: Line) -> None:
    """The one crystal of the job's input, which is named as the crystal."""
    from legocryst.crystal.io.readers import from_cif
    from legocryst.stages.dft import dft

    path = line.job.seeds[0]
    crystal = from_cif(path.read_text(encoding="utf-8"))

    def progress(done: int, total: int, **numbers: Any) -> None:
        line.check()
        line.tick(done, total, **numbers)

    found = dft(crystal, line.settings.dft, line.context(DFT).with_progress(progress), name=path.stem)
    write_parquet(found, _path(line.job, DFT))


_STAGES: dict[str, Callable[[Line], None]] = {
    "curate": _curate,
    "augment": _augment,
    "featurize": _featurize,
    "train": _train,
    DFT: _dft,
}


def _path(job: Job, stage: str) -> Path:
    return job.folder / FILES[stage][0]


def _read(job: Job, stage: str) -> pd.DataFrame:
    return pd.read_parquet(_path(job, stage))


def _done(job: Job, stage: str) -> bool:
    return all((job.folder / name).exists() for name in FILES[stage])


def _curves(job: Job) -> pd.DataFrame:
    """What training reported, as epoch, quantity, value; of an epoch done twice after a kill the later report."""
    lines = [line for line in job.progress() if line["stage"] == "train" and "epoch" in line]
    left_out = ("time", "attempt", "stage", "cpu_seconds", "epoch", "epochs", "seconds_left")
    rows = {(line["epoch"], name): value for line in lines for name, value in line.items() if name not in left_out}
    names = {"epoch": "int64", "quantity": "object", "value": "float64"}
    return pd.DataFrame([(*key, value) for key, value in sorted(rows.items())], columns=list(names)).astype(names)


def _cpu_seconds(job: Job) -> dict[str, float]:
    """CPU-s of each stage, summed over attempts: the last that each attempt reported."""
    last = {(line["stage"], line["attempt"]): line["cpu_seconds"] for line in job.progress()}
    return {
        stage: round(sum(value for (name, _), value in last.items() if name == stage), 3)
        for stage in (*STAGES, BASELINE, DFT)
        if any(name == stage for name, _ in last)
    }
