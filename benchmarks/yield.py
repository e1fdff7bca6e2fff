"""What each generator yields of new crystals, for its samples and for its processor time, beside random crystals.

python -m benchmarks.yield TABLE [--models transformer cvae vae gan] [--samples 1000 10000] [--matcher] [--random]
    [--rounds 3] [--energies 600] [--learn 0.6] [--learner transformer] [--threads 2] [--saved FOLDER]

TABLE is made by `python -m legocryst augment`. Every model is trained to its default stop, then draws and relaxes its
rows. With --random the random symmetric generator gets as much processor time as that took, training included from
10,000 samples on, and the same relaxation. CPU-s are those of all --threads together. Unique crystals are distinct
nets; with --matcher also pymatgen's StructureMatcher (ltol 0.2, stol 0.3, angle 5) counts, by the published criterion,
within each net. Layers are told by their nets, so that another stacking of a known layer is no new crystal.

With --asked, 1,000 rows are drawn for each of some space groups, numbers of sites and of atoms, and the shares are told
that meet what was asked, as drawn and, of the valid ones, relaxed and seen by spglib.

With --rounds, what a conditional VAE drew and stayed invalid is refined in its latent space, so many times, with its
groups and Wyckoff positions. With --energies, so many of the new frameworks are drawn at random in equal shares from
the quarters of the primitive cell's size. Their energies as they stand are computed with 7net-0, those below --below
are relaxed with it, and the number of low-energy ones among all new frameworks is told with its 95 % interval. All
others are taken to be none, as are those with a larger --loss and those of more than --largest atoms, so that the
number is rather too small. If all get one, the low-energy ones are counted in each thousand rows, too, as if these were
a sample of their own. Models, relaxed samples and energies are kept in --saved, and taken from there; an energy that
was kept costs nothing.

With --learn, all new frameworks get an energy as they stand, those below so many eV/atom join the crystals that were
learnt from, a table of as many rows is made of both, and a model trained anew on it (the same, or that of --learner)
draws as many samples again, with the changes of --again; for each --again that is given once more. Each sample is
judged by itself, where what was learnt from is known, and all as one.
"""

import argparse
import itertools
import json
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import torch
from scipy.stats import t

from benchmarks.matching import distinct
from legocryst.crystal.io.table import decode
from legocryst.crystal.symmetry.primitive import primitive_atoms
from legocryst.environment.target import Target
from legocryst.environment.target_library import target as find_target
from legocryst.generators.base import Generator, generator, generator_names, load
from legocryst.generators.conditions import Conditions
from legocryst.generators.cvae import ConditionalVAE
from legocryst.infra.executors import LocalProcesses
from legocryst.infra.result_cache import ResultCache
from legocryst.infra.run_context import RunContext
from legocryst.settings import AugmentSettings, RankSettings, RelaxSettings, SampleSettings, TrainSettings
from legocryst.stages.augment import augment
from legocryst.stages.rank import rank
from legocryst.stages.relax import relax_chunks, relax_table
from legocryst.stages.sample import refined, sample
from legocryst.stages.train import nets_of_sources, share_valid
from legocryst.topology.nets import nets
from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS

ONCE = RelaxSettings(restarts=0, merge=0.0)
"""Rows are drawn at will, so that another costs less than a restart."""
BATCH = 5000
"""Rows relaxed together."""
WITH_TRAINING = 10_000
"""Samples from which on the time of training counts."""
ASKED: tuple[dict[str, Any], ...] = (
    {"groups": "194"},
    {"system": "cubic"},
    {"groups": "62, 139, 166"},
    {"min_sites": 3, "max_sites": 3},
    {"min_atoms": 24, "max_atoms": 48},
    {"system": "tetragonal", "min_sites": 2, "max_sites": 4, "min_atoms": 16, "max_atoms": 64},
)
"""What is asked of a model with --asked."""
MEASURED = ("space_group", "sites", "atoms")
SITES = (1, 2, 3, 4)
"""Numbers of sites that are told apart; the last stands for itself and all above."""


