"""A job on the page while it runs: where each stage stands, in words and bars, each second anew."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from legocryst.jobs.create import resume
from legocryst.jobs.estimates import spoken
from legocryst.jobs.record import Job
from legocryst.stages.catalogue import RUN, title
from legocryst.ui.shell.shell import sentence

if TYPE_CHECKING:
    import pandas as pd

SECONDS = 1.0
_NOT_MEASURED = ("time", "attempt", "stage", "cpu_seconds", "epoch", "epochs", "seconds_left")


def live(job: Job, draw: Callable[[Job], None] | None = None) -> None:
    """Show progress of a job, with `draw(job)` below it; anew each second while it runs, then the whole page once."""
    running = job.state in ("running", "queued")

    @st.fragment(run_every=SECONDS if running else None)
    def part() -> None:
        if not job.folder.exists():
            st.info("This job was deleted.")
            return
        if running and job.state not in ("running", "queued"):
            st.rerun()  # before anything is drawn: it takes the place of a click that comes in meanwhile
        progress(job)
        if draw:
            draw(job)

    part()


def progress(job: Job) -> None:
    """Show state of a job, a bar for each stage, and the buttons that apply."""
    state = job.state
    reached = steps(job)
    if state == "finished":
        seconds = sum(step["cpu_seconds"] for step in reached.values())
        spent = f"{seconds:.{0 if seconds >= 10 else 1}f} CPU-s"
        st.success(f"Finished. {spent} on {job.place}.")
    if job.substitute:
        st.info(job.substitute)
    goal(job)
    with st.expander("Stages", expanded=state != "finished"):
        stages = planned(job)
        for k, stage in enumerate(stages):
            passed = any(later in reached for later in stages[k + 1 :])
            fraction, words = stage_progress(reached.get(stage, {}), "finished" if passed else state)
            st.progress(fraction, text=f"{title(stage)}: {words}")
    if state == "finished":
        return
    if state in ("running", "queued"):
        buttons(job)
    else:
        {"failed": st.error, "lost": st.error}.get(state, st.warning)(f"{state.capitalize()}. {sentence_of(job)}")
        buttons(job)


def goal(job: Job) -> None:
    """Show how far a run is that goes on until it has enough crystals."""
    if not job.record["settings"].get("goal", {}).get("crystals"):
        return
    last = next((step for step in reversed(job.progress()) if "found" in step), None)
    if last is None:
        return
    number, rounds = last["wanted"], f"{last['round']} {'round' if last['round'] == 1 else 'rounds'}"
    words = f"Goal: {last['found']} of {number} crystals that are {job.settings.goal.kind}, after {rounds} "
    words += f"and {last['seconds'] / 60:.1f} of at most {job.settings.goal.minutes:g} minutes"
    st.progress(min(1.0, last["found"] / number), text=words)


def buttons(job: Job, *, where: str = "live") -> None:
    """Stop a job that runs; resume one that was stopped, failed or lost."""
    state = job.state
    if state in ("running", "queued"):
        if job.stopping():
            st.caption("It stops after its present step.")
        elif st.button("Stop", key=f"stop.{where}.{job.id}", help="After its present step; its work is kept."):
            job.stop()
            st.rerun(scope="fragment")
    elif state in ("stopped", "failed", "lost") and st.button("Resume", key=f"resume.{where}.{job.id}"):
        try:
            resume(job)
        except ValueError as error:
            st.error(sentence(error))
            return
        st.rerun()


def training_curve(job: Job) -> "pd.DataFrame":
    """Return what training measured so far: columns epoch, quantity, value; of an epoch done twice the later report."""
    import pandas as pd

    rows: dict[tuple[int, str], float] = {}
    for step in job.progress():
        if step["stage"] == "train" and "epoch" in step:
            measured = {name: value for name, value in step.items() if name not in _NOT_MEASURED}
            rows |= {(step["epoch"], name): value for name, value in measured.items()}
    listed = [(epoch, name, value) for (epoch, name), value in sorted(rows.items())]
    return pd.DataFrame(listed, columns=["epoch", "quantity", "value"])


def speed(job: Job) -> float | None:
    """Return rows relaxed a second in the last attempt, by the clock; None before two reports.

    What other stages did between two rounds is no part of that time.
    """
    last = job.latest().get("attempt")
    rows, seconds, before = 0, 0.0, None
    for step in job.progress():
        counted = step["stage"] == "relax" and step["attempt"] == last and "done" in step
        if counted and before is not None:
            rows, seconds = rows + step["done"] - before["done"], seconds + step["time"] - before["time"]
        before = step if counted else None
    return rows / seconds if rows > 0 and seconds > 0 else None


def planned(job: Job) -> list[str]:
    """Return stages that a job does or takes over, in order."""
    try:
        return list(job.stages)
    except ValueError:  # made by another version: show what it did
        return [stage for stage in RUN if stage in steps(job)]


def stage_progress(step: Mapping[str, Any], state: str) -> tuple[float, str]:
    """Return done part of a stage and words for it, from its last step; `state` is the job's."""
    if not step:
        return (1.0, "done before") if state == "finished" else (0.0, "waiting")
    seconds = f"{step['cpu_seconds']:.0f} CPU-s"
    done, total = step.get("done", step.get("epoch")), step.get("total", step.get("epochs"))
    if step.get("complete"):
        return 1.0, f"done, {seconds}"
    if not total:
        return 0.0, f"begun, {seconds}"
    unit = "epochs" if "epochs" in step else "done"
    words = f"{done} of {total} {unit}, {seconds}"
    if step.get("valid") is not None and "epochs" not in step:
        words += f", {step['valid']} valid"
    if step.get("judging") and state == "running":
        words += f", {step['judging']} fresh samples are relaxed and judged now"
    elif step.get("seconds_left") and state == "running":
        words += f", about {spoken(step['seconds_left'])} left"
    return min(1.0, done / total), words


def sentence_of(job: Job) -> str:
    """Say why a job ended, as a sentence."""
    return sentence(ValueError(job.reason)) if job.reason else ""


def steps(job: Job) -> dict[str, dict[str, Any]]:
    """Return the last step of each stage; CPU-s of earlier attempts added."""
    last: dict[str, dict[str, Any]] = {}
    seconds: dict[tuple[str, int], float] = {}
    counted: dict[str, dict[str, Any]] = {}
    for step in job.progress():
        stage = step["stage"]
        seconds[stage, step["attempt"]] = step["cpu_seconds"]
        if "done" in step or "epoch" in step:
            counted[stage] = step
        last[stage] = {**counted.get(stage, {}), **step}
    for stage, step in last.items():
        step["cpu_seconds"] = sum(value for (name, _), value in seconds.items() if name == stage)
    return last
