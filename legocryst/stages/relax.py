"""Relax: rows of a table become crystals in the target environment, or carry the reason why not."""

from collections.abc import Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.density import densities
from legocryst.crystal.io.table import Mode, encode
from legocryst.crystal.io.table import decode as decode_table
from legocryst.crystal.symmetry.projection import wrapped
from legocryst.crystal.symmetry.wyckoff import wyckoff
from legocryst.environment.target import Target
from legocryst.infra.files import write_parquet
from legocryst.infra.run_context import SILENT, RunContext, Stopped
from legocryst.settings import RelaxSettings
from legocryst.stages import curate, drawn
from legocryst.stages.base import Attempt, Paper, Stage, Table
from legocryst.stages.counts import count
from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS

if TYPE_CHECKING:
    from legocryst.comparison.novelty import Known

SYMPREC = 0.01
"""Angstrom within which spglib looks for the symmetry of a relaxed crystal."""
MINIMISERS = {"lbfgs": ("L-BFGS", "lbfgs"), "adam": ("Adam", "adam")}


def relax_table(
    table: pd.DataFrame,
    target: Target,
    settings: RelaxSettings,
    *,
    decode: Mode = "snap",
    max_atoms: int = 500,
    first_row: int = 0,
    cif: bool = False,
    known: "Known | None" = None,
) -> pd.DataFrame:
    """Decode, relax and judge every row of a table (METHOD's columns); one row out for each row in, in order.

    Columns: `row` (counted from `first_row`), `status` (valid, invalid, undecodable), `reason`, `shift` (angstrom),
    `loss_before` and `loss` (per atom), `published` (the published criterion), `evaluations`, `restarts`, `merged`,
    `written_group` (the row's), `space_group` and `symbol` (spglib's at 0.01 angstrom, of valid crystals; else the
    row's), `sites` and `atoms` (of the conventional cell), `density` (g/cm3; NaN for valid crystals that are not
    3-periodic throughout), `net_key`, `net_name`, `kind`, `periodicity`, the relaxed crystal in METHOD's columns and,
    if asked for, as `cif`. With `known` crystals also, of valid crystals, which of them is `nearest`, the `nearest_set`
    it is of and its `nearest_distance` (angstrom), and `amd` (see `novelty.signature`). Raises `table.TableError` for a
    table that is none.
    """
    from legocryst.crystal.io.structures import to_cif
    from legocryst.relax import relax
    from legocryst.topology.nets import nets

    decoded = decode_table(table, mode=decode, element=target.atomic_number, max_atoms=max_atoms)
    relaxed = relax(decoded.crystals, target, settings)
    crystals = _standardized(relaxed.crystals, relaxed.valid, target)
    frame = pd.DataFrame(
        {
            "row": decoded.rows + first_row,
            "status": np.where(relaxed.valid, "valid", "invalid"),
            "reason": relaxed.reason,
            "shift": decoded.shift,
            "loss_before": relaxed.loss_before,
            "loss": relaxed.loss,
            "published": relaxed.published,
            "evaluations": relaxed.evaluations,
            "restarts": relaxed.restarts,
            "merged": relaxed.merged,
            "written_group": decoded.crystals.group,
        }
    )
    frame = pd.concat([frame, _description(crystals)], axis=1)
    valid = np.flatnonzero(relaxed.valid)
    net_list = nets(crystals.take(valid), cutoff=target.bond_window[1])
    texts = {"net_key": [net.key for net in net_list], "net_name": [net.name for net in net_list]}
    for name, values in (texts | {"kind": [net.kind for net in net_list]}).items():
        frame[name] = ""
        frame.loc[valid, name] = values
    # what holds layers, chains or cages apart is no bond, so that their distance, and the volume, mean nothing yet
    apart = [any(part.periodicity < 3 for part in net.components) for net in net_list]
    frame.loc[valid[apart], "density"] = np.nan
    frame["periodicity"] = pd.Series([net.periodicity for net in net_list], index=valid, dtype="Int64")
    frame = pd.concat([frame, encode(crystals)], axis=1)
    if known is not None:
        near = _nearest(crystals.take(valid), target, known).set_axis(valid, axis=0)
        frame = frame.join(near).fillna({"nearest": "", "nearest_set": ""})
    if cif:
        frame["cif"] = [to_cif(crystals, k, name=f"row_{row}") for k, row in enumerate(frame["row"])]
    return _with_undecodable(frame, decoded.reason, first_row)


