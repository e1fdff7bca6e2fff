"""What each command does; each returns the object that `--json` prints."""

import argparse
import fcntl
import os
import socket
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from legocryst import ROOT
from legocryst import settings as s
from legocryst.cli.export import workspace_of
from legocryst.cli.options import named, settings_of, spread_by, target_of
from legocryst.cli.output import Clock, Result, Ticker, print_json, read, say, write
from legocryst.infra.extras import require
from legocryst.infra.run_context import RunContext

if TYPE_CHECKING:
    import pandas as pd

    from legocryst.jobs.record import Job

CHUNK = (100, 500)
"""Fewest rows that are worth a process of their own, and most rows between two reports of progress."""
CHUNKS = 8
"""Of a table that is large enough for them, so that as many processes have work."""


def seeds(options: argparse.Namespace) -> Result:
    """List the shipped training set of a target."""
    from legocryst.stages.curate import shipped

    table = shipped(target_of(options).name)
    if table.empty:
        raise ValueError(f"no training set is shipped for {options.target}: give crystals of your own")
    if options.out:
        write(table, options.out)
    else:
        columns = ["name", "net_key", "periodicity", "spg", "atoms", "energy", "source"]
        say(table[columns].to_string(index=False, float_format="%.3f"))
    return {"seeds": len(table), "by_periodicity": _counts(table["periodicity"])}


def curate(options: argparse.Namespace) -> Result:
    """Judge the user's crystals, or the shipped ones, and keep the valid ones that pass the filters."""
    from legocryst.stages.curate import curate as stage

    clock, settings = Clock(), settings_of(options, s.CurateSettings)
    target = target_of(options, settings.target)
    result = stage(options.paths, target, settings, RunContext(progress=Ticker("curate", after=2)))
    lost = result.report[~result.report["kept"]]
    for number, source, reason, detail in lost[["crystal", "source", "reason", "detail"]].itertuples(index=False):
        say(f"crystal {number} ({source}) is left out: {reason}" + (f" ({detail})" if detail else ""))
    write(result.table, options.out)
    if options.report:
        write(result.report, options.report)
    return {
        "read": len(result.report),
        "kept": len(result.table),
        "reasons": _counts(lost["reason"]),
        "cpu_seconds": clock.seconds(),
    }


def bootstrap(options: argparse.Namespace) -> Result:
    """Find crystals of low energy where few or none are known."""
    from legocryst.stages.bootstrap import bootstrap as stage
    from legocryst.stages.curate import shipped

    clock, settings = Clock(), settings_of(options, s.BootstrapSettings)
    folder = options.folder or options.out.with_name(options.out.name + ".parts")
    target = target_of(options, settings.target)
    known = set(shipped(target.name)["net_key"])
    with spread_by(options) as spread:
        context = RunContext(seed=options.seed, executor=spread, progress=Ticker("bootstrap"))
        made = stage(target, settings, context, folder=folder, known=known)
        seconds = clock.seconds(spread.cpu_seconds)
    write(made.table, options.out)
    return {
        "drawn": settings.random + settings.surfaces,
        "distinct_new": made.distinct,
        "with_rings": made.ringed,
        "relaxed": made.relaxed,
        "kept": len(made.table),
        "by_source": _counts(made.table["source"]),
        "cpu_seconds": seconds,
    }


def augment(options: argparse.Namespace) -> Result:
    """Write the training set again in subgroups; a user's crystals are curated first and keep their numbers."""
    from legocryst.crystal.symmetry.redescription import SAME
    from legocryst.stages.augment import DESCRIPTION
    from legocryst.stages.augment import augment as stage
    from legocryst.stages.curate import curate as training_set

    _load("legocryst.stages.pools", "legocryst.stages.variants", "legocryst.topology.nets")
    clock = Clock()
    settings, target = settings_of(options, s.AugmentSettings), target_of(options)
    inputs = [options.training] if options.training else []
    curated = training_set(inputs, target, s.CurateSettings(target=target.name))
    lost = curated.report[~curated.report["kept"]]
    for number, reason in zip(lost["crystal"], lost["reason"], strict=True):
        say(f"crystal {number} is left out: {reason}")
    made = stage(curated.table, target, settings, RunContext(seed=options.seed, progress=Ticker("augment")))
    table, seconds = made.table, clock.seconds()
    numbers = curated.report.loc[curated.report["kept"], "crystal"].to_numpy()
    energy = curated.table["energy"].to_numpy()[table["label"]]
    write(table.assign(label=numbers[table["label"]], energy=energy), options.out)
    crystal = table.drop(columns=list(DESCRIPTION))
    return {
        "crystals": len(curated.table),
        "left_out": len(lost) + made.left_out,
        "rows": len(table),
        "groups": int(table["spg"].nunique()),
        "combinations": len(crystal.filter(regex="^(spg|wp.*)$").drop_duplicates()),
        "proved": int((table["deviation"][~table["variant"]] <= SAME).sum()),
        "duplicates": int(crystal.round(6).duplicated().sum()),
        "mirror_images": int(table["mirror"].sum()),
        "variants_lost": made.lost,
        "cpu_seconds": seconds,
    }


