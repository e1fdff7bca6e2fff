"""Jobs: everything that runs or ran."""

import json

import pandas as pd
import streamlit as st

from legocryst.jobs import Job, jobs
from legocryst.ui import shell
from legocryst.ui.live import live, planned

MOST = 200
WORDS = {
    "queued": "queued: its process has not begun",
    "running": "running",
    "finished": "finished",
    "stopped": "stopped: it can be resumed",
    "failed": "failed",
    "lost": "lost: its process ended without a word; it can be resumed",
}


def listed(found: list[Job]) -> pd.DataFrame:
    rows = []
    for job in found[:MOST]:
        try:
            state, record, step = job.state, job.record, job.latest()
        except FileNotFoundError:  # deleted meanwhile
            continue
        total = step.get("total", step.get("epochs"))
        done = f" ({step.get('done', step.get('epoch'))} of {total})" if total else ""
        rows.append(
            {
                "Started (UTC)": record["started"][:19].replace("T", " "),
                "What": {"run": "whole run"}.get(record["command"], record["command"]),
                "Model": record["settings"]["train"]["model"],
                "State": WORDS[state],
                "At": f"{step['stage']}{done}" if step and state != "finished" else "",
                "New crystals": job.summary.get("new"),
                "Cores": record["threads"],
                "Job": job.id,
            }
        )
    return pd.DataFrame(rows)


@st.fragment(run_every=2.0)
def overview() -> None:
    found = jobs(shell.workspace())
    if len(found) > MOST:
        st.caption(f"The newest {MOST} of {len(found)} jobs.")
    st.dataframe(listed(found), hide_index=True)


def remove(job: Job) -> None:
    with st.popover("Delete", disabled=job.state == "running"):
        st.write("Its folder goes, and all its crystals leave the database.")
        if st.button("Delete for good"):
            try:
                job.delete()
            except ValueError as error:
                st.error(shell.sentence(error))
                return
            shell.store().ingest()
            st.rerun()


def details(job: Job) -> None:
    live(job)
    remove(job)
    record = job.record
    log = job.log_tail(60)
    with st.expander("What it printed", expanded=job.state in ("failed", "lost") and bool(log)):
        st.code(log or "Nothing.", language=None)
    with st.expander("Settings, versions and summary"):
        st.json({name: record[name] for name in ("settings", "seeds", "parent", "version", "versions")}, expanded=1)
        st.json(json.loads(json.dumps(job.summary, default=str)))
    st.caption(f"Stages: {', '.join(planned(job))}. Folder: {job.folder}")


shell.begin("jobs")
st.write(
    "Each job is a process of its own, which goes on when this page is closed. A job that was stopped, failed or lost "
    "goes on where it was when it is resumed; nothing finished is done again."
)
if not jobs(shell.workspace()):
    st.info("There are no jobs yet: run the demonstration on the first page.")
    shell.link("home", "To the first page")
    st.stop()
overview()
job = shell.choose_job("Job", key="shown_job", fits=lambda job: True)
if job is not None:
    details(job)
