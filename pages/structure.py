"""Structure: one crystal, its numbers, its 3D view, its file and its history."""

import json

import pandas as pd
import streamlit as st

from legocryst.quantities import header
from legocryst.store import StoreError
from legocryst.ui import shell, viewer
from legocryst.ui.scene import scene

FACTS = (
    "space_group",
    "symbol",
    "net_name",
    "kind",
    "periodicity",
    "atoms",
    "sites",
    "density",
    "energy",
    "loss",
    "shift",
)

shell.begin("structure")
store = shell.store()
name = st.query_params.get("id", "")
if not name:
    best = store.query("SELECT id FROM candidates WHERE class = 'new' ORDER BY energy NULLS LAST, id LIMIT 1")
    if best.empty:
        st.info("There is no crystal yet: run the demonstration on the Home page.")
        st.stop()
    name = str(best["id"].iloc[0])
try:
    row = store.crystal(name)
except StoreError as error:
    st.error(shell.sentence(error))
    st.stop()
record = row.iloc[0]
st.subheader(name)
if record["status"] == "undecodable":
    st.warning(f"This row is no crystal: {record['reason']}.")
    st.stop()

from legocryst.crystal.files import to_cif  # noqa: E402  (heavy, and only needed for a crystal)
from legocryst.crystal.table import decode  # noqa: E402
from legocryst.environment.targets import target  # noqa: E402

crystals = decode(row, mode="snap", max_atoms=10**9).crystals
wanted = target(str(store.query("SELECT target FROM jobs WHERE job = ?", [record["job"]])["target"].iloc[0]))
left, right = st.columns([3, 2])
with left:
    times = st.select_slider("Cells along each edge", (1, 2, 3), value=1)
    way = st.segmented_control("Drawn as", viewer.WAYS, default=viewer.WAYS[0]) or viewer.WAYS[0]
    drawing = scene(crystals, cutoff=wanted.bond_window[1], supercell=(times, times, times))
    viewer.view(drawing, name=name, way=way)
with right:
    st.markdown(f"Space group **{record['space_group']}** ({record['symbol']})")
    if record["reason"]:
        st.warning(f"Not valid: {record['reason']}.")
    facts = [(header(fact), str(record[fact])) for fact in FACTS if pd.notna(record[fact]) and record[fact] != ""]
    st.dataframe(pd.DataFrame(facts, columns=["Quantity", "Value"]), hide_index=True)
    a, b, c, *angles = crystals.cell[0]
    degrees = ", ".join(f"{angle * 57.29577951308232:.2f}" for angle in angles)
    st.caption(f"Cell: {a:.4f}, {b:.4f}, {c:.4f} Å; {degrees}°")
    st.download_button("Download CIF", to_cif(crystals, 0, name=name), file_name=f"{name}.cif", mime="chemical/x-cif")
    page = viewer.standalone(drawing, title=name)
    st.download_button("Download 3D view", page, file_name=f"{name}.html", mime="text/html")
st.subheader("Wyckoff sites")
points = crystals.coordinates.round(5)
sites = {"Position": [f"{m}{w}" for m, w in zip(crystals.multiplicity, crystals.letters, strict=True)]}
st.dataframe(pd.DataFrame({**sites, "x": points[:, 0], "y": points[:, 1], "z": points[:, 2]}), hide_index=True)
st.subheader("History")
job = store.query("SELECT * FROM jobs WHERE job = ?", [record["job"]]).iloc[0]
before = f"{record['loss_before']:.3g}" if pd.notna(record["loss_before"]) else "unknown"
st.write(
    f"Row {record['row']} of job {record['job']}, drawn by the model {job['model']} with seed {job['seed']}. Its loss "
    f"per atom was {before} before and {record['loss']:.3g} after relaxation; it stands as {record['class']}."
)
with st.expander("Settings and versions"):
    st.json({"settings": json.loads(job["settings"]), "versions": json.loads(job["versions"])})