def cpu_seconds() -> float:
    """Return processor seconds of this process and of those it started and that have ended."""
    return sum(os.times()[:4])


@dataclass(frozen=True, slots=True)
class Bench:
    """What all parts ask for."""

    table: pd.DataFrame
    target: Target
    known: set[str]  # net keys of the table's crystals
    options: argparse.Namespace


class Clock:
    """Processor seconds by what they were spent on."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def run(self, name: str, work: Any, *arguments: Any, **options: Any) -> Any:
        """Call `work` and add its time."""
        start = cpu_seconds()
        out = work(*arguments, **options)
        self.seconds[name] = self.seconds.get(name, 0.0) + cpu_seconds() - start
        return out

    @property
    def total(self) -> float:
        """Sum of all."""
        return sum(self.seconds.values())


def main() -> None:
    """Print one JSON line for each model and number of samples."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, help="augmented table, .parquet")
    parser.add_argument("--target", default="sp2-carbon")
    parser.add_argument("--models", nargs="+", default=["transformer", "cvae", "vae", "gan"])
    parser.add_argument("--samples", nargs="*", type=int, default=[1000, 10_000])
    parser.add_argument("--train", default="{}", help="changes of the training's settings, as JSON")
    parser.add_argument("--sample", default="{}", help="changes of the sampling's settings, as JSON")
    parser.add_argument("--matcher", action="store_true", help="count by StructureMatcher, too")
    parser.add_argument("--asked", action="store_true", help="whether groups, sites and atoms asked for are there")
    parser.add_argument("--rounds", type=int, default=0, help="rounds of latent refinement of a conditional VAE")
    parser.add_argument("--energies", type=int, default=0, help="new frameworks that get an energy")
    parser.add_argument("--below", type=float, default=0.9, help="eV/atom as they stand, of those that are relaxed")
    parser.add_argument("--loss", type=float, default=0.45, help="largest of those that get an energy")
    parser.add_argument("--largest", type=int, default=500, help="atoms in the primitive cell; larger ones are not low")
    parser.add_argument("--saved", type=Path, help="folder of trained models and of relaxed samples")
    parser.add_argument("--random", action="store_true", help="random crystals at equal time, too")
    parser.add_argument("--learn", type=float, help="eV/atom as they stand, of the finds that are learnt from")
    parser.add_argument("--learner", choices=generator_names(), help="model that learns from them, if it is another")
    parser.add_argument("--again", nargs="+", default=["{}"], help="the sampling's settings after that, as JSON")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    table, target = pd.read_parquet(options.table), find_target(options.target)
    bench = Bench(table, target, nets_of_sources(table, target), options)
    relax_table(table.head(2), target, ONCE)  # compiled functions are loaded
    yardstick = Yardstick(bench)
    for name in options.models:
        model, training = trained(name, bench)
        if options.asked:
            honoured(model, bench)
        for number in options.samples:
            clock, frame = drawn(name, model, number, bench)
            if number >= WITH_TRAINING:
                clock.seconds["train"] = training
            report(f"{name}, {number}", clock, judged(frame, bench, matcher=options.matcher))
            if options.learn is not None:
                for again in options.again:
                    settings = SampleSettings.model_validate({**json.loads(again), "samples": number})
                    clock, frame = learnt(options.learner or name, settings, clock, frame, bench)
                    report(f"{name}, {len(frame)} in rounds", clock, judged(frame, bench))
            low_energy(words(name, number, options), frame, bench)
            if options.rounds and isinstance(model, ConditionalVAE):
                refinement(model, frame, bench)
            if options.random:
                same, reference = yardstick.run(clock.total)
                report("random, equal time", same, judged(reference, bench))
                if number == max(options.samples):
                    low_energy(words("random", number, options), reference, bench)


