"""The figure of the Database page: a scatter or histogram that filters, with the crystal that is picked beside it."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from legocryst.database import queries
from legocryst.database.filters import Filters
from legocryst.database.schema import column
from legocryst.database.store import Store
from legocryst.ui.database import listing, pictures
from legocryst.ui.database.filter_form import ORDERED, label, narrow
from legocryst.ui.widgets import figures
from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS, QUANTITIES

POINTS = 3000
"""Most crystals that are drawn one by one; more are squares of a grid."""
MOUSE = ("A click shows a crystal", "A drag filters by a box")
NUMBER = "number of crystals"
NUMBERS = tuple(
    name for name in ORDERED if QUANTITIES[name].kind in ("real", "integer") and name not in CRYSTAL_COLUMNS
)
MARKERS = ("circle", "square", "diamond", "cross", "triangle-up", "x")
ROWS = ("symbol", "kind", "net_name", "atoms", "energy", "density", "loss", "class", "starred")


def figure(store: Store, where: Filters) -> None:
    """Show the tab, in a fragment of the page."""
    if st.session_state.pop("narrowed", False):
        st.rerun()  # the whole page, for its filters
    left, right = st.columns(2)
    at = NUMBERS.index("density")
    x = left.selectbox("Across", NUMBERS, at, format_func=label, key="x", bind="query-params")
    options = [NUMBER, *NUMBERS]
    labels = {name: label(name) for name in NUMBERS} | {NUMBER: "Number of crystals"}
    y = right.selectbox(
        "Up", options, options.index("atoms"), format_func=labels.__getitem__, key="y", bind="query-params"
    )
    if y == NUMBER:
        histogram(store, where, x)
    else:
        scatter(store, where, x, y)


def histogram(store: Store, where: Filters, x: str) -> None:
    """Show bars; those that are selected become the range of the filter."""
    condition, parameters = where.sql()
    bins = queries.histogram(store, "candidates", x, where=condition, parameters=parameters)
    if bins.empty:
        st.info(f"None of these crystals has a value of {QUANTITIES[x].label.lower()}.")
        return
    st.session_state["plotted"] = {"x": x, "bins": bins[["low", "high"]].to_numpy().tolist()}
    drawn = figures.histogram(bins, x=x)
    drawn.update_layout(dragmode="select", selectdirection="h")
    n = int(bins["n"].sum())
    _plot(drawn, "box", alt=f"Histogram of {label(x)} of {n} crystals")
    st.caption(f"{n:,} crystals that pass the filters. Drag over some bars to filter by their range.")


def scatter(store: Store, where: Filters, x: str, y: str) -> None:
    """Show single points up to `POINTS`, else squares of a grid; linked with the rows below and the 3D view beside."""
    points, n = values(store, where, x, y)
    if not n:
        st.info("None of these crystals has both values.")
        return
    st.session_state["plotted"] = {"x": x, "y": y}
    plot, side = st.columns([5, 3], gap="medium")
    single = points is not None
    if points is not None:
        _lit_by_row(points)
        drawn = dots(points, x, y, lit=st.session_state.get("picked_crystal", ""))
    else:
        drawn = figures.density(queries.grid(store, where, x, y), x=x, y=y)
    with plot:
        # Streamlit's chart takes no clicks while a drag draws a box
        picks = (
            single
            and st.segmented_control("The mouse", MOUSE, default=MOUSE[0], key="mouse", required=True) == MOUSE[0]
        )
        drawn.update_layout(dragmode=False if picks else "select")
        _plot(drawn, "points" if picks else "box", alt=f"{label(y)} against {label(x)} of {n} crystals")
        kind = "Each point is a crystal."
        if not single:
            kind = f"More than {POINTS:,} are drawn as squares, larger and darker for more. Drag a box to filter by it."
        st.caption(f"{n:,} crystals with both values. {kind}")
    with side:
        pictures.picked(store, key="figure_picked")
    if points is not None:
        chosen = _chosen(points)
        names = ["id", *dict.fromkeys((x, y, *ROWS))]
        selection = Filters(among={"id": chosen}) if chosen else where
        frame = store.page(selection, order=x, limit=listing.PAGE, columns=names)
        st.session_state["figure_ids"] = list(frame["id"])
        listing.rows(frame, key="figure_rows", alt="Crystals of the figure", mode="single-row", height=260)
        st.caption("Tick a row: its crystal is ringed in the figure and drawn beside it.")


def values(store: Store, where: Filters, x: str, y: str) -> tuple[pd.DataFrame | None, int]:
    """Return `id`, `x`, `y` of the crystals with both values, None for more than `POINTS`; and how many they are."""
    condition, parameters = where.sql()
    finite = " AND ".join(f"isfinite(CAST({column(name)} AS DOUBLE))" for name in (x, y))
    source = f"FROM candidates WHERE {condition} AND {finite}"
    n = int(store.query(f"SELECT count(*) AS n {source}", parameters)["n"].iloc[0])
    if n > POINTS:
        return None, n
    picked = f"SELECT id, CAST({column(x)} AS DOUBLE) AS x, CAST({column(y)} AS DOUBLE) AS y, class"
    return store.query(f"{picked} {source} ORDER BY id", parameters), n


def dots(points: pd.DataFrame, x: str, y: str, *, lit: str = "") -> go.Figure:
    """Return a point for each crystal, classes distinguished by marker and colour; the `lit` one has a ring."""
    out = go.Figure(layout={"template": figures.TEMPLATE, "hovermode": "closest", "height": 380, "showlegend": True})
    for k, (name, part) in enumerate(points.groupby("class", sort=True)):
        out.add_scattergl(
            x=part["x"],
            y=part["y"],
            mode="markers",
            name=str(name),
            customdata=part["id"],
            marker={"size": 7, "symbol": MARKERS[k % 6], "color": figures.COLORS[k % 6], "opacity": 0.75},
            hovertemplate="%{customdata}<br>(%{x:.4g}, %{y:.4g})<extra></extra>",
        )
    here = points[points["id"] == lit]
    if len(here):
        ring = {"size": 20, "symbol": "circle-open", "color": "#c8102e", "line": {"width": 3}}
        out.add_scatter(
            x=here["x"],
            y=here["y"],
            mode="markers",
            name="picked",
            marker=ring,
            customdata=here["id"],
            hoverinfo="skip",
        )
    out.update_xaxes(title=label(x), rangemode="normal")
    out.update_yaxes(title=label(y), rangemode="normal")
    return out


def _plot(drawn: go.Figure, mode: Literal["points", "box"], *, alt: str) -> None:
    config = {"displaylogo": False, "displayModeBar": False}
    st.plotly_chart(
        drawn,
        key="plot",
        on_select=_selected,
        selection_mode=mode,
        config=config,
        alt=alt,
    )


def _selected() -> None:
    """Turn what was selected in the figure into filters or the picked crystal."""
    event = st.session_state["plot"]["selection"]
    plotted = st.session_state.get("plotted", {})
    if ranges := ranges_of(event, plotted):
        narrow(ranges)
        st.session_state["narrowed"] = True
    elif names := names_of(event):
        pictures.pick(names[0])


def ranges_of(event: Mapping[str, Any], plotted: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Return the range of each quantity that a selection asks for; none for single points."""
    if "bins" in plotted:
        bins = np.asarray(plotted["bins"])
        at = [float(point["x"]) for point in event.get("points", ())]
        hit = [k for k, (low, high) in enumerate(bins) if any(low <= value <= high for value in at)]
        return {plotted["x"]: (float(bins[hit, 0].min()), float(bins[hit, 1].max()))} if hit else {}
    for box in event.get("box", ()):
        return {plotted[axis]: (float(min(box[axis])), float(max(box[axis]))) for axis in ("x", "y")}
    return {}


def names_of(event: Mapping[str, Any]) -> list[str]:
    """Return names of the crystals of the selected points."""
    data = [point.get("customdata") for point in event.get("points", ())]
    return [str(one[0] if isinstance(one, list) else one) for one in data if one]


def _chosen(points: pd.DataFrame) -> list[str]:
    """Return the selected points, if they are still there."""
    event = st.session_state.get("plot") or {}
    names = names_of(event.get("selection", {}))
    return [name for name in names if name in set(points["id"])] if len(names) > 1 else []


def _lit_by_row(points: pd.DataFrame) -> None:
    """Pick the crystal whose row was ticked below the figure."""
    event = st.session_state.get("figure_rows") or {}
    rows, ids = event.get("selection", {}).get("rows", []), st.session_state.get("figure_ids", [])
    if rows and rows[0] < len(ids) and ids[rows[0]] != st.session_state.get("figure_row"):
        st.session_state["picked_crystal"] = st.session_state["figure_row"] = ids[rows[0]]
