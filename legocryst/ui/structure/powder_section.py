"""The powder pattern of one crystal on its page, beside that of another."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from legocryst.crystal.crystals import Crystals
from legocryst.database.schema import StoreError
from legocryst.jobs.record import job
from legocryst.settings import PowderSettings
from legocryst.ui.data.training_set import Known
from legocryst.ui.shell import shell
from legocryst.ui.structure.net_section import stored
from legocryst.ui.widgets import figures, table_view
from legocryst.vocabulary.quantities import WITH_DENSITY

if TYPE_CHECKING:
    from legocryst.comparison.powder import Peak

LABELS, ROOM = 12, 3.0
"""Most peaks that are labelled, the highest first, and degrees between two labels at least."""


def pattern_figure(patterns: "Sequence[tuple[str, Sequence[Peak]]]", *, limits: tuple[float, float]) -> go.Figure:
    """Draw peaks of one crystal as lines upwards and, if there is one, another's downwards, the highest labelled."""
    two = len(patterns) > 1
    figure = go.Figure(layout={"template": figures.TEMPLATE, "hovermode": "closest", "showlegend": two, "height": 340})
    for k, (name, peaks) in enumerate(patterns):
        sign = -1 if k else 1
        x = np.repeat([peak.angle for peak in peaks], 3)
        y = np.array([(0, sign * peak.intensity, np.nan) for peak in peaks]).ravel()
        line = {"color": figures.COLORS[k], "width": 2}
        words = [f"{p.label} at {p.angle:.2f}°, d = {p.spacing:.3f} Å, {p.intensity:.1f} %" for p in peaks]
        text = np.repeat(np.array(words, object), 3)
        figure.add_scatter(
            x=x, y=y, mode="lines", line=line, name=name, text=text, hovertemplate="%{text}<extra></extra>"
        )
        for peak in _labelled(peaks):
            figure.add_annotation(
                x=peak.angle,
                y=sign * peak.intensity,
                text=peak.label,
                showarrow=False,
                yshift=sign * 10,
                font={"size": 11, "color": figures.COLORS[k]},
            )
    figure.add_hline(y=0, line_width=1, line_color="#888888")
    figure.update_xaxes(title="2θ (°)", range=limits)
    values = (-100, -50, 0, 50, 100) if two else (0, 50, 100)
    low = -118 if two else 0
    ticks = [str(abs(value)) for value in values]
    figure.update_yaxes(title="Intensity (%)", range=[low, 118], tickvals=values, ticktext=ticks)
    return figure


def _labelled(peaks: "Sequence[Peak]") -> "list[Peak]":
    """Return the highest that leave room for each other's labels."""
    out: list[Peak] = []
    for peak in sorted(peaks, key=lambda peak: -peak.intensity):
        if len(out) < LABELS and all(abs(peak.angle - other.angle) >= ROOM for other in out):
            out.append(peak)
    return out


def _radiation(name: str) -> str:
    """Write CuKa as Cu Kα."""
    return name.replace("Ka", " Kα")


@st.cache_data(show_spinner="Computing the pattern", max_entries=50)
def _peaks(key: str, settings: PowderSettings, _crystal: Crystals) -> "list[Peak]":
    """Return it for the crystal that `key` names."""
    from legocryst.comparison.powder import powder

    return powder(_crystal, settings=settings)


def _known(row: "pd.Series[Any]") -> dict[str, tuple[Known, int]]:
    """Find the crystals of the job's training set and of the shipped one, by name: where they are, and their number."""
    from legocryst.stages.curate import shipped_file

    name, store = row["target"], shell.store()
    shipped = [Known.of(None, shipped=name)] if shipped_file(name).exists() else []
    out: dict[str, tuple[Known, int]] = {}
    for known in (Known.of(job(shell.workspace(), row["job"]), shipped=name), *shipped):
        names = store.query(f"SELECT number, name FROM {known.sql} ORDER BY name, number", known.parameters)
        for number, title in names.itertuples(index=False):
            out.setdefault(title or f"crystal {number}", (known, number))
    return out


def _crystal(name: str, target: str, known: dict[str, tuple[Known, int]]) -> Crystals:
    """Return a known crystal, or the one of the database with that name; raises StoreError where there is none."""
    if name not in known:
        return stored(shell.store().crystal(name), shell.target(target))
    of, number = known[name]
    return of.crystals(of.row(shell.store(), number))


def pattern(row: "pd.Series[Any]", crystal: Crystals, *, which: str) -> None:
    """Show the section of the powder pattern of the crystal as it is shown; `which` tells geometries apart."""
    from legocryst.comparison.powder import likeness

    left, right = st.columns([1, 2])
    radiations = get_args(PowderSettings.model_fields["radiation"].annotation)
    radiation = left.selectbox("Radiation", radiations, format_func=_radiation, key="radiation")
    settings = PowderSettings(radiation=radiation)
    known = _known(row)
    other = right.selectbox(
        "Compare with a known crystal, or type the name of one in the database",
        list(known),
        index=None,
        key="compare",
        accept_new_options=True,
        placeholder="none",
    )
    patterns = [("This crystal", _peaks(f"{row['id']}/{which}", settings, crystal))]
    if other:
        try:
            patterns.append((other, _peaks(f"{row['job']}/{other}", settings, _crystal(other, row["target"], known))))
        except StoreError as error:
            st.warning(shell.sentence(error))
    if not all(peaks for _, peaks in patterns):
        st.info(f"There is no peak below {settings.max_angle:g}°.")
        return
    text = f"Peaks for {_radiation(radiation)} by pymatgen, labelled with their h k l in the conventional cell."
    if len(patterns) > 1:
        alike = likeness(patterns[0][1], patterns[1][1])
        text += f" Below: {patterns[1][0]}; likeness {alike:.2f} (1: the same pattern)."
    figures.show(
        pattern_figure(patterns, limits=(settings.min_angle, settings.max_angle)), caption=text, key="powder.figure"
    )
    if row["kind"] not in WITH_DENSITY:
        st.caption("Layers, chains and cages: their distance and stacking, which the peaks show, are not determined.")
    with st.expander("Peaks"):
        listed = [
            (name, peak.label, peak.angle, peak.spacing, peak.intensity, peak.multiplicity)
            for name, peaks in patterns
            for peak in peaks
        ]
        names_of = ["Crystal", "h k l", "2θ (°)", "d (Å)", "Intensity (%)", "Planes"]
        table_view.table(pd.DataFrame(listed, columns=names_of))
