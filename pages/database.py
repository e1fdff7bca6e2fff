"""Database: every sampled row with its verdict, filtered and paged in SQL."""

import streamlit as st

from legocryst.quantities import QUANTITIES, header
from legocryst.store import Filters
from legocryst.ui import figures, shell, tables

ROWS = 50
COLUMNS = ("id", "class", "symbol", "net_name", "kind", "periodicity", "sites", "atoms", "density", "loss", "energy")
RANGES = ("atoms", "sites", "density", "loss", "energy")
CLASSES = ("new", "known", "duplicate", "invalid", "undecodable")


def number(name: str, label: str) -> float | None:
    """An open bound, kept in the address of the page."""
    given = st.query_params.get(name, "")
    value = st.text_input(label, value=given, key=name, placeholder="any")
    if value:
        st.query_params[name] = value
    elif name in st.query_params:
        del st.query_params[name]
    try:
        return float(value) if value else None
    except ValueError:
        st.error(f"{value!r} is not a number: clear the field or give one.")
        return None


def filters() -> Filters:
    """What the reader asks for."""
    kept = [name for name in st.query_params.get("class", "new").split(",") if name in CLASSES]
    chosen = st.multiselect("Class", CLASSES, default=kept, help="What became of the sampled row.")
    st.query_params["class"] = ",".join(chosen)
    text = st.text_input("Net name contains", value=st.query_params.get("net", ""))
    if text:
        st.query_params["net"] = text
    elif "net" in st.query_params:
        del st.query_params["net"]
    between = {}
    with st.expander("Ranges"):
        for name in RANGES:
            left, right = st.columns(2)
            with left:
                low = number(f"{name}.min", f"{header(name)} at least")
            with right:
                high = number(f"{name}.max", f"{header(name)} at most")
            between[name] = (low, high)
    return Filters(between=between, among={"class": chosen}, containing={"net_name": text})


shell.begin("database")
st.write(
    "Every row that a model sampled stands here with what became of it. Choose what to see; the address of this page "
    "holds your choice, so you can share it."
)
store = shell.store()
where = filters()
total = store.total(where)
if not total:
    st.info("No crystal fits. Widen the choice, or run the demonstration on the Home page.")
    st.stop()
left, middle, right = st.columns(3)
order = left.selectbox("Order by", ("energy", *[name for name in COLUMNS if name != "energy"]), format_func=header)
pages = -(-total // ROWS)
page = middle.number_input(f"Page (1 to {pages})", 1, pages, 1)
columns = right.multiselect("Columns", [*COLUMNS, "reason", "net_key", "shift", "job", "row"], default=COLUMNS)
rows = store.page(
    where, order=order, limit=ROWS, offset=(page - 1) * ROWS, columns=["id", *[c for c in columns if c != "id"]]
)
picked = st.dataframe(
    rows.rename(columns=header),
    hide_index=True,
    on_select="rerun",
    selection_mode="single-row",
    key="crystals",
    column_config={header(name): st.column_config.Column(help=QUANTITIES[name].help) for name in rows.columns},
)
st.caption(f"Rows {(page - 1) * ROWS + 1} to {min(page * ROWS, total)} of {total}. Select a row to open its crystal.")
chosen = picked["selection"]["rows"]
shown = rows["id"].iloc[chosen[0] if chosen else 0]
shell.link("structure", f"Open crystal {shown}", query={"id": shown})
x, y = st.columns(2)
across = x.selectbox("Across", RANGES, index=2, format_func=header)
up = y.selectbox("Up", RANGES, index=4, format_func=header)
grid = tables.grid(store, where, across, up)
if len(grid):
    caption = f"Crystals that fit, by {header(across)} and {header(up)}; larger squares hold more of them."
    figures.show(figures.density(grid, x=header(across), y=header(up)), caption=caption)