def relax_chunks(
    table: pd.DataFrame,
    target: Target,
    settings: RelaxSettings,
    context: RunContext = SILENT,
    *,
    decode: Mode = "snap",
    max_atoms: int = 500,
    chunk: int = 500,
    cif: bool = False,
    known: "Known | None" = None,
) -> Generator[pd.DataFrame, None, None]:
    """Relax a table as `relax_table` does, by chunks of rows, in order, spread by an executor.

    Rows are counted over the whole table. Close the iterator to stop early.
    """
    starts = range(0, len(table), chunk)
    parts = [(start, table.iloc[start : start + chunk]) for start in starts]
    shared = {"target": target, "settings": settings, "decode": decode, "max_atoms": max_atoms}
    return context.executor.map(_chunk, parts, shared=shared | {"cif": cif, "known": known})


def _chunk(part: tuple[int, pd.DataFrame], **options: Any) -> pd.DataFrame:
    first_row, table = part
    return relax_table(table, first_row=first_row, **options)


def _standardized(crystals: Crystals, valid: np.ndarray, target: Target) -> Crystals:
    """Return the batch with each valid crystal in the standard setting of its full space group.

    A crystal whose symmetry spglib does not find or finds to be lower, or that is no longer valid after its atoms moved
    onto their special positions (by up to `SYMPREC`), stays in its row's group.
    """
    from legocryst.crystal.io.structures import FileError, from_atoms
    from legocryst.environment.validity import judge

    atoms, lattice, chosen = crystals.atoms(), crystals.lattice, np.flatnonzero(valid)
    full: dict[int, Crystals] = {}
    for k in chosen.tolist():
        own = slice(atoms.first[k], atoms.first[k + 1])
        with suppress(FileError):
            full[k] = from_atoms(lattice[k], wrapped(atoms.fractional[own]), atoms.species[own], SYMPREC)
    better = Crystals.concatenate(list(full.values()))
    which = np.arange(len(crystals))
    places = np.array(list(full), np.int64)
    sound = judge(better, target).valid & (better.site_count <= crystals.site_count[places])
    which[places] = np.where(sound, len(crystals) + np.arange(len(places)), places)
    return Crystals.concatenate([crystals, better]).take(which)


def _nearest(crystals: Crystals, target: Target, known: "Known") -> pd.DataFrame:
    """Find for each crystal the known one that is nearest, and by what a database finds it."""
    from legocryst.comparison.novelty import signature
    from legocryst.comparison.pdd import pdds

    rows = []
    for pdd in pdds(crystals, target):
        ((apart, k),) = known.nearest(pdd) or [(np.nan, -1)]
        rows.append((*((known.names[k], known.sets[k]) if k >= 0 else ("", "")), apart, signature(pdd)))
    return pd.DataFrame(rows, columns=["nearest", "nearest_set", "nearest_distance", "amd"])


def _description(crystals: Crystals) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "space_group": crystals.group,
            "symbol": wyckoff().symbol[crystals.group],
            "sites": crystals.site_count,
            "atoms": crystals.atom_count,
            "density": densities(crystals),
        }
    )


def _with_undecodable(frame: pd.DataFrame, reason: np.ndarray, first_row: int) -> pd.DataFrame:
    """Return one row for each row of the table, the undecodable ones with their reason."""
    lost = np.flatnonzero(reason != "")
    missing = pd.DataFrame(
        {"row": lost + first_row, "status": "undecodable", "reason": reason[lost], "published": False}
    )
    for name in {"net_key", "net_name", "kind", "symbol", "cif", "nearest", "nearest_set"} & set(frame.columns):
        missing[name] = ""
    out = pd.concat([frame, missing], ignore_index=True) if len(lost) else frame
    for name in ("evaluations", "restarts", "merged", "written_group", "space_group", "sites", "atoms"):
        out[name] = out[name].astype("Int64")
    return out.sort_values("row", ignore_index=True)


