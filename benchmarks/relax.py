"""Crystals relaxed in one second of one processor, and how many become valid, beside the published method.

python -m benchmarks.relax TABLE [--repeat 20] [--reference 300]    a table of rows, both ways of decoding
python -m benchmarks.relax --random 10000                           rows of the random symmetric generator

The published method (SciPy: Nelder-Mead with 100 iterations, then L-BFGS-B with 400 and 200, all on finite differences
of the descriptor's loss) runs on as many random rows as fit the seconds given. All CPU-s are of one thread.
"""

import argparse
import os
import resource
import time
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from scipy.optimize import minimize as scipy_minimize

from benchmarks.features import random_table
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.table import Mode, decode, read_table
from legocryst.environment.neighbors import neighbor_list
from legocryst.environment.target import Target
from legocryst.environment.target_library import target as find_target
from legocryst.environment.validity import environment_loss, judge
from legocryst.infra.compiled import compiled
from legocryst.relax import Relaxed, relax
from legocryst.relax.driver import stages_of
from legocryst.relax.minimize import Workspace, evaluate, minimize, workspace
from legocryst.relax.objective import OBJECTIVES, Objectives
from legocryst.relax.system import System, moved_to
from legocryst.settings import RelaxSettings
from legocryst.topology.nets import Net, nets

RATTLE = 0.02
"""Standard deviation (angstrom) of the noise on repeated rows."""
BATCH = 5000
"""Random rows relaxed together."""
ONCE = RelaxSettings(restarts=0, merge=0)
ATTEMPTS: dict[str, dict[str, Any]] = {
    "one attempt": {"restarts": 0, "merge": 0},
    "the row's volume": {"restarts": 0, "merge": 0, "start_volume": "row"},
    "merges": {"restarts": 0},
    "3 restarts": {"merge": 0},
    "3 restarts, merges": {},
}
"""What is tried, as changes of the default settings; the last is the default."""
PROFILED = 1000
"""Rows of which the shares of time are told."""


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("table", nargs="?", help="a .csv, .parquet or .json table")
    parser.add_argument("--target", default="sp2-carbon", help="the target environment (default sp2-carbon)")
    parser.add_argument("--repeat", type=int, default=20, help="times the rows are repeated for timing (default 20)")
    parser.add_argument("--random", type=int, default=0, help="rows of the random symmetric generator instead")
    parser.add_argument("--reference", type=float, default=0, help="seconds for the published method (default 0: none)")
    parser.add_argument("--compare", action="store_true", help="both minimisers and both orders, with 0 to 3 restarts")
    options = parser.parse_args()
    target = find_target(options.target)
    if options.random:
        _random(options.random, target)
        return
    table = read_table(options.table)
    warm = decode(table, mode="snap", element=target.atomic_number).crystals.take([0])
    relax(warm, target, ONCE)
    if options.compare:
        _compare(table, target)
        return
    for mode in ("snap", "drop"):
        for name, changes in ATTEMPTS.items():
            _rows(f"{mode}, {name}", table, target, mode, changes)
    _timing(pd.concat([table] * options.repeat, ignore_index=True), target)
    if options.reference:
        _published(table, target, options.reference)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def _rows(name: str, table: pd.DataFrame, target: Target, mode: Mode, settings: dict[str, Any]) -> None:
    """Print one line: shares with standard errors, distinct nets, cost."""
    start = time.process_time()
    decoded = decode(table, mode=mode, element=target.atomic_number)
    result = relax(decoded.crystals, target, RelaxSettings.model_validate(settings))
    seconds = time.process_time() - start
    other = np.unique(result.crystals.crystal_of_site[result.crystals.position != decoded.crystals.position])
    net_list = _nets(result, target)
    print(
        f"{name:34s} {_shares(result.published, result.valid, len(table))}, "
        f"{len({net.key for net in net_list})} nets, {len(table) / seconds:.0f} rows/CPU-s, "
        f"{result.evaluations.mean():.0f} evaluations of {1e3 * seconds / result.evaluations.sum():.3f} CPU-ms, "
        f"{len(decoded.crystals) - len(other)} of {len(decoded.crystals)} kept their Wyckoff list, "
        f"{(result.restarts > 0).sum()} results of restarts, {(result.merged > 0).sum()} of merges",
        flush=True,
    )


