"""Variants: rows moved a little and relaxed again in their subgroup, as published."""

from collections import Counter

import numpy as np

from legocryst.crystal import cell as cells
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.symmetry.projection import wrapped
from legocryst.crystal.symmetry.redescription import Descriptions, deviations, row_keys, settled
from legocryst.crystal.symmetry.wyckoff import wyckoff
from legocryst.environment.target import Target
from legocryst.infra.run_context import SILENT, RunContext
from legocryst.relax import relax
from legocryst.settings import AugmentSettings, RelaxSettings

MOVED = 0.5
"""Angstrom from its source's atom beyond which an atom makes a variant another crystal."""
REFINE = RelaxSettings(restarts=0, descriptor_steps=0, coordination_steps=0)
"""A known crystal is near its environment: only the last stage of the relaxation is needed."""


def variants(
    sources: Crystals,
    described: Descriptions,
    target: Target,
    settings: AugmentSettings,
    context: RunContext,
) -> tuple[Descriptions, dict[str, int]]:
    """Move descriptions a little and relax them; return those still valid, and how many were lost by reason.

    Cell lengths and angles change by a share of at most `settings.perturbation`, free coordinates by as many fractions
    of the cell. None is left out because the work is to stop.
    """
    moved = perturbed(described.crystals, settings.perturbation, context.rng(len(sources)))
    relaxed = relax(
        moved, target, REFINE, SILENT.with_progress(context.progress)
    )  # all of them: none is lost by a stop
    made = settled(Descriptions(relaxed.crystals, described.source, described.P, described.p))
    reason = relaxed.reason.copy()
    far = ~np.isfinite(deviations(sources, made, most=MOVED))
    reason[far & (reason == "")] = f"an atom moved more than {MOVED} angstrom"
    seen: set[bytes] = set()
    for k, key in enumerate(row_keys(made.crystals)):
        if reason[k] == "" and key in seen:
            reason[k] = "same as another row"
        seen.add(key)
    return made.take(np.flatnonzero(reason == "")), dict(Counter(reason[reason != ""].tolist()))


def perturbed(crystals: Crystals, size: float, rng: np.random.Generator) -> Crystals:
    """Change every free variable of crystals at random by at most `size` (see `variants`), symmetry kept."""
    table, op = wyckoff(), wyckoff().op_first[crystals.position_id]
    cell = crystals.cell * (1 + size * rng.uniform(-1, 1, crystals.cell.shape))
    step = size * rng.uniform(-1, 1, crystals.coordinates.shape) * table.free[crystals.position_id]
    return Crystals(
        crystals.group,
        cells.symmetrized(crystals.group, cell),
        crystals.first_site,
        crystals.species,
        crystals.position,
        wrapped(crystals.coordinates + np.einsum("sij,sj->si", table.rotation[op], step)),
    )
