"""A training set as pages ask for it: the shipped one or a job's, a few rows at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import streamlit as st

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.symmetry.wyckoff import wyckoff
from legocryst.database import queries
from legocryst.database.schema import column
from legocryst.database.store import Store
from legocryst.environment.target import Target
from legocryst.jobs.record import Job
from legocryst.settings import CurateSettings
from legocryst.ui.shell import shell
from legocryst.ui.widgets.scene import scene
from legocryst.ui.widgets.viewer import Tile

if TYPE_CHECKING:
    import pandas as pd

    from legocryst.stages.curate import Examined

Upload = tuple[str, bytes]
"""Name and content of a file."""


@dataclass(frozen=True, slots=True)
class Known:
    """The rows of a training set: those of the table `seeds`, with symbol, sites, density and volume."""

    job: Job | None  # None for the shipped set
    target: Target
    sql: str  # a SELECT in brackets
    parameters: list[Any]

    @staticmethod
    def of(job: Job | None, *, shipped: str) -> "Known":
        """Return the training set of a job, or the one shipped for a target."""
        name = shipped if job is None else job.record["settings"]["curate"]["target"]
        goal = shell.target(name)
        return Known(job, goal, *queries.known(job.id if job else None, target=name, element=goal.atomic_number))

    @property
    def name(self) -> str:
        """A name that no other training set has."""
        return self.job.id if self.job else f"shipped for {self.target.name}"

    def counts(self, store: Store) -> tuple[int, int]:
        """Return how many crystals it has, and how many of them have a 3-periodic net."""
        sql = f"SELECT count(*) AS n, count(*) FILTER (periodicity = 3) AS frameworks FROM {self.sql}"
        row = store.query(sql, self.parameters).iloc[0]
        return int(row["n"]), int(row["frameworks"])

    def page(
        self, store: Store, *, order: str = "number", descending: bool = False, limit: int, offset: int = 0
    ) -> "pd.DataFrame":
        """Return some rows, those without `order` last."""
        sql = (
            f"SELECT * FROM {self.sql} ORDER BY {column(order)} {'DESC' if descending else 'ASC'} NULLS LAST, number "
            "LIMIT ? OFFSET ?"
        )
        rows = store.query(sql, [*self.parameters, limit, offset])
        return rows.assign(symbol=wyckoff().symbol[rows["spg"].to_numpy(int)])

    def row(self, store: Store, number: int) -> "pd.DataFrame":
        """Return the one row of a number."""
        return store.query(f"SELECT * FROM {self.sql} WHERE number = ?", [*self.parameters, number])

    def crystals(self, rows: "pd.DataFrame") -> Crystals:
        """Return the crystals of some rows."""
        from legocryst.crystal.io.table import decode

        return decode(rows, element=self.target.atomic_number, max_atoms=10**6).crystals

    def tiles(self, rows: "pd.DataFrame", text: Callable[["pd.Series[Any]"], str]) -> list[Tile]:
        """Return a thumbnail of each of some rows, named by its number."""
        crystals, out = self.crystals(rows), []
        for k, (_, row) in enumerate(rows.iterrows()):
            drawn = scene(crystals, k, cutoff=self.target.bond_window[1], across=False)
            out.append(Tile(f"{self.name} {row['number']}", drawn, title_of(row), text(row)))
        return out


def title_of(row: "pd.Series[Any]") -> str:
    """Return a crystal in words: the name of its net, or its number."""
    return str(row["name"]) or f"Crystal {row['number']}"


@st.cache_data(show_spinner="Reading and judging the crystals", max_entries=10)
def examined(
    uploads: Sequence[Upload], paths: Sequence[str], settings: CurateSettings, *, reference: bool = False
) -> "tuple[Examined | None, str]":
    """Read and judge what is offered, before any filter, or say in a sentence why it is of no use.

    Offered are uploads or, without any, files of this computer; without these too, the shipped set. `settings` holds
    target and tolerance only, so that a change of filter asks for nothing anew. With `reference` it must make a
    reference set.
    """
    from legocryst.stages import curate

    target = shell.target(settings.target)
    with TemporaryDirectory() as folder:
        try:
            files = written(uploads, Path(folder)) if uploads else [Path(path) for path in paths]
            offered = curate.examine(files, target, settings)
            if reference:
                curate.as_reference(offered)
            return offered, ""
        except ValueError as error:
            return None, shell.sentence(error)


def written(uploads: Sequence[Upload], folder: Path) -> list[Path]:
    """Return the uploads as files of a folder; raises ValueError where two have one name."""
    paths = []
    for name, content in uploads:
        path = folder / Path(name).name
        if path.exists():
            raise ValueError(f"two of the files have one name ({path.name}): rename one")
        path.write_bytes(content)
        paths.append(path)
    return paths
