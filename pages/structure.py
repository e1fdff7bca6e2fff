"""Structure: one crystal in 3D, with its symmetry, verdict and origin; its address can be shared."""

import json
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from legocryst.crystal.elements import SYMBOLS
from legocryst.crystal.files import to_cif
from legocryst.crystal.readers import from_cif
from legocryst.crystal.representation import Crystals
from legocryst.crystal.wyckoff import wyckoff
from legocryst.environment.targets import target
from legocryst.quantities import QUANTITIES
from legocryst.store import StoreError
from legocryst.ui import bands, nets, powder, shell, show
from legocryst.ui.scene import SceneError, scene
from legocryst.ui.viewer import WAYS, standalone, view

SHOWN = (
    *("class", "novelty", "kind", "periodicity", "net_name", "sites", "atoms", "density", "energy", "loss"),
    *("published", "shift", "net_key"),
)
ENERGY = (
    *("energy_model", "low_energy", "net_kept", "coordination_kept", "converged", "screen_energy", "energy_before"),
    *("relaxed_energy", "dispersion", "volume_change", "rmsd", "relax_steps", "force", "stress", "rattle_kept"),
    "rattle_energy",
)


def asked() -> str:
    """Name of the crystal in the address, else the one chosen here."""
    if name := st.query_params.get("id", ""):
        return name
    newest = shell.store().query(
        "SELECT id FROM candidates WHERE status = 'valid' "
        "ORDER BY (class = 'new') DESC, energy NULLS LAST, id LIMIT 200"
    )["id"]
    if newest.empty:
        st.info("There are no crystals yet: run the demonstration on the first page, or generate some.")
        shell.link("home", "To the first page")
        st.stop()
    chosen = st.selectbox("Crystal", newest, index=None, placeholder="Choose one, or open one from the database")
    if chosen is None:
        st.stop()
    st.query_params["id"] = str(chosen)
    st.rerun()


def crystal(row: pd.Series) -> Crystals:
    """The relaxed crystal of a row; the page ends with the reason where there is none."""
    if row["status"] == "undecodable":
        st.error(f"This row is no crystal: {row['reason']}.")
        st.stop()
    return nets.stored(pd.DataFrame([row]))


def geometry(row: pd.Series, generated: Crystals) -> Crystals:
    """The crystal as the job left it or, where there is one, as the potential relaxed it."""
    if not row["relaxed_cif"]:
        return generated
    relaxed = f"Relaxed with {row['energy_model']}"
    shown = st.segmented_control("Geometry", ["As generated", relaxed], default="As generated", key="geometry")
    return from_cif(row["relaxed_cif"]) if shown == relaxed else generated


def drawing(crystals: Crystals, name: str, cutoff: float) -> None:
    *sides, fourth = st.columns([1, 1, 1, 2])
    numbers = [
        column.selectbox(f"Cells along {axis}", (1, 2, 3), key=f"cells_{axis}")
        for column, axis in zip(sides, "abc", strict=True)
    ]
    way = fourth.selectbox("Drawn as", WAYS, key="way")
    left, right = st.columns(2)
    across = left.checkbox("Bonds across the boundary", True, key="across")
    cell = right.checkbox("Edges of the cell", True, key="cell")
    try:
        shown = scene(crystals, cutoff=cutoff, supercell=(numbers[0], numbers[1], numbers[2]), across=across)
    except SceneError as error:
        st.warning(shell.sentence(error))
        return
    view(shown, name=name, way=way, cell=cell)
    st.caption("Drag to turn, scroll to zoom, drag with Ctrl to move. Thin ends are atoms of the neighbouring cells.")
    cif = to_cif(crystals, name=name)
    left, right = st.columns(2)
    left.download_button("Download as CIF", cif, f"{name}.cif", "chemical/x-cif", type="primary", on_click="ignore")
    right.download_button(
        "Download the 3D view", lambda: standalone(shown, title=name), f"{name}.html", "text/html", on_click="ignore"
    )


def value(name: str, content: Any) -> str:
    """A value in words, with its unit."""
    quantity = QUANTITIES[name]
    if pd.isna(content) or content == "":
        return "not known"
    if quantity.kind == "truth":
        return "yes" if content else "no"
    text = {"real": "{:.4g}", "integer": "{:.0f}"}.get(quantity.kind, "{}").format(content)
    return f"{text} {quantity.unit}".strip()


