"""Crystals of the Database page in 3D: one, a gallery of thumbnails, and some side by side."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from legocryst.database.filters import Filters
from legocryst.database.store import Store
from legocryst.ui.database import selection
from legocryst.ui.database.filter_form import ORDERED
from legocryst.ui.database.listing import arranged
from legocryst.ui.shell import shell
from legocryst.ui.widgets.scene import Scene, SceneError, scene
from legocryst.ui.widgets.viewer import Tile, gallery, view
from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS, QUANTITIES

if TYPE_CHECKING:
    from legocryst.crystal.crystals import Crystals

TILES = 24
ATOMS = 400
"""Crystals with more atoms have no thumbnail: they would be many bytes and little to see."""
FACTS = (
    *("class", "symbol", "kind", "net_name", "sites", "atoms", "density", "energy", "low_energy", "predicted_energy"),
    *("dispersion", "loss", "nearest", "nearest_distance", "novelty", "gap", "band_class", "rattle_kept", "status"),
    *("reason", "model", "job", "row", "starred", "note"),
)
DRAWN = (
    *("id", "status", "reason", "target", "relaxed_cif", "symbol", "net_name", "atoms", "energy", "loss"),
    *CRYSTAL_COLUMNS,
)


def drawings(rows: pd.DataFrame, *, across: bool = True, most: int = 6000) -> dict[str, Scene]:
    """Draw each row's crystal as generated, by its name, without rows that are none or have too many atoms."""
    from legocryst.database.geometry import crystals_of

    fit = rows[rows["atoms"].fillna(0) <= most].reset_index(drop=True)
    out: dict[str, Scene] = {}
    for k, crystal, _ in crystals_of(fit, shell.workspace()):
        cutoff = shell.target(str(fit["target"].iloc[k])).bond_window[1]
        out[str(fit["id"].iloc[k])] = _scene(crystal, cutoff, across)
    return out


def _scene(crystal: "Crystals", cutoff: float, across: bool) -> Scene:
    return scene(crystal, cutoff=cutoff, across=across)


def one(store: Store, name: str, *, height: int = 330, key: str) -> None:
    """Show one crystal with its name, and the link to its page; or why there is nothing to draw."""
    row = store.crystal(name)
    first = row.iloc[0]
    st.markdown(f"**{title(first)}**")
    try:
        drawn = drawings(row)
    except SceneError as error:
        st.caption(shell.sentence(error))
        return
    if name in drawn:
        view(drawn[name], name=name, height=height, key=key)
    else:
        st.caption(f"This row is no crystal, so there is nothing to draw: {first['reason']}.")
    shell.link("structure", f"Open {name}", query={"id": name})


def title(row: "pd.Series[Any]") -> str:
    """Return a crystal in a few words."""
    group = row["symbol"] or "no crystal"
    return f"{row['net_name'] or 'Unnamed net'}, {group}" if row["status"] == "valid" else f"{row['status']}, {group}"


def tiles(rows: pd.DataFrame, *, text: str = "energy") -> list[Tile]:
    """Return a thumbnail of each row that has a crystal of not too many atoms."""
    drawn = drawings(rows, across=False, most=ATOMS)
    made = []
    for _, row in rows.iterrows():
        if row["id"] in drawn:
            value = "" if pd.isna(row[text]) else f", {row[text]:.3f} {QUANTITIES[text].unit}".rstrip()
            made.append(Tile(row["id"], drawn[row["id"]], title(row), f"{row['atoms']:.0f} atoms{value}"))
    return made


def thumbnails(store: Store, where: Filters, total: int) -> None:
    """Show the tab with the gallery of what passes the filters."""
    grid, side = st.columns([5, 3], gap="medium")
    with grid:
        order, descending, _ = arranged()
        pages = max(1, -(-total // TILES))
        page = st.pagination(pages, key="gallery_page", bind="query-params") if pages > 1 else 1
        offset = (min(page, pages) - 1) * TILES
        rows = store.page(where, order=order, descending=descending, limit=TILES, offset=offset, columns=DRAWN)
        made = tiles(rows)
        gallery(made, on_pick=pick, picked=st.session_state.get("picked_crystal", ""), key="candidates")
        if lost := len(rows) - len(made):
            st.caption(f"{lost} of these {len(rows)} have no picture: no crystal, or more than {ATOMS} atoms.")
    with side:
        picked(store, key="gallery_picked")


def pick(name: str) -> None:
    """Let a crystal be the picked one; a callback."""
    st.session_state["picked_crystal"] = name


def picked(store: Store, *, key: str) -> None:
    """Show the crystal that was picked last, in a figure or the gallery."""
    name = st.session_state.get("picked_crystal", "")
    if name and store.total(Filters(among={"id": [name]})):
        one(store, name, key=key)
    else:
        st.caption("Pick a crystal to see it here in 3D.")


def side_by_side(store: Store) -> None:
    """Show the tab with two to four crystals next to each other."""
    names = [name for name in selection.compared() if store.total(Filters(among={"id": [name]}))]
    entered = st.text_input(
        "Crystals, with commas between them",
        ", ".join(names),
        help="Or tick two to four rows of the table and press Compare.",
        placeholder="names as in the column Crystal",
    )
    requested = [name.strip() for name in entered.split(",") if name.strip()]
    if requested != names:
        known = [name for name in requested if store.total(Filters(among={"id": [name]}))]
        for name in [name for name in requested if name not in known]:
            st.warning(f"There is no crystal {name} in this workspace.")
        names = known[: selection.COMPARED]
        st.query_params[selection.COMPARE] = ",".join(names)
    if len(names) < 2:
        st.info("Name two to four crystals: tick them in the table and press Compare.")
        return
    for k, (name, place) in enumerate(zip(names, st.columns(len(names)), strict=True)):
        with place:
            one(store, name, height=260, key=f"compare {k}")
    rows = store.page(Filters(among={"id": names})).set_index("id").loc[names].reset_index()
    everything = st.checkbox("All quantities", key="compare_all")
    st.dataframe(differences(rows, ORDERED if everything else FACTS), hide_index=True, height="content")
    st.caption("≠ marks the quantities in which they differ, by more than a ten-thousandth if it is a number.")


def differences(rows: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return quantities down, crystals across as text; the column Differs has ≠ where they are not all the same."""
    listed = []
    for name in names:
        values = list(rows[name])
        if any(worded(name, value) for value in values):
            cells = dict(zip(rows["id"], [worded(name, value) for value in values], strict=True))
            listed.append({"Quantity": QUANTITIES[name].header, "Differs": "≠" if differ(values) else "", **cells})
    return pd.DataFrame(listed, columns=["Quantity", "Differs", *rows["id"]])


def differ(values: list[Any]) -> bool:
    """Say whether values are not all the same; numbers may be apart by a ten-thousandth."""
    known = [value for value in values if not pd.isna(value)]
    if len(known) < len(values):
        return bool(known)
    if all(isinstance(value, float) for value in known):
        return max(known) - min(known) > 1e-4 * max(map(abs, known))
    return len(set(known)) > 1


def worded(name: str, value: Any) -> str:
    """Return a value as text, "" where it is not known."""
    if pd.isna(value) or value == "":
        return ""
    kind = QUANTITIES[name].kind
    if kind == "truth":
        return "yes" if value else "no"
    return f"{value:.4g}" if kind == "real" else f"{value:.0f}" if kind == "integer" else str(value)
