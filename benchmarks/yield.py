"""What each generator yields of new crystals, for its samples and for its processor time, beside random crystals.

python -m benchmarks.yield TABLE [--models transformer cvae vae gan] [--samples 1000 10000] [--matcher]

TABLE is made by `python -m legocryst augment`. Every model is trained to its default stop, then draws and relaxes its
rows; after each the random symmetric generator gets as much processor time as that took, training included, and the
same relaxation. All CPU-s are of one thread. Unique crystals are distinct nets; with --matcher also pymatgen's
StructureMatcher (ltol 0.2, stol 0.3, angle 5) counts, by the published criterion, within each net.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import torch

from legocryst.analysis.nets import nets
from legocryst.crystal.files import to_structure
from legocryst.crystal.representation import Crystals
from legocryst.crystal.table import decode
from legocryst.environment.targets import Target
from legocryst.environment.targets import target as find_target
from legocryst.models.base import Generator, generator
from legocryst.pipeline import nets_of_sources, share_valid
from legocryst.settings import RelaxSettings, SampleSettings, TrainSettings
from legocryst.stages.relax import relax_table
from legocryst.stages.sample import sample

ONCE = RelaxSettings(restarts=0, merge=0.0)
"""Rows are drawn at will, so that another costs less than a restart."""
LOT = 5000
"""Rows relaxed together."""
SITES = (1, 2, 3, 4)
"""Numbers of sites that are told apart; the last stands for itself and all above."""


class Clock:
    """Processor seconds by what they were spent on."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def run(self, name: str, work: Any, *arguments: Any, **options: Any) -> Any:
        """Call `work` and add its time."""
        start = time.process_time()
        out = work(*arguments, **options)
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - start
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
    parser.add_argument("--samples", nargs="+", type=int, default=[1000, 10_000])
    parser.add_argument("--train", default="{}", help="changes of the training's settings, as JSON")
    parser.add_argument("--sample", default="{}", help="changes of the sampling's settings, as JSON")
    parser.add_argument("--matcher", action="store_true", help="count by StructureMatcher, too")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    table, target = pd.read_parquet(options.table), find_target(options.target)
    known = nets_of_sources(table, target.name)
    relax_table(table.head(2), target.name, ONCE)  # compiled functions are loaded
    yardstick = generator("random", volume_per_atom=target.volume_per_atom).fit(table, TrainSettings(model="random"))
    for name in options.models:
        model, training = trained(name, table, target, known, options)
        for number in options.samples:
            clock = Clock()
            clock.seconds["train"] = training
            asked = SampleSettings.model_validate({**json.loads(options.sample), "samples": number})
            rows = clock.run("sample", sample, model, asked, seed=options.seed)
            frame = clock.run("relax", relaxed, rows, target)
            tell(name, clock, judged(frame, target, known, matcher=options.matcher))
            clock, frame = at_equal_time(yardstick, target, clock.total, options.seed)
            tell("random, equal time", clock, judged(frame, target, known, matcher=False))


def trained(
    name: str, table: pd.DataFrame, target: Target, known: set[str], options: argparse.Namespace
) -> tuple[Generator, float]:
    """A model trained to its default stop, and the CPU-s that took, checks of fresh samples included."""
    settings = TrainSettings.model_validate({**json.loads(options.train), "model": name})
    model, clock = generator(name), Clock()
    evaluate = share_valid(target.name, known=known)
    clock.run("train", model.fit, table, settings, seed=options.seed, evaluate=evaluate)
    record = model.describe().get("training", {})
    checks = [[line["epoch"], line["new"]] for line in record.get("history", []) if "new" in line]
    said = {name: record.get(name) for name in ("rows", "epoch", "best_epoch", "stopped")}
    print(json.dumps({"trained": name, "cpu_seconds": round(clock.total, 1), **said, "checks": checks}), flush=True)
    return model, clock.total


def relaxed(rows: pd.DataFrame, target: Target) -> pd.DataFrame:
    """All rows relaxed, in lots."""
    lots = range(0, len(rows), LOT)
    frames = [relax_table(rows.iloc[k : k + LOT], target.name, ONCE, first_row=k) for k in lots]
    return pd.concat(frames, ignore_index=True)


def at_equal_time(yardstick: Generator, target: Target, seconds: float, seed: int) -> tuple[Clock, pd.DataFrame]:
    """Random rows drawn and relaxed until the time is over."""
    clock = Clock()
    frames: list[pd.DataFrame] = []
    while clock.total < seconds:
        rows = clock.run("sample", yardstick.sample, LOT, seed=seed + len(frames))
        frames.append(clock.run("relax", relaxed, rows, target))
    return clock, pd.concat(frames, ignore_index=True)


def judged(frame: pd.DataFrame, target: Target, known: set[str], *, matcher: bool) -> dict[str, Any]:
    """Counts of a relaxed table (see `stages.relax.relax_table`); its nets by sites, periodicity and novelty."""
    valid = frame[frame["status"] == "valid"]
    nets_ = valid.sort_values(["sites", "row"]).drop_duplicates("net_key")  # with the fewest sites that were seen
    new = nets_[~nets_["net_key"].isin(known)]
    published = decode(frame[frame["published"]], element=target.atomic_number, max_atoms=10**6).crystals
    keys = [net.key for net in nets(published, cutoff=target.published_cutoff)]
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
        "new_frameworks": int((new["kind"] == "framework").sum()),
    }
    if matcher:
        out["unique_published_matcher"] = distinct(published, keys)
    return out


def by_sites(crystals: pd.DataFrame) -> dict[str, int]:
    """Crystals by number of sites, as spglib counts them."""
    sites = crystals["sites"].clip(upper=SITES[-1])
    return {f"{n}{'+' if n == SITES[-1] else ''}": int((sites == n).sum()) for n in SITES}


def distinct(crystals: Crystals, keys: list[str]) -> int:
    """Crystals of which StructureMatcher takes no two of one net to be the same."""
    from pymatgen.analysis.structure_matcher import StructureMatcher

    same = StructureMatcher(ltol=0.2, stol=0.3, angle_tol=5)
    return sum(len(same.group_structures(group)) for group in _by_net(crystals, keys))


def _by_net(crystals: Crystals, keys: list[str]) -> Iterator[list[Any]]:
    for key in dict.fromkeys(keys):
        yield [to_structure(crystals, int(k)) for k in np.flatnonzero(np.array(keys) == key)]


def tell(name: str, clock: Clock, counts: dict[str, Any]) -> None:
    """Print one line."""
    minutes = clock.total / 60
    rates = {f"{key}_per_minute": round(counts[key] / minutes, 1) for key in ("unique", "unique_3_sites", "new")}
    seconds = {key: round(value, 1) for key, value in clock.seconds.items()}
    print(json.dumps({"model": name, **counts, **rates, "cpu_seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
