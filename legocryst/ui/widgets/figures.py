"""Figures: functions that take tables and return plotly figures in one style; `show` puts one on the page."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from legocryst.generators.columns import UNUSED
from legocryst.vocabulary.quantities import QUANTITIES, header

if TYPE_CHECKING:
    import pandas as pd

COLORS = ("#2f7ab0", "#d9822b", "#3d8f6e", "#a0527f", "#7a6fb0", "#8a7a3d")
"""Distinct for colour-blind readers; figures with several series also differ by pattern, dash or marker."""
_PATTERNS = ("", "/", ".", "x", "\\", "-")
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_MARKERS = ("circle", "square", "diamond", "cross", "triangle-up", "x")
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"
TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": _FONT, "size": 13},
        "colorway": COLORS,
        "margin": {"l": 60, "r": 16, "t": 36, "b": 48},
        "height": 300,
        "bargap": 0.04,
        "hovermode": "x unified",
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        "xaxis": {"showgrid": False, "zeroline": False, "ticks": "outside", "automargin": True},
        "yaxis": {"zeroline": False, "automargin": True, "rangemode": "tozero"},
    }
)


def show(figure: go.Figure, *, caption: str, alt: str = "", key: str | None = None) -> None:
    """Show a figure on the page with a caption below it; `alt` is read out to those who cannot see it."""
    st.plotly_chart(figure, alt=alt or caption, key=key, config={"displaylogo": False, "displayModeBar": False})
    st.caption(caption)


def bars(table: "pd.DataFrame", *, x: str, y: str = "Rows", by: str | None = None, percent: bool = False) -> go.Figure:
    """Return bars of `count` (column `n`) at each value of the column `x`, side by side for each value of `by`."""
    figure = go.Figure(layout={"template": TEMPLATE, "barmode": "group"})
    parts = [("", table)] if by is None else [(str(name), part) for name, part in table.groupby(by, sort=False)]
    for k, (name, part) in enumerate(parts):
        height = part["n"] / part["n"].sum() * 100 if percent else part["n"]
        pattern = {"shape": _PATTERNS[k % 6], "solidity": 0.4}
        label = "%{y:.1f} %" if percent else "%{y}"
        figure.add_bar(x=part[x], y=height, name=name, marker_pattern=pattern, hovertemplate=label)
    figure.update_xaxes(title=header(x))
    if len(table) and table[x].dtype == object:
        figure.update_xaxes(type="category")
    elif len(table) and table[x].nunique() <= 12 and not by:
        figure.update_xaxes(tickmode="array", tickvals=sorted(table[x].unique()))
    figure.update_yaxes(title=f"Share of {y.lower()} (%)" if percent else y)
    figure.update_layout(showlegend=by is not None)
    return figure


def histogram(bins: "pd.DataFrame", *, x: str, y: str = "Crystals") -> go.Figure:
    """Return bars over `low` to `high` with height `n` (see `queries.histogram`)."""
    figure = go.Figure(layout={"template": TEMPLATE, "showlegend": False})
    width = bins["high"] - bins["low"]
    figure.add_bar(x=bins["low"] + width / 2, y=bins["n"], width=width, hovertemplate="%{y}")
    figure.update_xaxes(title=header(x))
    figure.update_yaxes(title=y)
    return figure


def mixture(bins: "pd.DataFrame", components: str, *, x: str) -> go.Figure:
    """Return a histogram with what its Gaussian components (JSON with mean, std, weight) expect in bins, and their sum.

    What stands for unused sites is left out. A curve tells how many rows a bin around each point would hold, so that a
    component for a single value, infinitely high as a density, is one bin wide and as high as the bar.
    """
    figure = histogram(bins, x=x, y="Rows")
    figure.data[0].name = "Rows"
    parts = [part for part in json.loads(components) if part["mean"] != UNUSED]
    if not len(bins) or not parts:
        return figure
    total, width = bins["n"].sum(), float((bins["high"] - bins["low"]).iloc[0])
    at = np.linspace(bins["low"].min(), bins["high"].max(), 1201)
    weight = total / sum(part["weight"] for part in parts)
    curves = [weight * part["weight"] * (_below(at + width / 2, part) - _below(at - width / 2, part)) for part in parts]
    for k, curve in enumerate(curves):
        line = {"width": 1, "dash": "dot", "color": COLORS[1]}
        figure.add_scatter(x=at, y=curve, mode="lines", line=line, name=f"Component {k + 1}", hoverinfo="skip")
    line = {"width": 2, "color": COLORS[1]}
    figure.add_scatter(x=at, y=np.sum(curves, axis=0), mode="lines", line=line, name="Sum", hoverinfo="skip")
    return figure


def _below(x: np.ndarray, part: Mapping[str, float]) -> np.ndarray:
    """Return share of a Gaussian below x."""
    return np.array([0.5 * (1 + math.erf((v - part["mean"]) / part["std"] / math.sqrt(2))) for v in x])


def encoded(row: "pd.DataFrame", width: int) -> go.Figure:
    """Draw the numbers that a row becomes: its ones and its scalars (columns of `Featurizer.explain`, with `start`)."""
    figure = go.Figure(layout={"template": TEMPLATE, "hovermode": "closest", "height": 240})
    one = row["start"] + row["part"] - 1 + row["scalar"].notna()
    figure.add_bar(
        x=one, y=np.ones(len(row)), name="Ones", text=row["label"], textposition="none", hovertemplate="%{text}: 1"
    )
    scalars = row[row["scalar"].notna()]
    marker = {"symbol": "diamond", "size": 6, "color": COLORS[1]}
    figure.add_scatter(
        x=scalars["start"],
        y=scalars["scalar"],
        mode="markers",
        marker=marker,
        name="Scalars",
        text=scalars["label"],
        hovertemplate="%{text}: %{y:.3f}<extra></extra>",
    )
    figure.update_traces(width=max(1.0, width / 400), selector={"type": "bar"})
    figure.update_xaxes(title="Place in the row of numbers", range=[-1, width])
    figure.update_yaxes(title="Number", range=[-1.1, 1.1])
    return figure


def lines(x: np.ndarray, series: Mapping[str, np.ndarray], *, across: str, up: str) -> go.Figure:
    """Return a line of each of some series over the same x."""
    figure = go.Figure(layout={"template": TEMPLATE, "showlegend": True})
    for k, (name, values) in enumerate(series.items()):
        line = {"dash": _DASHES[k % 6], "width": 2}
        figure.add_scatter(x=x, y=values, name=name, mode="lines", line=line, hovertemplate="%{y:.2f}")
    figure.update_xaxes(title=across)
    figure.update_yaxes(title=up)
    return figure


def columns(x: np.ndarray, series: Mapping[str, np.ndarray], *, across: str, up: str) -> go.Figure:
    """Return a bar of each of some series at every whole number x."""
    figure = go.Figure(layout={"template": TEMPLATE, "barmode": "group", "showlegend": True})
    for k, (name, values) in enumerate(series.items()):
        pattern = {"shape": _PATTERNS[k % 6], "solidity": 0.4}
        figure.add_bar(x=x, y=values, name=name, marker_pattern=pattern, hovertemplate="%{y:.2f}")
    figure.update_xaxes(title=across, tickmode="array", tickvals=x)
    values = np.concatenate([np.zeros(1), *series.values()])
    figure.update_yaxes(title=up, range=[1.08 * values.min(), 1.08 * values.max()])
    return figure


def filters(dropped: "pd.DataFrame") -> go.Figure:
    """Return what each filter leaves out by itself, and what it alone does (columns of `curate.dropped`)."""
    height = 120 + 46 * len(dropped)
    figure = go.Figure(layout={"template": TEMPLATE, "barmode": "group", "hovermode": "y unified", "height": height})
    for k, (name, label) in enumerate((("alone", "by itself"), ("only", "and no other does"))):
        pattern = {"shape": _PATTERNS[k], "solidity": 0.4}
        values = dropped[name]
        figure.add_bar(y=dropped["reason"], x=values, name=label, orientation="h", text=values, marker_pattern=pattern)
    figure.update_traces(textposition="outside", cliponaxis=False)
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(title="Crystals left out", range=[0, 1.1 * max(1, dropped["alone"].max())])
    return figure


def categories(components: str, *, x: str) -> go.Figure:
    """Return bars of the categories (JSON with value, weight) of a discrete column."""
    parts = json.loads(components)
    figure = go.Figure(layout={"template": TEMPLATE, "showlegend": False})
    shares = [100 * p["weight"] for p in parts]
    figure.add_bar(x=[p["value"] for p in parts], y=shares, hovertemplate="%{y:.1f} %")
    figure.update_xaxes(title=header(x))
    figure.update_yaxes(title="Share of rows (%)")
    return figure


def curves(training: "pd.DataFrame", names: Sequence[str], *, y: str, percent: bool = False) -> go.Figure:
    """Return lines over epochs of what training measured (columns epoch, quantity, value), those in `names` only."""
    parts = {name: training[training["quantity"] == name].sort_values("epoch") for name in names}
    labels = {
        name: QUANTITIES[name].label if name in QUANTITIES else name.replace("_", " ").capitalize() for name in names
    }
    return curves_of({labels[name]: part for name, part in parts.items()}, y=y, percent=percent)


def curves_of(runs: Mapping[str, "pd.DataFrame"], *, y: str, percent: bool = False) -> go.Figure:
    """Return lines over epochs (columns epoch, value), each with its name; empty ones are left out."""
    figure = go.Figure(layout={"template": TEMPLATE, "showlegend": True})
    for k, (name, part) in enumerate(runs.items()):
        if part.empty:
            continue
        figure.add_scatter(
            x=part["epoch"],
            y=part["value"] * (100 if percent else 1),
            name=name,
            mode="lines+markers" if len(part) < 60 else "lines",
            line={"dash": _DASHES[k % 6], "width": 2},
            marker={"symbol": _MARKERS[k % 6], "size": 7},
        )
    figure.update_xaxes(title=header("epoch"), rangemode="tozero")
    figure.update_yaxes(title=y, rangemode="tozero" if percent else "normal")
    return figure


def funnel(counts: Mapping[str, Any]) -> go.Figure:
    """Draw how many of the sampled rows are decodable, valid, no duplicate, new and low in energy (`counts.count`)."""
    steps = funnel_steps(counts)
    total = max(1, counts["sampled"])
    labels = [f"{number:,} ({_percent(100 * number / total)} %)" for number in steps.values()]
    figure = go.Figure(layout={"template": TEMPLATE, "showlegend": False, "hovermode": "closest", "height": 260})
    figure.add_bar(y=list(steps), x=list(steps.values()), orientation="h", text=labels, textposition="auto")
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(title="Rows", tickformat=",")
    return figure


def _percent(share: float) -> str:
    """Return whole percents; of less than one the first digit that counts."""
    return f"{share:.0f}" if share >= 1 or not share else f"{share:.1g}"


def funnel_steps(counts: Mapping[str, Any]) -> dict[str, int]:
    """Return rows left after each step, from sampled to new, and to low in energy once that is known of any."""
    decodable = counts["sampled"] - counts["undecodable"]
    valid = decodable - sum(counts["invalid"].values())
    unique = valid - counts["duplicate"]
    counts_by_step = {
        "Sampled": counts["sampled"],
        "Decodable": decodable,
        "Valid": valid,
        "Not a duplicate": unique,
        "New": counts["new"],
    }
    return counts_by_step | ({"Low in energy": counts["low_energy"]} if counts.get("low_energy") else {})


def ranked(numbers: Mapping[str, int], *, x: str, most: int = 10) -> go.Figure:
    """Return lying bars, the largest on top; what is beyond the first `most` is put together."""
    parts = sorted(numbers.items(), key=lambda part: -part[1])
    if rest := sum(number for _, number in parts[most:]):
        parts = [*parts[:most], ("others", rest)]
    names, values = [name for name, _ in parts], [number for _, number in parts]
    height = 110 + 28 * len(parts)
    figure = go.Figure(layout={"template": TEMPLATE, "showlegend": False, "hovermode": "closest", "height": height})
    labels = [f"{number:,}" for number in values]
    figure.add_bar(y=names, x=values, orientation="h", text=labels, textposition="auto")
    figure.update_yaxes(autorange="reversed", type="category", automargin=False)
    figure.update_layout(margin_l=12 + 8 * max(map(len, names), default=0))  # Plotly's own cuts short names
    figure.update_xaxes(title=x, tickformat=",")
    return figure


def before_after(bins: "pd.DataFrame") -> go.Figure:
    """Return losses before and after relaxation: bins (`low`, `high` of log10, `n`) for each `quantity`."""
    figure = go.Figure(layout={"template": TEMPLATE, "barmode": "overlay"})
    for k, name in enumerate(("loss_before", "loss")):
        part = bins[bins["quantity"] == name]
        middle = (part["low"] + part["high"]) / 2
        pattern = {"shape": _PATTERNS[k], "solidity": 0.4}
        figure.add_bar(
            x=middle, y=part["n"], name=QUANTITIES[name].label, marker_pattern=pattern, opacity=0.75, hoverinfo="y+name"
        )
    powers = list(range(-6, 13, 2))
    ticks = [f"{10.0**p:g}" if -2 <= p <= 4 else f"1e{p}" for p in powers]
    figure.update_xaxes(title="Loss per atom (logarithmic)", tickvals=powers, ticktext=ticks)
    figure.update_yaxes(title="Crystals")
    return figure


def density(grid: "pd.DataFrame", *, x: str, y: str) -> go.Figure:
    """Draw crystals at pairs of values: squares of size and shade by number (columns x, y, n; see `queries.grid`)."""
    figure = go.Figure(layout={"template": TEMPLATE, "hovermode": "closest", "height": 380})
    size = 6 + 14 * np.sqrt(grid["n"] / max(1, grid["n"].max()))
    figure.add_scatter(
        x=grid["x"],
        y=grid["y"],
        mode="markers",
        marker={"size": size, "color": grid["n"], "colorscale": "Blues", "cmin": -grid["n"].max() / 2, "line_width": 0},
        customdata=grid["n"],
        hovertemplate="%{customdata} crystals near (%{x:.3g}, %{y:.3g})<extra></extra>",
    )
    figure.update_xaxes(title=header(x))
    figure.update_yaxes(title=header(y), rangemode="normal")
    return figure