def train(options: argparse.Namespace) -> Result:
    """Train a generator and keep its curve."""
    from legocryst.stages.train import nets_of_sources, share_valid
    from legocryst.stages.train import train as stage

    clock = Clock()
    table, target = read(options.table), target_of(options)
    settings = settings_of(options, s.TrainSettings)
    if settings.spec.extra:
        require(settings.spec.extra)
    model = stage(
        table,
        target,
        settings,
        RunContext(seed=options.seed, progress=Ticker("train").epoch),
        features=settings_of(options, s.FeatureSettings),
        folder=options.out,
        evaluate=share_valid(target, known=nets_of_sources(table, target)),
    )
    return {
        "rows": len(table),
        "model": str(options.out),
        "description": model.describe(),
        "cpu_seconds": clock.seconds(),
    }


def sample(options: argparse.Namespace) -> Result:
    """Draw rows from a model, fresh ones or near those of a relaxed table that stayed invalid."""
    from legocryst.generators.base import load
    from legocryst.stages.sample import refined
    from legocryst.stages.sample import sample as stage
    from legocryst.stages.train import MODEL

    clock = Clock()
    model = load(options.model / MODEL if options.model.is_dir() else options.model)
    settings = settings_of(options, s.SampleSettings)
    if options.near is None:
        table = stage(model, settings, RunContext(seed=options.seed))
    else:
        table = refined(model, read(options.near), settings, RunContext(seed=options.seed))
    write(table, options.out)
    return {"samples": len(table), "cpu_seconds": clock.seconds()}


def _load(*modules: str) -> None:
    """Import modules that stages import when they work, before CPU-s are counted."""
    for name in modules:
        import_module(name)


