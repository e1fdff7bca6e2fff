"""What each command of the command line does; each returns the object that `--json` prints."""

import argparse
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from legocryst import ROOT
from legocryst import settings as s
from legocryst.cli import Clock, Result, Ticker, chosen, read, say, write


def seeds(options: argparse.Namespace) -> Result:
    """List the shipped training set."""
    from legocryst.stages.curate import shipped

    table = shipped()
    if options.out:
        write(table, options.out)
    else:
        columns = ["name", "net_key", "periodicity", "spg", "atoms", "energy", "source"]
        say(table[columns].to_string(index=False, float_format="%.3f"))
    return {"seeds": len(table), "by_periodicity": _counts(table["periodicity"])}


def curate(options: argparse.Namespace) -> Result:
    """Judge the user's crystals and keep the valid ones."""
    from legocryst.stages.curate import curate as stage

    clock = Clock()
    result = stage(options.paths, s.CurateSettings(**chosen(options, s.CurateSettings)))
    say(result.report.to_string(index=False))
    write(result.table, options.out)
    lost = result.report.loc[result.report["reason"] != "", "reason"]
    return {
        "read": len(result.report),
        "kept": len(result.table),
        "reasons": _counts(lost),
        "cpu_seconds": clock.seconds(),
    }


def augment(options: argparse.Namespace) -> Result:
    """Write the training set again in subgroups."""
    from legocryst.stages.augment import augment as stage
    from legocryst.stages.curate import shipped

    clock = Clock()
    known = read(options.seeds) if options.seeds else shipped()
    settings = s.AugmentSettings(**chosen(options, s.AugmentSettings))
    table = stage(known, settings, seed=options.seed, progress=Ticker("augment"))
    write(table, options.out)
    return {"crystals": len(known), "rows": len(table), "cpu_seconds": clock.seconds()}


def train(options: argparse.Namespace) -> Result:
    """Train a generator and keep its curve."""
    from legocryst.pipeline import share_valid
    from legocryst.stages.train import train as stage

    clock = Clock()
    table = read(options.table)
    settings = s.TrainSettings(**chosen(options, s.TrainSettings))
    ticker = Ticker("train")
    model = stage(
        table,
        settings,
        features=s.FeatureSettings(**chosen(options, s.FeatureSettings)),
        seed=options.seed,
        folder=options.out,
        evaluate=share_valid(options.target),
        progress=ticker.epoch,
    )
    return {
        "rows": len(table),
        "model": str(options.out),
        "description": model.describe(),
        "cpu_seconds": clock.seconds(),
    }


def sample(options: argparse.Namespace) -> Result:
    """Draw rows from a model."""
    from legocryst.models.base import load
    from legocryst.stages.sample import sample as stage
    from legocryst.stages.train import MODEL

    clock = Clock()
    path = options.model / MODEL if options.model.is_dir() else options.model
    table = stage(load(path), s.SampleSettings(**chosen(options, s.SampleSettings)), seed=options.seed)
    write(table, options.out)
    return {"samples": len(table), "cpu_seconds": clock.seconds()}


def relax(options: argparse.Namespace) -> Result:
    """Relax and judge every row; CPU-s count from reading the file to the verdict, imports apart."""
    import pandas as pd

    from legocryst.crystal.files import to_cif
    from legocryst.crystal.table import decode
    from legocryst.stages.relax import relax_chunks

    settings = s.RelaxSettings(**chosen(options, s.RelaxSettings))
    clock = Clock()
    table = read(options.table)
    ticker, frames, done, valid = Ticker("relax"), [], 0, 0
    for frame in relax_chunks(
        table,
        options.target,
        settings,
        decode=options.decode,
        max_atoms=options.max_atoms,
        threads=options.threads,
    ):
        frames.append(frame)
        done, valid = done + len(frame), valid + int((frame["status"] == "valid").sum())
        ticker(done, len(table), valid=valid)
    result = pd.concat(frames, ignore_index=True)
    seconds = clock.seconds()
    decoded = result["status"] != "undecodable"
    crystals = decode(result[decoded], mode="snap", max_atoms=10**9).crystals
    result.loc[decoded, "cif"] = [to_cif(crystals, k) for k in range(len(crystals))]
    write(result, options.out)
    return {
        "requested": len(table),
        "decoded": int(decoded.sum()),
        "valid": valid,
        "published": int(result["published"].sum()),
        "distinct_nets": int(result.loc[result["status"] == "valid", "net_key"].nunique()),
        "reasons": _counts(result.loc[result["reason"] != "", "reason"]),
        "cpu_seconds": seconds,
        "crystals_per_cpu_second": round(len(table) / max(seconds, 1e-9), 2),
    }


