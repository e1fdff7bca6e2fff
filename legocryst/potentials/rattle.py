"""The rattle test: whether a relaxed crystal comes back when its atoms are displaced and no symmetry holds them."""

import zlib
from typing import TYPE_CHECKING

import numpy as np

from legocryst.crystal.batch import Row, computed
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.symmetry.primitive import without_symmetry
from legocryst.environment.target import Target
from legocryst.infra.run_context import SILENT, RunContext
from legocryst.potentials.energies import estimate, named
from legocryst.potentials.relaxation import relaxation
from legocryst.settings import MEAN_STEPS, EnergySettings

if TYPE_CHECKING:
    import pandas as pd

RATTLE = 0.1
"""Angstrom that each atom is moved, in a random direction."""
TOLERANCE = 0.005
"""eV/atom by which the energy may differ of a crystal that came back."""


def rattled(
    crystals: Crystals,
    target: Target,
    settings: EnergySettings,
    context: RunContext = SILENT,
) -> "pd.DataFrame":
    """Rattle relaxed crystals in their primitive cells and relax them again in P1; a row for each.

    Columns: rattle_kept (the same net, and the energy within TOLERANCE; missing where not computed), rattle_energy
    (eV/atom after, counted from before), rattle_reason (why it did not come back or was not rattled; "" if it did).
    The moves depend on the crystal and the seed only.
    """
    import pandas as pd

    free = [without_symmetry(crystals.take([k])) for k in range(len(crystals))]
    rows = computed(
        crystals,
        _rattled,
        estimate(Crystals.concatenate(free), settings.model) * min(MEAN_STEPS, settings.steps),
        context,
        name=named("rattled", settings, target.name, context.seed, RATTLE, TOLERANCE),
        shared={"settings": settings, "target": target, "seed": context.seed},
    )
    missing = {"rattle_energy": np.nan, "rattle_kept": None, "rattle_reason": "stopped"}
    table = pd.DataFrame([row or missing for row in rows], columns=list(missing))
    return table.astype({"rattle_kept": "boolean", "rattle_energy": float})


def _rattled(crystal: Crystals, settings: EnergySettings, target: Target, seed: int) -> Row:
    free = without_symmetry(crystal)
    rng = np.random.default_rng([seed, zlib.crc32(crystal.cell.tobytes() + crystal.coordinates.tobytes())])
    move = rng.normal(size=free.coordinates.shape)
    move *= RATTLE / np.linalg.norm(move, axis=1, keepdims=True)
    still = relaxation(free, target, settings.model_copy(update={"steps": 1}))
    free.coordinates[:] += move @ np.linalg.inv(free.lattice[0])
    result = relaxation(free, target, settings)
    if still.net is None or result.net is None:
        return {"rattle_energy": np.nan, "rattle_kept": None, "rattle_reason": still.reason or result.reason}
    difference = result.energy - still.energy
    reason = "" if result.net.key == still.net.key else "another net"
    if not reason and abs(difference) > TOLERANCE:
        reason = "another energy"
    return {"rattle_energy": difference, "rattle_kept": not reason, "rattle_reason": reason}
