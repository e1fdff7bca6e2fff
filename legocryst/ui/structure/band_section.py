"""Bands of one crystal on its page: figures of bands, density of states and charge, and the sections around them."""

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from legocryst.infra.extras import missing
from legocryst.jobs.record import Job, jobs
from legocryst.settings import BandSettings
from legocryst.stages.dft import STAGE as DFT
from legocryst.ui.shell import forms, shell
from legocryst.ui.shell.live import live
from legocryst.ui.widgets import figures

if TYPE_CHECKING:
    import pandas as pd

    from legocryst.crystal.crystals import Crystals

WINDOW = 6.0
"""eV below and above the Fermi level that a figure shows."""
BOX_STEP, BOX_POINTS = 0.22, 44
"""Angstrom between two points of a drawn charge density, and most points along an axis."""
INPUTS = "With the settings of the Structure page. POTCAR and pseudopotentials, which have licences, are only named."
SURFACE = 1.2
"""Electrons per cubic angstrom on the drawn surface; between carbons bound to each other it is about 2."""


def bands_figure(
    distance: np.ndarray,
    branch: np.ndarray,
    ticks: Sequence[tuple[float, str]],
    levels: np.ndarray,
) -> go.Figure:
    """Return bands (k, n) in eV from the Fermi level along a path; branches are not joined."""
    figure = _upright()
    ends = np.flatnonzero(np.diff(branch)) + 1
    x = np.insert(distance.astype(float), ends, np.nan)
    for band in levels.T:
        if band.max() > -WINDOW and band.min() < WINDOW:
            y, line = np.insert(band, ends, np.nan), {"color": figures.COLORS[0], "width": 1.5}
            figure.add_scatter(x=x, y=y, mode="lines", line=line, hovertemplate="%{y:.2f} eV<extra></extra>")
    for at, _ in ticks:
        figure.add_vline(x=at, line_width=1, line_color="#c8c8c8", layer="below")
    names = {"tickvals": [at for at, _ in ticks], "ticktext": [name for _, name in ticks], "ticks": ""}
    figure.update_xaxes(title="Wave vector", range=[0, float(distance.max())], **names)
    figure.update_yaxes(title="Energy from the Fermi level (eV)")
    return figure


def dos_figure(energy: np.ndarray, dos: np.ndarray) -> go.Figure:
    """Return states per eV and atom, upright beside the bands."""
    figure = _upright()
    label = "%{x:.2f} states at %{y:.2f} eV<extra></extra>"
    figure.add_scatter(x=dos, y=energy, fill="tozerox", line={"width": 1.5}, mode="lines", hovertemplate=label)
    figure.update_xaxes(title="States (1/eV/atom)", rangemode="tozero", ticks="")
    return figure


def _upright() -> go.Figure:
    """Return a figure of energies from the Fermi level, which is a dashed line."""
    layout = {"template": figures.TEMPLATE, "showlegend": False, "hovermode": "closest", "height": 420}
    figure = go.Figure(layout=layout)
    figure.add_hline(y=0, line_width=1, line_dash="dash", line_color="#666666")
    figure.update_yaxes(range=[-WINDOW, WINDOW], rangemode="normal")
    return figure


def charge_figure(charge: Mapping[str, Any]) -> go.Figure:
    """Draw the surface of a charge density in a box around the primitive cell, with its edges and atoms."""
    lattice, density = np.array(charge["lattice"]), np.array(charge["density"])
    low, size, values = on_box(density, lattice)
    step = size / (np.array(values.shape) - 1)
    x, y, z = (low[:, None, None, None] + np.indices(values.shape) * step[:, None, None, None]).reshape(3, -1)
    figure = go.Figure(layout={"template": figures.TEMPLATE, "height": 480, "margin": {"l": 0, "r": 0, "t": 0, "b": 0}})
    figure.add_isosurface(
        x=x,
        y=y,
        z=z,
        value=values.ravel(),
        caps={"x_show": False, "y_show": False, "z_show": False},
        isomin=SURFACE,
        isomax=SURFACE,
        surface_count=1,
        opacity=0.6,
        colorscale=[figures.COLORS[0]] * 2,
        showscale=False,
        hoverinfo="skip",
    )
    atoms = _in_box(np.array(charge["fractional"]), lattice, low, size)
    marker = {"size": 5, "color": "#333333"}
    a, b, c = atoms.T
    figure.add_scatter3d(x=a, y=b, z=c, mode="markers", marker=marker, showlegend=False, hoverinfo="skip")
    a, b, c = _edges(lattice).T
    line = {"color": figures.COLORS[1], "width": 3}
    figure.add_scatter3d(x=a, y=b, z=c, mode="lines", line=line, showlegend=False, hoverinfo="skip")
    hidden = {"visible": False}
    figure.update_scenes(aspectmode="data", xaxis=hidden, yaxis=hidden, zaxis=hidden)
    return figure


