"""Learnt energies of a job on the page: predicted beside computed, intervals put to the test, what the search found."""

from typing import TYPE_CHECKING

import plotly.graph_objects as go
import streamlit as st

from legocryst.active_learning import calibration as calibration_table
from legocryst.database.store import Store
from legocryst.jobs.record import Job
from legocryst.ui.widgets import figures
from legocryst.vocabulary.quantities import header

if TYPE_CHECKING:
    import pandas as pd

MOST = 2000
"""Points at most in a figure."""


def section(store: Store, job: Job) -> None:
    """Show three figures where energies of a job were learnt, else nothing."""
    columns = ", ".join(f'"{name}"' for name in calibration_table.COLUMNS)
    table = store.query(f"SELECT {columns} FROM energies WHERE job = ? AND screen_seconds IS NOT NULL", [job.id])
    low = float(job.settings.rank.low_energy)
    stats = calibration_table.numbers(table, low)
    if not stats:
        return
    st.header("Learnt energies")
    st.write(
        f"{stats['predicted']:,} crystals have a predicted energy and none computed. {stats['tested']:,} were first "
        f"predicted, then computed: {1000 * stats['mean_error']:.0f} meV/atom apart on average, "
        f"{100 * stats['within']:.0f} % within the interval that should hold 90 %."
    )
    first, second, third = st.columns(3)
    with first:
        both = calibration_table.compared(table)
        shown = both.iloc[:: -(-len(both) // MOST)]
        caption = "Energies of crystals, predicted before they were computed; on the line both are equal."
        caption += f" {len(shown)} of {len(both)}." if len(shown) < len(both) else ""
        figures.show(parity(shown), caption=caption, key="parity")
    with second:
        caption = (
            "Share of these energies within their predicted intervals. Most of the crystals were chosen for their low "
            "prediction, which makes the share smaller than among the others."
        )
        figures.show(calibration(table), caption=caption, key="calibration")
    with third:
        caption = (
            f"Crystals below {stats['limit']:.2f} eV/atom as they stand, after each round, by the estimated time of "
            "the energies; expected at random in as much time."
        )
        figures.show(search(calibration_table.search(table, low)), caption=caption, key="search")


def parity(both: "pd.DataFrame") -> go.Figure:
    """Return predicted over computed energies."""
    figure = go.Figure(layout={"template": figures.TEMPLATE, "hovermode": "closest", "showlegend": False})
    x, y = both["screen_energy"], both["predicted_energy"]
    ends = [min(x.min(), y.min()), max(x.max(), y.max())]
    figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": "#888888", "dash": "dash"}, hoverinfo="skip")
    label = "computed %{x:.3f}, predicted %{y:.3f}<extra></extra>"
    marker = {"size": 5, "opacity": 0.6, "color": figures.COLORS[0]}
    figure.add_scatter(x=x, y=y, mode="markers", marker=marker, hovertemplate=label)
    figure.update_xaxes(title=header("screen_energy"))
    figure.update_yaxes(title=header("predicted_energy"), rangemode="normal")
    return figure


def calibration(table: "pd.DataFrame") -> go.Figure:
    """Return observed over nominal coverage."""
    figure = go.Figure(layout={"template": figures.TEMPLATE, "showlegend": False})
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": "#888888", "dash": "dash"}, hoverinfo="skip")
    line, marker = {"color": figures.COLORS[0]}, {"size": 7}
    figure.add_scatter(
        x=calibration_table.LEVELS,
        y=calibration_table.coverage(table),
        mode="lines+markers",
        line=line,
        marker=marker,
        hovertemplate="%{y:.0%}<extra></extra>",
    )
    figure.update_xaxes(title="Intended share", tickformat=".0%", range=[0, 1])
    figure.update_yaxes(title="Observed share", tickformat=".0%", range=[0, 1])
    return figure


def search(rounds: "pd.DataFrame") -> go.Figure:
    """Return what was found after each round, and what is expected at random."""
    figure = go.Figure(layout={"template": figures.TEMPLATE})
    for k, (name, column) in enumerate((("Learnt", "found"), ("At random", "at_random"))):
        figure.add_scatter(
            x=[0, *rounds["minutes"]],
            y=[0, *rounds[column]],
            mode="lines+markers",
            name=name,
            line={"color": figures.COLORS[k], "dash": ("solid", "dash")[k]},
            marker={"symbol": ("circle", "square")[k], "size": 7},
            hovertemplate="%{y:.0f}",
        )
    figure.update_xaxes(title="CPU-minutes of energies", rangemode="tozero")
    figure.update_yaxes(title="Low crystals found")
    return figure
