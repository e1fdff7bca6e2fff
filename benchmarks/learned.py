"""Learnt energies: errors, intervals, and low crystals found against random order, on crystals made at random.

python -m benchmarks.learned                searches on energies that are kept, computed where they are not
python -m benchmarks.learned --relax 4      relaxes each fourth of the lowest fifth: which of them end low

The crystals are the distinct nets of `make seeds` (`stages.bootstrap.valid_nets`: random symmetric crystals and random
points on minimal surfaces) with at most 60 atoms in the primitive cell. Energies are those of 7net-0 as they stand;
they are kept in a folder, so that only the first run takes long. CPU-s are of one thread.
"""

import argparse
import os
import time
from pathlib import Path
from statistics import NormalDist

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import torch

from legocryst.active_learning.acquisition import Acquired, Acquisition, acquire
from legocryst.active_learning.calibration import LEVELS
from legocryst.active_learning.crystal_features import GROUPS, crystal_features
from legocryst.active_learning.gaussian_process import WIDTH
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.table import decode
from legocryst.crystal.symmetry.primitive import primitive_atoms
from legocryst.environment.target_library import target
from legocryst.infra.result_cache import ResultCache
from legocryst.infra.run_context import RunContext
from legocryst.potentials.energies import energies, estimate, relaxed
from legocryst.settings import BootstrapSettings, EnergySettings, RankSettings
from legocryst.stages.bootstrap import valid_nets

TARGET = target("sp2-carbon")
ATOMS = 60
"""Most atoms in the primitive cell."""
LOWEST = (0.02, 0.05, 0.10)
"""Shares of the crystals, lowest first, that are looked for."""


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--folder", type=Path, default=Path("build/seeds/bootstrap"), help="rows of make seeds")
    parser.add_argument("--kept", type=Path, default=Path("build/learned"), help="folder of energies")
    parser.add_argument("--seeds", type=int, default=5, help="searches, each with another seed")
    parser.add_argument("--rounds", type=int, default=RankSettings().rounds, help="rounds of a search")
    parser.add_argument("--share", type=float, default=0.25, help="share of the crystals that get an energy")
    parser.add_argument("--relax", type=int, default=0, help="each so-manieth of the lowest fifth is relaxed")
    options = parser.parse_args()
    torch.set_num_threads(1)
    table = valid_nets(TARGET, BootstrapSettings(), folder=options.folder)
    crystals = decode(table, element=TARGET.atomic_number, max_atoms=BootstrapSettings().max_atoms).crystals
    crystals = crystals.take(primitive_atoms(crystals) <= ATOMS)
    with ResultCache(options.kept) as cache:
        start, known = time.process_time(), len(cache)
        energy = energies(crystals, TARGET, context=RunContext(cache=cache, progress=_say)).energy
        spent, number = time.process_time() - start, len(cache) - known
        quartiles = np.quantile(energy, [0, 0.25, 0.5, 0.75, 1]).round(3)
        print(
            f"{len(crystals)} crystals, {number} energies computed in {spent:.0f} CPU-s; quartiles {quartiles} eV/atom"
        )
        if options.relax:
            _relaxed(crystals, energy, options.relax, cache)
    crystal_features(crystals.take([0]), TARGET)  # compiles
    start = time.process_time()
    features = crystal_features(crystals, TARGET)
    print(f"traits: {1e3 * (time.process_time() - start) / len(crystals):.2f} CPU-ms a crystal")
    seconds = estimate(crystals, "7net-0")
    size = {"most": round(options.share * len(energy)), "rounds": options.rounds}
    rows = [_searched(features, energy, seconds, seed, **size) for seed in range(options.seeds)]
    result = pd.DataFrame(rows)
    print(result.round(3).to_string(index=False))
    print("mean".ljust(8), result.mean().round(3).to_dict())


def _searched(
    features: np.ndarray, energy: np.ndarray, seconds: np.ndarray, seed: int, *, most: int, rounds: int
) -> dict[str, float]:
    """Search for the 100 lowest as `rank` does, and compare with a random order."""
    n, settings = len(energy), RankSettings()
    acquisition = Acquisition(np.zeros(n, int), settings.low_energy, settings.max_relaxed)
    start = time.process_time()
    choice = acquire(
        features,
        GROUPS,
        acquisition,
        energy.__getitem__,
        most=most,
        rounds=rounds,
        rng=np.random.default_rng(seed),
    )
    learning = time.process_time() - start
    out: dict[str, float] = {"seed": seed}
    taken = choice.round > 0
    share = taken.mean()
    for part in LOWEST:
        low = energy <= np.sort(energy)[round(part * n) - 1]
        out[f"found {part:.0%}"] = low[taken].mean() * taken.sum() / low.sum()
        out[f"times {part:.0%}"] = out[f"found {part:.0%}"] / share
    low = energy <= np.sort(energy)[round(LOWEST[1] * n) - 1]
    minutes = (seconds[taken].sum() + learning) / 60
    out["a minute"], out["at random"] = low[taken].sum() / minutes, low.sum() / (seconds.sum() / 60)
    return out | {"learning CPU-s": learning} | _errors(choice, energy)


def _errors(choice: Acquired, energy: np.ndarray) -> dict[str, float]:
    """Return errors of the crystals held out, which never got an energy, and of those that got one later."""
    off, held = np.abs(choice.predicted - energy), choice.round == 0
    ratio = off / choice.error * WIDTH
    levels = [float((ratio[held] <= NormalDist().inv_cdf((1 + level) / 2)).mean()) for level in LEVELS]
    return {
        "MAE": off[held].mean(),
        "R": np.corrcoef(choice.predicted[held], energy[held])[0, 1],
        "within 90 %": levels[-1],
        "within 50 %": levels[4],
        "chosen within 90 %": float((off <= choice.error)[choice.round > 1].mean()),
    }


def _relaxed(crystals: Crystals, energy: np.ndarray, every: int, cache: ResultCache) -> None:
    """Print how many of a sample of the lowest fifth are low in energy once relaxed, by energy as they stand."""
    lowest = np.argsort(energy)[: len(energy) // 5]
    some = lowest[::every]
    context = RunContext(cache=cache, progress=_say)
    after = relaxed(crystals.take(some), TARGET, EnergySettings(model="7net-0"), context).table
    low = after["net_kept"].fillna(False) & after["converged"].fillna(False) & (after["relaxed_energy"] < 0.5)
    for begin in np.arange(energy.min() // 0.1 * 0.1, energy[lowest].max(), 0.1):
        here = (energy[some] >= begin) & (energy[some] < begin + 0.1)
        if here.any():
            print(f"as they stand {begin:.1f} to {begin + 0.1:.1f} eV/atom: {low[here].sum()} of {here.sum()} end low")


def _say(done: int, total: int, *, seconds_left: float) -> None:
    if done % 100 == 0:
        print(f"{done} of {total}, {seconds_left} s left", flush=True)


if __name__ == "__main__":
    main()