def trained(name: str, bench: Bench, suffix: str = "") -> tuple[Generator, float]:
    """Return a model trained to its default stop, and the CPU-s that took, checks of fresh samples included."""
    options = bench.options
    settings = TrainSettings.model_validate({**json.loads(options.train), "model": name})
    model, clock = generator(name), Clock()
    saved = options.saved and options.saved / f"{name}{suffix}.pt"
    if saved and saved.exists():
        model = load(saved)
        return model, float(json.loads(saved.with_suffix(".json").read_text())["cpu_seconds"])
    evaluate, start = share_valid(bench.target, known=bench.known), time.monotonic()
    torch.set_num_threads(options.threads)
    clock.run("train", model.fit, bench.table, settings, seed=options.seed, evaluate=evaluate)
    torch.set_num_threads(1)
    seconds = {"seconds": round(time.monotonic() - start, 1), "cpu_seconds": round(clock.total, 1)}
    record = model.describe().get("training", {})
    checks = [[line["epoch"], line["new"]] for line in record.get("history", []) if "new" in line]
    said = {name: record.get(name) for name in ("rows", "epoch", "best_epoch", "stopped")}
    print(json.dumps({"trained": name, "threads": options.threads, **seconds, **said, "checks": checks}), flush=True)
    if saved:
        saved.parent.mkdir(parents=True, exist_ok=True)
        model.save(saved)
        saved.with_suffix(".json").write_text(json.dumps({"cpu_seconds": clock.total}))
    return model, clock.total


def drawn(name: str, model: Generator, number: int, bench: Bench) -> tuple[Clock, pd.DataFrame]:
    """Draw and relax rows, and return them with what that took; they are kept beside the model."""
    settings = SampleSettings.model_validate({**json.loads(bench.options.sample), "samples": number})
    return cached(
        words(name, number, bench.options), partial(sample, model, settings, RunContext(seed=bench.options.seed)), bench
    )


def cached(name: str, draw: Callable[[], pd.DataFrame], bench: Bench) -> tuple[Clock, pd.DataFrame]:
    """Draw and relax rows, and return them with what that took: from the folder if they are there, else put into it."""
    options = bench.options
    clock, path = Clock(), options.saved and options.saved / f"{name}.parquet"
    if path and path.exists():
        clock.seconds = json.loads(path.with_suffix(".json").read_text())
        return clock, pd.read_parquet(path)
    frame = clock.run("relax", relaxed, clock.run("sample", draw), bench)
    if path:
        frame.to_parquet(path)
        path.with_suffix(".json").write_text(json.dumps(clock.seconds))
    return clock, frame


def words(name: str, number: int, options: argparse.Namespace) -> str:
    """Return what is drawn, as a file's name."""
    values = json.loads(options.sample) | ({"seed": options.seed} if options.seed else {})
    return f"{name}-{number}" + "".join(f"-{key}-{value}" for key, value in values.items())


def relaxed(rows: pd.DataFrame, bench: Bench) -> pd.DataFrame:
    """Relax all rows in batches."""
    threads = bench.options.threads
    spread = LocalProcesses(threads)
    return pd.concat(
        relax_chunks(rows, bench.target, ONCE, RunContext(executor=spread), chunk=BATCH), ignore_index=True
    )


def honoured(model: Generator, bench: Bench) -> None:
    """Print which shares of rows meet what was asked of a model."""
    for condition in ASKED:
        settings = SampleSettings.model_validate({**condition, "samples": 1000})
        conditions = Conditions.of(settings)
        try:
            rows = sample(model, settings, RunContext(seed=bench.options.seed))
        except ValueError as error:
            print(json.dumps({"asked": model.name, **condition, "refused": str(error)}), flush=True)
            continue
        crystals = decode(rows, element=bench.target.atomic_number, max_atoms=10**6).crystals
        frame = relaxed(rows, bench)
        valid = frame[frame["status"] == "valid"]
        out = {
            "drawn": meeting(conditions, crystals.group, crystals.site_count, crystals.atom_count, of=len(rows)),
            "valid": len(valid),
            "relaxed": meeting(conditions, *(valid[name].to_numpy() for name in MEASURED), of=len(valid)),
        }
        print(json.dumps({"asked": model.name, **condition, **out}), flush=True)


