"""Augment: each known crystal written again in subgroups of its space group, with other axes, origins and points."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.table import TableError, decode, encode
from legocryst.crystal.symmetry.subgroups import basis_of, basis_text, indices
from legocryst.environment.target import Target
from legocryst.infra.files import write_parquet
from legocryst.infra.phrases import several
from legocryst.infra.run_context import SILENT, RunContext
from legocryst.settings import AugmentSettings
from legocryst.stages import curate
from legocryst.stages.base import Attempt, JobFiles, Paper, Stage, Table
from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS

if TYPE_CHECKING:
    from legocryst.crystal.symmetry.redescription import Descriptions
    from legocryst.stages.pools import Pool

ORIGIN = ("origin_x", "origin_y", "origin_z")
DESCRIPTION = ("label", "t_index", "k_index", "basis", *ORIGIN, "mirror", "variant", "deviation")
"""Columns beside METHOD's: `label` is the row number in the seeds of the source, for the others see `quantities`."""
A_CRYSTAL = 30
"""What a crystal costs beyond its rows, in rows."""


@dataclass(frozen=True, slots=True)
class Augmented:
    """The augmented table, and what is not in it."""

    table: pd.DataFrame  # METHOD's columns and DESCRIPTION
    left_out: int  # crystals that are within the limits in no subgroup
    lost: dict[str, int]  # variants left out, by reason


def augment(
    training: pd.DataFrame, target: Target, settings: AugmentSettings, context: RunContext = SILENT
) -> Augmented:
    """Describe the crystals of a table in other ways; a crystal comes first as it is given, if it fits.

    `pools.deal` says how the rows are shared out. No two are equal to six decimals, and each is proved to be its source
    (see `proof`). With variants every row is moved a little instead, and has to be valid for the `target`.
    `context.progress(done, total, rows=, left_out=)` counts crystals; while variants are relaxed, rows.

    Raises TableError for a table that does not decode row by row, or if the limits leave nothing.
    """
    from legocryst.stages.pools import Pool
    from legocryst.stages.variants import variants

    sources = _decoded(training, target)
    pools = [Pool.of(k, sources.take([k]), settings, context.seed) for k in range(len(sources))]
    left_out = sum(not len(pool.subgroups) for pool in pools)
    if left_out == len(pools):
        raise TableError("no seed crystal fits the limits of sites, atoms and free variables: raise them")
    rows = _drawn(pools, settings, lambda done, made: context.progress(done, len(pools), rows=made, left_out=left_out))
    lost: dict[str, int] = {}
    if settings.variants:
        rows, lost = variants(sources, rows, target, settings, context)
        if not len(rows.source):
            raise TableError(
                f"no variant is a valid crystal (most often: {max(lost, key=lost.__getitem__)}): make none"
            )
    table = _table(sources, rows, sites=max(8, settings.max_sites)).assign(variant=settings.variants)
    table["deviation"] = proof(sources, table, target)
    wrong = np.flatnonzero(~np.isfinite(table["deviation"]))
    if len(wrong):
        raise ValueError(f"row {wrong[0]} of the augmented table is not its source: report this as a fault")
    return Augmented(table, left_out, lost)


def proof(sources: Crystals, table: pd.DataFrame, target: Target) -> np.ndarray:
    """Return angstrom (n,) by which each row of an augmented table differs from its source under the row's (P, p).

    Only the numbers in the table are used: its atoms are compared one by one with those of the crystal that `label`
    names. inf where they are not the same: within 1e-4 angstrom, of variants within `variants.MOVED`.
    """
    from legocryst.crystal.symmetry.redescription import SAME, Descriptions, deviations
    from legocryst.stages.variants import MOVED

    decoded = decode(table, mode="strict", element=target.atomic_number, max_atoms=10**6)
    rows, out = table.iloc[decoded.rows], np.full(len(table), np.inf)
    known = {text: basis_of(text) for text in table["basis"].unique()}
    P = np.array([known[text] for text in rows["basis"]]).reshape(-1, 3, 3)
    described = Descriptions(decoded.crystals, rows["label"].to_numpy(), P, rows[list(ORIGIN)].to_numpy())
    for variant, most in ((False, SAME), (True, MOVED)):
        rows_of_variant = np.flatnonzero(rows["variant"].to_numpy() == variant)
        out[decoded.rows[rows_of_variant]] = deviations(sources, described.take(rows_of_variant), most=most)
    return out


