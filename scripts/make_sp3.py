"""Make the shipped training set of sp3 carbon: random symmetric crystals, relaxed, each net once, with energies.

The steps are those of the bootstrap, kept in build/sp3 so that a second call goes on from there; no crystal is relaxed
with the potential. Writes data/seeds/sp3_carbon.parquet. Run from the repository root, some minutes:

    python -m scripts.make_sp3
"""

from pathlib import Path

import numpy as np
import pandas as pd

from legocryst import ROOT
from legocryst.cli.output import Ticker
from legocryst.crystal.io.table import decode, encode
from legocryst.crystal.symmetry.primitive import primitive_atoms
from legocryst.environment.target_library import target
from legocryst.infra.result_cache import ResultCache
from legocryst.infra.run_context import RunContext
from legocryst.settings import BootstrapSettings, RankSettings
from legocryst.stages.bootstrap import valid_nets
from legocryst.stages.curate import DESCRIPTION, describe, shipped_file
from legocryst.stages.rank import rank

PARTS = ROOT / "build" / "sp3"
DRAWN = BootstrapSettings(target="sp3-carbon", random=3000, surfaces=0, max_atoms=64, min_ring=4, max_ring=8)
COUNTED = RankSettings(model="7net-0", max_energies=100, order="smallest", max_relaxed=0, max_rattled=0)
HIGHEST = 1.5
"""Energy (eV/atom above graphite) of a crystal as it stands up to which it is kept."""


def main(folder: Path = PARTS) -> None:
    """Draw, relax, choose by rings, compute energies, write."""
    goal = target(DRAWN.target)
    table = valid_nets(target("sp2-carbon"), DRAWN, RunContext(progress=Ticker("rows")), folder=folder)
    crystals = decode(table, element=goal.atomic_number, max_atoms=DRAWN.max_atoms).crystals
    words = describe(crystals, goal)
    sizes = [[int(size) for size in text.split()] for text in words["rings"]]
    ringed = np.flatnonzero([bool(s) and DRAWN.min_ring <= min(s) and max(s) <= DRAWN.max_ring for s in sizes])
    ringed = ringed[np.argsort(primitive_atoms(crystals.take(ringed)), kind="stable")]
    with ResultCache(folder / "energies") as cache:
        rows = table.iloc[ringed].reset_index(drop=True).assign(row=ringed)
        ranked = rank(rows, target(goal.name), COUNTED, RunContext(cache=cache, progress=Ticker("energies")))
    low = ranked[ranked["screen_energy"] <= HIGHEST].sort_values("screen_energy")
    place = low["row"].to_numpy(int)
    out = encode(crystals.take(place), sites=8).join(words.iloc[place].reset_index(drop=True))
    energy = low["screen_energy"].to_numpy(float)
    out = out.assign(source="LEGO-Cryst: random symmetric crystals", licence="MIT", energy=energy, screen_energy=energy)
    others = [name for name in out.columns if name not in (*DESCRIPTION, "reason")]
    out[[*others, *DESCRIPTION]].to_parquet(shipped_file(goal.name))
    print(f"{len(table)} nets, {len(ringed)} with fitting rings, {int(ranked['screen_energy'].notna().sum())} energies")
    print(f"{len(out)} kept:", ", ".join(sorted(filter(None, out["name"]))))
    print(pd.Series(energy).describe())


if __name__ == "__main__":
    main()