def meeting(conditions: Conditions, group: np.ndarray, sites: np.ndarray, atoms: np.ndarray, *, of: int) -> float:
    """Return the percentage of a number of crystals that are among those given and meet the conditions."""
    met = np.isin(group, list(conditions.groups))
    for value, (low, high) in ((sites, conditions.sites), (atoms, conditions.atoms)):
        met &= (value >= low) & (value <= high)
    return round(100 * float(met.sum()) / max(1, of), 2)


class Yardstick:
    """Random symmetric crystals, drawn and relaxed for as long as is asked, each batch once."""

    def __init__(self, bench: Bench) -> None:
        self.model = generator("random", volume_per_atom=bench.target.volume_per_atom)
        self.model.fit(bench.table, TrainSettings(model="random"))
        self.bench = bench
        self.batches: list[tuple[Clock, pd.DataFrame]] = []

    def run(self, seconds: float) -> tuple[Clock, pd.DataFrame]:
        """Return the batches of the first `seconds` CPU-s, the last one whole."""
        clock, frames = Clock(), []
        for k in itertools.count():
            if clock.total >= seconds:
                break
            if k == len(self.batches):
                self.batches.append(self._batch(k))
            own, frame = self.batches[k]
            for name, value in own.seconds.items():
                clock.seconds[name] = clock.seconds.get(name, 0.0) + value
            frames.append(frame)
        return clock, pd.concat(frames, ignore_index=True)

    def _batch(self, k: int) -> tuple[Clock, pd.DataFrame]:
        draw = partial(self.model.sample, BATCH, seed=self.bench.options.seed + k)
        return cached(f"random-lot-{k}", draw, self.bench)


def judged(frame: pd.DataFrame, bench: Bench, *, matcher: bool = False) -> dict[str, Any]:
    """Return counts of a relaxed table (see `stages.relax.relax_table`); its nets by sites, periodicity and novelty."""
    target, known = bench.target, bench.known
    valid = frame[frame["status"] == "valid"]
    nets_ = valid.sort_values(["sites", "row"]).drop_duplicates("net_key")  # with the fewest sites that were seen
    new = nets_[~nets_["net_key"].isin(known)]
    rows = frame[frame["published"]].reset_index(drop=True)
    published = decode(rows, element=target.atomic_number, max_atoms=10**6).crystals
    other = np.flatnonzero(rows["status"] != "valid")  # valid ones have the same bonds within it
    keys = rows["net_key"].to_numpy(object)
    keys[other] = [net.key for net in nets(published.take(other), cutoff=target.published_cutoff)]
    out: dict[str, Any] = {
        "samples": len(frame),
        "decodable": int((frame["status"] != "undecodable").sum()),
        "published": len(published),
        "unique_published": len(set(keys)),
        "valid": len(valid),
        "unique": len(nets_),
        "copies": int(valid["net_key"].isin(known).sum()),
        "known": len(nets_) - len(new),
        "new": len(new),
        "new_by_sites": by_sites(new),
        "unique_3_sites": int((nets_["sites"] >= 3).sum()),
        "new_by_kind": {str(kind): int(n) for kind, n in new["kind"].value_counts().items()},
        "new_frameworks": len(new_frameworks(frame, known)),
    }
    if matcher:
        out["unique_published_matcher"] = distinct(
            published, list(keys), executor=LocalProcesses(bench.options.threads)
        )
    return out


def new_frameworks(frame: pd.DataFrame, known: set[str]) -> pd.DataFrame:
    """Return one crystal of each new 3-periodic net of one part, that with the fewest sites."""
    valid = frame[(frame["status"] == "valid") & (frame["kind"] == "framework") & ~frame["net_key"].isin(known)]
    return valid.sort_values(["sites", "row"]).drop_duplicates("net_key").reset_index(drop=True)


