"""How long a run takes on this machine: what stages of finished jobs took, carried over to other sizes.

A stage takes some seconds to begin and then as many for each unit of its size (rows, rows times epochs, energies). Both
are read from the progress of the workspace's finished jobs, of which the demonstration is the shortest that does every
stage. Times are by the clock, on as many cores as are named.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd

from legocryst.jobs.record import Job, cores, jobs
from legocryst.settings import RunSettings
from legocryst.stages.base import Amount
from legocryst.stages.catalogue import RUN, STAGES, stages_of

SPREAD = 1.3
"""How many times longer or shorter the same work may take, by what else the computer does."""
YIELD = 2.0
"""How many times more or fewer valid crystals another model may make."""
NEAREST = 3
"""Finished jobs that an estimate is made from, those nearest in size."""


@dataclass(frozen=True, slots=True)
class Shares:
    """What became of the sampled rows of a job, from which the sizes of later stages follow."""

    model: str
    valid: float
    new: float
    sites: float  # mean number of sites of valid crystals

    def times(self, factor: float) -> "Shares":
        """Return the same with `factor` times as many valid and new crystals."""
        return Shares(self.model, min(1.0, factor * self.valid), min(1.0, factor * self.new), self.sites)


@dataclass(frozen=True, slots=True)
class Measure:
    """What one stage of a finished job took."""

    stage: str
    kind: str  # what it was done with: only measures of one kind are compared
    size: float  # units of work
    begin: float  # s before the first unit
    seconds: float  # s in all; of a parallel stage, as if on one core
    job: str


@dataclass(frozen=True, slots=True)
class Known:
    """All that finished jobs measured, the newest first."""

    measures: tuple[Measure, ...] = ()
    shares: tuple[Shares, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds that are expected, at least, and at most; and the finished jobs that it comes from."""

    seconds: float
    low: float
    high: float
    jobs: frozenset[str]

    @property
    def words(self) -> str:
        """Such as "about 4 min (3 min to 7 min)"."""
        return f"about {spoken(self.seconds)} ({spoken(self.low)} to {spoken(self.high)})"


def known(workspace: Path) -> Known:
    """Read what every stage of a workspace's finished jobs took; jobs of versions with other settings are left out."""
    measures: list[Measure] = []
    shares: list[Shares] = []
    for job in jobs(workspace):
        if job.final.get("state") != "finished" or "seeds" not in job.summary:
            continue
        try:
            settings = job.settings
        except ValueError:
            continue
        part = _shares(job, settings)
        measures += _measures(job, settings, part)
        shares += [part] if part else []
    return Known(tuple(measures), tuple(shares))


def estimates(
    settings: RunSettings, command: str, of: Known, *, after: str = "", threads: int | None = None
) -> tuple[dict[str, Estimate], list[str]]:
    """Estimate the time of each stage that a job with these settings does after `after`, and name those never measured.

    `command` is "run" or the last stage. `threads` cores, by default those that a page's job uses.
    """
    threads = threads or max(1, cores() - 1)
    crystals = next((measure.size for measure in of.measures if measure.stage == "curate"), 1.0)
    own = [shares for shares in of.shares if shares.model == settings.train.model]
    part = next(iter([*own, *of.shares]), Shares("", 0.0, 0.0, 1.0))  # without any, neither stage was measured
    out: dict[str, Estimate] = {}
    missing = []
    amounts = [_expected(settings, part.times(factor), crystals) for factor in (1.0, 1 / YIELD, YIELD)]
    for name in _planned(settings, command, after):
        stage = STAGES[name]
        like = [measure for measure in of.measures if (measure.stage, measure.kind) == (name, stage.kind(settings))]
        sizes = [max(1.0, float(stage.size(amount))) for amount in amounts]
        sizes[1] *= stage.least(amounts[1])
        if like:
            out[name] = _estimate(like, sizes, threads if stage.spread else 1)
        else:
            missing.append(name)
    return out, missing


def total(parts: Iterable[Estimate]) -> Estimate:
    """Return the sum of stages."""
    listed = list(parts)
    names: frozenset[str] = frozenset().union(*(part.jobs for part in listed))
    seconds, low, high = (sum(getattr(part, name) for part in listed) for name in ("seconds", "low", "high"))
    return Estimate(seconds, low, high, names)


def spoken(seconds: float) -> str:
    """Return a time in words, such as "40 s", "6 min", "3.5 h"."""
    if seconds < 90:
        return f"{max(1, round(seconds, -1 if seconds >= 20 else 0)):.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} days"


