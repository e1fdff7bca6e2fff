"""Gaps: gap and class of every valid crystal, by tight binding."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from legocryst.infra.files import write_parquet
from legocryst.infra.run_context import SILENT, RunContext
from legocryst.settings import BandSettings
from legocryst.stages import drawn, rank
from legocryst.stages.base import Attempt, JobFiles, Paper, Stage, Table
from legocryst.vocabulary.quantities import BAND_COLUMNS

if TYPE_CHECKING:
    from legocryst.crystal.crystals import Crystals
    from legocryst.environment.target import Target

NOT_ASKED = "gaps were not asked for"
CACHE = "gaps"
"""Folder of a job with the gaps it computed."""


def find_gaps(
    valid: pd.DataFrame,
    target: "Target",
    settings: BandSettings,
    context: RunContext = SILENT,
    *,
    ranked: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return columns `row` and `quantities.BAND_COLUMNS` of each row of a table with `row` and METHOD's columns.

    Of crystals that the ranking (`ranked`, by `row`) relaxed without a change of net the relaxed one is taken. The rest
    as in `electronic.bands.gaps`.
    """
    from legocryst.electronic.bands import gaps

    valid = valid.reset_index(drop=True)
    table = pd.DataFrame(dict(zip(BAND_COLUMNS, (float("nan"), "", NOT_ASKED), strict=True)), index=valid.index)
    if len(valid) and settings.bands:
        rows = gaps(best(valid, ranked, target.atomic_number), target, settings, context)
        table = pd.DataFrame(rows, columns=list(BAND_COLUMNS))
    return valid[["row"]].join(table.astype({"gap": "float64", "band_class": object, "band_reason": object}))


def best(valid: pd.DataFrame, ranked: pd.DataFrame | None, element: int) -> "Crystals":
    """Return a crystal of each row: as the ranking relaxed it, if it kept its net, else as it stands."""
    from legocryst.crystal.crystals import Crystals
    from legocryst.crystal.io.readers import from_cif
    from legocryst.crystal.io.table import decode

    decoded = decode(valid, element=element, max_atoms=100_000)
    assert len(decoded.rows) == len(valid), "every valid row is a crystal"
    parts = [decoded.crystals.take([k]) for k in range(len(valid))]
    if ranked is not None:
        relaxed = ranked[ranked["net_kept"].astype("boolean").fillna(False)].set_index("row")["relaxed_cif"]
        for k, row in enumerate(valid["row"]):
            if row in relaxed.index:
                parts[k] = from_cif(relaxed[row])
    return Crystals.concatenate(parts)


def _work(attempt: Attempt, number: int) -> None:
    """Compute gaps of all valid crystals, relaxed with the potential where they kept their net; known ones are kept."""
    from legocryst.infra.result_cache import ResultCache

    job, context = attempt.job, attempt.context(STAGE.name, number)
    table = drawn.of_round(job, number)
    with ResultCache(job.folder / CACHE, job.folder.parent.glob(f"*/{CACHE}")) as cache:
        candidates = find_gaps(
            table[table["status"] == "valid"],
            attempt.target,
            attempt.settings.bands,
            replace(context, cache=cache),
            ranked=rank.STAGE.read(job.folder, number),
        )
    attempt.check()
    write_parquet(candidates, STAGE.path(job.folder, number))


def _counts(job: JobFiles) -> dict[str, Any]:
    """Return valid crystals by their bands."""
    classes = STAGE.read_all(job.folder)["band_class"].value_counts()
    return {"band_classes": {str(name or "none"): int(number) for name, number in classes.items()}}


def _methods(paper: Paper) -> None:
    settings, orbitals = paper.settings.bands, paper.target.orbitals
    if settings.bands and orbitals:
        paper.say(
            f"Gaps of valid crystals with at most {settings.max_atoms} atoms in the primitive cell are of a "
            f"tight-binding model ({orbitals.source})."
        )


STAGE = Stage(
    name="bands",
    number=7,
    title="Compute gaps",
    work=_work,
    when="round",
    files=("shards/bands.parquet",),
    tables=(Table(name="bands", columns=("job", "row", *BAND_COLUMNS)),),
    settings="bands",
    counts=_counts,
    size=lambda amount: amount.valid,
    kind=lambda settings: "" if settings.bands.bands else "none",
    spread=True,
    methods=_methods,
)