def learnt(
    name: str, settings: SampleSettings, clock: Clock, frame: pd.DataFrame, bench: Bench
) -> tuple[Clock, pd.DataFrame]:
    """Return a sample and further rows of a model that has learnt from its finds too, and the time of both."""
    options, new = bench.options, new_frameworks(frame, bench.known)
    new = new[new["loss"] <= options.loss].reset_index(drop=True)
    energy = clock.run("energies", ranked, new, 0, bench).loc[new["row"], "screen_energy"].to_numpy()
    finds = new.assign(energy=energy)[energy < options.learn]
    table = clock.run("augment", with_finds, finds, bench)
    print(json.dumps({"learnt": len(finds), "of": len(new), "rows": len(table)}), flush=True)
    both = replace(bench, table=table, known=bench.known | set(finds["net_key"]))
    mark = _mark(sorted(finds["net_key"]), options.train)
    model, training = trained(name, both, suffix=f"-learnt-{mark}")
    clock.seconds["train again"] = clock.seconds.get("train again", 0.0) + training
    again = f"{name}-learnt-{mark}-again-{_mark(settings.model_dump_json(), len(frame))}"
    took, more = cached(again, partial(sample, model, settings, RunContext(seed=options.seed + len(frame))), bench)
    report(f"{name}, learnt, {settings.samples}", took, judged(more, both))
    low_energy(again, more, both)
    for part, seconds in took.seconds.items():
        clock.seconds[part] += seconds
    return clock, pd.concat([frame, more.assign(row=more["row"] + len(frame))], ignore_index=True)


def _mark(*content: Any) -> str:
    """Return a short name for what a saved model or sample depends on."""
    return sha256(json.dumps(content).encode()).hexdigest()[:8]


def with_finds(finds: pd.DataFrame, bench: Bench) -> pd.DataFrame:
    """Return a table as long as before, of the crystals that were learnt from and of finds, with their energies."""
    every = pd.concat([bench.table.drop_duplicates("label"), finds], ignore_index=True)
    training = every[[*CRYSTAL_COLUMNS, "energy"]]
    settings = AugmentSettings(rows=len(bench.table))
    table = augment(training, bench.target, settings, RunContext(seed=bench.options.seed)).table
    return table.assign(energy=training["energy"].to_numpy()[table["label"]])