def description(row: pd.Series) -> None:
    listed = pd.DataFrame(
        {"Quantity": [QUANTITIES[name].label for name in SHOWN], "Value": [value(name, row[name]) for name in SHOWN]}
    )
    st.table(listed.set_index("Quantity"))
    if row["reason"]:
        st.write(f"Not valid: {row['reason']}.")
    if row["energy_reason"]:
        st.caption(f"No energy: {row['energy_reason']}.")
    if row["status"] == "valid" and pd.isna(row["density"]):
        st.caption("Layers, chains and cages have no density before dispersion sets their distance.")


def relaxation(row: pd.Series) -> None:
    """What the potential says, and what the relaxation with it did."""
    known = [name for name in ENERGY if value(name, row[name]) != "not known"]
    st.subheader("Energy")
    show.table(
        pd.DataFrame(
            {
                "Quantity": [QUANTITIES[name].label for name in known],
                "Value": [value(name, row[name]) for name in known],
                "Meaning": [QUANTITIES[name].help for name in known],
            }
        ),
        height="content",
    )
    for name in ("relax_reason", "rattle_reason"):
        if row[name]:
            st.caption(f"{QUANTITIES[name].label}: {row[name]}.")


def symmetry(crystals: Crystals) -> None:
    a, b, c = crystals.cell[0, :3]
    angles = np.degrees(crystals.cell[0, 3:])
    st.write(
        f"Space group {crystals.group[0]} ({wyckoff().symbol[crystals.group[0]]}); "
        f"a = {a:.4f}, b = {b:.4f}, c = {c:.4f} Å; α = {angles[0]:.2f}, β = {angles[1]:.2f}, γ = {angles[2]:.2f}°; "
        f"volume {crystals.volume[0]:.2f} Å³"
    )
    data, ids = wyckoff(), crystals.position_id
    positions = [f"{m}{letter}" for m, letter in zip(data.multiplicity[ids], data.letter[ids], strict=True)]
    x, y, z = (crystals.coordinates % 1.0).T
    sites = pd.DataFrame(
        {
            "Element": [SYMBOLS[k] for k in crystals.species],
            "Wyckoff position": positions,
            "Site symmetry": data.site_symmetry[ids],
            **{"x": x, "y": y, "z": z},
        }
    )
    number = st.column_config.NumberColumn(format="%.5f")
    show.table(sites, extra=dict.fromkeys("xyz", number), height="content")


def provenance(row: pd.Series) -> None:
    found = shell.store().query("SELECT * FROM jobs WHERE job = ?", [row["job"]]).iloc[0]
    st.write(
        f"Row {row['row']} of the job {row['job']} ({found['command']}), started {found['started']}: model "
        f"{found['model']}, seed {found['seed']}, target {found['target']}."
    )
    left, right = st.columns(2)
    with left.expander("Settings"):
        st.json(json.loads(found["settings"]))
    with right.expander("Versions"):
        st.json(json.loads(found["versions"]))


shell.begin("structure")
name = asked()
try:
    row = shell.store().crystal(name).iloc[0]
except StoreError as error:
    st.error(shell.sentence(error))
    shell.link("database", "To the database")
    st.stop()
generated = crystal(row)
st.subheader(f"{row['net_name'] or 'Unnamed net'}, {row['symbol']} (No. {row['space_group']})")
st.caption(f"Crystal {name}. The address of this page leads back to it.")
picture, facts = st.columns([3, 2], gap="medium")
with picture:
    crystals = geometry(row, generated)
    drawing(crystals, name, target(row["target"]).bond_window[1])
with facts:
    description(row)
if not pd.isna(row["screen_energy"]):
    relaxation(row)
if row["status"] == "valid":
    bands.tight_binding(row, crystals, which=st.session_state.get("geometry") or "")
    bands.dft(row, crystals)
st.subheader("Cell and sites")
symmetry(crystals)
if row["status"] == "valid":
    nets.net(row, generated)
    nets.similar(row, generated)
    powder.pattern(row, crystals, which=st.session_state.get("geometry") or "")
st.subheader("Where it comes from")
provenance(row)