def on_box(density: np.ndarray, lattice: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return corner and size of the upright box around a cell, and the cell's periodic density at points of the box."""
    from scipy.ndimage import map_coordinates

    corners = np.indices((2, 2, 2)).reshape(3, -1).T @ lattice
    low, size = corners.min(axis=0), np.ptp(corners, axis=0)
    points = np.minimum(np.ceil(size / BOX_STEP).astype(int) + 1, BOX_POINTS)
    places = np.stack(np.meshgrid(*(np.linspace(0, 1, n) for n in points), indexing="ij"), axis=-1) * size + low
    fractional = places @ np.linalg.inv(lattice)
    values = map_coordinates(density, (fractional * density.shape).reshape(-1, 3).T, order=3, mode="grid-wrap")
    return low, size, values.reshape(tuple(points))


def _in_box(fractional: np.ndarray, lattice: np.ndarray, low: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return atoms (m, 3) and their images in a box, angstrom."""
    cells = np.indices((7, 7, 7)).reshape(3, -1).T - 3
    atoms = ((fractional[:, None] + cells).reshape(-1, 3)) @ lattice
    return atoms[((atoms >= low - 0.01) & (atoms <= low + size + 0.01)).all(axis=1)]


def _edges(lattice: np.ndarray) -> np.ndarray:
    """Return ends of the twelve edges of a cell, with gaps between them."""
    out = []
    for axis in range(3):
        for corner in np.indices((2, 2)).reshape(2, -1).T:
            start = np.insert(corner, axis, 0)
            end = np.insert(corner, axis, 1)
            out += [start @ lattice, end @ lattice, np.full(3, np.nan)]
    return np.array(out)


@st.cache_data(show_spinner=False, max_entries=50)
def _bands(key: str, target_name: str, _crystal: "Crystals") -> Any:
    """Return bands of a crystal that `key` names, or the reason why there are none."""
    from legocryst.electronic.bands import NoBands, bands

    try:
        return bands(_crystal, shell.target(target_name), BandSettings(max_atoms=200))
    except NoBands as error:
        return str(error)


def tight_binding(row: "pd.Series", crystal: "Crystals", *, which: str) -> None:
    """Show the section of the tight-binding bands of the crystal as it is shown; `which` tells geometries apart."""
    st.header("Bands")
    result = _bands(f"{row['id']}/{which}", row["target"], crystal)
    if isinstance(result, str):
        st.info(f"No bands by tight binding: {result}.")
        return
    gap = result.gap
    _both(
        bands_figure(result.path.distance, result.path.branch, result.path.ticks, result.levels),
        dos_figure(result.dos_energy, result.dos),
        words=words(gap.band_class, gap.gap, gap.overlap, gap.direct),
        method="by tight binding with one p orbital an atom",
        key="tight",
    )


def words(band_class: str, gap: float, overlap: float, direct: bool) -> str:
    """Return class and gap in words."""
    if band_class == "semiconductor":
        return f"Semiconductor with {'a direct' if direct else 'an indirect'} gap of {gap:.2f} eV"
    if band_class == "semimetal":
        return (
            "Semimetal: bands touch"
            if overlap < 0.01 and gap < 0.01
            else (
                f"Semimetal: bands overlap by {overlap:.2f} eV" if overlap else f"Semimetal: a gap of only {gap:.2f} eV"
            )
        )
    return f"Metal: bands overlap by {overlap:.2f} eV" if overlap else "Metal"


def _both(bands: go.Figure, dos: go.Figure, *, words: str, method: str, key: str) -> None:
    left, right = st.columns([3, 1])
    with left:
        figures.show(bands, caption=f"{words}, {method}. The dashed line is the Fermi level.", key=f"bands.{key}")
    with right:
        figures.show(dos, caption="Density of states.", alt=f"Density of states {method}.", key=f"dos.{key}")


def dft(row: "pd.Series", crystal: "Crystals") -> None:
    """Show the section of density functional theory: what was computed, the button for more, input files."""
    st.header("Density functional theory")
    name = str(row["id"])
    job = _newest_job(name)
    rows = shell.store().query("SELECT * FROM dft WHERE crystal_id = ? ORDER BY job DESC LIMIT 1", [name])
    if len(rows):
        _computed(rows.iloc[0])
    if job is not None and job.state != "finished":
        live(job)
    with st.expander("Compute with GPAW", expanded=not len(rows)):
        good = forms.form("dft")
        if sentence := missing("dft"):
            st.info(shell.sentence(sentence))
        elif st.button("Compute", disabled=not good, help=shell.CORES) and _start(name, crystal):
            st.rerun()
    _inputs(name, crystal)


def _newest_job(name: str) -> Job | None:
    """Return the newest job that computes the crystal."""
    candidates = (
        job for job in jobs(shell.workspace()) if job.command == DFT.name and job.record["seeds"] == [f"{name}.cif"]
    )
    return next(candidates, None)


def _computed(row: "pd.Series") -> None:
    """Show one finished calculation."""
    convergence = json.loads(row["dft_convergence"])
    bands, dos = json.loads(row["dft_bands"]), json.loads(row["dft_dos"])
    settings = json.loads(row["dft_settings"])
    one, two, three, four = st.columns(4)
    one.metric("Energy (eV/atom)", f"{row['dft_energy']:.4f}", help="On GPAW's scale.")
    two.metric("Gap", f"{row['dft_gap']:.2f} eV")
    three.metric("Bands", row["dft_class"])
    four.metric("Steps", int(row["dft_steps"]), help="To the density that reproduces itself.")
    _both(
        bands_figure(np.array(bands["distance"]), np.array(bands["branch"]), bands["ticks"], np.array(bands["levels"])),
        dos_figure(np.array(dos["energy"]), np.array(dos["dos"])),
        words=words(row["dft_class"], row["dft_gap"], convergence["overlap_eV"], bool(row["dft_direct"])),
        method=f"by {settings['functional']} in plane waves up to {settings['cutoff']:g} eV",
        key="dft",
    )
    figures.show(
        charge_figure(json.loads(row["dft_density"])),
        caption=f"Density of the valence electrons: the surface of {SURFACE:g} per Å³ around the primitive cell. "
        "Drag to turn, scroll to zoom.",
        key="charge",
    )
    with st.expander("Settings and convergence"):
        shell.record({"settings": settings, "convergence": convergence, "versions": json.loads(row["dft_versions"])})


def _start(name: str, crystal: "Crystals") -> bool:
    """Start a job that computes the crystal; False where it is refused, which the page then says."""
    from legocryst.crystal.io.structures import to_cif

    with TemporaryDirectory(prefix="legocryst-") as folder:
        path = Path(folder) / f"{name}.cif"
        path.write_text(to_cif(crystal, name=name), encoding="utf-8")
        return shell.start(DFT.name, forms.run_settings(), training=[path]) is not None


def _inputs(name: str, crystal: "Crystals") -> None:
    st.download_button(
        "Download input files for VASP and Quantum ESPRESSO",
        lambda: archive({name: crystal}),
        f"{name}-inputs.zip",
        "application/zip",
        on_click="ignore",
        help=INPUTS,
    )


def inputs_of(names: Sequence[str]) -> None:
    """Show a button for the input files of the database's valid crystals, relaxed ones where they are."""

    def content() -> bytes:
        from legocryst.stages.bands import best

        marks = ", ".join("?" * len(names))
        sql = f"SELECT * FROM candidates WHERE status = 'valid' AND id IN ({marks}) ORDER BY id"
        rows = shell.store().query(sql, list(names))
        crystals: dict[str, Crystals] = {}
        for target_name, part in rows.groupby("target"):
            numbered = part.assign(row=range(len(part)))  # rows of several jobs share their numbers
            chosen = best(numbered, numbered, shell.target(str(target_name)).atomic_number)
            crystals |= {name: chosen.take([k]) for k, name in enumerate(part["id"])}
        return archive(crystals)

    st.download_button(
        "Download input files of this page's valid crystals for VASP and Quantum ESPRESSO",
        content,
        "inputs.zip",
        "application/zip",
        on_click="ignore",
        disabled=not len(names),
        help=INPUTS,
    )


def archive(crystals: Mapping[str, "Crystals"]) -> bytes:
    """Return a zip archive of the input files of crystals by their names."""
    from legocryst.electronic.dft_inputs import input_files

    content, settings = BytesIO(), forms.run_settings().dft
    with ZipFile(content, "w") as file:
        for name, crystal in crystals.items():
            for path, text in input_files(crystal, settings, name=name).items():
                file.writestr(path, text)
    return content.getvalue()
