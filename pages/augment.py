"""Augment: the training set written again in subgroups."""

import numpy as np
import pandas as pd
import streamlit as st

from legocryst.jobs import Job
from legocryst.ui import figures, forms, shell, tables
from legocryst.ui.live import live, planned

BEFORE, AFTER = "Training set", "Augmented table"


def both(known: np.ndarray, rows: np.ndarray, name: str) -> pd.DataFrame:
    """Counts of the values before and after."""
    before, after = (tables.counted(pd.Series(values), name) for values in (known, rows))
    return pd.concat([before.assign(set=BEFORE), after.assign(set=AFTER)], ignore_index=True)


def result(job: Job) -> None:
    shell.catch_up(job)
    store = shell.store()
    known, rows = (tables.positions(store, table, job.id) for table in ("seeds", "augmented"))
    if rows.empty:
        st.info("This job has no augmented table yet.")
        return
    st.write(
        f"{len(known)} crystals in {known['spg'].nunique()} space groups became {len(rows):,} rows in "
        f"{rows['spg'].nunique()}, {len(rows) / len(known):.0f} for each crystal on average."
    )
    left, right = st.columns(2)
    with left:
        part = both(known["spg"].to_numpy(), rows["spg"].to_numpy(), "spg")
        figure = figures.bars(part, x="spg", by="set", percent=True)
        figures.show(figure, caption="Space groups of the crystals and of the rows.", key="groups")
        part = both(tables.site_count(known), tables.site_count(rows), "sites")
        caption = "Wyckoff sites: a crystal written in a subgroup has as many or more."
        figures.show(figures.bars(part, x="sites", by="set", percent=True), caption=caption, key="sites")
    with right:
        part = both(tables.free_variables(known), tables.free_variables(rows), "free")
        figure = figures.bars(part, x="free", by="set", percent=True).update_xaxes(title="Degrees of freedom")
        caption = "Degrees of freedom: free lengths and angles of the cell and free coordinates of the sites."
        figures.show(figure, caption=caption, key="free")
        made = store.query("SELECT count(*) AS n FROM augmented WHERE job = ? GROUP BY label", [job.id])
        part = tables.counted(made["n"], "rows")
        figures.show(figures.bars(part, x="rows", y="Crystals"), caption="Rows made from one crystal.", key="rows")


shell.begin("augment")
parent = shell.training_set()
good = forms.form("augment")
forms.seed()
if st.button("Augment", type="primary", disabled=not good, help=shell.CORES):
    started = shell.start("augment", forms.run_settings(), parent=parent, through="curate")
    if started:
        shell.choose("augmented", started)
        st.rerun()
st.subheader("Result")
job = shell.choose_job("Job", key="augmented", fits=lambda job: "augment" in planned(job))
if job is None:
    st.info("Nothing has been augmented yet: press the button, or run the demonstration on the first page.")
else:
    live(job)
    if shell.has(job, "augment"):
        result(job)
shell.end("augment")
