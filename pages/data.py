"""Data: the training set, shipped or the user's own, what its filters leave out, and the environment that is wanted."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from legocryst.database import queries
from legocryst.database.store import Store
from legocryst.environment.target import Target
from legocryst.jobs.record import Job
from legocryst.settings import CurateSettings
from legocryst.stages import curate
from legocryst.ui.data.training_set import Known, Upload, examined, title_of, written
from legocryst.ui.shell import forms, frame, shell
from legocryst.ui.shell.live import live
from legocryst.ui.widgets import figures, table_view
from legocryst.ui.widgets.environment_figures import compared
from legocryst.ui.widgets.scene import scene
from legocryst.ui.widgets.viewer import gallery, view
from legocryst.vocabulary.quantities import QUANTITIES, header

if TYPE_CHECKING:
    from legocryst.crystal.crystals import Crystals
    from legocryst.stages.curate import Examined

ROWS, TILES, LISTED = 500, 12, 500
COLUMNS = (
    *("number", "name", "symbol", "sites", "atoms", "density", "energy", "strain", "rings", "periodicity", "kind"),
    *("loss", "source", "licence"),
)
ORDERS = ("number", "energy", "strain", "density", "atoms", "sites", "spg", "name")
PICTURES = {
    "spg": "Space groups of the training set.",
    "atoms": "Atoms in the conventional cell.",
    "sites": "Wyckoff sites of each crystal.",
    "rings": "Crystals with a shortest ring of each size; a crystal may have several sizes.",
    "energy": "Energy above the reference, where it is known.",
    "density": "Density; layers have none before dispersion sets their distance.",
    "strain": "Root mean square relative deviation of bonds and angles from the target's.",
    "periodicity": "Directions in which the net goes on: 3 in frameworks, 2 in layers.",
}


def listing(known: Known, store: Store, total: int) -> None:
    """Show the rows, all at once where they are few; the selected one is picked."""
    pages = -(-total // ROWS)
    order, descending, number = "number", False, 1
    if pages > 1:
        order, descending = ordering("table")
        number = st.pagination(pages, key="table_page", bind="query-params")
    rows = known.page(store, order=order, descending=descending, limit=ROWS, offset=(number - 1) * ROWS)
    event = st.dataframe(
        rows[list(COLUMNS)],
        column_config=table_view.columns(COLUMNS),
        hide_index=True,
        height=min(420, 38 + 35 * max(1, len(rows))),
        on_select="rerun",
        selection_mode="single-row",
        key=f"known_rows.{known.name}",
        placeholder=table_view.ABSENT,
        alt="Crystals of the training set",
    )
    if selected := [k for k in event["selection"]["rows"] if k < len(rows)]:
        pick(known, int(rows["number"].iloc[selected[0]]))
        st.caption(f"{title_of(rows.iloc[selected[0]])} is picked: see Gallery and Environment.")
    else:
        st.caption("Select a row to see its crystal in Gallery and Environment.")
    if rows["energy"].isna().any():
        st.caption(
            f"An energy shown as {table_view.ABSENT} is not known: the crystal's file has none, or the relaxation with "
            "the potential changed the net."
        )
    if known.job:
        became(known.job)


def ordering(place: str) -> tuple[str, bool]:
    """Show widgets for the order of rows."""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    order = left.selectbox("Order by", ORDERS, format_func=header, key=f"{place}_order", bind="query-params")
    return order, right.checkbox("Largest first", key=f"{place}_largest_first", bind="query-params")


def became(job: Job) -> None:
    """Show what the job's report says of each crystal that was offered."""
    path = curate.STAGE.path(job.folder, file=1)
    if path.exists():
        rows = pd.read_parquet(path)
        lost = int((~rows["kept"]).sum())
        with st.expander(f"What became of the {len(rows):,} crystals that were offered: {lost:,} left out"):
            report(rows, name=f"report-{job.id}.csv")


def report(rows: pd.DataFrame, *, name: str) -> None:
    """Show crystals that were left out by reason, each crystal, and a file of them."""
    lost = rows[~rows["kept"]]
    counts = ", ".join(f"{reason} ({n:,})" for reason, n in lost["reason"].value_counts().items())
    kept = f"{len(rows) - len(lost):,} of {len(rows):,} crystals are kept"
    st.write(kept + (f"; left out: {counts}." if counts else "."))
    shown = pd.concat([lost, rows[rows["kept"]]]).head(LISTED)
    ordered = [name for name in ("crystal", "source", "use", "kept", "reason", "detail", "name") if name in shown]
    table_view.table(shown[ordered], height="auto" if len(shown) < 8 else 300)
    if len(rows) > LISTED:
        st.caption(f"The first {LISTED} of {len(rows)}, those that were left out before the others.")
    st.download_button("Download the report", lambda: rows.to_csv(index=False), name, "text/csv", on_click="ignore")


