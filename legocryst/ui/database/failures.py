"""What was rejected, and why: reasons by number, what to turn, and examples in 3D."""

from dataclasses import replace

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from legocryst.database.filters import Filters
from legocryst.database.store import Store
from legocryst.ui.database import listing, pictures
from legocryst.ui.widgets import figures
from legocryst.ui.widgets.viewer import gallery

EXAMPLES = 8
ALL = "all reasons"
STEPS = "more steps of the relaxation, or more restarts, on the page Generate"
ADVICE = {
    "too few bonds": f"Atoms lack neighbours. Try {STEPS}; a longer or richer training starts nearer to the target.",
    "too many bonds": f"Atoms are crowded. Try {STEPS}; a longer or richer training starts nearer to the target.",
    "overlapping atoms": "Two atoms ended on one place. Allow sites to merge onto special positions (Generate).",
    "bond too short": f"A bond is compressed: try {STEPS}.",
    "atom in the gap": f"An atom stands between bonded and not bonded: try {STEPS}.",
    "angle too small": f"Bonds are too close to each other: try {STEPS}.",
    "shape differs": f"Bonds are right in number and length, but point in other directions: try {STEPS}.",
    "impossible cell": "The model draws cells that cannot be: train it longer, or sample with a lower temperature.",
    "too many atoms": "Raise the most atoms of a sampled crystal (Generate), at the cost of time.",
    "fixed position used twice": "The model draws a position twice: train it longer, or lower the temperature.",
    "no sites": "The model draws no atom: train it longer, or sample with a lower temperature.",
}
"""What to turn, by reason."""
ROWS = (
    *("id", "status", "reason", "symbol", "written_group", "sites", "atoms", "loss_before", "loss", "evaluations"),
    *("restarts", "model", "job"),
)


def failures(store: Store, where: Filters) -> None:
    """Show the tab; filters by class, status and reason do not count here, since they would leave nothing."""
    among = {name: values for name, values in where.among.items() if name not in ("class", "status", "reason")}
    containing = {name: text for name, text in where.containing.items() if name != "reason"}
    rest = replace(where, among={**among, "status": ["invalid", "undecodable"]}, containing=containing)
    counts = by_reason(store, rest)
    if counts.empty:
        st.info("Nothing was rejected among the crystals that pass the other filters.")
        return
    n = int(counts["n"].sum())
    st.write(f"**{n:,}** sampled rows were rejected, each for the first reason that holds of it.")
    options = [ALL, *counts["reason"]]
    if st.session_state.get("why") not in (None, *options):
        del st.session_state["why"]
    left, right = st.columns([3, 2], gap="medium", vertical_alignment="top")
    with left:
        st.plotly_chart(
            bars(counts),
            key="reasons",
            on_select=_clicked,
            selection_mode="points",
            config={"displayModeBar": False},
            alt="; ".join(f"{reason}: {number}" for reason, number in zip(counts["reason"], counts["n"], strict=True)),
        )
        st.caption(
            "Rejected rows by reason. Click a bar, or choose a reason on the right. Filters by class do not count."
        )
    with right:
        why = st.selectbox("Reason", options, key="why", bind="query-params")
        st.write(ADVICE.get(why, "Choose a reason to see what it means, what to turn, and examples of it."))
    if why != ALL:
        rest = replace(rest, among={**rest.among, "reason": [why]})
    rows = store.page(rest, order="loss", limit=listing.PAGE, columns=pictures.DRAWN)
    examples(store, rows)
    shown = store.page(rest, order="loss", limit=listing.PAGE, columns=ROWS)
    listing.rows(
        shown, key="failed", alt="Rejected rows, the nearest to the target first", mode="single-row", height=300
    )
    st.caption(f"The first {len(shown)} of {store.total(rest):,} by loss, the nearest to the target first.")


def by_reason(store: Store, where: Filters) -> pd.DataFrame:
    """Return rows by reason (`reason`, `status`, `n`), the most frequent first."""
    condition, values = where.sql()
    sql = f"SELECT reason, any_value(status) AS status, count(*) AS n FROM candidates WHERE {condition}"
    return store.query(f"{sql} GROUP BY reason ORDER BY n DESC, reason", values)


def bars(counts: pd.DataFrame) -> go.Figure:
    """Return a bar of each reason."""
    height = 110 + 28 * len(counts)
    figure = go.Figure(layout={"template": figures.TEMPLATE, "hovermode": "closest", "height": height})
    labels = [f"{number:,}" for number in counts["n"]]
    figure.add_bar(
        y=counts["reason"],
        x=counts["n"],
        orientation="h",
        text=labels,
        textposition="auto",
        customdata=counts["reason"],
    )
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(title="Rejected rows")
    return figure


def _clicked() -> None:
    points = st.session_state["reasons"]["selection"]["points"]
    st.session_state["why"] = points[0]["y"] if points else ALL


def examples(store: Store, rows: pd.DataFrame) -> None:
    """Show some rejected crystals in 3D."""
    made = pictures.tiles(rows, text="loss")[:EXAMPLES]
    if not made:
        st.caption("These rows are no crystals, or have too many atoms, so there is nothing to draw.")
        return
    st.header("Examples")
    grid, side = st.columns([5, 3], gap="medium")
    with grid:
        gallery(made, on_pick=pictures.pick, picked=st.session_state.get("picked_crystal", ""), key="examples")
        st.caption("The nearest to the target first, with their loss. Click one to see it in 3D.")
    with side:
        pictures.picked(store, key="failed_picked")
