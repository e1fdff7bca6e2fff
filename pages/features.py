"""Features: how each column of the table becomes numbers."""

import streamlit as st

from legocryst.jobs import Job
from legocryst.quantities import header
from legocryst.ui import figures, forms, shell, show, tables
from legocryst.ui.live import live, planned


def result(job: Job) -> None:
    shell.catch_up(job)
    store = shell.store()
    features = store.query("SELECT * FROM features WHERE job = ?", [job.id])
    if features.empty:
        st.info("This job has no features yet.")
        return
    rows = int(store.query("SELECT count(*) AS n FROM augmented WHERE job = ?", [job.id])["n"].iloc[0])
    before, after, table = st.columns(3)
    before.metric("Columns before", len(features))
    after.metric("Numbers after", int(features["width"].sum()))
    table.metric("Rows", f"{rows:,}")
    names = features["column"].tolist()
    chosen = st.selectbox("Column", names, min(1, len(names) - 1), header)
    feature = features[features["column"] == chosen].iloc[0]
    if feature["encoding"] == "discrete":
        figure = figures.categories(feature["components"], x=chosen)
        caption = f"{feature['width']} categories, one number for each."
    else:
        used = f"job = ? AND wp{chosen[1:]} >= 0" if chosen[1:].isdigit() else "job = ?"
        bins = tables.histogram(store, "augmented", chosen, where=used, parameters=[job.id], bins=80)
        figure = figures.mixture(bins, feature["components"], x=chosen)
        caption = (
            f"Rows, and the Gaussian mixture fitted to them; the column becomes {feature['width']} numbers: one for "
            f"each component and the place in it. {feature['clipped']} values lie outside all components."
        )
    figures.show(figure, caption=caption, key="feature")
    with st.expander("All columns"):
        show.table(features[["column", "encoding", "width", "clipped"]], height=300)


shell.begin("features")
parent = shell.choose_job(
    "Augmented table",
    key="features_from",
    fits=lambda job: shell.has(job, "augment"),
    none="Make one first, with the settings of the Augment page",
)
good = forms.form("features")
if st.button("Make features", type="primary", disabled=not good, help=shell.CORES):
    base, through = (parent, "augment") if parent else (shell.chosen_training_set(), "curate")
    started = shell.start("featurize", forms.run_settings(), parent=base, through=through)
    if started:
        shell.choose("featurized", started)
        st.rerun()
st.subheader("Result")
job = shell.choose_job("Job", key="featurized", fits=lambda job: "featurize" in planned(job))
if job is None:
    st.info("There are no features yet: press the button, or run the demonstration on the first page.")
else:
    live(job)
    if shell.has(job, "featurize"):
        result(job)
shell.end("features")
