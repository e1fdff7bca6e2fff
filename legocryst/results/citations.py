"""Works to cite for what was used, as BibTeX; the entries stand in `data/citations.bib`."""

import re
from functools import cache
from typing import TYPE_CHECKING

from legocryst import DATA, __version__

if TYPE_CHECKING:
    import pandas as pd

ALWAYS = ("legoxtal2026", "differentiable2026", "spglib2024", "pyxtal2021")
"""The method in two papers, the program that finds space groups, and the tables of Wyckoff positions."""
LEARNT = ("vae", "gan", "cvae")
"""Models whose table is encoded, and partly whose networks are built, as CTGAN and TVAE do it."""


def used(rows: "pd.DataFrame") -> list[str]:
    """Keys of the works that rows of `candidates` rest on."""
    found = list(ALWAYS)
    found += ["ctgan2019"] if rows["model"].isin(LEARNT).any() else []
    found += ["nets2003", "pdd2022"] if (rows["status"] == "valid").any() else []
    found += ["rcsr2008"] if rows["net_name"].fillna("").ne("").any() else []
    found += ["sevennet2024"] if rows["screen_energy"].notna().any() else []
    found += ["dispersion2010"] if rows["dispersion"].notna().any() else []
    return found + (["tightbinding2010"] if rows["gap"].notna().any() else [])


def bibtex(keys: list[str]) -> str:
    """The entries of some works behind that of LEGO-Cryst itself; raises KeyError for an unknown one."""
    own = "@software{legocryst,\n  author = {{The LEGO-Cryst developers}},\n  title = {LEGO-Cryst},\n"
    own += f"  version = {{{__version__}}}\n}}\n"
    return "\n".join([own, *(_entries()[key] for key in keys)])


@cache
def _entries() -> dict[str, str]:
    text = (DATA / "citations.bib").read_text(encoding="utf-8")
    return {found[1]: found[0] for found in re.finditer(r"^@\w+\{([^,]+),\n(?:  .*\n)+\}\n", text, re.MULTILINE)}
