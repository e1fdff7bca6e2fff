"""Features: how each column of the table becomes numbers."""

import pandas as pd
import streamlit as st

from legocryst.database import queries
from legocryst.database.schema import column as store_column
from legocryst.database.store import Store
from legocryst.jobs.record import Job
from legocryst.ui.shell import forms, frame, shell
from legocryst.ui.shell.live import live, planned
from legocryst.ui.widgets import figures, table_view
from legocryst.vocabulary.quantities import QUANTITIES, header

NUMBERS = (
    ("value", "Value", "%.6f"),
    ("mean", "Mean", "%.4f"),
    ("std", "Standard deviation", "%.2g"),
    ("scalar", "Scalar", "%.4f"),
    ("back", "Value that comes back", "%.6f"),
)


def result(job: Job) -> None:
    shell.catch_up(job)
    store = shell.store()
    features = store.query("SELECT * FROM features WHERE job = ?", [job.id])
    if features.empty:
        st.info("This job has no features yet.")
        return
    rows = int(store.query("SELECT count(*) AS n FROM augmented WHERE job = ?", [job.id])["n"].iloc[0])
    before, after, outliers, table = st.columns(4)
    before.metric("Columns before", len(features))
    after.metric("Numbers after", int(features["width"].sum()))
    outliers.metric("Outliers", int(features["outliers"].sum()), help=QUANTITIES["outliers"].help)
    table.metric("Rows", f"{rows:,}")
    columns, one_row = st.tabs(("Columns", "A row"), key="features_view", bind="query-params")
    if columns.open:
        with columns:
            column(job, store, features)
    if one_row.open and rows:
        with one_row:
            becomes(job, store, features, rows)


def column(job: Job, store: Store, features: pd.DataFrame) -> None:
    """Show a column's values, what was fitted to them, and how wide it became."""
    names = features["column"].tolist()
    chosen = st.selectbox("Column", names, min(1, len(names) - 1), header, key="feature_column", bind="query-params")
    feature = features[features["column"] == chosen].iloc[0]
    if feature["encoding"] == "discrete":
        figure = figures.categories(feature["components"], x=chosen)
        caption = f"{feature['width']} categories, one number for each."
    else:
        used = f"job = ? AND wp{chosen[1:]} >= 0" if chosen[1:].isdigit() else "job = ?"
        bins = queries.histogram(store, "augmented", chosen, where=used, parameters=[job.id], bins=80)
        figure = figures.mixture(bins, feature["components"], x=chosen)
        caption = (
            f"Rows, and how many of them the fitted Gaussians expect at each place; the column becomes "
            f"{feature['width']} numbers: one for each component and the place in it."
        )
        if feature["outliers"]:
            caption += f" The last component was made for {feature['outliers']} outliers."
        if chosen[1:].isdigit():
            caption += " Rows without the site have a component of their own, which is not drawn."
    figures.show(figure, caption=caption, key="feature")
    with st.expander("Width of every column"):
        table_view.table(features[["column", "encoding", "width", "outliers"]], height=300)


def becomes(job: Job, store: Store, features: pd.DataFrame, rows: int) -> None:
    """Show what one row of the table becomes, and what comes back."""
    from legocryst.generators.features import Featurizer

    number = st.number_input("Row", 0, rows - 1, 0, key="feature_row", bind="query-params", help="Of the table.")
    listed = ", ".join(store_column(name) for name in features["column"])
    sql = f"SELECT {listed} FROM augmented WHERE job = ? ORDER BY rowid LIMIT 1 OFFSET ?"
    fitted = Featurizer.from_columns(features.rename(columns={"column": "name"}))
    explained = fitted.explain(store.query(sql, [job.id, int(number)]))
    explained = explained.assign(start=[block.start for block in fitted.blocks], label=explained["column"].map(header))
    error = (explained["back"] - explained["value"]).abs()
    caption = (
        f"The {fitted.width} numbers of this row: {len(explained)} ones, each for a category or a component, "
        f"{int(explained['scalar'].notna().sum())} scalars for the place in the component, and zeros. What comes back "
        f"differs by at most {error.max():.1g}."
    )
    figures.show(figures.encoded(explained, fitted.width), caption=caption, key="encoded")
    part = explained["part"].astype(str) + " of " + explained["parts"].astype(str)
    shown = explained.assign(component=part)[["column", "value", "component", "mean", "std", "scalar", "back"]]
    shown["column"] = explained["label"]
    numbers = {name: st.column_config.NumberColumn(text, format=form) for name, text, form in NUMBERS}
    words = {
        "column": st.column_config.TextColumn("Column"),
        "component": st.column_config.TextColumn("One", help="Which category or component holds the one."),
    }
    table_view.table(shown, extra=words | numbers, height=420)
    st.caption(
        "Value = mean + 4 × standard deviation × scalar, where the column is a number; else the category itself."
    )


@st.fragment
def controls() -> None:
    """Show settings and the button; a change of one does not draw the result anew."""
    parent = shell.choose_job(
        "Augmented table",
        key="features_from",
        fits=lambda job: shell.has(job, "augment"),
        none="Make one first, with the settings of the Augment page",
    )
    good = forms.form("features")
    base, through = (parent, "augment") if parent else (shell.chosen_training_set(), "curate")
    frame.starter("Make features", "featurize", key="featurized", good=good, base=base, through=through)


shell.begin("features")
controls()
st.header("Result")
job = shell.choose_job("Job", key="featurized", fits=lambda job: "featurize" in planned(job))
if job is None:
    st.info("There are no features yet: press the button, or run the demonstration on the first page.")
else:
    live(job)
    if shell.has(job, "featurize"):
        result(job)
shell.end("features")
