"""Figures of the environment of crystals: distances of neighbours and angles between bonds, beside each other."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from legocryst.crystal.crystals import Crystals
from legocryst.environment.target import Target
from legocryst.ui.widgets import figures

ORDERS = 8
"""Largest order of the angular Fourier series."""


def shaded(figure: go.Figure, target: Target) -> str:
    """Shade the bonds of a target and the gap behind them in a figure over distances; returns the words for it."""
    longest = target.bond_window[1]
    for (low, high), color in ((target.bond_window, 2), ((longest, target.gap), 1)):
        figure.add_vrect(x0=low, x1=high, fillcolor=figures.COLORS[color], opacity=0.12, line_width=0)
    return f"Green: bonds, up to {longest:g} Å; orange: the gap up to {target.gap:g} Å, where no atom may be."


def compared(target: Target, crystals: Mapping[str, Crystals]) -> None:
    """Show radial distribution and angular Fourier series of some crystals."""
    from legocryst.environment.distributions import mean_angular, mean_radial

    left, right = st.columns(2)
    with left:
        r = np.linspace(0.7 * target.bond, 2.3 * target.bond, 400)
        curves = {name: mean_radial(crystal, r) for name, crystal in crystals.items()}
        figure = figures.lines(r, curves, across="Distance (Å)", up="Neighbours per Å")
        caption = (
            f"Radial distribution: neighbours at each distance, the mean of all atoms; the area of a peak is their "
            f"number. {shaded(figure, target)}"
        )
        figures.show(figure, caption=caption, key="radial")
    with right:
        bars = {
            name: mean_angular(crystal, cutoff=target.bond_window[1], l_max=ORDERS)
            for name, crystal in crystals.items()
        }
        figure = figures.columns(np.arange(ORDERS + 1), bars, across="Order l", up="Sum of cos(lθ) over pairs of bonds")
        caption = (
            "Angular Fourier series: the sum of cos(lθ) over all pairs of an atom's bonds, each with itself too, the "
            "mean of all atoms; θ is the angle between two bonds."
        )
        figures.show(figure, caption=caption, key="angular")