def rank(options: argparse.Namespace) -> Result:
    """Energies of the valid crystals of a table made by relax."""
    import pandas as pd

    from legocryst.stages.rank import rank as stage

    clock = Clock()
    table = pd.read_parquet(options.table) if options.table.suffix == ".parquet" else pd.read_csv(options.table)
    if "status" not in table:
        raise ValueError(f"{options.table.name} has no column status: rank takes a table made by relax")
    valid = table[table["status"] == "valid"].reset_index(drop=True)
    settings = s.RankSettings(**chosen(options, s.RankSettings))
    ranked = stage(valid, settings, progress=Ticker("rank"))
    result = valid.merge(ranked, on="row").sort_values("rank", ignore_index=True)
    write(result, options.out)
    return {"valid": len(valid), "energies": int(result["energy"].notna().sum()), "cpu_seconds": clock.seconds()}


def run(options: argparse.Namespace) -> Result:
    """The whole line as a job of the workspace, in this process."""
    from legocryst import jobs, pipeline
    from legocryst.store import Store, StoreBusy

    values = s.preset(options.preset).model_dump()
    for name, field in s.RunSettings.model_fields.items():
        if name != "seed":
            values[name] |= chosen(options, field.annotation, prefix=name)  # type: ignore[arg-type]
    values["seed"] = options.seed
    values["train"] |= {"model": options.model} if options.model else {}
    values["sample"] |= {"samples": options.samples} if options.samples else {}
    settings = s.RunSettings.model_validate(values)
    workspace = options.workspace or jobs.default_workspace()
    if options.seeds:
        pipeline.check_seeds(options.seeds, settings.curate)
    job = jobs.create(workspace, "run", settings, seeds=options.seeds, threads=options.threads)
    say(f"job {job.id} in {workspace}")
    summary = jobs.work(job, progress=_said(Ticker("run")))
    try:
        with Store.open(workspace) as store:
            store.ingest()
    except StoreBusy:
        say("the app has this workspace open and will take the new crystals into its database")
    return {"job": job.id, **summary}


def _said(ticker: Ticker) -> Any:
    def progress(numbers: dict[str, Any]) -> None:
        ticker.epoch(numbers)

    return progress


def export(options: argparse.Namespace) -> Result:
    """The new crystals of a workspace as CIFs, CSV or Parquet."""
    from legocryst.crystal.files import to_cif
    from legocryst.crystal.table import decode
    from legocryst.jobs import default_workspace
    from legocryst.store import Store

    with Store.open(options.workspace or default_workspace(), read_only=True) as store:
        table = store.query("SELECT * FROM candidates WHERE class = 'new' ORDER BY energy NULLS LAST, id")
    if table.empty:
        raise ValueError("this workspace holds no new crystals yet: make some with `python -m legocryst run`")
    options.out.mkdir(parents=True, exist_ok=True)
    if options.format != "cif":
        write(table, options.out / f"crystals.{options.format}")
        return {"crystals": len(table), "files": 1}
    crystals = decode(table, mode="snap", max_atoms=10**9).crystals
    for k, name in enumerate(table["id"]):
        (options.out / f"{name}.cif").write_text(to_cif(crystals, k, name=name), encoding="utf-8")
    return {"crystals": len(table), "files": len(table)}


def rebuild(options: argparse.Namespace) -> Result:
    """The database again from the shards."""
    from legocryst import store
    from legocryst.jobs import default_workspace

    return dict(store.rebuild(options.workspace or default_workspace()))


def app(options: argparse.Namespace) -> Result:
    """Start the dashboard; a second one on the same workspace or port is refused in one sentence."""
    from legocryst.jobs import default_workspace
    from legocryst.store import Store

    workspace = (options.workspace or default_workspace()).resolve()
    workspace.mkdir(parents=True, exist_ok=True)
    Store.open(workspace).close()
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", options.port)) == 0:
            raise ValueError(f"port {options.port} is in use by another program: name another with --port")
    say(f"LEGO-Cryst: http://localhost:{options.port} (workspace {workspace}); end it with Ctrl-C")
    streamlit = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(options.port)]
    code = subprocess.call([*streamlit, "--server.headless", "true"], cwd=ROOT, env=_environment(workspace))
    return {"exit_code": code}


def _environment(workspace: Path) -> dict[str, str]:
    return {**os.environ, "LEGOCRYST_WORKSPACE": str(workspace)}


def _counts(values: Any) -> dict[str, int]:
    names, counts = np.unique(np.asarray(values, dtype=str), return_counts=True)
    return {str(name): int(count) for name, count in zip(names, counts, strict=True)}
