"""Data: the training set, shipped or the user's own."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from legocryst.crystal.wyckoff import wyckoff
from legocryst.environment.targets import target, target_names
from legocryst.settings import CurateSettings
from legocryst.ui import figures, forms, shell, show, tables
from legocryst.ui.live import live

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("name", "symbol", "sites", "atoms", "density", "energy", "periodicity", "kind", "loss", "source", "licence")


@st.cache_data(show_spinner="Judging the crystals", max_entries=20)
def judged(files: list[tuple[str, bytes]], settings: CurateSettings) -> "tuple[pd.DataFrame | None, str]":
    """What becomes of each uploaded crystal, or the sentence that says why they cannot be used."""
    from legocryst.pipeline import training_set

    with tempfile.TemporaryDirectory() as folder:
        try:
            return training_set(write(files, Path(folder)), settings).report, ""
        except ValueError as error:
            return None, shell.sentence(error)


def write(files: list[tuple[str, bytes]], folder: Path) -> list[Path]:
    paths = []
    for name, content in files:
        path = folder / Path(name).name
        if path.exists():
            raise ValueError(f"two of the files have one name ({path.name}): rename one")
        path.write_bytes(content)
        paths.append(path)
    return paths


def own() -> None:
    st.write(
        "Give CIF, POSCAR (.vasp) or table files (.csv, .parquet); every crystal is judged, and nothing is kept before "
        "you say so."
    )
    uploaded = st.file_uploader("Your crystals", accept_multiple_files=True)
    good = forms.form("curate", options={"target": target_names()})
    if not uploaded or not good:
        return
    files = [(file.name, file.getvalue()) for file in uploaded]
    settings = forms.run_settings()
    report, refusal = judged(files, settings.curate)
    if report is None:
        st.error(refusal)
        return
    st.write(f"{int(report['kept'].sum())} of {len(report)} crystals can be used.")
    verdict = report["kept"].map({True: "kept", False: "left out"})
    show.table(report.assign(kept=verdict).rename(columns=str.capitalize))
    if st.button("Use as training set", type="primary"):
        with tempfile.TemporaryDirectory() as folder:
            job = shell.start("curate", settings, seeds=write(files, Path(folder)))
        if job:
            shell.choose("training_set", job)
            st.rerun()


def shipped() -> "pd.DataFrame":
    from legocryst.stages.curate import shipped

    return shipped()


def distributions(table: "pd.DataFrame") -> None:
    left, right = st.columns(2)
    pictures = {
        "spg": "Space groups of the training set.",
        "sites": "Wyckoff sites of each crystal.",
        "atoms": "Atoms in the conventional cell.",
        "density": "Density; layers have none before dispersion sets their distance.",
        "energy": "Energy above graphite, where it is known.",
        "periodicity": "Directions in which the net goes on: 3 in frameworks, 2 in layers.",
    }
    for k, (name, caption) in enumerate(pictures.items()):
        with (left, right)[k % 2]:
            if name in ("sites", "periodicity"):
                figure = figures.bars(tables.counted(table[name], name), x=name, y="Crystals")
            elif table[name].notna().any():
                figure = figures.histogram(tables.binned(table[name]), x=name)
            else:
                st.caption(f"No energies are known. {caption}")
                continue
            figures.show(figure, caption=caption, key=f"data.{name}")


shell.begin("data")
job = shell.training_set()
if job is not None:
    live(job)
if job is None or shell.has(job, "curate"):
    known = shipped() if job is None else shell.store().query("SELECT * FROM seeds WHERE job = ?", [job.id])
    known = known.assign(symbol=wyckoff().symbol[known["spg"].to_numpy(int)], sites=tables.site_count(known))
    wanted = CurateSettings().target if job is None else job.record["settings"]["curate"]["target"]
    densities = tables.densities(known, target(wanted).atomic_number)
    known["density"] = np.where(known["kind"].isin(("framework", "interpenetrated")), densities, np.nan)
    st.write(f"{len(known)} crystals, {int((known['periodicity'] == 3).sum())} of them with a 3-periodic net.")
    first, second, third = st.tabs(["Table", "Distributions", "Add your own"])
    with first:
        show.table(known[list(COLUMNS)], height=420)
    with second:
        distributions(known)
    with third:
        own()
shell.end("data")
