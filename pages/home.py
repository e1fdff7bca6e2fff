"""Home: what this is, where the workspace stands, what to do next, the demonstration and the presets."""

import pandas as pd
import streamlit as st

from legocryst.jobs.record import Job, jobs
from legocryst.settings import PRESETS, preset
from legocryst.ui.shell import forms, frame, shell
from legocryst.ui.shell.live import live
from legocryst.ui.shell.words import term
from legocryst.ui.widgets import figures

# what each stage has left in the workspace, in their order
HOLDINGS = {
    "data": ("Own sets", "SELECT count(DISTINCT job) AS n FROM jobs WHERE command = 'curate'"),
    "augment": ("Rows", "SELECT count(*) AS n FROM augmented"),
    "features": ("Feature sets", "SELECT count(DISTINCT job) AS n FROM features"),
    "train": ("Models", "SELECT count(DISTINCT job) AS n FROM training"),
    "generate": ("Samples", "SELECT count(*) AS n FROM crystals"),
    "database": ("New crystals", "SELECT count(*) AS n FROM candidates WHERE class = 'new'"),
}
DEMO = "smoke"
PURPOSE = {
    "quick": "a first look at new crystals",
    "standard": "a good model and some thousand candidates",
    "thorough": "as many new crystals as one computer finds",
}


def holdings() -> dict[str, int]:
    """Return a number for each stage, with the link to its page."""
    store = shell.store()
    counts = {page: int(store.query(sql)["n"].iloc[0]) for page, (_, sql) in HOLDINGS.items()}
    columns = st.columns(len(HOLDINGS))
    for k, (column, (page, (label, _))) in enumerate(zip(columns, HOLDINGS.items(), strict=True)):
        with column.container(border=True, height="stretch"):
            st.metric(label, f"{counts[page]:,}")
            shell.link(page, f"{k + 1}. {shell.PAGES[page].title}")
    return counts


def advice(counts: dict[str, int], listed: list[Job]) -> tuple[str, str, str]:
    """Return what to do next: a sentence, and page and words of a link, which may be missing."""
    running = [job for job in listed if job.state in ("running", "queued")]
    ended = next((job for job in listed if job.state in ("failed", "lost", "stopped")), None)
    if running:
        return f"{len(running)} running: you may watch, or close this page and come back.", "jobs", "Watch it"
    if ended is not None and listed[0].id == ended.id:
        return "The last job did not finish. Look why; it can be resumed where it was.", "jobs", "Look at it"
    if not listed:
        return "Run the demonstration: it does every stage once, and tells how fast this computer is.", "", ""
    if counts["database"]:
        return "Look at the new crystals, or start a larger run for more of them.", "database", "See the new crystals"
    if counts["generate"]:
        return "No row became a new crystal yet: train longer or draw more rows.", "generate", "Generate more"
    if counts["train"]:
        return "A model is trained: draw rows from it.", "generate", "Generate"
    if counts["augment"]:
        return "The table is ready: train a model on it.", "train", "Train"
    return "Your training set is ready: write it in subgroups.", "augment", "Augment"


def demonstration(busy: bool) -> None:
    st.header("Demonstration", anchor=False)
    st.write("Every stage once, in small: from known crystals to new ones in the database. Nothing has to be set.")
    if st.button("Run the demonstration", type="primary", disabled=busy, help=shell.CORES):
        started("run", DEMO)
    done = any(job.state == "finished" for job in jobs(shell.workspace()))
    st.caption(frame.time_of(preset(DEMO), "run") if done else "Less than two minutes.")


def presets(busy: bool) -> None:
    st.header("A real run", anchor=False)
    names = [name for name in PRESETS if name != DEMO]
    chosen = st.segmented_control("Preset", names, default=names[0], key="run_preset", format_func=str.capitalize)
    settings = preset(chosen or names[0])
    st.write(
        f"For {PURPOSE[chosen or names[0]]}: up to {settings.augment.rows:,} rows to learn from, "
        f"{settings.sample.samples:,} rows drawn, at most {settings.rank.max_energies:,} energies."
    )
    if st.button("Start this run", disabled=busy, help=f"{shell.CORES} To change settings, use the page Generate."):
        started("run", chosen or names[0])
    if not busy:
        st.caption(frame.time_of(settings, "run"))


def started(command: str, name: str) -> None:
    job = shell.start(command, forms.with_target(preset(name), forms.target()))
    if job:
        st.session_state["demonstration"] = job.id
        st.rerun()


def watched(listed: list[Job]) -> None:
    """Show the job that was started here, else the one that runs."""
    shown = next((job for job in listed if job.id == st.session_state.get("demonstration")), None)
    shown = shown or next((job for job in listed if job.state == "running"), None)
    if shown is None:
        return
    st.session_state["demonstration"] = shown.id  # it stays here when it ends, however it does
    st.header("The run", anchor=False)
    live(shown)
    if shown.state == "finished" and "new" in shown.summary:
        counts = shown.summary
        st.write(f"Of {counts['sampled']:,} sampled rows, {counts['new']:,} are new crystals.")
        left, right = st.columns([3, 2])
        with left:
            steps = figures.funnel_steps(counts)
            alt = "Rows left after each step: " + ", ".join(f"{name} {number}" for name, number in steps.items())
            figures.show(figures.funnel(counts), caption="What became of the sampled rows of this run.", alt=alt)
        with right:
            show_counts(steps)
            shell.link("database", "See them in the database")
            shell.link("jobs", "How it was made, in words to cite")


def show_counts(steps: dict[str, int]) -> None:
    st.table(pd.DataFrame({"Step": list(steps), "Rows": [f"{n:,}" for n in steps.values()]}).set_index("Step"))


shell.begin("home")
st.write(
    f"LEGO-Cryst generates crystals in which every atom has a wanted {term('environment', 'local environment')}. Known "
    f"crystals go in, a {term('model', 'generative model')} learns them, what it makes is "
    f"{term('relaxation', 'relaxed')} until every atom fits, and {term('new', 'new')}, checked crystals stand in "
    "a database that you browse in 3D. Two environments come with it: carbon with three bonds at each atom, as in "
    "graphite, and with four, as in diamond."
)
all_jobs = jobs(shell.workspace())
busy = any(job.state in ("running", "queued") for job in all_jobs)
counts = holdings()
sentence, page, words = advice(counts, all_jobs)
with st.container(horizontal=True, vertical_alignment="center"):
    st.markdown(f"**What to do next:** {sentence}", width="content")
    if page:
        shell.link(page, words)
forms.form("curate", only=("target",), options={"target": shell.target_names()})
if busy:  # what one waits for stands above what one cannot start
    watched(all_jobs)
left, right = st.columns(2, gap="large")
with left:
    demonstration(busy)
with right:
    presets(busy)
if not busy:
    watched(all_jobs)
st.caption(f"Workspace: {shell.workspace()}")
