"""Train: fit a model and watch its losses and its share of valid samples."""

import streamlit as st

from legocryst.jobs import Job
from legocryst.ui import figures, forms, shell
from legocryst.ui.live import live


def curves(job: Job) -> None:
    """Losses of each epoch so far."""
    import pandas as pd

    steps = [step for step in job.progress() if step["stage"] == "train" and "epoch" in step]
    skip = ("time", "attempt", "stage", "cpu_seconds", "epoch", "epochs", "seconds_left", "complete", "done", "total")
    rows = [
        {"epoch": step["epoch"], "quantity": name, "value": value}
        for step in steps
        for name, value in step.items()
        if name not in skip and isinstance(value, int | float) and not isinstance(value, bool)
    ]
    if not rows:
        return
    table = pd.DataFrame(rows)
    losses = [name for name in table["quantity"].unique() if name != "valid"]
    caption = "Losses of each epoch on training rows and on rows kept apart."
    figures.show(figures.curves(table, losses, y="Loss"), caption=caption, key=f"losses.{job.id}")
    if "valid" in set(table["quantity"]):
        caption = "Share of fresh samples that are strictly valid after a short relaxation."
        figures.show(figures.curves(table, ["valid"], y="Share", percent=True), caption=caption, key=f"valid.{job.id}")


shell.begin("train")
fine = forms.form("train")
forms.seed()
if st.button("Train", type="primary", disabled=not fine, help="Runs on one core less than this computer has."):
    started = shell.start("train", forms.run_settings())
    if started:
        shell.choose("train.job", started)
        st.rerun()
job = shell.choose_job("Training", key="train.job", fits=lambda job: job.command in ("train", "run"))
if job is None:
    st.info("No training yet: press Train.")
else:
    live(job, curves)
shell.end("train")
