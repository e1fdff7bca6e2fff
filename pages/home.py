"""Home: what this is, what the workspace holds, and the demonstration."""

import streamlit as st

from legocryst.jobs import jobs
from legocryst.settings import preset
from legocryst.ui import figures, shell
from legocryst.ui.live import live

HOLDINGS = {
    "Training crystals": ("data", "SELECT count(DISTINCT net_key) AS n FROM seeds"),
    "Augmented rows": ("augment", "SELECT count(*) AS n FROM augmented"),
    "Featurised columns": ("features", "SELECT count(*) AS n FROM features"),
    "Trained models": ("train", "SELECT count(DISTINCT job) AS n FROM training"),
    "Sampled rows": ("generate", "SELECT count(*) AS n FROM crystals"),
    "New crystals": ("database", "SELECT count(*) AS n FROM candidates WHERE class = 'new'"),
}


def holdings() -> None:
    store = shell.store()
    columns = st.columns(len(HOLDINGS))
    for column, (label, (page, sql)) in zip(columns, HOLDINGS.items(), strict=True):
        with column:
            st.metric(label, f"{int(store.query(sql)['n'].iloc[0]):,}")
            shell.link(page)


def demonstration() -> None:
    st.subheader("Demonstration")
    st.write(
        "One button does every stage once with the smallest settings, on one core less than this computer has: from "
        "the training set to new crystals in the database, in about half a minute."
    )
    busy = any(job.state == "running" for job in jobs(shell.workspace()))
    if st.button("Run the demonstration", type="primary", disabled=busy):
        job = shell.start("run", preset("smoke"))
        if job:
            st.session_state["demonstration"] = job.id
            st.rerun()
    found = jobs(shell.workspace())
    shown = next((job for job in found if job.id == st.session_state.get("demonstration")), None)
    shown = shown or next((job for job in found if job.state == "running"), None)
    if shown is None:
        return
    live(shown)
    if shown.state == "finished" and "new" in shown.summary:
        counts = shown.summary
        st.write(f"Of {counts['sampled']} sampled rows, {counts['new']} are new crystals.")
        caption = "What became of the sampled rows of this run, one core less than the computer has."
        figures.show(figures.funnel(counts), caption=caption)
        shell.link("database", "See them in the database")


shell.begin("home")
st.write(
    "LEGO-Cryst generates crystals in which every atom has a wanted local environment. Known crystals go in, a "
    "generative model learns them, what it samples is relaxed until every atom fits, and new, validated crystals "
    "stand in a database that you browse in 3D. The first target is carbon with three bonds at each atom, as in "
    "graphite."
)
st.subheader("What this workspace holds")
holdings()
demonstration()
st.caption(f"Workspace: {shell.workspace()}")
