"""Augment: each crystal written again in subgroups, and what that does to the table."""

import pandas as pd
import streamlit as st

from legocryst.ui import figures, forms, shell, tables
from legocryst.ui.live import live

shell.begin("augment")
fine = forms.form("augment")
forms.seed()
if st.button("Augment", type="primary", disabled=not fine, help="Runs on one core less than this computer has."):
    started = shell.start("augment", forms.run_settings())
    if started:
        shell.choose("augment.job", started)
        st.rerun()
job = shell.choose_job("Table", key="augment.job", fits=lambda job: job.command != "curate")
if job is None:
    st.info("No table yet: press Augment.")
else:
    live(job)
    store = shell.store()
    parts = []
    for table, label in (("seeds", "Training set"), ("augmented", "Augmented")):
        rows = tables.positions(store, table, job.id)
        if len(rows):
            frame = pd.DataFrame({"Sites": tables.site_count(rows), "Free variables": tables.free_variables(rows)})
            parts.append(frame.assign(Table=label, Group=rows["spg"]))
    if len(parts) == 2:
        both = pd.concat(parts)
        st.write(
            f"{len(parts[0])} crystals in {parts[0]['Group'].nunique()} space groups became {len(parts[1])} rows in "
            f"{parts[1]['Group'].nunique()}."
        )
        for name in ("Sites", "Free variables"):
            counted = both.groupby(["Table", name], sort=False).size().reset_index(name="n")
            caption = f"{name} of a row, before and after augmentation."
            figures.show(figures.bars(counted, x=name, by="Table"), caption=caption)
shell.end("augment")