def _decoded(training: pd.DataFrame, target: Target) -> Crystals:
    decoded = decode(training, mode="strict", element=target.atomic_number, max_atoms=10**6)
    if (bad := np.flatnonzero(decoded.reason != "")).size:
        raise TableError(f"row {bad[0]} of the seeds is no crystal ({decoded.reason[bad[0]]}): correct or remove it")
    return decoded.crystals


def _drawn(pools: "list[Pool]", settings: AugmentSettings, report: Callable[[int, int], None]) -> "Descriptions":
    """Draw rows of all pools until there are as many as asked for, or no more; `report(pools done, rows)`."""
    from legocryst.crystal.symmetry.redescription import Descriptions
    from legocryst.stages.pools import deal

    seen: set[bytes] = set()
    for pool in pools:
        pool.keep_itself(seen)
    rows = sum(pool.total for pool in pools)
    while deal(pools, settings.rows - rows, settings.rows_per_crystal):
        for k, pool in enumerate(pools):
            rows += pool.draw(seen, settings.rows_per_transformation)
            report(k + 1, rows)
    return Descriptions.concatenate([pool.rows() for pool in pools if pool.parts])


def _table(sources: Crystals, rows: "Descriptions", *, sites: int) -> pd.DataFrame:
    parent = sources.group[rows.source]
    t_index, k_index = indices(parent, rows.crystals.group, rows.P)
    _, first, place = np.unique(np.rint(rows.P * 12).reshape(-1, 9), axis=0, return_index=True, return_inverse=True)
    basis = np.array([basis_text(rows.P[k]) for k in first], object)[place]
    description = {"label": rows.source, "t_index": t_index, "k_index": k_index, "basis": basis}
    description |= dict(zip(ORIGIN, rows.p.T, strict=True)) | {"mirror": np.linalg.det(rows.P) < 0}
    return pd.concat([encode(rows.crystals, sites=sites), pd.DataFrame(description)], axis=1)


def _work(attempt: Attempt, _: int) -> None:
    folder, settings = attempt.job.folder, attempt.settings.augment
    made = augment(curate.STAGE.read(folder), attempt.target, settings, attempt.context(STAGE.name))
    attempt.note(rows=len(made.table), left_out=made.left_out, lost=made.lost)
    write_parquet(made.table, STAGE.path(folder))


def _counts(job: JobFiles) -> dict[str, Any]:
    return {"augmented": len(STAGE.read(job.folder))}


def _methods(paper: Paper) -> None:
    settings = paper.settings.augment
    cells = f"at most {settings.max_cells} times as many atoms in the primitive cell"
    within = "without a larger primitive cell" if settings.max_cells == 1 else f"with {cells}"
    paper.say(
        f"Each crystal was written again in subgroups of its space group, {within}, at most {settings.max_sites} sites "
        f"and {settings.max_free} free variables, with other axes, origins and points of its orbits, which gave "
        f"{several(paper.summary['augmented'], 'row')}."
    )
    if settings.variants:
        paper.say(f"Every row was changed by at most {settings.perturbation:g} and relaxed in its subgroup.")


STAGE = Stage(
    name="augment",
    number=1,
    title="Write it in subgroups",
    work=_work,
    files=("shards/augmented.parquet",),
    tables=(Table(name="augmented", columns=("job", *CRYSTAL_COLUMNS, *DESCRIPTION)),),
    settings="augment",
    for_learning=True,
    counts=_counts,
    size=lambda amount: amount.rows + A_CRYSTAL * amount.crystals,
    kind=lambda settings: "variants" if settings.augment.variants else "",
    methods=_methods,
)
