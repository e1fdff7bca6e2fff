"""Works to cite for crystals of the database."""

from typing import TYPE_CHECKING

from legocryst import __version__
from legocryst.references import OF_MODEL, REFERENCES, Reference, program

if TYPE_CHECKING:
    import pandas as pd

ALWAYS = ("legoxtal", "legoxtal2", "spglib", "pyxtal")
"""The method in two papers, the program that finds space groups, and the tables of Wyckoff positions."""


def used(rows: "pd.DataFrame") -> list[Reference]:
    """LEGO-Cryst itself, and the works that rows of `candidates` rest on."""
    found = list(ALWAYS)
    found += [key for model in sorted(set(rows["model"])) for key in OF_MODEL[model]]
    found += ["nets", "pdd"] if (rows["status"] == "valid").any() else []
    found += ["rcsr"] if rows["net_name"].fillna("").ne("").any() else []
    found += ["sevennet"] if rows["screen_energy"].notna().any() else []
    found += ["d3"] if rows["dispersion"].notna().any() else []
    found += ["tight_binding"] if rows["gap"].notna().any() else []
    return [program(__version__), *(REFERENCES[key] for key in dict.fromkeys(found))]
