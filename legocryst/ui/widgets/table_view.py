"""Tables on the page: columns with the labels, units and help of `quantities`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from legocryst.ui.shell import words
from legocryst.vocabulary.quantities import QUANTITIES

if TYPE_CHECKING:
    import pandas as pd

_DIGITS = {"energy": "%.3f", "density": "%.3f", "loss": "%.3f", "loss_before": "%.2f", "shift": "%.3f"}

ABSENT = "–"
"""What a table shows where there is no value."""


def columns(names: Sequence[str]) -> dict[str, Any]:
    """Return settings of `st.dataframe` for columns of known quantities."""
    out: dict[str, Any] = {}
    for name in names:
        if name not in QUANTITIES:
            continue
        quantity = QUANTITIES[name]
        text: dict[str, Any] = {"label": quantity.header, "help": words.help_of(name, quantity.help) or None}
        if quantity.kind in ("real", "integer"):
            form = _DIGITS.get(name, "%.4f" if quantity.kind == "real" else "%d")
            out[name] = st.column_config.NumberColumn(**text, format=form)
        elif quantity.kind == "truth":
            out[name] = st.column_config.CheckboxColumn(**text)
        else:
            out[name] = st.column_config.TextColumn(**text)
    return out


def table(frame: "pd.DataFrame", *, extra: dict[str, Any] | None = None, height: int | str = "auto") -> None:
    """Show a small table, at most some hundred rows."""
    config = columns(list(frame.columns)) | (extra or {})
    st.dataframe(frame, column_config=config, hide_index=True, height=height, placeholder=ABSENT)  # type: ignore[arg-type]