def _work(attempt: Attempt, turn: int) -> None:
    """Relax the chunks of a lot that have no shard yet."""
    job, settings, batch = attempt.job, attempt.settings, drawn.batches(attempt.job)[turn]
    table, missing, size = drawn.sampled(job, turn), drawn.missing(job, batch), drawn.CHUNK
    rest = pd.concat([table.iloc[(k - batch.shards.start) * size :][:size] for k in missing])
    context = attempt.context(STAGE.name, turn)
    frames = relax_chunks(
        rest,
        attempt.target,
        settings.relax,
        context,
        decode=settings.sample.decode,
        max_atoms=settings.sample.max_atoms,
        chunk=size,
        known=_known(attempt),
    )
    done, total, valid = batch.rows.stop - len(rest), batch.rows.stop, 0
    attempt.tick(done, total)
    for place, (k, frame) in enumerate(zip(missing, frames, strict=True)):
        first = batch.rows.start + (k - batch.shards.start - place) * size
        write_parquet(frame.assign(row=frame["row"] + first), job.folder / drawn.SHARD.format(k))
        done, valid = done + len(frame), valid + int((frame["status"] == "valid").sum())
        attempt.tick(done, total, valid=valid, loss=float(frame["loss"].median()))
        if done < total and context.should_stop():
            frames.close()
            raise Stopped


def _known(attempt: Attempt) -> "Known":
    """Return crystals of the training set, of the reference set and of the shipped set, kept in the job's folder."""
    from legocryst.comparison.novelty import FILE, REFERENCE, SHIPPED, TRAINING, Known

    job, target = attempt.job, attempt.target
    path = job.folder / FILE
    if path.exists():
        return Known.read(path)
    candidates = curate.known(curate.STAGE.read(job.folder), target, of_set=TRAINING)
    if job.reference:
        inputs = curate.as_reference(curate.examined(attempt, "reference", job.reference))
        candidates += curate.known(inputs.table, target, of_set=REFERENCE, crystals=inputs.crystals)
    if job.training_files and len(own := curate.shipped(target.name)):
        candidates += curate.known(own, target, of_set=SHIPPED)
    candidates.write(path)
    return candidates


def _methods(paper: Paper) -> None:
    settings, counts = paper.settings.relax, paper.summary
    name, key = MINIMISERS[settings.optimizer]
    first = [
        f"towards the reference power spectrum with small angular momenta ({settings.descriptor_steps} steps at most)",
        f"towards the coordination ({settings.coordination_steps})",
    ]
    one, two = first if settings.order == "descriptor first" else first[::-1]
    paper.say(
        f"Each crystal was relaxed along its symmetry-free variables by {name} {paper.cite(key)}: {one}, {two}, and "
        f"towards the whole power spectrum with the coordination held ({settings.refine_steps})"
        + (f"; those not valid started again up to {settings.restarts} times." if settings.restarts else ".")
    )
    invalid = sum(counts["invalid"].values())
    paper.say(
        f"Of {counts['sampled']:,} rows, {counts['undecodable']:,} could not be decoded, {invalid:,} did not become "
        f"valid by the criterion of the training set, {counts['known']:,} have a known net, {counts['duplicate']:,} "
        f"repeat a net, and {counts['new']:,} are new."
    )
    paper.say(
        f"Nets were compared by their canonical forms {paper.cite('nets')}, distances to known crystals are those of "
        f"pointwise distance distributions {paper.cite('pdd')}, and space groups are those that spglib finds within "
        f"0.01 Å {paper.cite('spglib')}."
    )


STAGE = Stage(
    name="relax",
    number=5,
    title="Relax and judge",
    work=_work,
    when="batch",
    tables=(
        Table(
            name="crystals",
            columns=(
                *("id", "job", "row", "status", "reason", "shift", "loss_before", "loss", "published", "evaluations"),
                *("restarts", "merged", "written_group", "space_group", "symbol", "sites", "atoms", "density"),
                *("net_key", "net_name", "kind", "periodicity", *CRYSTAL_COLUMNS),
                *("nearest", "nearest_set", "nearest_distance", "amd"),
            ),
        ),
    ),
    settings="relax",
    done=drawn.is_relaxed,
    counts=lambda job: count(drawn.classified(job)) if drawn.all_relaxed(job) else {},
    size=lambda amount: amount.samples,
    spread=True,
    methods=_methods,
)
