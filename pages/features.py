"""Features: how each column of the table becomes numbers."""

import streamlit as st

from legocryst.quantities import header
from legocryst.ui import figures, forms, shell, tables
from legocryst.ui.live import live

shell.begin("features")
fine = forms.form("features")
if st.button("Make features", type="primary", disabled=not fine, help="One core less than this computer has."):
    started = shell.start("featurize", forms.run_settings())
    if started:
        shell.choose("features.job", started)
        st.rerun()
job = shell.choose_job("Table", key="features.job", fits=lambda job: job.command not in ("curate", "augment"))
if job is None:
    st.info("No features yet: press Make features.")
else:
    live(job)
    store = shell.store()
    columns = store.query("SELECT * FROM features WHERE job = ?", [job.id])
    if len(columns):
        st.write(f"{len(columns)} columns of the table became {int(columns['width'].sum())} numbers a row.")
        names = columns["column"].tolist()
        name = st.selectbox("Column", names, index=min(1, len(names) - 1), format_func=header)
        chosen = columns[columns["column"] == name].iloc[0]
        if chosen["encoding"] == "discrete":
            caption = f"Share of each value of {header(name)}."
            figures.show(figures.categories(chosen["components"], x=header(name)), caption=caption)
        else:
            bins = tables.histogram(store, "augmented", name, where="job = ?", parameters=[job.id])
            caption = f"{header(name)} of all rows, with the Gaussians fitted to it."
            figures.show(figures.mixture(bins, chosen["components"], x=header(name)), caption=caption)
        st.dataframe(columns.drop(columns=["job", "components"]).rename(columns=header), hide_index=True)
shell.end("features")
