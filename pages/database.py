"""Database: every sampled row, filtered, ordered, counted and drawn in SQL."""

import streamlit as st

from legocryst.database.filters import Filters
from legocryst.database.store import Store
from legocryst.ui.database import failures, filter_form, listing, pictures, plots, sql_box
from legocryst.ui.shell import shell


@st.fragment
def views(store: Store, where: Filters, total: int) -> None:
    """Show the tabs, of which only the open one is drawn, without asking the filters again."""
    draw = {
        "Table": lambda: listing.table(store, where, total),
        "Figure": lambda: plots.figure(store, where),
        "Gallery": lambda: pictures.thumbnails(store, where, total),
        "Compare": lambda: pictures.side_by_side(store),
        "Failures": lambda: failures.failures(store, where),
        "SQL": lambda: sql_box.box(store),
    }
    shell.tabs(draw, key="tab")


shell.begin("database")
store = shell.store()
everything = filter_form.number_of_all(store)
if not everything:
    st.info("There are no crystals yet: run the demonstration on the first page, or generate some.")
    shell.link("home", "To the first page")
    st.stop()
where = filter_form.filters(store)
total = store.total(where)
st.write(f"**{total:,}** of {everything:,} sampled rows pass the filters.")
views(store, where, total)
