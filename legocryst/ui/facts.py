"""What is known of a crystal, in words: values with their units, and small tables of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from legocryst.crystal.representation import Crystals
from legocryst.environment.targets import target
from legocryst.quantities import QUANTITIES
from legocryst.ui.marks import ring_sizes

if TYPE_CHECKING:
    import pandas as pd

SHOWN = (
    *("class", "novelty", "net_name", "kind", "periodicity", "sites", "atoms", "density", "energy", "gap"),
    *("band_class", "loss", "published"),
)
REJECTED = ("class", "reason", "sites", "atoms", "density", "loss_before", "loss", "published")


def facts(row: "pd.Series[Any]", crystals: Crystals) -> dict[str, str]:
    """What is told beside the drawing."""
    shown = SHOWN if row["status"] == "valid" else REJECTED
    told = {QUANTITIES[name].label: value(name, row[name]) for name in shown}
    if len(crystals):
        cutoff = target(row["target"]).bond_window[1]
        sizes = sorted({size for site in ring_sizes(crystals, cutoff=cutoff) for size in site})
        told["Sizes of rings"] = ", ".join(map(str, sizes)) or "none"
    return {label: text for label, text in told.items() if text != "not known"}


def value(name: str, content: Any) -> str:
    """A value in words, with its unit."""
    import pandas as pd

    quantity = QUANTITIES[name]
    if pd.isna(content) or content == "":
        return "not known"
    if quantity.kind == "truth":
        return "yes" if content else "no"
    text = {"real": "{:.4g}", "integer": "{:.0f}"}.get(quantity.kind, "{}").format(content)
    return f"{text} {quantity.unit}".strip()


def listed(rows: Sequence[Sequence[str]], *, names: Sequence[str]) -> None:
    """A small table as text: a table that can be sorted makes a browser load a megabyte of script."""
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    st.markdown("\n".join(lines + ["| " + " | ".join(_safe(cell) for cell in row) + " |" for row in rows]))


def _safe(text: str) -> str:
    return "".join(f"\\{sign}" if sign in "|*_`$[]<~:" else sign for sign in str(text))
