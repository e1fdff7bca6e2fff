"""Works to cite for crystals of the database."""

from typing import TYPE_CHECKING

from legocryst import __version__
from legocryst.settings import SCREEN
from legocryst.vocabulary.references import Reference, program, work
from legocryst.vocabulary.registry import GENERATORS, POTENTIALS

if TYPE_CHECKING:
    import pandas as pd

ALWAYS = ("legoxtal", "legoxtal2", "spglib", "pyxtal")
"""The method in two papers, the program that finds space groups, and the tables of Wyckoff positions."""


def used(rows: "pd.DataFrame") -> list[Reference]:
    """Return LEGO-Cryst itself, and the works that rows of `candidates` rest on."""
    works: list[str | Reference] = list(ALWAYS)
    specs = map(GENERATORS.get, sorted(set(rows["model"])))
    works += [key for spec in specs if spec is not None for key in spec.cites]
    works += ["nets", "pdd"] if (rows["status"] == "valid").any() else []
    works += ["rcsr"] if rows["net_name"].fillna("").ne("").any() else []
    screened = [SCREEN] if rows["screen_energy"].notna().any() else []
    potentials = map(POTENTIALS.get, [*screened, *sorted(set(rows["energy_model"].fillna("")))])
    works += [key for potential in potentials if potential is not None for key in potential.cites]
    works += ["d3"] if rows["dispersion"].notna().any() else []
    works += ["tight_binding"] if rows["gap"].notna().any() else []
    return [program(__version__), *map(work, dict.fromkeys(works))]
