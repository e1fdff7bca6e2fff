"""Random crystals on minimal surfaces: atoms at random where those of schwarzites lie (see `crystal.minimal_surfaces`).

Nothing is learnt but limits. It is for three-coordinated targets, whose nets of low strain tile such surfaces.
"""

from typing import Any, Self

import numpy as np
import pandas as pd

from legocryst.crystal.io.table import encode
from legocryst.crystal.minimal_surfaces import honeycomb, possible, surface_crystals
from legocryst.generators.base import Generator, Task
from legocryst.generators.columns import UNUSED, elements, site_count
from legocryst.generators.conditions import OPEN, Conditions
from legocryst.vocabulary.registry import GeneratorSpec

SPEC = GeneratorSpec(
    name="surfaces",
    loads="OnSurfaces",
    title="random points on minimal surfaces",
    help="atoms at random on minimal surfaces, for three-coordinated targets and low energies, seven or eight sites, "
    "where it can, unless sites or atoms are asked for",
    order=60,
    cites=("mackay", "nodal"),
    conditional=True,
    tempered=False,
    learns_from=(),
    fewest_rows=1,
    options=("bond",),
    coordination=3,
    methods="Rows were drawn at random, with atoms on general positions of space groups that keep a triply periodic "
    "minimal surface (P, G, D, I-WP), on these surfaces{works}.",
)

FEWEST = 112
"""Atoms in the conventional cell where sites and atoms are left open: low energies lie in large cells."""
SEVERAL = 7
"""Sites, then: of nets with fewer there are few, which come again and again."""
CUBIC = 0.1
"""Share of crystals in cubic groups; of their nets, too, there are few."""
ANY_ELEMENT = 1
"""For a table without elements, in which none is written."""


class OnSurfaces(Generator):
    """Crystals with atoms at random on triply periodic minimal surfaces, all on general positions.

    Each atom has the area that it has in a flat honeycomb with this `bond` (angstrom). A relaxation that starts from
    the target's volume scales the cells first.
    """

    spec = SPEC

    def __init__(self, *, bond: float = 1.0) -> None:
        self.bond = bond
        self.columns: list[str] = []
        self.element = ANY_ELEMENT

    @property
    def fitted(self) -> bool:
        """See `Generator.fitted`."""
        return bool(self.columns)

    def _fit(self, table: pd.DataFrame, task: Task) -> None:
        species = elements(table)
        if len(species) > 1:
            raise ValueError(f"crystals on surfaces have one element, not {len(species)}: take another model")
        self.columns, self.element = list(table.columns), int(species[0]) if len(species) else ANY_ELEMENT
        task.progress({"epoch": 1, "epochs": 1, "seconds_left": 0.0})

    def _sample(self, n: int, *, seed: int, temperature: float, conditions: Conditions) -> pd.DataFrame:
        """See `Generator.sample`; nothing is learnt, so the temperature changes nothing."""
        most = site_count(self.columns)
        sites, atoms = (conditions.sites[0], min(most, conditions.sites[1])), conditions.atoms
        if conditions.sites == OPEN.sites and atoms[0] == OPEN.atoms[0]:
            large = {"sites": (min(SEVERAL, most), most), "atoms": (FEWEST, atoms[1])}
            if possible(conditions.groups, **large):
                sites, atoms = large["sites"], large["atoms"]
        crystals = surface_crystals(
            n,
            species=self.element,
            area_per_atom=honeycomb(self.bond),
            atoms=atoms,
            sites=sites,
            groups=conditions.groups,
            cubic=CUBIC,
            rng=np.random.default_rng(seed),
        )
        rows = encode(crystals, sites=most)
        if "el0" in self.columns:
            used = rows[[f"wp{i}" for i in range(most)]].to_numpy() != UNUSED
            written = np.where(used, self.element, UNUSED)
            rows = rows.assign(**{f"el{i}": written[:, i] for i in range(most)})
        return rows[self.columns]

    @classmethod
    def _load(cls, content: dict[str, Any]) -> Self:
        out = cls(bond=content.get("bond", 1.42))  # that of carbon, for which files of 0.1.0 were
        out.columns, out.element = content["columns"], content["element"]
        return out

    def describe(self) -> dict[str, Any]:
        """Return model and limits."""
        return {"model": self.name, "parameters": 0, **self._content()}

    def _content(self) -> dict[str, Any]:
        return {"columns": self.columns, "element": self.element, "bond": self.bond}
