"""What a run gives for its time, beside random symmetric crystals relaxed in the same way."""

from typing import TYPE_CHECKING

import streamlit as st

from legocryst.database.store import Store
from legocryst.jobs.record import Job
from legocryst.stages.baseline import SEVERAL, baseline
from legocryst.ui.shell.live import steps
from legocryst.ui.widgets import table_view

if TYPE_CHECKING:
    import pandas as pd

FOUND = """
SELECT count(*) AS rows, count(*) FILTER (status = 'valid') AS valid, count(*) FILTER (class = 'new') AS new,
    count(*) FILTER (class = 'new' AND sites >= ?) AS several
FROM candidates WHERE job = ?
"""


def section(store: Store, job: Job) -> None:
    """Show a row for the run, and one for random crystals, where these were tried beside."""
    table = rates(store, job)
    if table.empty:
        return
    table_view.table(table, extra={name: st.column_config.NumberColumn(format="%.1f") for name in table.columns[2:]})
    st.caption(
        "New crystals for the processor time of drawing and relaxing; energies and gaps are not counted. Rates fall "
        "while a run goes on, since nets come again, so that a short random run looks better than a long one."
    )


def rates(store: Store, job: Job) -> "pd.DataFrame":
    """Return rows, share valid, and new crystals a CPU-minute, all and those of several sites."""
    import pandas as pd

    seconds = {stage: float(step["cpu_seconds"]) for stage, step in steps(job).items()}
    spent = seconds.get("sample", 0.0) + seconds.get("relax", 0.0)
    run = dict(store.query(FOUND, [SEVERAL, job.id]).iloc[0])
    settings = job.settings.train
    model = settings.model
    lines = [(f"This run ({model})", run, spent)] if run["rows"] and spent else []
    if lines and settings.spec.learns and (training := trained_in(job)):
        lines.append((f"This run ({model}), its training counted", run, spent + training))
    if random := baseline(job):
        lines.append(("Random symmetric crystals", random, random["cpu_seconds"]))
    return pd.DataFrame(
        [
            {
                "Generator": name,
                "Rows": int(counts["rows"]),
                "Valid (%)": 100 * counts["valid"] / counts["rows"],
                "New per CPU-minute": 60 * counts["new"] / time,
                f"New of {SEVERAL} sites and more per CPU-minute": 60 * counts["several"] / time,
            }
            for name, counts, time in lines
        ]
    )


def trained_in(job: Job) -> float:
    """Return CPU-s of training a job's model, in this job or the one whose model it took; 0 where none is known."""
    step = steps(job).get("train")
    if step or not job.record["parent"]:
        return float(step["cpu_seconds"]) if step else 0.0
    parent = Job(job.folder.with_name(job.record["parent"]))
    return trained_in(parent) if (parent.folder / "settings.json").exists() else 0.0
