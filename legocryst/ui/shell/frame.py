"""What the stage pages share besides `shell`: the button that starts a stage, with the time that it will take."""

from pathlib import Path

import streamlit as st

from legocryst.jobs import estimates
from legocryst.jobs.record import Job, cores, jobs
from legocryst.settings import RunSettings
from legocryst.stages.catalogue import title
from legocryst.ui.shell import forms, shell


def button(label: str, command: str, *, good: bool = True, base: Job | None = None, through: str = "curate") -> bool:
    """Show the button of a stage, with its estimated time below; returns whether it was pressed.

    `command`, `base` and `through` as in `shell.start`; a form that makes no sense (`good`) locks the button. Above it
    stands the field for a cluster, where the job spreads work.
    """
    if command in shell.SPREAD:
        good = forms.cluster() and good
    pressed = st.button(label, type="primary", disabled=not good, help=shell.CORES)
    if good:
        st.caption(time_of(forms.run_settings(), command, after=through if base else ""))
    return pressed


def starter(
    label: str, command: str, *, key: str, good: bool = True, base: Job | None = None, through: str = "curate"
) -> None:
    """Show the button, and the start of its job, which the page then shows (`key` of `shell.choose_job`)."""
    if button(label, command, good=good, base=base, through=through):
        started = shell.start(command, forms.run_settings(), parent=base, through=through)
        if started:
            shell.choose(key, started)
            st.rerun()


def time_of(settings: RunSettings, command: str, *, after: str = "") -> str:
    """Return how long a job takes on this computer, in a sentence that says where that is known from."""
    parts, missing = estimates.estimates(settings, command, known(), after=after)
    on = "1 core" if cores() <= 2 else f"{cores() - 1} cores"
    if not parts:
        return f"How long this takes on {on} is not known yet: run the demonstration on the first page once."
    sum_ = estimates.total(parts.values())
    number = f"{len(sum_.jobs)} finished job" + ("s" if len(sum_.jobs) > 1 else "")
    if forms.cluster_text() and command in shell.SPREAD:
        on += " without the cluster"
    text = f"{sum_.words[:1].upper()}{sum_.words[1:]} on {on}, scaled from {number} of this workspace."
    if settings.goal.crystals and command == "run":
        text += f" That is one round; with the goal there may be more, for up to {settings.goal.minutes:g} minutes."
    if missing:
        names = ", ".join(title(stage).lower() for stage in missing)
        text += f" Not counted, because it was never done here with this choice: {names}."
    return text


def known() -> estimates.Known:
    """Return what the finished jobs of the workspace took."""
    finished = tuple(job.id for job in jobs(shell.workspace()) if job.final.get("state") == "finished")
    return _known(str(shell.workspace()), finished)


@st.cache_data(show_spinner=False, max_entries=4)
def _known(folder: str, finished: tuple[str, ...]) -> estimates.Known:
    return estimates.known(Path(folder))
