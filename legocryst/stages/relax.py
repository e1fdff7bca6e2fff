"""Relax: rows of a table become crystals in the wanted environment, or carry the reason why not."""

from collections.abc import Generator
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd

from legocryst.comparison.novelty import Known, signature
from legocryst.comparison.pdd import pdds
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.density import densities
from legocryst.crystal.io.structures import FileError, from_atoms, to_cif
from legocryst.crystal.io.table import Mode, encode
from legocryst.crystal.io.table import decode as decode_table
from legocryst.crystal.symmetry.projection import wrapped
from legocryst.crystal.symmetry.wyckoff import wyckoff
from legocryst.environment.target import Target
from legocryst.environment.validity import judge
from legocryst.infra.run_context import SILENT, RunContext
from legocryst.relax import relax
from legocryst.settings import RelaxSettings
from legocryst.topology.nets import nets

SYMPREC = 0.01
"""Angstrom within which spglib looks for the symmetry of a relaxed crystal."""


def relax_table(
    table: pd.DataFrame,
    target: Target,
    settings: RelaxSettings,
    *,
    decode: Mode = "snap",
    max_atoms: int = 500,
    first_row: int = 0,
    cif: bool = False,
    known: Known | None = None,
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
    found = nets(crystals.take(valid), cutoff=target.bond_window[1])
    texts = {"net_key": [net.key for net in found], "net_name": [net.name for net in found]}
    for name, values in (texts | {"kind": [net.kind for net in found]}).items():
        frame[name] = ""
        frame.loc[valid, name] = values
    # what holds layers, chains or cages apart is no bond, so that their distance, and the volume, mean nothing yet
    apart = [any(part.periodicity < 3 for part in net.components) for net in found]
    frame.loc[valid[apart], "density"] = np.nan
    frame["periodicity"] = pd.Series([net.periodicity for net in found], index=valid, dtype="Int64")
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
    known: Known | None = None,
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
    """The batch with each valid crystal in the standard setting of its full space group.

    A crystal whose symmetry spglib cannot tell or tells to be lower, or that is no longer valid after its atoms moved
    onto their special positions (by up to `SYMPREC`), stays in its row's group.
    """
    atoms, lattice, chosen = crystals.atoms(), crystals.lattice, np.flatnonzero(valid)
    full: dict[int, Crystals] = {}
    for k in chosen.tolist():
        mine = slice(atoms.first[k], atoms.first[k + 1])
        with suppress(FileError):
            full[k] = from_atoms(lattice[k], wrapped(atoms.fractional[mine]), atoms.species[mine], SYMPREC)
    better = Crystals.concatenate(list(full.values()))
    which = np.arange(len(crystals))
    places = np.array(list(full), np.int64)
    sound = judge(better, target).valid & (better.site_count <= crystals.site_count[places])
    which[places] = np.where(sound, len(crystals) + np.arange(len(places)), places)
    return Crystals.concatenate([crystals, better]).take(which)


def _nearest(crystals: Crystals, target: Target, known: Known) -> pd.DataFrame:
    """Of each crystal the known one that is nearest, and by what a database finds it."""
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
    """One row for each row of the table, the undecodable ones with their reason."""
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