def _estimate(like: Sequence[Measure], sizes: Sequence[float], threads: int) -> Estimate:
    """Estimate from measures of one stage; `sizes` are the one expected, the least and the most."""
    expected, least, most = sizes
    nearest = sorted(like, key=lambda measure: abs(math.log(measure.size / expected)))[:NEAREST]
    lines, bounds = [], []
    for measure in nearest:
        rate = (measure.seconds - measure.begin) / measure.size
        lines.append(measure.begin + rate * expected)
        for size in (least, most):
            bounds += [measure.begin + rate * size, measure.seconds * size / measure.size]
    bounds += lines
    middle = sorted(lines)[len(lines) // 2]
    names = frozenset(measure.job for measure in nearest)
    return Estimate(middle / threads, min(bounds) / SPREAD / threads, max(bounds) * SPREAD / threads, names)


def _planned(settings: RunSettings, command: str, after: str) -> list[str]:
    """Return what a job does after a stage, in order."""
    listed = list(stages_of(settings, command))
    if after in listed:
        listed = listed[listed.index(after) + 1 :]
    elif after:
        listed = [name for name in listed if RUN.index(name) > RUN.index(after)]
    if command == "run":
        listed += [name for name, stage in STAGES.items() if stage.when == "beside" and stage.asked(settings)]
    return listed


def _measures(job: Job, settings: RunSettings, shares: Shares | None) -> list[Measure]:
    """Return stages that the job did itself, whole and in one attempt."""
    out = []
    steps = job.progress()
    for name, stage in STAGES.items():
        own = [step for step in steps if step["stage"] == name]
        if len(own) < 2 or own[0]["attempt"] != own[-1]["attempt"] or not own[-1].get("complete"):
            continue
        if stage.when in ("round", "end") and shares is None:
            continue
        size = max(1.0, float(stage.size(_amount(job, settings, shares, own))))
        whole = max(1e-3, _seconds(steps, name))
        # little work is done by one process, so that the processor time shows how many there were
        factor = min(job.threads, max(1.0, own[-1]["cpu_seconds"] / whole)) if stage.spread else 1.0
        begin = factor * min(whole, _begin(own, whole))
        out.append(Measure(name, stage.kind(settings), size, begin, factor * whole, job.id))
    return out


def _seconds(steps: Sequence[dict[str, Any]], stage: str) -> float:
    """Return seconds by the clock; a stage that is done again in every round stands between others."""
    pairs = pairwise(steps)
    return sum(after["time"] - before["time"] for before, after in pairs if before["stage"] == after["stage"] == stage)


def _begin(steps: Sequence[dict[str, Any]], whole: float) -> float:
    """Return seconds before the first unit: up to the report of 0 done, or what the first units took in excess."""
    counted = [
        (step["done"] if "done" in step else step["epoch"], step["time"])
        for step in steps
        if "done" in step or "epoch" in step
    ]
    if not counted:
        return 0.0
    (first, early), (last, late) = counted[0], counted[-1]
    before = min(early - steps[0]["time"], whole)
    if first and last == first:
        return 0.0
    return float(max(0.0, before - first * (late - early) / max(1, last - first)))


def _expected(settings: RunSettings, shares: Shares, crystals: float) -> Amount:
    """Return what a job to come has to do."""
    rows, samples = _rows(settings, crystals), settings.sample.samples
    new = shares.new * samples
    energies = min(settings.rank.max_energies, new)
    return Amount(
        settings=settings,
        crystals=crystals,
        rows=rows,
        epochs=settings.train.passes(rows),
        samples=samples,
        valid=shares.valid * samples,
        new=new,
        energies=energies,
        relaxed=min(2 * settings.rank.max_relaxed, energies),
        sites=shares.sites,
    )


def _amount(job: Job, settings: RunSettings, shares: Shares | None, steps: Sequence[dict[str, Any]]) -> Amount:
    """Return what a finished job did; the epochs are those that the steps of a stage tell."""
    summary, part = job.summary, shares or Shares("", 0.0, 0.0, 1.0)
    rows = float(summary.get("augmented", summary["seeds"]))
    samples = summary.get("sampled", settings.sample.samples)
    return Amount(
        settings=settings,
        crystals=summary["seeds"],
        rows=rows,
        epochs=max((step["epoch"] for step in steps if "epoch" in step), default=settings.train.passes(int(rows))),
        samples=samples,
        valid=part.valid * samples,
        new=part.new * samples,
        energies=summary.get("energies", 0),
        relaxed=summary.get("relaxed", 0),
        sites=part.sites,
    )


def _rows(settings: RunSettings, crystals: float) -> int:
    """Return the rows that a number of crystals gives."""
    return max(1, round(min(settings.augment.rows, crystals * settings.augment.rows_per_crystal)))


def _shares(job: Job, settings: RunSettings) -> Shares | None:
    """Return the shares; None for a job that relaxed nothing."""
    summary, paths = job.summary, sorted(job.shards.glob("crystals-*.parquet"))[:4]
    if not paths or not summary.get("sampled"):
        return None
    table = pd.concat([pd.read_parquet(path, columns=["status", "sites"]) for path in paths])
    sites = table.loc[table["status"] == "valid", "sites"].mean()
    valid = summary["sampled"] - summary["undecodable"] - sum(summary["invalid"].values())
    parts = (valid / summary["sampled"], summary["new"] / summary["sampled"], float(sites) if valid else 1.0)
    return Shares(settings.train.model, *parts)
