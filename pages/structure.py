"""Structure: one crystal in 3D, with its symmetry, verdict and origin; its address can be shared."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.elements import SYMBOLS
from legocryst.crystal.symmetry.wyckoff import wyckoff
from legocryst.database.schema import StoreError
from legocryst.ui.shell import shell
from legocryst.ui.structure import band_section, drawing, net_section, powder_section, rejected
from legocryst.ui.structure.facts import facts, listed, value
from legocryst.ui.structure.history import history, why
from legocryst.ui.widgets.environment_figures import compared
from legocryst.vocabulary.quantities import QUANTITIES

ENERGY = (
    *("energy_model", "low_energy", "net_kept", "coordination_kept", "converged", "screen_energy", "energy_before"),
    *("relaxed_energy", "dispersion", "volume_change", "rmsd", "relax_steps", "force", "stress", "rattle_kept"),
    "rattle_energy",
)


def chosen_crystal() -> str:
    """Return name of the crystal in the address, else the one chosen here."""
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
        shell.link("database", "To the database")
        st.stop()
    st.query_params["id"] = str(chosen)
    st.rerun()


def geometry(row: "pd.Series[Any]") -> tuple[str, Crystals]:
    """Return which of the row's geometries is shown, "" for the first, and its crystal; a batch of none without one."""
    options = drawing.geometries(row)
    if not options:
        return "", Crystals.concatenate([])
    names = list(options)
    chosen = names[0]
    if len(names) > 1:
        chosen = st.segmented_control(
            "Geometry", names, default=names[0], key="geometry", required=True, label_visibility="collapsed"
        )
    crystals = options[chosen]()
    if not len(crystals) and chosen != names[0]:
        st.warning("The row as the model wrote it is no crystal.")
        chosen, crystals = names[0], options[names[0]]()
    return "" if chosen == names[0] else chosen, crystals


def description(row: "pd.Series[Any]", values: dict[str, str]) -> None:
    if row["status"] != "valid":
        rejection(row)
    listed(list(values.items()), names=("Quantity", "Value"))
    if row["energy_reason"]:
        st.caption(f"No energy: {row['energy_reason']}.")
    if row["status"] == "valid" and pd.isna(row["density"]):
        st.caption("Layers, chains and cages have no density before dispersion sets their distance.")


def rejection(row: "pd.Series[Any]") -> None:
    """Show why the row is not valid, in words, and what may help."""
    target, reason = shell.target(row["target"]), str(row["reason"])
    settings = shell.store().query("SELECT settings FROM jobs WHERE job = ?", [row["job"]])["settings"].iloc[0]
    st.warning(f"**Not valid: {reason}.** {rejected.explained(reason, target)}")
    if todo := rejected.helpful(reason, json.loads(settings)):
        st.write(todo)


def relaxation(row: "pd.Series[Any]") -> None:
    """Show what the potential says, and what the relaxation with it did."""
    known = [name for name in ENERGY if value(name, row[name]) != "not known"]
    if not known:
        st.caption("No energy was computed for this crystal.")
    listed(
        [(QUANTITIES[name].label, value(name, row[name]), QUANTITIES[name].help) for name in known],
        names=("Quantity", "Value", "Meaning"),
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
    sites = [
        (str(k), SYMBOLS[z], f"{m}{letter}", symmetry, *(f"{x:.5f}" for x in point))
        for k, (z, m, letter, symmetry, point) in enumerate(
            zip(
                crystals.species,
                data.multiplicity[ids],
                data.letter[ids],
                data.site_symmetry[ids],
                crystals.coordinates % 1.0,
                strict=True,
            ),
            1,
        )
    ]
    listed(sites, names=("Site", "Element", "Wyckoff position", "Site symmetry", "x", "y", "z"))


def parts(row: "pd.Series[Any]", generated: Crystals, crystals: Crystals, which: str) -> dict[str, Callable[[], None]]:
    """Return what the tabs below hold, by their names."""
    target = shell.target(row["target"])
    reference = {target.reference.name.capitalize(): target.reference.crystals(), "This crystal": crystals}
    out: dict[str, Callable[[], None]] = {}
    if len(crystals):
        out["Cell and sites"] = lambda: symmetry(crystals)
    if row["status"] == "valid":
        out["Net and novelty"] = lambda: novelty(row, generated)
        out["Similar crystals"] = lambda: net_section.similar(row, generated)
    if len(crystals):
        out["Distances and angles"] = lambda: compared(target, reference)
    if row["status"] == "valid":
        out["Powder pattern"] = lambda: powder_section.pattern(row, crystals, which=which)
        out["Energy"] = lambda: relaxation(row)
        out["Bands"] = lambda: electrons(row, crystals, which)
    return out | {"History": lambda: history(row)}


def novelty(row: "pd.Series[Any]", crystals: Crystals) -> None:
    st.header(f"Why it counts as {row['class']}")
    st.markdown("\n".join(f"- {sentence}" for sentence in why(shell.store(), row)))
    net_section.net(row, crystals)


def electrons(row: "pd.Series[Any]", crystals: Crystals, which: str) -> None:
    band_section.tight_binding(row, crystals, which=which)
    band_section.dft(row, crystals)


@st.fragment
def below(shown: dict[str, Callable[[], None]]) -> None:
    """Show the parts, of which only the open one is computed."""
    shell.tabs(shown, key="part")


shell.begin("structure")
name = chosen_crystal()
try:
    row = shell.store().crystal(name).iloc[0]
except StoreError as error:
    st.error(shell.sentence(error))
    shell.link("database", "To the database")
    st.stop()
if row["status"] == "undecodable":
    st.header("A row that is no crystal")
else:
    title = {"valid": row["net_name"] or "Unnamed net"}.get(row["status"], "Rejected crystal")
    st.header(f"{title}, {row['symbol']} (No. {row['space_group']})")
st.write(f"[Crystal {name}](/structure?id={name}): its name and this link to it are permanent.")
picture, column = st.columns([3, 2], gap="medium")
with picture:
    which, crystals = geometry(row)
    values = facts(row, crystals, which=which)
    if len(crystals):
        drawing.drawing(crystals, row, which=which, facts=values)
    else:
        st.info("There is nothing to draw: the numbers of the row, which History shows, give no crystal.")
    if len(crystals) and row["status"] == "undecodable":
        st.caption("Drawn as the model wrote it; it was not relaxed.")
with column:
    description(row, values)
generated = (
    net_section.stored(pd.DataFrame([row]), shell.target(row["target"])) if row["status"] == "valid" else crystals
)
below(parts(row, generated, crystals, which))
