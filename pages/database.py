"""Database: every sampled row, filtered, ordered, counted and drawn in SQL."""

import math
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from legocryst.quantities import QUANTITIES
from legocryst.store import Filters, Store
from legocryst.ui import bands, figures, shell, show, tables

PAGE = 50
SETS = ("class", "kind", "periodicity", "model", "symbol", "job")
RANGES = ("energy", "predicted_energy", "density", "atoms", "sites", "space_group", "loss")
TEXTS = ("net_name", "reason", "id")
TRUTHS = ("low_energy", "relaxed", "net_kept")
DEFAULT = (
    *("symbol", "kind", "atoms", "energy", "low_energy", "density", "net_name", "periodicity", "sites", "loss"),
    *("class", "model", "gap", "band_class"),
)
MORE = (
    *("space_group", "written_group", "net_key", "rank", "loss_before", "shift", "published", "status", "reason"),
    *("evaluations", "restarts", "merged", "relaxed", "net_kept", "coordination_kept", "converged", "energy_model"),
    *("energy_reason", "screen_energy", "energy_before", "relaxed_energy", "dispersion", "volume_change", "rmsd"),
    *("relax_steps", "relax_reason", "rattle_kept", "rattle_energy", "band_reason", "seed", "target", "job", "row"),
    *("predicted_energy", "predicted_error", "energy_round", "novelty", "nearest", "nearest_set", "nearest_distance"),
)
NUMBERS = (
    *("energy", "density", "atoms", "sites", "space_group", "loss", "loss_before", "shift", "evaluations"),
    *("screen_energy", "relaxed_energy", "predicted_energy", "predicted_error", "dispersion", "volume_change", "rmsd"),
    *("nearest_distance", "gap"),
)


def filters(store: Store) -> Filters:
    """Widgets for the conditions; their values stand in the address, so that the page can be shared."""
    first = [column for _ in range(2) for column in st.columns(3)]
    among = {name: chosen(store, name, column) for name, column in zip(SETS, first, strict=True)}
    with st.expander("More filters", expanded=any(f"{name}_from" in st.query_params for name in (*RANGES, "gap"))):
        rest = [column for _ in range(3) for column in st.columns(3)][: len(RANGES)]
        between = {name: limits(name, column) for name, column in zip(RANGES, rest, strict=True)}
        truths = zip(TRUTHS, st.columns(3), strict=True)
        among |= {name: chosen(store, name, column) for name, column in truths}
        among["novelty"], between["nearest_distance"] = novelty(store)
        left, right, _ = st.columns(3)
        among["band_class"], between["gap"] = chosen(store, "band_class", left), limits("gap", right)
        containing = {
            name: column.text_input(
                f"{QUANTITIES[name].label} contains", key=f"{name}_has", bind="query-params"
            ).strip()
            for name, column in zip(TEXTS, st.columns(3), strict=True)
        }
    return Filters(between=between, among=among, containing=containing)


def novelty(store: Store) -> tuple[list[Any], tuple[float | None, float | None]]:
    """Filters by what is known."""
    left, right, _ = st.columns(3)
    return chosen(store, "novelty", left), limits("nearest_distance", right)


def chosen(store: Store, name: str, place: DeltaGenerator) -> list[Any]:
    """The values of a column that pass; none chosen: all pass."""
    quantity = QUANTITIES[name]
    options = [str(value) for value in tables.count_by(store, "candidates", name)[name] if str(value)]
    default = ["new"] if name == "class" and "new" in options else None
    values = place.multiselect(
        quantity.label, options, default, key=name, help=quantity.help, bind="query-params", placeholder="all"
    )
    if quantity.kind == "truth":
        return [value == "True" for value in values]
    return [int(value) for value in values] if quantity.kind == "integer" else list(values)


def part(name: str, place: DeltaGenerator) -> str:
    """A text that the column must contain."""
    return place.text_input(f"{QUANTITIES[name].label} contains", key=f"{name}_has", bind="query-params").strip()


