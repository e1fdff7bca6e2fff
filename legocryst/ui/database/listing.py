"""The table of the Database page: a page of rows, in the order and with the columns that were chosen."""

import math
from typing import Literal

import pandas as pd
import streamlit as st

from legocryst.database.filters import Filters
from legocryst.database.store import Store
from legocryst.ui.database import selection
from legocryst.ui.database.filter_form import ORDERED, label
from legocryst.ui.structure import band_section
from legocryst.ui.widgets import table_view
from legocryst.vocabulary.quantities import QUANTITIES

Mode = Literal["single-row", "multi-row"]
PAGE = 50
DEFAULT = (
    *("symbol", "kind", "atoms", "energy", "energy_reason", "low_energy", "density", "net_name", "periodicity"),
    *("sites", "loss", "class", "model", "gap", "band_class", "starred"),
)


def table(store: Store, where: Filters, total: int) -> None:
    """Show the tab."""
    order, descending, columns = arranged()
    last = max(1, math.ceil(total / PAGE))
    place = st.container()
    page = st.pagination(last, key="page", bind="query-params") if last > 1 else 1
    names = list(dict.fromkeys(["id", *columns]))
    offset = (min(page, last) - 1) * PAGE
    frame = store.page(where, order=order, descending=descending, limit=PAGE, offset=offset, columns=names)
    with place:
        picked = rows(frame, key="rows", alt="Crystals that pass the filters")
    selection.actions(store, picked)
    with st.expander("Download"):
        selection.download(store, where, total, picked=picked, order=order, descending=descending)
    band_section.inputs_of(picked or list(frame["id"]))


def arranged() -> tuple[str, bool, list[str]]:
    """Show widgets for order and columns."""
    left, middle, right = st.columns([4, 2, 2], vertical_alignment="bottom")
    with right.popover("Columns", width="stretch"):
        columns = st.multiselect(
            "Columns", ORDERED, list(DEFAULT), key="columns", format_func=label, bind="query-params"
        )
    at = ORDERED.index("energy")
    order = left.selectbox("Order by", ORDERED, at, key="order", format_func=label, bind="query-params")
    return order, middle.checkbox("Largest first", key="largest_first", bind="query-params"), columns


def rows(frame: pd.DataFrame, *, key: str, alt: str, mode: Mode = "multi-row", height: int = 400) -> list[str]:
    """Show rows with their links; returns the names of the selected crystals."""
    shown = frame.assign(id="/structure?id=" + frame["id"])
    config = table_view.columns(list(shown.columns))
    config["id"] = st.column_config.LinkColumn(QUANTITIES["id"].label, display_text="Open", width="small")
    if "energy_reason" in config:
        config["energy_reason"] |= {"width": "medium"}
    event = st.dataframe(
        shown,
        column_config=config,
        hide_index=True,
        height=height,
        on_select="rerun",
        selection_mode=mode,
        key=key,
        placeholder=table_view.ABSENT,
        alt=alt,
    )
    return [str(frame["id"].iloc[k]) for k in event["selection"]["rows"] if k < len(frame)]
