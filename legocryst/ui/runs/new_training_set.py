"""Finds of a run as crystals to learn from: what was new joins the training set of the next run."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from legocryst.database.filters import Filters
from legocryst.database.store import Store
from legocryst.infra.files import write_parquet
from legocryst.jobs.record import Job
from legocryst.stages import curate
from legocryst.ui.shell import forms, shell
from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS, QUANTITIES

if TYPE_CHECKING:
    import pandas as pd


def section(store: Store, job: Job) -> None:
    """Show a form for which finds are taken, and the button that makes a training set of them and the present one."""
    with st.expander("Learn from these finds"):
        st.write(
            "The new crystals of this run can join the crystals it learnt from. The next model then knows more "
            "environments of the kind you are after. It may be another than the one that made them: a Transformer "
            "that learnt from low-energy finds of *surfaces* made more low-energy crystals than one that was asked for "
            "them."
        )
        left, right = st.columns(2)
        limit = left.number_input(
            f"At most ({QUANTITIES['energy'].unit})",
            value=float(job.settings.rank.low_energy),
            step=0.1,
            key="finds_energy",
            help="Crystals with a higher energy, or with none, are left out. Empty: all.",
            placeholder="any",
        )
        frameworks = right.checkbox(
            "Frameworks only", True, key="finds_frameworks", help="Nets that go on in three directions."
        )
        where = low_energy_filter(job, limit, frameworks=frameworks)
        number = store.total(where)
        st.write(f"{number:,} of the new crystals of this run are like that.")
        if st.button("Use as training set", disabled=not number, help=shell.CORES) and (
            made := learn(store, job, where)
        ):
            shell.choose("training_set", made)
            shell.link("data", "To the new training set")


def low_energy_filter(job: Job, limit: float | None, *, frameworks: bool) -> Filters:
    """Return the finds of a job that are taken."""
    kinds = {"kind": ["framework"]} if frameworks else {}
    return Filters(
        among={"job": [job.id], "class": ["new"], **kinds},
        between={"energy": (None, limit)} if limit is not None else {},
    )


def learn(store: Store, job: Job, where: Filters) -> Job | None:
    """Start a job that makes a training set of a job's own and of finds."""
    from legocryst.stages.curate import shipped_file

    own = shipped_file(job.settings.curate.target)
    own = own if own.exists() else curate.STAGE.path(job.folder)
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / f"finds-{job.id}.parquet"
        write_parquet(finds(store, where), table)
        return shell.start(
            "curate",
            forms.run_settings().model_copy(update={"curate": job.settings.curate}),
            training=[*(job.training_files or [own]), table],
            reference=job.reference,
        )


def finds(store: Store, where: Filters) -> "pd.DataFrame":
    """Return crystals as a training set has them: METHOD's columns, net, energy, and where they are from."""
    columns = ("id", "net_key", "energy", *CRYSTAL_COLUMNS)
    table = store.page(where, limit=store.total(where), columns=columns)
    return table.assign(source="LEGO-Cryst, crystal " + table["id"], licence="").drop(columns="id")