def limits(name: str, place: DeltaGenerator) -> tuple[float | None, float | None]:
    """Two fields for the least and the largest value; empty ones are open."""
    place.caption(QUANTITIES[name].header)
    low, high = place.columns(2)
    form = "%d" if QUANTITIES[name].kind == "integer" else "%g"
    options: dict[str, Any] = {
        "value": None,
        "format": form,
        "bind": "query-params",
        "step": 1 if form == "%d" else 0.1,
    }
    least = low.number_input("from", key=f"{name}_from", placeholder="any", **options)
    most = high.number_input("to", key=f"{name}_to", placeholder="any", **options)
    return least, most


def rows(store: Store, where: Filters, total: int) -> None:
    first, second, third, fourth, fifth = st.columns([3, 2, 2, 2, 2], vertical_alignment="bottom")
    labels = {name: QUANTITIES[name].header for name in (*DEFAULT, *MORE)}
    with fifth.popover("Columns", width="stretch"):
        columns = st.multiselect(
            "Columns", list(labels), list(DEFAULT), key="columns", format_func=labels.__getitem__, bind="query-params"
        )
    order = first.selectbox(
        "Order by",
        list(labels),
        list(labels).index("energy"),
        key="order",
        format_func=labels.__getitem__,
        bind="query-params",
    )
    descending = second.checkbox("Largest first", key="largest_first", bind="query-params")
    last = max(1, math.ceil(total / PAGE))
    page = third.number_input(f"Page of {last}", 1, last, 1, key="page", bind="query-params")
    offset = (page - 1) * PAGE
    names = ["id", *columns]
    frame = store.page(where, order=order, descending=descending, limit=PAGE, offset=offset, columns=names)
    fourth.download_button(
        "Download as CSV",
        lambda: store.page(where, order=order, descending=descending, limit=total, columns=names).to_csv(index=False),
        "crystals.csv",
        "text/csv",
        on_click="ignore",
        width="stretch",
    )
    picked = listing(frame)
    if picked:
        shell.link("structure", f"Open crystal {picked} in 3D", query={"id": picked})
    else:
        st.caption("Select a row to open its crystal in 3D, or follow its link, which opens a new tab.")
    bands.inputs_of(list(frame["id"]))


def listing(frame: pd.DataFrame) -> str:
    """The rows; returns the name of the selected crystal."""
    shown = frame.assign(id="/structure?id=" + frame["id"])
    config = show.columns(list(shown.columns))
    config["id"] = st.column_config.LinkColumn(QUANTITIES["id"].label, display_text="Open", width="small")
    event = st.dataframe(
        shown,
        column_config=config,
        hide_index=True,
        height=400,
        on_select="rerun",
        selection_mode="single-row",
        key="rows",
        alt="Crystals that pass the filters",
    )
    selected = event["selection"]["rows"]
    return str(frame["id"].iloc[selected[0]]) if selected and selected[0] < len(frame) else ""


def pictures(store: Store, where: Filters) -> None:
    left, right = st.columns(2)
    x = left.selectbox("Across", NUMBERS, 0, format_func=lambda n: QUANTITIES[n].header, key="x", bind="query-params")
    options = ["number of crystals", *NUMBERS]
    labels = {name: QUANTITIES[name].header for name in NUMBERS} | {options[0]: "Number of crystals"}
    y = right.selectbox("Up", options, 2, format_func=labels.__getitem__, key="y", bind="query-params")
    if y == options[0]:
        condition, parameters = where.sql()
        bins = tables.histogram(store, "candidates", x, where=condition, parameters=parameters)
        if bins.empty:
            st.info(f"None of these crystals has a value of {QUANTITIES[x].label.lower()}.")
            return
        figures.show(figures.histogram(bins, x=x), caption=f"{int(bins['n'].sum())} crystals that pass the filters.")
        return
    grid = tables.grid(store, where, x, y)
    if grid.empty:
        st.info("None of these crystals has both values.")
        return
    caption = f"{int(grid['n'].sum())} crystals with both values; larger and darker: more crystals at that place."
    figures.show(figures.density(grid, x=x, y=y), caption=caption)


shell.begin("database")
store = shell.store()
if not store.total():
    st.info("There are no crystals yet: run the demonstration on the first page, or generate some.")
    shell.link("home", "To the first page")
    st.stop()
where = filters(store)
total = store.total(where)
st.write(f"**{total:,}** of {store.total():,} sampled rows pass the filters.")
table, figure = st.tabs(["Table", "Figure"])
with table:
    rows(store, where, total)
with figure:
    pictures(store, where)
