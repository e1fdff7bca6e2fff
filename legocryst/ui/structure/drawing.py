"""The 3D view of a crystal on its page, with what can be changed about it and downloaded."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.structures import to_cif
from legocryst.environment.target import Target
from legocryst.stages import sample
from legocryst.ui.shell import shell
from legocryst.ui.structure.facts import GENERATED, SAMPLED
from legocryst.ui.widgets.atom_marks import KINDS, marks
from legocryst.ui.widgets.scene import SceneError, scene
from legocryst.ui.widgets.viewer import MAX_LABELS, WAYS, Look, standalone, view

if TYPE_CHECKING:
    import pandas as pd

CUTOFFS = (0.5, 4.0)
"""Shortest and longest bond, angstrom, that can be asked for."""
BONDS_MATTER = ("too few bonds", "too many bonds")
"""Reasons that the coordination of the atoms shows."""


def geometries(row: "pd.Series[Any]") -> dict[str, Callable[[], Crystals]]:
    """Return what there is of a row to look at, by name; a row that could not be decoded may have nothing."""
    from legocryst.crystal.io.readers import from_cif
    from legocryst.ui.structure.net_section import stored

    out: dict[str, Callable[[], Crystals]] = {}
    if row["status"] != "undecodable":
        out[GENERATED] = lambda: stored(row.to_frame().T, shell.target(row["target"]))
    if row["relaxed_cif"]:
        out[f"Relaxed with {row['energy_model']}"] = lambda: from_cif(row["relaxed_cif"])
    if sample.STAGE.path(shell.workspace() / "jobs" / row["job"]).exists():
        out[SAMPLED] = lambda: sampled_crystal(row)
    return out


def sampled(row: "pd.Series[Any]") -> "pd.DataFrame":
    """Return the row as the model wrote it, before anything was moved; empty where the job no longer has it."""
    path = sample.STAGE.path(shell.workspace() / "jobs" / row["job"])
    if not path.exists():
        import pandas as pd

        return pd.DataFrame()
    sql = "SELECT * EXCLUDE file_row_number FROM read_parquet(?, file_row_number = true) WHERE file_row_number = ?"
    return shell.store().query(sql, [str(path), int(row["row"])])


def sampled_crystal(row: "pd.Series[Any]") -> Crystals:
    """Return the crystal that the model wrote, whatever its size; a batch of none where the row is no crystal."""
    from legocryst.crystal.io.table import TableError, decode

    try:
        return decode(sampled(row), element=shell.target(row["target"]).atomic_number, max_atoms=10**6).crystals
    except TableError:  # no row, or a table for other elements
        return Crystals.concatenate([])


@st.fragment
def drawing(crystals: Crystals, row: "pd.Series[Any]", *, which: str, facts: Mapping[str, str]) -> None:
    """Show the view and, below it, what changes it; a change draws this part of the page alone again."""
    name, target = str(row["id"]), shell.target(row["target"])
    look, cutoff, cells, across = _look(crystals, row, target)
    try:
        shown = scene(crystals, cutoff=cutoff, supercell=cells, across=across)
        if look.labels and shown.inside.sum() > MAX_LABELS:
            raise SceneError(f"words on more than {MAX_LABELS} atoms cannot be read: choose a smaller supercell")
    except SceneError as error:
        st.warning(shell.sentence(error))
    else:
        view(shown, name=f"{name} {which}".strip(), look=look, height=430)
    _options(row, target)
    st.caption(
        "Drag or use the arrow keys to turn, scroll to zoom, drag with Ctrl to move. Thin ends are atoms of the "
        "neighbouring cells."
    )
    left, right = st.columns(2)
    cif = to_cif(crystals, name=name)
    file = name + {"": "", SAMPLED: "-drawn"}.get(which, "-relaxed")
    left.download_button(
        "Download as CIF", cif, f"{file}.cif", "chemical/x-cif", type="primary", on_click="ignore", width="stretch"
    )

    def page() -> str:
        drawn = scene(crystals, cutoff=cutoff, supercell=cells, across=across)
        return standalone(drawn, title=name, look=look, facts=facts)

    right.download_button(
        "Download the 3D view",
        page,
        f"{file}.html",
        "text/html",
        on_click="ignore",
        width="stretch",
        help="One file that every browser opens, without a network too.",
    )


def _look(crystals: Crystals, row: "pd.Series[Any]", target: Target) -> tuple[Look, float, tuple[int, int, int], bool]:
    """Return what the widgets below the view say; before they are there, what is usual."""
    state = st.session_state
    cutoff = float(state.get(f"cutoff_{target.name}", target.bond_window[1]))
    kind = str(state.get(*_usual(row)))
    cells = (int(state.get("cells_a", 1)), int(state.get("cells_b", 1)), int(state.get("cells_c", 1)))
    look = Look(
        way=str(state.get("way", WAYS[0])),
        cell=bool(state.get("cell", True)),
        marks=marks(crystals, kind=kind, cutoff=cutoff),
        labels=bool(state.get("labels", False)),
    )
    return look, cutoff, cells, bool(state.get("across", True))


def _usual(row: "pd.Series[Any]") -> tuple[str, str]:
    """Return key of the choice of colours, and what stands there at first: what shows why a row was rejected."""
    return ("marked_rejected", KINDS[2]) if row["reason"] in BONDS_MATTER else ("marked", KINDS[0])


def _options(row: "pd.Series[Any]", target: Target) -> None:
    first, second, third = st.columns([1, 1, 1.2], vertical_alignment="bottom")
    key, kind = _usual(row)
    first.selectbox("Colours by", KINDS, KINDS.index(kind), key=key)
    second.selectbox("Drawn as", WAYS, key="way")
    with third.popover("Cells, bonds, labels", width="stretch"):
        columns = st.columns(3)
        for column, axis in zip(columns, "abc", strict=True):
            column.number_input(f"Cells along {axis}", 1, 9, 1, key=f"cells_{axis}")
        low, high = CUTOFFS
        st.slider(
            "Longest bond (Å)",
            low,
            high,
            target.bond_window[1],
            0.01,
            key=f"cutoff_{target.name}",
            help=f"Of this view only; {target.title} has bonds of up to {target.bond_window[1]:g} Å.",
        )
        st.checkbox("Words on the atoms", key="labels", help="What the legend says, written on each atom of the cells.")
        st.checkbox("Bonds across the boundary", True, key="across")
        st.checkbox("Edges of the cell", True, key="cell")
