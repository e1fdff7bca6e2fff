"""Generate: rows are drawn, relaxed and judged."""

import streamlit as st

from legocryst.database import queries
from legocryst.jobs.record import Job
from legocryst.ui.runs import learned_energies, new_training_set, rates
from legocryst.ui.shell import forms, frame, shell
from legocryst.ui.shell.live import live, planned, speed
from legocryst.ui.widgets import figures


def draw(job: Job) -> None:
    """Show the funnel and the losses as the database has them now."""
    shell.catch_up(job)
    store = shell.store()
    counts = store.counts(job.id)
    if not counts["sampled"]:
        return
    if rate := speed(job):
        st.write(f"{rate:.1f} rows a second relaxed and judged on {job.place}.")
    rates.section(store, job)
    left, right = st.columns(2)
    with left:
        caption = "What became of the rows; duplicates are counted over the whole workspace."
        figures.show(figures.funnel(counts), caption=caption, key="funnel")
        lost = counts["invalid"] | ({"undecodable": counts["undecodable"]} if counts["undecodable"] else {})
        if lost:
            caption = f"Why {sum(lost.values()):,} rows are no valid crystals."
            figures.show(figures.ranked(lost, x="Rows"), caption=caption, key="reasons")
    with right:
        losses = queries.losses(store, job.id)
        if len(losses):
            caption = "Distance to the wanted environment before and after relaxation, of all decodable rows."
            figures.show(figures.before_after(losses), caption=caption, key="losses")
        if counts["new"]:
            figure = figures.ranked(counts["new_by_kind"], x="New crystals")
            figures.show(figure, caption="What the new crystals are.", key="kinds")
    learned_energies.section(store, job)


@st.fragment
def controls() -> None:
    """Show settings and the button; a change of one does not draw the result anew."""
    model, good = form()
    base, through = (model, "train") if model else (shell.chosen_training_set(), "curate")
    frame.starter("Generate", "run", key="generated", good=good, base=base, through=through)


def form() -> tuple[Job | None, bool]:
    """Return the job whose model is taken, if one is chosen, and whether the settings make sense."""
    model = shell.choose_job(
        "Trained model",
        key="model_from",
        fits=lambda job: shell.has(job, "train"),
        none="Train a new one: all stages in this run",
    )
    good = True
    if model is None:
        left, right = st.columns([1, 2])
        with left:
            forms.preset_choice()
        with right:
            good = forms.form("train", only=("model",))
        if own := shell.chosen_training_set():
            goal = own.record["settings"]["curate"]["target"]
            st.caption(f"It learns from the training set of {shell.name_of(own)}, made for the target {goal}.")
        else:
            good = forms.form("curate", only=("target",), options={"target": shell.target_names()}) and good
    else:
        st.caption(f"Its crystals are made for the target {model.record['settings']['curate']['target']}.")
    good = forms.form("sample") and good
    for name, label in (
        ("goal", "A goal instead of a number"),
        ("relax", "Relaxation"),
        ("rank", "Energies"),
        *forms.further().items(),
    ):
        with st.expander(label):
            good = forms.form(name) and good
    forms.seed()
    return model, good


shell.begin("generate")
controls()
st.header("Result")
job = shell.choose_job("Job", key="generated", fits=lambda job: "relax" in planned(job))
if job is None:
    st.info("Nothing has been generated yet: press the button, or run the demonstration on the first page.")
else:
    live(job, draw)
    if job.state == "finished":
        new_training_set.section(shell.store(), job)
shell.end("generate")