def picked(known: Known, total: int) -> int:
    """Return number of the crystal that was picked in the table or the gallery, the first if none was."""
    return min(int(st.session_state.get("picked", {}).get(known.name, 0)), total - 1)


def pick(known: Known, number: int) -> None:
    st.session_state.setdefault("picked", {})[known.name] = number


def thumbnails(known: Known, store: Store, total: int) -> None:
    grid, side = st.columns([5, 3], gap="medium")
    with grid:
        order, descending = ordering("gallery")
        pages = -(-total // TILES)
        page = st.pagination(pages, key="gallery_page", bind="query-params") if pages > 1 else 1
        rows = known.page(store, order=order, descending=descending, limit=TILES, offset=(page - 1) * TILES)
        number = picked(known, total)
        tiles = known.tiles(rows, lambda row: f"{row['symbol']}, {row['atoms']} atoms")
        gallery(tiles, on_pick=lambda name: pick(known, int(name.rpartition(" ")[2])), picked=f"{known.name} {number}")
    with side:
        row = known.row(store, number)
        first = row.iloc[0]
        st.header(title_of(first))
        view(drawn(known.crystals(row), known.target), name=f"{known.name} {number}", height=330, key="picked")
        facts = ("spg", "sites", "atoms", "kind", "rings", "density", "energy", "strain")
        words = [(QUANTITIES[name].header, worded(first[name])) for name in facts]
        st.table(pd.DataFrame(words, columns=["Quantity", "Value"]).set_index("Quantity"))


def drawn(crystals: "Crystals", target: Target):  # type: ignore[no-untyped-def]
    return scene(crystals, cutoff=target.bond_window[1])


def worded(value: object) -> str:
    if isinstance(value, float):
        return "not known" if np.isnan(value) else f"{value:.4g}"
    return str(value) or "none"


def distributions(known: Known, store: Store) -> None:
    """Show the distributions; every figure is binned in SQL."""
    columns = st.columns(2)
    for k, (name, caption) in enumerate(PICTURES.items()):
        with columns[k % 2]:
            if name == "rings":
                bins = queries.ring_sizes(store, known.sql, known.parameters)
                figure = figures.bars(bins, x="ring", y="Crystals")
            elif name in ("sites", "periodicity"):
                bins = queries.count_by(store, known.sql, name, parameters=known.parameters)
                figure = figures.bars(bins, x=name, y="Crystals")
            else:
                bins = queries.histogram(store, known.sql, name, parameters=known.parameters)
                figure = figures.histogram(bins, x=name)
            if len(bins):
                figures.show(figure, caption=caption, key=f"data.{name}")
            else:
                st.caption(f"None of these crystals has a value of {QUANTITIES[name].label.lower()}. {caption}")


def environment(known: Known, store: Store, total: int) -> None:
    """Show the target and its reference crystal beside the picked crystal of the training set."""
    target = known.target
    st.write(
        f"**{target.title}**: {target.coordination} bonds of {target.bond_window[0]:g} to {target.bond_window[1]:g} Å "
        f"(ideal {target.bond:g} Å) at each atom, no other atom nearer than {target.gap:g} Å, no angle below "
        f"{target.min_angle:g}°."
    )
    number = st.number_input(
        "Number of the crystal to compare", 0, total - 1, picked(known, total), help="Pick it in the table or gallery."
    )
    pick(known, int(number))
    row = known.row(store, int(number))
    crystal, name = known.crystals(row), title_of(row.iloc[0])
    reference = target.reference.crystals()
    left, right = st.columns(2)
    with left:
        st.header(f"Reference: {target.reference.name}")
        st.caption("The environment of its first site is the wanted one.")
        view(drawn(reference, target), name=f"reference {target.name}", height=300, key="reference")
    with right:
        st.header(name)
        st.caption(f"Loss {row['loss'].iloc[0]:.3g}, strain {row['strain'].iloc[0]:.3g}.")
        view(drawn(crystal, target), name=f"{known.name} {number}", height=300, key="compared")
    compared(target, {target.reference.name.capitalize(): reference, name: crystal})


def making(known: Known) -> None:
    """Show a new training set: what is offered, what the filters leave out, and the button that makes it."""
    st.write(
        "Crystals of your own, or the training set above with other filters. Everything is judged here first, and "
        "nothing is kept before you say so. CIF, POSCAR (.vasp), extended XYZ, ASE databases (.db), tables (.csv, "
        ".parquet) and .zip archives of them are read."
    )
    left, right = st.columns(2)
    own = uploaded(left, "Your crystals", "They become the training set. Without any, the training set above is taken.")
    known_only = uploaded(right, "For novelty only", "Their nets count as known, and nothing is learnt from them.")
    good = forms.form("curate", options={"target": shell.target_names()})
    if not good:
        return
    settings = forms.run_settings()
    lasting = CurateSettings(target=settings.curate.target, symprec=settings.curate.symprec)
    job = known.job
    offered, refusal = examined(own, [str(path) for path in job.training_files] if job else [], lasting)
    if offered is None:
        st.error(refusal)
        return
    done = {"seeds": offered} if own or (job and job.training_files) else {}
    usable = chosen(offered.table, settings.curate)
    if known_only:
        from legocryst.stages.curate import as_reference

        nets, refusal = examined(known_only, [], lasting, reference=True)
        if nets is None:
            st.error(refusal)
            return
        done["reference"] = nets
        with st.expander("Crystals for novelty only"):
            report(as_reference(nets).report, name="reference.csv")
    if usable and frame.button("Use as training set", "curate"):
        start(own, known_only, job, done)


def uploaded(place: "st.delta_generator.DeltaGenerator", label: str, text: str) -> list[Upload]:
    files = place.file_uploader(label, accept_multiple_files=True, help=text)
    return [(file.name, file.getvalue()) for file in files]


def chosen(table: pd.DataFrame, settings: CurateSettings) -> bool:
    """Show what the filters leave; returns whether anything is left."""
    from legocryst.stages.curate import dropped, filtered
    from legocryst.stages.curate import report as report_of

    rows = report_of(filtered(table, settings))
    valid, kept = int((table["reason"] == "").sum()), int(rows["kept"].sum())
    offered, environments, left = st.columns(3)
    offered.metric("Crystals offered", f"{len(table):,}")
    environments.metric("With the wanted environment", f"{valid:,}")
    left.metric("Kept", f"{kept:,}")
    if lost := table[table["reason"] != ""]["reason"].value_counts().to_dict():
        reasons = ", ".join(f"{reason} ({n})" for reason, n in lost.items())
        st.caption(f"Without the wanted environment, or no crystal: {reasons}. *Each crystal* below says which.")
    if valid > kept:
        what = dropped(table, settings)
        together = f"Together they leave out {valid - kept} of the {valid} crystals with the wanted environment."
        caption = f"Crystals that each filter leaves out, and those that no other one does. {together}"
        figures.show(figures.filters(what), caption=caption, key="dropped")
    elif valid:
        st.caption("The filters leave out none of the crystals with the wanted environment.")
    with st.expander("Each crystal", expanded=not kept):
        report(rows, name="report.csv")
    if not kept:
        st.error("Nothing is left: loosen the filters." if valid else "None of these crystals can be used.")
    return kept > 0


def start(own: list[Upload], known_only: list[Upload], job: Job | None, done: "dict[str, Examined]") -> None:
    """Make the training set of what was examined here, and show it."""
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / name for name in ("own", "reference")]
        for place in places:
            place.mkdir()
        training = written(own, places[0]) or (job.training_files if job else [])
        reference = written(known_only, places[1]) or (job.reference if job else [])
        made = shell.start("curate", forms.run_settings(), training=training, reference=reference, examined=done)
    if made:
        shell.choose("training_set", made)
        st.rerun()


def page(job: Job | None) -> None:
    store = shell.store()
    if job is not None:
        shell.catch_up(job)
    known = Known.of(job, shipped=shell.shipped_target())
    total, frameworks = known.counts(store)
    note = ""
    if job and job.reference:
        sql = "SELECT count(DISTINCT net_key) AS n FROM reference WHERE job = ?"
        nets = int(store.query(sql, [job.id])["n"].iloc[0])
        note = f" The nets of {nets} more are known for novelty only."
    st.write(f"{total:,} crystals, {frameworks:,} of them with a 3-periodic net.{note}")
    views(known, store, total)


@st.fragment
def views(known: Known, store: Store, total: int) -> None:
    """Show the tabs, of which only the open one is drawn."""
    draw = {
        "Table": lambda: listing(known, store, total),
        "Gallery": lambda: thumbnails(known, store, total),
        "Distributions": lambda: distributions(known, store),
        "Environment": lambda: environment(known, store, total),
        "Filters and own crystals": lambda: making(known),
    }
    shell.tabs(draw, key="view")


shell.begin("data")
job = shell.training_set()
if job is not None:
    live(job)
if job is None or shell.has(job, "curate"):
    page(job)
shell.end("data")
