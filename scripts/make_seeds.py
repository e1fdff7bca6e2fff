"""Make the shipped training set: three-connected RCSR nets realised as sp2 carbon by our own relaxer, and new nets.

The nets are those of scripts/rcsr.py, their names those that scripts/make_nets.py has written. A net is kept when a
relaxed crystal is strictly valid and its bond graph still has the net's key. The new nets are those of a bootstrap,
whose steps are kept in build/seeds, so that a second call goes on from there. Writes data/energy/references.json and
data/seeds/sp2_carbon.parquet. Run from the repository root, about an hour:

    python -m scripts.make_seeds
"""

import time
from collections import Counter
from dataclasses import replace
from importlib.metadata import version

import numpy as np
import pandas as pd
import torch
from pymatgen.core import Structure

from legocryst import ROOT
from legocryst.cli.output import Ticker
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.structures import FileError, from_structure, to_structure
from legocryst.crystal.io.table import encode
from legocryst.crystal.symmetry.wyckoff import wyckoff
from legocryst.environment.target_library import target
from legocryst.environment.validity import judge
from legocryst.infra.executors import LocalProcesses
from legocryst.infra.result_cache import ResultCache
from legocryst.infra.run_context import RunContext
from legocryst.jobs.record import cores
from legocryst.potentials.reference_energy import write_references
from legocryst.relax import relax
from legocryst.settings import BootstrapSettings, RankSettings, RelaxSettings
from legocryst.stages.bootstrap import bootstrap
from legocryst.stages.curate import describe, shipped_file
from legocryst.stages.rank import rank
from legocryst.topology.nets import Net, net, nets
from scripts.rcsr import Blueprint, blueprints

TARGET = target("sp2-carbon")
COORDINATION = TARGET.coordination
SPACING = 3.4
"""Distance of stacked layers, angstrom."""
MAX_SITES, MAX_ATOMS = 8, 500
MAX_LAYERS = 40
LOW = 0.5
"""Energy (eV/atom) below which a framework counts as low."""
PARTS = ROOT / "build" / "seeds"
SETTINGS = RelaxSettings(coordination_steps=500, descriptor_steps=500, start_volume="row", merge=0)
TRIALS = [(1.0, 0.0), *((scale, shift) for scale in (1.0, 1.1, 0.95, 1.2) for shift in (0.1, 0.3, 0.6))]
"""Starts that are tried in turn: scale of the cell, and largest random shift of each free coordinate, angstrom."""


def distinct() -> tuple[list[tuple[Blueprint, Net]], Counter[str]]:
    """Return all nets of the sources, one for each key, and how many entries were left out for which reason."""
    every, left_out = blueprints({COORDINATION})
    by_key: dict[str, tuple[Blueprint, Net]] = {}
    for blueprint in every:
        of = net(blueprint.quotient, classes=blueprint.orbit)
        if of.key in by_key:
            left_out[f"{blueprint.source}: net known already"] += 1
        else:
            by_key[of.key] = blueprint, of
    return list(by_key.values()), left_out


def start(blueprint: Blueprint, of: Net) -> Crystals:
    """Return the net's own embedding with the target's mean bond length, layers stacked straight.

    For the net of the target's reference it is the reference itself.
    """
    reference = TARGET.reference.crystals()
    if nets(reference, cutoff=TARGET.bond_window[1])[0].key == of.key:
        return reference
    rows = blueprint.quotient.edges
    bonds = (blueprint.points[rows[:, 1]] + rows[:, 2:] - blueprint.points[rows[:, 0]]) @ blueprint.lattice
    lattice = blueprint.lattice * TARGET.bond / np.linalg.norm(bonds, axis=1).mean()
    if of.periodicity == 2:
        lattice[2] *= SPACING / np.linalg.norm(lattice[2])
    structure = Structure(lattice, [TARGET.element] * len(blueprint.points), blueprint.points)
    return from_structure(structure)


def shifted(crystals: Crystals, scale: float, shift: float, rng: np.random.Generator) -> Crystals:
    """Return crystals with scaled cells and with free coordinates moved at random by at most `shift` angstrom."""
    cell = crystals.cell.copy()
    cell[:, :3] *= scale
    free = wyckoff().free[crystals.position_id]
    move = rng.uniform(-shift, shift, free.shape) * free / cell[crystals.crystal_of_site, :3]
    return replace(crystals, cell=cell, coordinates=crystals.coordinates + move)


