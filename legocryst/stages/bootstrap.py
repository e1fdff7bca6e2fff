"""Bootstrap: known crystals where there are none: random ones relaxed, each net once, those of low energy kept."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from legocryst.crystal.io.table import decode, encode
from legocryst.crystal.minimal_surfaces import honeycomb, surface_crystals
from legocryst.crystal.symmetry.primitive import primitive_atoms
from legocryst.environment.target import Target
from legocryst.generators.random_symmetric import RandomSymmetric
from legocryst.infra.extras import require
from legocryst.infra.files import write_parquet
from legocryst.infra.result_cache import ResultCache
from legocryst.infra.run_context import SILENT, RunContext
from legocryst.settings import BootstrapSettings, RankSettings, RelaxSettings, TrainSettings
from legocryst.stages.curate import DESCRIPTION, describe
from legocryst.stages.rank import rank
from legocryst.stages.relax import relax_chunks

BATCH = 2000
"""Rows between two files that are kept, so that little is lost when the work is stopped."""
ONCE = RelaxSettings(restarts=0, merge=0)
SOURCES = {"random": "random symmetric crystals", "surfaces": "random points on minimal surfaces"}


@dataclass(frozen=True, slots=True)
class Bootstrapped:
    """What a bootstrap found, and how much of it was left at each step."""

    table: pd.DataFrame  # METHOD's columns and those of a training set, lowest energy first
    distinct: int  # new nets
    ringed: int  # of these, with rings within the limits
    relaxed: int  # of these, with an energy after a relaxation


def bootstrap(
    target: Target,
    settings: BootstrapSettings,
    context: RunContext = SILENT,
    *,
    folder: Path,
    known: Collection[str] = (),
) -> Bootstrapped:
    """Find crystals of nets that are not `known`, of low energy after a relaxation that kept the net.

    Of the nets of `valid_nets` with rings within the limits the smallest primitive cells get an energy, and the lowest
    of them are relaxed with the potential. Both steps are kept in `folder`, so that a later call goes on. Progress and
    exceptions as in `valid_nets`, then `context.progress(done, total, seconds_left=...)` counts energies.
    """
    require("energy")
    table = valid_nets(target, settings, context, folder=folder)
    table = table[~table["net_key"].isin(list(known))].reset_index(drop=True)
    crystals = decode(table, element=target.atomic_number, max_atoms=settings.max_atoms).crystals
    words = describe(crystals, target)
    sizes = [[int(size) for size in text.split()] for text in words["rings"]]
    ringed = np.array([bool(s) and settings.min_ring <= min(s) and max(s) <= settings.max_ring for s in sizes], bool)
    chosen = np.flatnonzero(ringed)
    chosen = chosen[np.argsort(primitive_atoms(crystals.take(chosen)), kind="stable")]
    rank_settings = RankSettings(
        model=settings.model,
        max_energies=settings.max_energies,
        order="smallest",
        max_relaxed=settings.max_relaxed,
        max_rattled=0,
        low_energy=settings.max_energy,
    )
    rows = table.iloc[chosen].reset_index(drop=True)
    rows["row"] = chosen
    with ResultCache(folder / "energies") as cache:
        ranked = rank(rows, target, rank_settings, replace(context, cache=cache))
    low = ranked[ranked["low_energy"].fillna(False).astype(bool)]
    place = low["row"].to_numpy(int)
    out = encode(crystals.take(place), sites=8).join(words.iloc[place].reset_index(drop=True))
    energies = {name: low[name].to_numpy(float) for name in ("energy", "screen_energy")}
    out = out.assign(source=table["source"].to_numpy()[place], licence="MIT", **energies)
    columns = [name for name in out.columns if name not in (*DESCRIPTION, "reason")]
    return Bootstrapped(
        out[[*columns, *DESCRIPTION]], len(table), len(chosen), int(ranked["relaxed"].fillna(False).sum())
    )


def valid_nets(
    target: Target, settings: BootstrapSettings, context: RunContext = SILENT, *, folder: Path
) -> pd.DataFrame:
    """Find strictly valid crystals of random rows, each 3-periodic net of one part once, as by `relax_table`.

    Of one net the crystal with the fewest sites counts, then that of the smallest loss. `source` says how its row was
    drawn. Batches of rows are kept in `folder`, and a later call with the same settings and seed goes on from there.
    `context.progress(done, total, valid=...)` counts rows. Raises ValueError where atoms on surfaces are asked for and
    the target's are not three-coordinated.
    """
    if settings.surfaces and target.coordination != 3:
        raise ValueError(
            f"crystals on minimal surfaces are three-coordinated, and {target.name} is not: set `surfaces` to 0"
        )
    batches = list(_batches(settings))
    total, done, valid = sum(rows for *_, rows in batches), 0, 0
    for source, k, rows in batches:
        path = folder / f"{source}-{k:05d}.parquet"
        if not path.exists():
            if context.should_stop():
                break
            table = _drawn(source, rows, target, settings, context.rng(*source.encode(), k))
            parts = list(relax_chunks(table, target, ONCE, context, max_atoms=settings.max_atoms))
            relaxed = pd.concat(parts, ignore_index=True)
            write_parquet(relaxed[relaxed["status"] == "valid"].assign(source=SOURCES[source]), path)
        done, valid = done + rows, valid + len(pd.read_parquet(path, columns=["row"]))
        context.progress(done, total, valid=valid)
    paths = sorted(folder.glob("*-*.parquet"))
    if not paths:
        raise ValueError("nothing was drawn: ask for random rows or for crystals on surfaces")
    return _each_net_once(pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True), settings)


def _batches(settings: BootstrapSettings) -> Iterator[tuple[str, int, int]]:
    """Yield source, number and rows of each batch."""
    for source in SOURCES:
        rows = getattr(settings, source)
        for k, begin in enumerate(range(0, rows, BATCH)):
            yield source, k, min(BATCH, rows - begin)


def _drawn(
    source: str, rows: int, target: Target, settings: BootstrapSettings, rng: np.random.Generator
) -> pd.DataFrame:
    """Return rows of one source, in METHOD's columns."""
    if source == "random":
        reference = encode(target.reference.crystals(), sites=8)
        model = RandomSymmetric(volume_per_atom=target.volume_per_atom, max_atoms=min(settings.max_atoms, 128))
        model.fit(pd.concat([reference, reference]), TrainSettings())
        return model.sample(rows, seed=int(rng.integers(2**31)))
    crystals = surface_crystals(
        rows,
        species=target.atomic_number,
        area_per_atom=honeycomb(target.bond),
        atoms=(settings.min_atoms, settings.max_atoms),
        sites=(1, settings.max_sites),
        rng=rng,
    )
    return encode(crystals, sites=8)


def _each_net_once(table: pd.DataFrame, settings: BootstrapSettings) -> pd.DataFrame:
    within = (table["sites"] <= settings.max_sites) & (table["atoms"] <= settings.max_atoms)
    chosen = table[within & (table["kind"] == "framework")]
    chosen = chosen.sort_values(["sites", "loss"], kind="stable").drop_duplicates("net_key")
    return chosen.reset_index(drop=True)