def relax(options: argparse.Namespace) -> Result:
    """Relax and judge every row; CPU-s count from reading the file to the verdict, imports apart."""
    import pandas as pd

    from legocryst.stages.relax import relax_chunks

    _load("legocryst.relax", "legocryst.topology.nets")
    settings, reading = settings_of(options, s.RelaxSettings), settings_of(options, s.SampleSettings)
    clock, target = Clock(), target_of(options)
    table = read(options.table)
    _refuse_if_none_decodes(table, options, target.atomic_number, reading)
    ticker, frames, done, valid = Ticker("relax"), [], 0, 0
    with spread_by(options) as spread:
        for frame in relax_chunks(
            table,
            target,
            settings,
            RunContext(executor=spread),
            decode=reading.decode,
            max_atoms=reading.max_atoms,
            chunk=min(max(CHUNK[0], -(-len(table) // CHUNKS)), CHUNK[1]),
            cif=True,
        ):
            frames.append(frame)
            done, valid = done + len(frame), valid + int((frame["status"] == "valid").sum())
            ticker(done, len(table), valid=valid)
        result = pd.concat(frames, ignore_index=True)
        seconds = clock.seconds(spread.cpu_seconds)
    write(result, options.out)
    return {
        "requested": len(table),
        "decoded": int((result["status"] != "undecodable").sum()),
        "valid": valid,
        "published": int(result["published"].sum()),
        "distinct_nets": int(result.loc[result["status"] == "valid", "net_key"].nunique()),
        "reasons": _counts(result.loc[result["reason"] != "", "reason"]),
        "cpu_seconds": seconds,
        "crystals_per_cpu_second": round(len(table) / max(seconds, 1e-9), 2),
    }


def _refuse_if_none_decodes(
    table: "pd.DataFrame", options: argparse.Namespace, element: int, reading: s.SampleSettings
) -> None:
    from legocryst.crystal.io.table import decode

    decoded = decode(table, mode=reading.decode, element=element, max_atoms=reading.max_atoms)
    if not len(decoded.rows):
        names, counts = np.unique(decoded.reason.astype(str), return_counts=True)
        most = names[counts.argmax()]
        raise ValueError(f"{options.table.name}: none of its {len(table)} rows is a crystal ({most}): correct them")


def rank(options: argparse.Namespace) -> Result:
    """Compute energies of the valid crystals of a table made by relax."""
    from legocryst.active_learning import calibration
    from legocryst.stages.rank import rank as stage

    clock = Clock()
    table = read(options.table)
    if missing := [name for name in ("row", "status", "kind") if name not in table.columns]:
        raise ValueError(f"{options.table.name} has no column {missing[0]}: rank takes a table made by relax")
    valid = table[table["status"] == "valid"].reset_index(drop=True)
    settings = settings_of(options, s.RankSettings)
    with spread_by(options) as spread:
        context = RunContext(seed=options.seed, executor=spread, progress=Ticker("rank"))
        ranked = stage(valid, target_of(options), settings, context)
        seconds = clock.seconds(spread.cpu_seconds)
    result = valid.merge(ranked, on="row").sort_values("rank", ignore_index=True)
    write(result, options.out)
    counts = {name: int(result[f"{name}_energy"].notna().sum()) for name in ("screen", "relaxed")}
    return {
        "valid": len(valid),
        "energies": counts["screen"],
        "relaxed": counts["relaxed"],
        "low_energy": int(result["low_energy"].sum()),
        "learned": calibration.numbers(result, settings.low_energy),
        "cpu_seconds": seconds,
    }


def run(options: argparse.Namespace) -> Result:
    """Run all stages as a job of the workspace, in this process; or the rest of a job that was cut off."""
    from legocryst.database.store import Store, StoreBusy
    from legocryst.infra.workspace import default_workspace
    from legocryst.jobs.worker import work

    workspace = options.workspace or default_workspace()
    job = _job_again(options, workspace) if options.resume else _new_job(options, workspace)
    say(f"job {job.id} in {workspace}")
    summary = work(job, progress=Ticker("run").epoch, cluster=options.cluster or None)
    try:
        with Store.open(workspace) as store:
            store.ingest()
    except StoreBusy:
        say("the app has this workspace open and will take the new crystals into its database")
    return {"job": job.id, **summary}


def _new_job(options: argparse.Namespace, workspace: Path) -> "Job":
    from legocryst.database.store import Store, StoreBusy
    from legocryst.jobs import pipeline, record
    from legocryst.jobs.create import create

    like = record.job(workspace, options.like) if options.like else None
    settings = _run_settings(options, like)
    goal = target_of(options, settings.curate.target)  # an unknown target is refused before the work
    goal.check_generator(settings.train.spec)
    examined = pipeline.examine_files(options.training, options.reference, goal, settings.curate)
    with suppress(StoreBusy):  # a database of another schema is refused now, not after the work
        Store.open(workspace).close()
    inputs = {"training": options.training, "reference": options.reference}
    if like:
        inputs = {"training": options.training or like.training_files, "reference": options.reference or like.reference}
    where = {"threads": options.threads, "cluster": options.cluster}
    return create(workspace, "run", settings, **inputs, examined=examined, **where)


def _run_settings(options: argparse.Namespace, like: "Job | None" = None) -> s.RunSettings:
    """Return the settings of a preset or of another job, changed by what was named."""
    values = (like.settings if like else s.preset(options.preset)).model_dump()
    for name, field in s.RunSettings.model_fields.items():
        if name != "seed":
            values[name] |= named(options, field.annotation, prefix=name)  # type: ignore[arg-type]
    values["seed"] = values["seed"] if options.seed is None else options.seed
    values["train"] |= {"model": options.model} if options.model else {}
    values["sample"] |= {"samples": options.samples} if options.samples else {}
    values["curate"] |= {"target": options.target} if options.target else {}
    return s.RunSettings.model_validate(values)


def _job_again(options: argparse.Namespace, workspace: Path) -> "Job":
    from legocryst.jobs import record

    job = record.job(workspace, options.resume)
    job.reopen()
    return job


def rebuild(options: argparse.Namespace) -> Result:
    """Rebuild the database from the shards."""
    from legocryst.database import store

    return dict(store.rebuild(workspace_of(options)))


def app(options: argparse.Namespace) -> Result:
    """Become the server of the dashboard; a second one on the same workspace or port is refused in one sentence."""
    from legocryst.database.store import Store
    from legocryst.infra.workspace import default_workspace

    require("app")
    workspace = (options.workspace or default_workspace()).resolve()
    Store.open(workspace).close()
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", options.port)) == 0:
            raise ValueError(f"port {options.port} is in use by another program: name another with --port")
    _claim(workspace)
    url = f"http://localhost:{options.port}"
    say(f"LEGO-Cryst: {url} (workspace {workspace}); end it with Ctrl-C")
    if options.json:
        print_json({"url": url, "workspace": workspace})
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what the server says is no result
    os.chdir(ROOT)
    server = [sys.executable, "-m", "legocryst.ui.shell.server", "--server.port", str(options.port)]
    environment = {**os.environ, "LEGOCRYST_WORKSPACE": str(workspace)}
    os.execve(sys.executable, [*server, "--server.headless", "true"], environment)


def _claim(workspace: Path) -> None:
    """Lock the workspace for as long as this process lives, as whatever program; it opens the database only later."""
    lock = os.open(workspace / "app.lock", os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise ValueError(
            f"another program has the workspace {workspace} open (a second app): use that one, end it, "
            "or use another workspace"
        ) from error
    os.set_inheritable(lock, True)


def _counts(values: Any) -> dict[str, int]:
    names, counts = np.unique(np.asarray(values, dtype=str), return_counts=True)
    return {str(name): int(count) for name, count in zip(names, counts, strict=True)}
