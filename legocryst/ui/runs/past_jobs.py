"""Past jobs on the page Jobs: methods, comparison, repeating with changes, disk use and deleting."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from legocryst.jobs import compare
from legocryst.jobs.methods import methods
from legocryst.jobs.record import Job, jobs
from legocryst.stages.catalogue import ALONE, STAGES, title
from legocryst.ui.shell import forms, frame, shell
from legocryst.ui.shell.live import training_curve
from legocryst.ui.widgets import figures, table_view
from legocryst.vocabulary.references import bibtex

FORMS = {
    "curate": "Training set",
    "augment": "Augmentation",
    "features": "Features",
    "train": "Training",
    "sample": "Samples",
    "goal": "Goal",
    "relax": "Relaxation",
    "rank": "Energies",
    "bands": "Gaps",
    **forms.further(),
}
"""Settings of the parts of a run, in order."""
KEPT = {
    "": "nothing: everything is done again",
    "curate": "its training set",
    "augment": "its training set and table",
    "featurize": "its training set, table and features",
    "train": "its trained model and all before",
}
"""What a job that repeats another may take over, by the last stage."""


def paragraph(job: Job) -> None:
    """Show the methods paragraph, its references, and files of them."""
    try:
        written = methods(job)
    except ValueError as error:
        st.info(shell.sentence(error))
        return
    st.write("What this job did, as a paragraph for a paper. Every number is taken from the record of the job.")
    with st.container(border=True):
        st.markdown(_plain(written.text))
    st.markdown("**References**")
    st.markdown("\n".join(f"{_plain(line)}  " for line in written.listed.splitlines()))
    text, entries = st.columns(2)
    text.download_button(
        "Download the text", f"{written.text}\n\n{written.listed}\n", f"methods-{job.id}.txt", on_click="ignore"
    )
    entries.download_button(
        "Download the references as BibTeX",
        bibtex(written.references),
        f"methods-{job.id}.bib",
        "application/x-bibtex",
        on_click="ignore",
    )


def _plain(text: str) -> str:
    """Return text that Markdown leaves as it is."""
    for sign in "\\`*_[]<>$~":
        text = text.replace(sign, f"\\{sign}")
    return text


def compared(job: Job) -> None:
    """Show settings that differ from those of another job, counts side by side, and training curves."""
    others = {other.id: other for other in jobs(shell.workspace()) if other.id != job.id}
    if not others:
        st.info("There is no other job to compare with yet.")
        return
    words = shell.labels(others.values())
    name = st.selectbox("Compare with", list(others), format_func=words.__getitem__, key="compared_to")
    other = others[name]
    this, that = "This job", "The other"
    differences = compare.differing(job, other)
    st.markdown("**Settings that differ**, of what both jobs did")
    if differences:
        titles = FORMS | {name: stage.title for name, stage in STAGES.items()}
        rows = [
            (titles.get(stage, stage), *compare.meaning(stage, key), _value(one), _value(two))
            for stage, key, one, two in differences
        ]
        columns = ["Stage", "Setting", this, that, "Meaning"]
        table_view.table(pd.DataFrame(rows, columns=["Stage", "Setting", "Meaning", this, that])[columns])
    else:
        st.write("None: both have the same settings.")
    counts = [compare.numbers(each) for each in (job, other)]
    names = list(dict.fromkeys([*counts[0], *counts[1]]))
    if names:
        st.markdown("**Counts**")
        table = pd.DataFrame(
            {"Count": names, **{k: map(c.get, names) for k, c in zip((this, that), counts, strict=True)}}
        )
        table["Difference"] = table[this] - table[that]
        form = st.column_config.NumberColumn(format="localized")
        table_view.table(table, extra=dict.fromkeys((this, that, "Difference"), form), height="content")
    curves(job, other, this, that)


def curves(job: Job, other: Job, this: str, that: str) -> None:
    """Show loss and share of valid fresh samples of both trainings, where they have any."""
    both = {this: training_curve(job), that: training_curve(other)}
    columns = st.columns(2)
    for place, (quantity, label, percent) in zip(
        columns, (("loss", "Loss", False), ("valid", "Valid fresh samples (%)", True)), strict=True
    ):
        parts = {name: curve[curve["quantity"] == quantity] for name, curve in both.items()}
        parts = {name: part for name, part in parts.items() if len(part)}
        if parts:
            ends = ", ".join(f"{n}: {p['value'].iloc[-1] * (100 if percent else 1):.3g}" for n, p in parts.items())
            caption = f"{label} after each epoch. At the end {ends}."
            with place:
                figures.show(
                    figures.curves_of(parts, y=label, percent=percent), caption=caption, key=f"past.{quantity}"
                )


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "all"
    return {"": "any", "None": "open", "True": "yes", "False": "no"}.get(str(value), str(value))


def repeated(job: Job) -> None:
    """Show the settings of a job in one form, and the button that starts them again with what was changed."""
    try:
        settings = job.settings
    except ValueError as error:
        st.info(shell.sentence(error))
        return
    st.write("Start this job again with some settings changed. The old one stays as it is.")
    if st.session_state.get("repeating") != job.id:
        if st.button("Take over its settings", help="The forms of all pages then hold the settings of this job."):
            forms.fill_in(settings, seed=settings.seed)
            st.session_state["repeating"] = job.id
            st.rerun()
        return
    alone = job.command in ALONE
    base = "" if alone else _base(job)
    shown = [STAGES[job.command].settings] if alone else _settings_shown(job, base)
    good = True
    for name in shown:
        with st.expander(FORMS.get(name, title(name)), expanded=len(shown) == 1):
            good = forms.form(name) and good
    forms.seed()
    parent = job if base else None
    if frame.button("Start again", job.command, good=good, base=parent, through=base or "curate"):
        training, reference = ([], []) if parent else (job.training_files, job.reference)
        made = shell.start(
            job.command,
            forms.run_settings(),
            parent=parent,
            through=base or "curate",
            training=training,
            reference=reference,
        )
        if made:
            shell.choose("shown_job", made)
            st.toast("It has started: the tab State shows it.")
            st.rerun()


def _base(job: Job) -> str:
    """Up to which stage results are taken over; only finished ones can be."""
    options = [""]
    for stage in KEPT:
        if stage and stage in job.stages and stage != job.command:
            if not shell.has(job, stage):
                break
            options.append(stage)
    return str(st.selectbox("Keep from it", options, format_func=KEPT.__getitem__, key=f"keep.{job.id}"))


def _settings_shown(job: Job, base: str) -> list[str]:
    """Return names of the settings of the stages that are done again."""
    after = job.stages[job.stages.index(base) + 1 :] if base else job.stages
    names = [STAGES[stage].settings for stage in after]
    if job.command == "run":
        names += ["goal"]
    if "train" in names and not base:  # another model may need stages that this one left out
        names += ["augment", "features"]
    return [name for name in FORMS if name in names]


@st.cache_data(show_spinner=False, max_entries=2000)
def _finished_size(folder: str, ended: str) -> int:
    return compare.size(Path(folder))


def size(job: Job) -> int:
    """Return bytes on disk; of a job that ended, counted once."""
    if ended := job.final.get("ended", ""):
        return _finished_size(str(job.folder), ended)
    return compare.size(job.folder)


def disk(all_jobs: list[Job]) -> str:
    """Return disk use of the workspace in a sentence."""
    parts = {"jobs": sum(map(size, all_jobs))}
    for path in shell.workspace().glob("*.duckdb*"):
        parts["database"] = parts.get("database", 0) + compare.size(path)
    listed = ", ".join(f"{name} {compare.spoken(number)}" for name, number in parts.items())
    return f"On disk: {compare.spoken(sum(parts.values()))} ({listed}). Files that jobs share are counted for each."


def remove(job: Job) -> None:
    """Delete a job, after the question."""
    st.write(
        f"Deleting removes the folder of this job ({compare.spoken(size(job))}), and its crystals leave the database. "
        "Jobs that started from it keep their own copies. This cannot be undone."
    )
    if job.state == "running":
        st.info("This job runs: stop it first.")
        return
    sure = st.checkbox("Yes, delete this job for good", key=f"sure.{job.id}")
    if st.button("Delete", disabled=not sure, key=f"delete.{job.id}"):
        try:
            job.delete()
            shell.store().ingest()
        except ValueError as error:
            st.error(shell.sentence(error))
            return
        st.toast("The job is deleted.")
        st.rerun()
