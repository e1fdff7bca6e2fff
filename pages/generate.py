"""Generate: draw rows from a model, relax them, and watch what becomes of them."""

import streamlit as st

from legocryst.ui import figures, forms, shell, tables
from legocryst.ui.live import live

shell.begin("generate")
forms.preset_choice()
fine = forms.form("sample")
fine = forms.form("relax") and fine
fine = forms.form("rank") and fine
forms.seed()
model = shell.choose_job(
    "Model", key="generate.model", fits=lambda job: shell.has(job, "train"), none="train a new one"
)
if st.button("Generate", type="primary", disabled=not fine, help="Runs on one core less than this computer has."):
    started = shell.start("run", forms.run_settings(), parent=model)
    if started:
        shell.choose("generate.run", started)
        st.rerun()
run = shell.choose_job("Run", key="generate.run", fits=lambda job: job.command == "run")
if run is None:
    st.info("No run yet: press Generate.")
else:
    live(run)
    store = shell.store()
    counts = store.counts(run.id)
    if counts["sampled"]:
        figures.show(figures.funnel(counts), caption="What became of the sampled rows of this run.")
        lost = {**counts["invalid"], **({"undecodable": counts["undecodable"]} if counts["undecodable"] else {})}
        st.write("Lost rows by reason: " + ", ".join(f"{reason} {n}" for reason, n in lost.items()) + ".")
        bins = tables.losses(store, run.id)
        if len(bins):
            caption = "Descriptor loss per atom of the decodable rows before and after relaxation."
            figures.show(figures.before_after(bins), caption=caption)
shell.end("generate")
