"""What is known of a crystal, in words: values with their units, and small tables of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.symmetry.wyckoff import wyckoff
from legocryst.ui.shell import shell
from legocryst.ui.widgets.atom_marks import ring_sizes
from legocryst.vocabulary.quantities import QUANTITIES, WITH_DENSITY

if TYPE_CHECKING:
    import pandas as pd

GENERATED, SAMPLED = "As generated", "As drawn by the model"
"""Geometries of a row, beside that of the relaxation with a potential; the first is named "" where one is asked for."""
SHOWN = (
    "class",
    "novelty",
    "net_name",
    "kind",
    "periodicity",
    "density",
    "energy",
    "screen_energy",
    "gap",
    "band_class",
)
JUDGED = ("loss", "published")
REJECTED = ("class", "reason", "sites", "atoms", "density", "loss_before", *JUDGED)


def facts(row: "pd.Series[Any]", crystals: Crystals, *, which: str = "") -> dict[str, str]:
    """Return what is shown beside the drawing of one of the row's geometries, of this geometry alone."""
    shown: tuple[str, ...]
    if which == SAMPLED:
        shown, values = ("class", "reason", "loss_before"), dict(row)
    elif row["status"] == "valid":
        shown, values = (*SHOWN, *(() if which else JUDGED)), _of_geometry(row, relaxed=bool(which))
    else:
        shown, values = REJECTED, dict(row)
    listed_facts = {QUANTITIES[name].label: value(name, values[name]) for name in shown}
    if len(crystals):
        group = int(crystals.group[0])
        listed_facts["Space group"] = f"{wyckoff().symbol[group]} (No. {group})"
        listed_facts[QUANTITIES["sites"].label] = str(crystals.site_count[0])
        listed_facts[QUANTITIES["atoms"].label] = str(crystals.atom_count[0])
        cutoff = shell.target(row["target"]).bond_window[1]
        sizes = sorted({size for site in ring_sizes(crystals, cutoff=cutoff) for size in site})
        listed_facts["Sizes of rings"] = ", ".join(map(str, sizes)) or "none"
    return {label: text for label, text in listed_facts.items() if text != "not known"}


def _of_geometry(row: "pd.Series[Any]", *, relaxed: bool) -> dict[str, Any]:
    """Return a valid row's values that belong to the crystal as generated, or to that which the potential relaxed."""
    import pandas as pd

    values = dict(row) | {"screen_energy": None}
    if relaxed:
        values |= {"density": row["relaxed_density"], "energy": row["relaxed_energy"]}
    elif row["relaxed_cif"]:  # another energy than the one that counts has another name
        before = row["screen_energy"] if pd.isna(row["energy_before"]) else row["energy_before"]
        values |= {"energy": None, "screen_energy": before}
        if row["kind"] not in WITH_DENSITY:
            values["density"] = None  # what stands there is that of the relaxed one
    best = bool(row["relaxed_cif"]) and not pd.isna(row["net_kept"]) and bool(row["net_kept"])
    if relaxed != best:  # the bands are those of the best geometry
        values |= {"gap": None, "band_class": ""}
    return values


def value(name: str, content: Any) -> str:
    """Return a value in words, with its unit."""
    import pandas as pd

    quantity = QUANTITIES[name]
    if pd.isna(content) or content == "":
        return "not known"
    if quantity.kind == "truth":
        return "yes" if content else "no"
    text = {"real": "{:.4g}", "integer": "{:.0f}"}.get(quantity.kind, "{}").format(content)
    return f"{text} {quantity.unit}".strip()


def listed(rows: Sequence[Sequence[str]], *, names: Sequence[str]) -> None:
    """Show a small table as text: a table that can be sorted makes a browser load a megabyte of script."""
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    st.markdown("\n".join(lines + ["| " + " | ".join(_safe(cell) for cell in row) + " |" for row in rows]))


def _safe(text: str) -> str:
    return "".join(f"\\{sign}" if sign in "|*_`$[]<~:" else sign for sign in str(text))