def _shares(published: np.ndarray, strict: np.ndarray, rows: int) -> str:
    """Return both shares of the rows with their standard errors."""
    shares = {"published": published.sum() / rows, "strict": strict.sum() / rows}
    error = {name: np.sqrt(share * (1 - share) / rows) for name, share in shares.items()}
    return ", ".join(f"{name} {100 * share:.1f} +- {100 * error[name]:.1f} %" for name, share in shares.items())


def _nets(result: Relaxed, target: Target) -> list[Net]:
    return nets(result.crystals.take(result.valid), cutoff=target.bond_window[1])


def _compare(table: pd.DataFrame, target: Target) -> None:
    for method in ("lbfgs", "adam"):
        for order in ("descriptor first", "coordination first"):
            for restarts in (0, 1, 2, 3):
                settings = {"optimizer": method, "order": order, "restarts": restarts, "merge": 0}
                _rows(f"{method}, {order}, {restarts}", table, target, "snap", settings)


def _timing(table: pd.DataFrame, target: Target) -> None:
    """Measure the way from rows to verdicts, with noise so that no two rows are equal, and where the time goes."""
    table, rng = table.copy(), np.random.default_rng(0)
    edges = {"x": "a", "y": "b", "z": "c"}
    for name in [name for name in table.columns if name[0] in "xyz" and name[1:].strip("_").isdigit()]:
        noise = rng.normal(0, RATTLE, len(table)) / table[edges[name[0]]]
        table[name] += np.where(table["wp" + name[1:]] >= 0, noise, 0)
    for rows in (100, 1000, len(table)):
        start = time.process_time()
        decoded = decode(table.iloc[:rows], mode="snap", element=target.atomic_number)
        result = relax(decoded.crystals, target, ONCE)
        print(f"{rows} rows from file to verdict: {rows / (time.process_time() - start):.0f} rows/CPU-s", flush=True)
    _alone(decoded.crystals, result, target)
    shares = _shares_of_time(decoded.crystals.take(slice(PROFILED)), target)
    print("share of the time: " + ", ".join(f"{name} {share:.0%}" for name, share in shares.items()))


def _alone(crystals: Crystals, together: Relaxed, target: Target) -> None:
    """Check whether crystals relaxed alone end as among all the others."""
    chosen = np.random.default_rng(1).choice(len(crystals), 200, replace=False)
    alone = [relax(crystals.take([k]), target, ONCE) for k in chosen]
    verdict = [one.reason[0] == together.reason[k] for one, k in zip(alone, chosen, strict=True)]
    cell = [
        np.allclose(one.crystals.cell[0], together.crystals.cell[k], rtol=1e-6)
        for one, k in zip(alone, chosen, strict=True)
    ]
    valid = together.valid[chosen]
    keys = [nets(c, cutoff=target.bond_window[1])[0].key for c in (together.crystals.take([k]) for k in chosen[valid])]
    same = [
        nets(alone[i].crystals, cutoff=target.bond_window[1])[0].key == key
        for i, key in zip(np.flatnonzero(valid), keys, strict=True)
    ]
    print(
        f"alone as among {len(crystals)}: verdict of {sum(verdict)} of {len(chosen)} crystals, cell of {sum(cell)}, "
        f"net of {sum(same)} of {len(same)} valid ones",
        flush=True,
    )


def _shares_of_time(crystals: Crystals, target: Target) -> dict[str, float]:
    """Return shares of the parts of a relaxation.

    The parts inside compiled code cannot be timed one by one. So as many evaluations as each stage took are done again
    at the results, without any objective, with one, and with a new neighbour list each time.
    """
    settings = ONCE
    start = time.process_time()
    result = relax(crystals, target, settings)
    whole = time.process_time() - start
    start = time.process_time()
    judge(crystals, target)
    judge(result.crystals, target)
    part = {"validity": time.process_time() - start}
    objectives = Objectives.of(target, settings.coarse_l_max)
    stages, system = stages_of(settings, objectives), System.build(crystals)
    work, x = workspace(system, objectives), np.zeros(len(system.reach))
    counts = [np.zeros(len(crystals), np.int64) for _ in range(len(stages.steps) + 1)]
    for k, count in enumerate(counts):
        first = stages._replace(weight=stages.weight[:k], steps=stages.steps[:k])
        work.lists[0] = 0
        minimize(system, objectives, first, False, work, x, count)
    lists = work.lists[0] / counts[-1].sum()

    def seconds(mask: np.ndarray, fresh: bool = False) -> float:
        begin = time.process_time()
        for weight, before, after in zip(stages.weight, counts, counts[1:], strict=False):
            repeat(system, objectives, weight * mask, stages.cutoff, work, x, after - before, fresh)
        return time.process_time() - begin

    only = np.arange(len(OBJECTIVES)) == 0
    seconds(only)  # compiled here
    bare = seconds(np.zeros(len(OBJECTIVES)))
    part["neighbours"] = lists * (seconds(np.zeros(len(OBJECTIVES)), fresh=True) - bare)
    part |= {"positions and distances": bare, "coordination": seconds(only) - bare, "descriptor": seconds(~only) - bare}
    part["optimiser and other"] = whole - sum(part.values())
    return {name: each / whole for name, each in part.items()}