def realise(starts: Crystals, keys: list[str]) -> tuple[dict[int, Crystals], list[str]]:
    """Find each start's first strictly valid crystal with its net unchanged, and the reasons of the last failures."""
    done: dict[int, Crystals] = {}
    reasons = [""] * len(keys)
    rng = np.random.default_rng(0)
    for scale, shift in TRIALS:
        left = np.array([k for k in range(len(keys)) if k not in done])
        result = relax(shifted(starts.take(left), scale, shift, rng), TARGET, SETTINGS)
        bonded = nets(result.crystals, cutoff=TARGET.bond_window[1])
        for place, k in enumerate(left):
            same = bonded[place].key == keys[k]
            reasons[k] = result.reason[place] or ("" if same else "bonds changed")
            if not reasons[k]:
                done[int(k)] = settled(result.crystals.take([place]))
    return done, reasons


def settled(crystal: Crystals) -> Crystals:
    """Return the crystal in the group it has after relaxation, if it stays strictly valid there."""
    better = from_structure(to_structure(crystal))
    return better if judge(better, TARGET).valid[0] else crystal


def main() -> None:
    """Read, realise, write, and print how many of what."""
    torch.set_num_threads(1)
    began = time.process_time()
    by_key, left_out = distinct()
    print(f"{len(by_key)} nets with {COORDINATION} edges a vertex; entries left out: {dict(left_out)}")
    starts, keys, plans = [], [], []
    failed: Counter[str] = Counter()
    for blueprint, of in by_key:
        try:
            starts.append(start(blueprint, of))
        except FileError as reason:
            failed[f"no start: {reason}"] += 1
            continue
        keys.append(of.key)
        plans.append((blueprint, of))
    done, reasons = realise(Crystals.concatenate(starts), keys)
    failed.update(reason for k, reason in enumerate(reasons) if k not in done)
    print(f"{len(done)} realised; failed: {dict(failed)}")
    kept = []
    for k, crystal in done.items():
        if crystal.site_count[0] > MAX_SITES:
            failed[f"more than {MAX_SITES} sites"] += 1
        elif crystal.atom_count[0] > MAX_ATOMS:
            failed[f"more than {MAX_ATOMS} atoms"] += 1
        else:
            kept.append(k)
    print(f"{len(kept)} kept; failed: {dict(failed)}")
    print(f"{time.process_time() - began:.0f} CPU-s without energies")
    write(Crystals.concatenate([done[k] for k in kept]), [plans[k][0] for k in kept])
    print(f"{time.process_time() - began:.0f} CPU-s")


def write(crystals: Crystals, plans: list[Blueprint]) -> None:
    """Write the table of the shipped set: nets of RCSR in order of names, then the others, lowest energy first."""
    write_references(TARGET)
    columns = {
        "source": [f"RCSR net, from {plan.source} {version(plan.source)}" for plan in plans],
        "licence": "MIT",
    }
    words = describe(crystals, TARGET).drop(columns="reason")
    named = with_energies(pd.concat([encode(crystals, sites=MAX_SITES), pd.DataFrame(columns), words], axis=1))
    named = named.sort_values("name", ignore_index=True)
    made = bootstrap(
        TARGET,
        BootstrapSettings(),
        RunContext(executor=LocalProcesses(cores()), progress=Ticker("bootstrap")),
        folder=PARTS / "bootstrap",
        known=set(named["net_key"]),
    )
    print(f"{made.distinct} new nets, {made.ringed} with fitting rings, {made.relaxed} relaxed, {len(made.table)} kept")
    table = pd.concat([named[list(made.table.columns)], made.table], ignore_index=True)
    assert table["net_key"].is_unique
    table.to_parquet(shipped_file("sp2-carbon"))
    low = table[(table["kind"] == "framework") & (table["energy"] < LOW)]
    print(f"{len(table)} crystals, {len(low)} frameworks below {LOW} eV/atom", table.groupby(["source", "kind"]).size())
    print(table[["energy", "strain", "loss", "atoms"]].describe())


def with_energies(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the energy of each crystal relaxed, NaN where its net did not stay, and as it stands."""
    every = RankSettings(
        model="7net-0", max_energies=len(table), max_relaxed=len(table), max_rattled=0, max_atoms=MAX_ATOMS
    )
    with ResultCache(PARTS / "energies") as cache:
        rows = table.assign(row=np.arange(len(table)))
        context = RunContext(executor=LocalProcesses(cores()), cache=cache, progress=Ticker("energies"))
        ranked = rank(rows, TARGET, every, context)
    ranked = ranked.sort_values("row")
    return table.assign(**{name: ranked[name].to_numpy(float) for name in ("energy", "screen_energy")})


if __name__ == "__main__":
    main()
