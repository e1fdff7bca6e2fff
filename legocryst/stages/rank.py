"""Rank: new crystals ordered by energy."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from legocryst.crystal.representation import Crystals
from legocryst.settings import RankSettings

MODEL = "7net-0"
NOT_ASKED = "energies were not asked for"
_LATTICE_POINTS = {"P": 1, "A": 2, "B": 2, "C": 2, "I": 2, "R": 3, "F": 4}


def rank(
    relaxed: pd.DataFrame,
    settings: RankSettings,
    *,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> pd.DataFrame:
    """Energy and place of every crystal of a table with `row` and METHOD's columns; lowest energy first.

    Columns: row, energy (eV/atom above graphite, NaN if not computed), energy_model, energy_reason (why not), rank
    (from 1; missing where there is no energy). The smallest primitive cells are taken first, up to
    `settings.max_energies`. `progress(done, total)` counts the crystals taken.
    """
    from legocryst.analysis.energy import energies
    from legocryst.crystal.table import decode

    n = len(relaxed)
    energy, reason = np.full(n, np.nan), np.full(n, NOT_ASKED, object)
    if n and settings.energies:
        decoded = decode(relaxed, max_atoms=100_000)
        reason[:] = decoded.reason
        order = np.argsort(_primitive_atoms(decoded.crystals), kind="stable")
        taken, left = order[: settings.max_energies], order[settings.max_energies :]
        found = energies(
            decoded.crystals.take(taken),
            model=MODEL,
            max_atoms=settings.max_energy_atoms,
            progress=progress,
            should_stop=should_stop,
        )
        energy[decoded.rows[taken]], reason[decoded.rows[taken]] = found.energy, found.reason
        reason[decoded.rows[left]] = f"not among the {settings.max_energies} smallest cells"
    place = pd.Series(energy).rank(method="first").astype("Int64")
    ranked = pd.DataFrame(
        {
            "row": relaxed["row"].to_numpy(),
            "energy": energy,
            "energy_model": np.where(np.isnan(energy), "", MODEL),
            "energy_reason": reason,
            "rank": place,
        }
    )
    return ranked.sort_values("rank", ignore_index=True, na_position="last", kind="stable")


def _primitive_atoms(crystals: Crystals) -> np.ndarray:
    """Atoms (n,) in the primitive cell of each crystal's space group."""
    from legocryst.crystal.wyckoff import symbol

    return crystals.atom_count // np.array([_LATTICE_POINTS[symbol(int(g))[0]] for g in crystals.group], np.int64)
