"""Train: a generative model learns the table."""

import pandas as pd
import streamlit as st

from legocryst.infra.files import read_json
from legocryst.jobs.record import Job, jobs
from legocryst.settings import RunSettings, TrainSettings
from legocryst.stages.catalogue import stages_of
from legocryst.stages.train import QUALITY
from legocryst.ui.shell import forms, frame, shell
from legocryst.ui.shell.live import live, planned, steps, training_curve
from legocryst.ui.widgets import figures, table_view
from legocryst.vocabulary.quantities import QUANTITIES, header
from legocryst.vocabulary.registry import GENERATORS

SHARES = ("decodable", "valid", "distinct", "new")


def draw(job: Job) -> None:
    """Show the curves as they are now."""
    curve = training_curve(job)
    if curve.empty:
        return
    names = sorted(set(curve["quantity"]) - {*SHARES, "loss", "held_out"})
    losses, shares = st.columns(2)
    with losses:
        figure = figures.curves(curve, ["loss", "held_out", *names], y="Loss")
        caption = "Losses on the rows it learns from, and on rows held out, which tell whether it learns by heart."
        figures.show(figure, caption=caption, key="losses")
    with shares:
        if curve["quantity"].isin(SHARES).any():
            figure = figures.curves(curve, SHARES, y="Share (%)", percent=True)
            caption = (
                "Fresh samples that are crystals at all (decodable), those that are valid after a short relaxation, "
                "their distinct nets, and the new ones among these. Each point is of few samples, so "
                "that it moves by some percent by chance."
            )
            figures.show(figure, caption=caption, key="shares")
        else:
            st.caption("No fresh samples were checked yet.")


def compared() -> None:
    """Show curves of several trainings in one figure, and what they ended with."""
    trained = {job.id: job for job in jobs(shell.workspace()) if "train" in planned(job) and _known(job)}
    curves = {name: curve for name, job in trained.items() if len(curve := training_curve(job))}
    if len(curves) < 2:
        return
    st.header("Compare trainings")
    words, few = shell.labels(trained.values()), shell.labels(trained.values(), shell.training_of)
    chosen = st.multiselect("Trainings", list(curves), list(curves)[:2], format_func=words.__getitem__, key="compared")
    if not chosen:
        return
    quantities = [
        name for name in ("new", "valid", "held_out") if any(name in set(curves[k]["quantity"]) for k in chosen)
    ]
    columns = st.columns(len(quantities)) if quantities else []  # none of them was checked yet
    for place, quantity in zip(columns, quantities, strict=True):
        share = quantity in SHARES
        lines = {few[k]: curves[k][curves[k]["quantity"] == quantity] for k in chosen}
        with place:
            label = QUANTITIES[quantity].label
            figure = figures.curves_of(lines, y=f"{label} (%)" if share else label, percent=share)
            figure.update_layout(legend={"orientation": "v", "y": -0.3, "yanchor": "top"}, height=380)
            figures.show(figure, caption=QUANTITIES[quantity].help, key=f"compared.{quantity}")
    table_view.table(pd.DataFrame([{"Training": few[name]} | ended(trained[name], curves[name]) for name in chosen]))


def _known(job: Job) -> bool:
    """Say whether the generator of a job is one that is there now."""
    return job.model in GENERATORS.names()


def ended(job: Job, curve: pd.DataFrame) -> dict[str, object]:
    """Return what a training ended with."""
    shares = curve[curve["quantity"] == "new"]["value"]
    settings = TrainSettings.model_construct(**job.record["settings"]["train"])  # of an older version, perhaps
    kept = shares.iloc[-1:].max() if settings.spec.settles else shares.max()
    seconds = steps(job).get("train", {}).get("cpu_seconds", 0.0)
    return {
        "Epochs": int(curve["epoch"].max()),
        "Share new (%)": f"{100 * kept:.1f}" if len(shares) else "not checked",
        "CPU-s": round(seconds),
        "Learning rate": settings.rate,
        "Rows in a step": settings.batch,
    }


def likeness(job: Job) -> None:
    """Show how well samples match the table, where that was measured."""
    scores = read_json(job.folder / QUALITY)
    if not scores:
        return
    st.header("Likeness to the table")
    st.write(
        f"Fresh samples score {scores['overall']:.2f} of 1 in sdv's quality report: {scores['column_shapes']:.2f} for "
        f"the distribution of each column, {scores['column_pairs']:.2f} for pairs of columns. A high score says that "
        "samples look like the table, not that they are valid crystals."
    )
    columns = {name.removeprefix("column:"): score for name, score in scores.items() if name.startswith("column:")}
    with st.expander("Each column"):
        rows = {"Column": [header(name) for name in columns], "Likeness (0 to 1)": list(columns.values())}
        table_view.table(pd.DataFrame(rows))


def start(job: Job | None, stages: tuple[str, ...]) -> tuple[Job | None, str]:
    """Return the job whose results are taken over, and up to which stage, where the `stages` are to be done."""
    if job is None or "augment" not in stages:
        return shell.chosen_training_set(), "curate"
    return job, "featurize" if "featurize" in stages and shell.has(job, "featurize") else "augment"


@st.fragment
def controls() -> None:
    """Show settings and the button; a change of one does not draw the result anew."""
    table = shell.choose_job(
        "Augmented table",
        key="train_from",
        fits=lambda job: shell.has(job, "augment"),
        none="Make it first, with the settings of the pages Augment and Features",
    )
    good = forms.form("train")
    forms.seed()
    settings = forms.run_settings() if good else RunSettings()
    parent, through = start(table, stages_of(settings))
    frame.starter("Train", "train", key="trained", good=good, base=parent, through=through)


shell.begin("train")
controls()
st.header("Result")
job = shell.choose_job("Job", key="trained", fits=lambda job: "train" in planned(job))
if job is None:
    st.info("Nothing has been trained yet: press the button, or run the demonstration on the first page.")
else:
    live(job, draw)
    likeness(job)
    spec = GENERATORS.get(job.model)
    if spec is not None and not spec.learns:
        st.write("This generator learns limits only, so that there are no curves.")
compared()
shell.end("train")
