"""Jobs: everything that runs or ran: how it stands, its methods, compared, repeated, deleted."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from legocryst.jobs import compare
from legocryst.jobs.record import Job, jobs
from legocryst.ui.runs import past_jobs
from legocryst.ui.shell import shell
from legocryst.ui.shell.live import live, planned
from legocryst.ui.shell.words import term
from legocryst.ui.widgets import table_view

MOST = 200
WORDS = {
    "queued": "queued: its process has not begun",
    "running": "running",
    "finished": "finished",
    "stopped": "stopped: it can be resumed",
    "failed": "failed",
    "lost": "lost: its process ended without a note on how; it can be resumed",
}


def listed(all_jobs: list[Job]) -> pd.DataFrame:
    rows = []
    for job in all_jobs[:MOST]:
        try:
            state, record, step = job.state, job.record, job.latest()
        except FileNotFoundError:  # deleted meanwhile
            continue
        total = step.get("total", step.get("epochs"))
        done = f" ({step.get('done', step.get('epoch'))} of {total})" if total else ""
        rows.append(
            {
                "Started (UTC)": record["started"][:19].replace("T", " "),
                "What": shell.what(record["command"]),
                "Model": job.model if record["command"] in shell.LEARNING else "",
                "State": WORDS[state],
                "Stage": f"{step['stage']}{done}" if step and state != "finished" else "",
                "New crystals": job.summary.get("new"),
                "Cores": record["threads"],
                "Cluster": record.get("cluster", ""),
                "On disk": compare.spoken(past_jobs.size(job)),
                "Job": job.id,
            }
        )
    table = pd.DataFrame(rows)
    return table if rows and table["Cluster"].any() else table.drop(columns="Cluster", errors="ignore")


@st.fragment(run_every=2.0)
def overview() -> None:
    all_jobs = jobs(shell.workspace())
    if len(all_jobs) > MOST:
        st.caption(f"The newest {MOST} of {len(all_jobs)} jobs.")
    st.dataframe(listed(all_jobs), hide_index=True, placeholder=table_view.ABSENT)


def record(job: Job) -> None:
    """Show all settings, versions and counts, and what the job printed."""
    content = job.record
    named = {name: content[name] for name in ("settings", "seeds", "parent", "version", "versions")}
    shell.record(named | {"cluster": job.cluster})
    if job.summary:
        shell.record(job.summary)
    st.caption(f"Stages: {', '.join(planned(job))}. Folder: {job.folder}")


def details(job: Job) -> None:
    """Show what is known of a job, and what can be done with it; only the open tab costs anything."""
    views: dict[str, Callable[[], None]] = {
        "State": lambda: state(job),
        "Methods": lambda: past_jobs.paragraph(job),
        "Compare": lambda: past_jobs.compared(job),
        "Repeat with changes": lambda: past_jobs.repeated(job),
        "Record": lambda: record(job),
        "Delete": lambda: past_jobs.remove(job),
    }
    shell.tabs(views, key="job_view")


def state(job: Job) -> None:
    """Show progress, and what the job printed."""
    live(job)
    if job.state == "finished" and "new" in job.summary:
        counts = job.summary
        st.write(
            f"Of {counts['sampled']:,} sampled rows, {counts['new']:,} are new crystals of this job. The database "
            "counts those that an earlier job had found as duplicates."
        )
        shell.link("database", "See them in the database", query={"job": job.id})
    log = job.log_tail(60)
    with st.expander("What it printed", expanded=job.state in ("failed", "lost") and bool(log)):
        st.code(log or "Nothing.", language=None)


shell.begin("jobs")
st.write(
    f"Each {term('job', 'job')} is a process of its own, which goes on when this page is closed. A job that was "
    "stopped, failed or lost goes on where it was when it is resumed; nothing finished is done again."
)
all_jobs = jobs(shell.workspace())
if not all_jobs:
    st.info("There are no jobs yet: run the demonstration on the first page.")
    shell.link("home", "To the first page")
    st.stop()
overview()
st.caption(past_jobs.disk(all_jobs))
if (in_address := st.query_params.get("job", "")) and st.session_state.get("asked_job") != in_address:
    st.session_state["asked_job"] = in_address
    if linked := next((job for job in all_jobs if job.id == in_address), None):
        shell.choose("shown_job", linked)
    else:
        st.warning(f"There is no job {in_address} in this workspace: it was deleted, or the address is wrong.")
job = shell.choose_job("Open a job", key="shown_job", fits=lambda job: True)
if job is not None:
    st.query_params["job"] = st.session_state["asked_job"] = job.id
    details(job)