@compiled
def repeat(
    system: System,
    objectives: Objectives,
    weight: np.ndarray,
    cutoff: float,
    work: Workspace,
    x: np.ndarray,
    times: np.ndarray,
    fresh: bool,
) -> None:
    """Evaluate each crystal a number of times at variables x (v,), with a new neighbour list each time if `fresh`."""
    for k in range(len(times)):
        for n in range(times[k]):
            if fresh or n == 0:
                work.listed_lattice[:, :] = np.nan
            evaluate(system, k, objectives, weight, cutoff, work, x[system.first_variable[k] :], work.gradient)


def _published(table: pd.DataFrame, target: Target, seconds: float) -> None:
    """Run the published method on random rows, until the time is over."""
    crystals = decode(table, mode="drop", element=target.atomic_number).crystals
    done, evaluations, start = [], 0, time.process_time()
    for k in np.random.default_rng(0).permutation(len(crystals)):
        if time.process_time() - start > seconds:
            break
        one, count = published_method(crystals.take([k]), target)
        done.append(one)
        evaluations += count
    spent = time.process_time() - start
    verdict = judge(Crystals.concatenate(done), target)
    print(
        f"published method, {len(done)} rows: {_shares(verdict.published, verdict.valid, len(done))}, "
        f"{len(done) / spent:.3f} crystals/CPU-s, "
        f"{evaluations / len(done):.0f} evaluations of {1e3 * spent / evaluations:.2f} CPU-ms"
    )


def published_method(crystal: Crystals, target: Target) -> tuple[Crystals, int]:
    """Relax one crystal by SciPy with finite differences; return also how often the loss was computed."""
    system, species = System.build(crystal), crystal.atoms().species
    cutoff, count = target.descriptor.r_cut, 0

    def loss(x: np.ndarray) -> float:
        nonlocal count
        count += 1
        now = moved_to(system, x, crystal)
        edges = neighbor_list(now, cutoff)
        return float(environment_loss(now, edges, species, target)[0])

    x = scipy_minimize(loss, np.zeros(len(system.reach)), method="Nelder-Mead", options={"maxiter": 100}).x
    for steps in (400, 200):
        bounds = [(value - 1.5, value + 1.5) for value in x]
        x = scipy_minimize(
            loss, x, method="L-BFGS-B", bounds=bounds, options={"maxiter": steps, "maxfun": 20 * steps}
        ).x
    return moved_to(system, x, crystal), count


def _random(rows: int, target: Target) -> None:
    """Measure random rows: shares, and the distinct nets of the first minute, generation and net keys included."""
    start = time.process_time()
    keys: set[str] = set()
    strict, published, done = [], [], 0
    in_a_minute: int | None = None
    for begin in range(0, rows, BATCH):
        table = random_table(min(BATCH, rows - begin), volume_per_atom=target.volume_per_atom, seed=begin)
        crystals = decode(table, mode="snap", element=target.atomic_number).crystals
        result = relax(crystals, target, ONCE)
        keys |= {net.key for net in _nets(result, target) if net.periodicity == 3 and len(net.components) == 1}
        strict.append(result.valid)
        published.append(result.published)
        done += len(table)
        seconds = time.process_time() - start
        print(f"{done} rows, {seconds:.1f} CPU-s: {len(keys)} distinct 3-periodic nets", flush=True)
        if in_a_minute is None and seconds >= 60:
            in_a_minute = len(keys)
    print(
        f"{done} random rows: {_shares(np.concatenate(published), np.concatenate(strict), done)}, "
        f"{done / seconds:.0f} rows/CPU-s, {in_a_minute} nets when the first CPU-minute was over"
    )
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