def low_energy(name: str, frame: pd.DataFrame, bench: Bench) -> None:
    """Print how many of the new frameworks are low in energy, from a sample in equal shares of four sizes."""
    options, target, new = bench.options, bench.target, new_frameworks(frame, bench.known)
    if not options.energies or new.empty:
        return
    clock, rng, every = Clock(), np.random.default_rng(options.seed), len(new)
    size = primitive_atoms(decode(new, element=target.atomic_number, max_atoms=10**6).crystals)
    fit = (size <= options.largest) & (new["loss"] <= options.loss).to_numpy()
    new, size = new[fit].reset_index(drop=True), size[fit]
    quarter = pd.qcut(pd.Series(size).rank(method="first"), min(4, len(new)), labels=False).to_numpy()
    strata = [np.flatnonzero(quarter == q) for q in range(quarter.max() + 1)]
    share = max(1, options.energies // len(strata))
    drawn = [rng.permutation(stratum)[:share] for stratum in strata]
    rows = new.iloc[np.concatenate(drawn)].assign(row=np.concatenate(drawn))
    stand = clock.run("screen", ranked, rows, 0, bench)
    promising = int((stand["screen_energy"] < options.below).sum())
    energies = clock.run("relax", ranked, rows, promising, bench)
    low = [energies.loc[part, "low_energy"].fillna(False).to_numpy(bool) for part in drawn]
    # those that were found, and of the others of each size as many as Jeffreys' posterior of their share makes likely
    posterior = sum(
        part.sum()
        + rng.binomial(len(stratum) - len(part), rng.beta(part.sum() + 0.5, len(part) - part.sum() + 0.5, 20_000))
        for stratum, part in zip(strata, low, strict=True)
    )
    expected = sum(len(stratum) * part.mean() for stratum, part in zip(strata, low, strict=True))
    out = {
        "new_frameworks": every,
        "with_small_loss": len(new),
        "largest_atoms_of_quarters": [int(size[stratum].max()) for stratum in strata],
        "with_energy": [len(part) for part in low],
        "relaxed": [int(energies.loc[part, "relaxed"].fillna(False).sum()) for part in drawn],
        "below": options.below,
        "low": [int(part.sum()) for part in low],
        "expected": round(float(expected), 1),
        "interval_95": np.quantile(posterior, [0.025, 0.975]).round(1).tolist(),
        "cpu_seconds": {name: round(value, 1) for name, value in clock.seconds.items()},
    }
    if len(rows) == len(new):
        places = energies.index[energies["low_energy"].fillna(False).astype(bool)]
        out |= in_each_thousand(frame, set(new.loc[places, "net_key"]))
    print(json.dumps({"low_energy": name, **out}), flush=True)


def in_each_thousand(frame: pd.DataFrame, low: set[str]) -> dict[str, Any]:
    """Return the mean number of low-energy nets, those of `low`, in each thousand rows, and its 95 % interval."""
    valid = frame[(frame["status"] == "valid") & frame["net_key"].isin(low)]
    batches = -(-len(frame) // 1000)
    counts = valid.groupby(valid["row"] // 1000)["net_key"].nunique().reindex(range(batches), fill_value=0)
    half = float(t.ppf(0.975, batches - 1) * counts.std() / np.sqrt(batches)) if batches > 1 else np.nan
    interval = [round(counts.mean() - half, 1), round(counts.mean() + half, 1)]
    return {"rows_low": len(valid), "in_each_thousand": round(counts.mean(), 2), "interval_of_that": interval}


def ranked(rows: pd.DataFrame, most: int, bench: Bench) -> pd.DataFrame:
    """Return energies of all rows as they stand and of the lowest `most` relaxed, by row; kept beside the models."""
    options = bench.options
    arguments = {"model": "7net-0", "max_energies": len(rows), "max_relaxed": most, "max_rattled": 0, "max_atoms": 500}
    with ExitStack() as stack:
        store = stack.enter_context(ResultCache(options.saved / "energies")) if options.saved else None
        table = rank(
            rows,
            bench.target,
            RankSettings.model_validate(arguments),
            RunContext(executor=LocalProcesses(options.threads), cache=store),
        )
    return table.set_index("row")


def refinement(model: ConditionalVAE, frame: pd.DataFrame, bench: Bench) -> None:
    """Print the counts after each round in which rows that are not valid are drawn again near where they ended."""
    clock, options = Clock(), bench.options
    total = frame
    for number in range(options.rounds):
        rows = clock.run("sample", refined, model, frame, SampleSettings(), RunContext(seed=options.seed + number + 1))
        frame = clock.run("relax", relaxed, rows, bench)
        total = pd.concat([total, frame], ignore_index=True)
        report(f"round {number + 1} of {len(rows)} rows", clock, judged(total, bench, matcher=options.matcher))


def by_sites(crystals: pd.DataFrame) -> dict[str, int]:
    """Return crystals by number of sites, as spglib counts them."""
    sites = crystals["sites"].clip(upper=SITES[-1])
    return {f"{n}{'+' if n == SITES[-1] else ''}": int((sites == n).sum()) for n in SITES}


def report(name: str, clock: Clock, counts: dict[str, Any]) -> None:
    """Print one line."""
    minutes = clock.total / 60
    rates = {f"{key}_per_minute": round(counts[key] / minutes, 1) for key in ("unique", "unique_3_sites", "new")}
    seconds = {key: round(value, 1) for key, value in clock.seconds.items()}
    print(json.dumps({"model": name, **counts, **rates, "cpu_seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
