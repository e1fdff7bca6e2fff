"""What a reader does with crystals of the Database page: open, star, note, compare, download."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from legocryst.database.annotations import mark
from legocryst.database.filters import Filters
from legocryst.database.store import Store
from legocryst.ui.shell import shell

MOST = 2000
"""Crystals in one archive; the command line has no limit."""
COMPARED = 4
COMPARE = "compare"
"""Name in the address of the crystals that are compared."""


def compared() -> list[str]:
    """Return names of the crystals that stand side by side."""
    return [name for name in st.query_params.get(COMPARE, "").split(",") if name][:COMPARED]


def compare(names: Sequence[str]) -> None:
    """Put these side by side, and open that tab; a callback."""
    st.query_params[COMPARE] = ",".join(list(names)[:COMPARED])
    st.session_state["tab"] = "Compare"


def actions(store: Store, picked: list[str]) -> None:
    """Show what can be done with the selected rows, in a fragment of the page."""
    if not picked:
        st.caption(
            "Tick rows to open, star, note, compare or download them. The link of a row opens its crystal in a new tab."
        )
        return
    left, middle, right, last = st.columns([3, 2, 2, 3], vertical_alignment="bottom")
    with left:
        which = "it" if len(picked) == 1 else "the first"
        shell.link("structure", f"Open {which} in 3D", query={"id": picked[0]})
    annotated = {name: store.crystal(name).iloc[0][["starred", "note"]] for name in picked[:50]}
    starred = all(one["starred"] for one in annotated.values())
    text = "Remove star" if starred else "Star"
    clicked = middle.button(text, on_click=_star, args=(store, picked, not starred), width="stretch")
    enough = 2 <= len(picked) <= COMPARED
    right.button(
        "Compare",
        disabled=not enough,
        on_click=compare,
        args=(picked,),
        help=f"Two to {COMPARED} rows side by side.",
        width="stretch",
    )
    with last.popover("Note", width="stretch"):
        first = annotated[picked[0]]["note"] if len(picked) == 1 else ""
        note = st.text_area("Note", first, key=f"note {picked}", max_chars=2000)
        clicked |= st.button("Keep the note", on_click=_note, args=(store, picked, note), type="primary")
    if clicked:
        st.rerun()  # the whole page: a filter may ask for stars or notes


def _star(store: Store, names: list[str], starred: bool) -> None:
    mark(store.workspace, names, starred=starred)
    store.ingest()


def _note(store: Store, names: list[str], note: str) -> None:
    mark(store.workspace, names, note=note)
    store.ingest()
    st.toast(f"The note is kept with {len(names)} crystal{'s' if len(names) > 1 else ''}.")


def download(store: Store, where: Filters, total: int, *, picked: list[str], order: str, descending: bool) -> None:
    """Show the crystals that pass, or the selected ones, as archive or table."""
    all_of_them = f"All that pass the filters ({total:,})"
    options = [all_of_them] + ([f"The selected rows ({len(picked)})"] if picked else [])
    what = st.radio("Crystals", options, key="download_what")
    relaxed = st.checkbox(
        "As the potential relaxed them, where it did",
        True,
        key="download_relaxed",
        help="The column energy is of these. Otherwise as the job generated them. Tables have the values of both.",
    )
    selection = Filters(among={"id": picked}) if picked and what != all_of_them else where

    def rows(limit: int) -> pd.DataFrame:
        return store.page(selection, order=order, descending=descending, limit=limit)

    def archive() -> bytes:
        from legocryst.database.export import bundle

        return bundle(store, rows(MOST), filters=selection.text(), order=order, relaxed=relaxed)[0]

    ready: dict[str, Any] = {"on_click": "ignore", "width": "stretch", "disabled": not total}
    left, right = st.columns(2)
    left.download_button("Download zip", archive, "crystals.zip", "application/zip", type="primary", **ready)
    right.download_button("Download CSV", lambda: _csv(rows(10**9)), "crystals.csv", "text/csv", **ready)
    cut = f" At most the first {MOST:,}." if total > MOST else ""
    st.caption(
        "The zip holds each crystal as CIF, POSCAR and extended XYZ, tables (CSV, Parquet), a manifest with filters, "
        f"jobs, settings and seeds, and what to cite (BibTeX).{cut} The same from a terminal:"
    )
    flags = f"--filters '{selection.text()}' --order {order}" + (" --largest-first" if descending else "")
    flags += (" --relaxed" if relaxed else "") + f" --workspace {store.workspace}"
    st.code(f"python -m legocryst export --format zip --out crystals {flags}", language=None, wrap_lines=True)


def _csv(rows: pd.DataFrame) -> str:
    return rows.drop(columns="relaxed_cif").to_csv(index=False)
