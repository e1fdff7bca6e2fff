"""Relax: rows of a table become crystals in the wanted environment, or carry the reason why not."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
import pandas as pd

from legocryst.crystal.representation import Crystals
from legocryst.settings import RelaxSettings

AMU = 1.66053907
"""Grams per cubic centimetre in one atomic mass unit per cubic angstrom (CODATA 2018)."""
SYMPREC = 0.01
"""Angstrom within which spglib looks for the symmetry of a relaxed crystal."""


def relax_table(
    table: pd.DataFrame,
    target: str,
    settings: RelaxSettings,
    *,
    decode: str = "snap",
    max_atoms: int = 500,
    progress: Callable[..., None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> pd.DataFrame:
    """Decode, relax and judge every row of a table (METHOD's columns); one row out for each row in, in order.

    Columns: `row`, `status` (valid, invalid, undecodable), `reason`, `shift` (angstrom), `loss_before` and `loss` (per
    atom), `published` (the published criterion), `evaluations`, `written_group` (the row's), `space_group` and
    `symbol` (spglib's at 0.01 angstrom, of valid crystals; else the row's), `sites` and `atoms` (of the conventional
    cell), `density` (g/cm3), `net_key`, `net_name`, `kind`, `periodicity`, and the relaxed crystal in METHOD's
    columns. Raises `table.TableError` for a table that is none.
    """
    from legocryst.analysis.nets import nets
    from legocryst.crystal.table import decode as decode_table
    from legocryst.crystal.table import encode
    from legocryst.environment.targets import target as find_target
    from legocryst.relax import relax

    wanted = find_target(target)
    decoded = decode_table(table, mode=decode, element=wanted.atomic_number, max_atoms=max_atoms)
    relaxed = relax(decoded.crystals, wanted, settings, progress=progress, should_stop=should_stop)
    crystals = _standardized(relaxed.crystals, relaxed.valid, wanted)
    frame = pd.DataFrame(
        {
            "row": decoded.rows,
            "status": np.where(relaxed.valid, "valid", "invalid"),
            "reason": relaxed.reason,
            "shift": decoded.shift,
            "loss_before": relaxed.loss_before,
            "loss": relaxed.loss,
            "published": relaxed.published,
            "evaluations": relaxed.evaluations,
            "written_group": decoded.crystals.group,
        }
    )
    frame = pd.concat([frame, _description(crystals)], axis=1)
    for name in ("net_key", "net_name", "kind"):
        frame[name] = ""
    frame["periodicity"] = pd.array([pd.NA] * len(frame), dtype="Int64")
    valid = np.flatnonzero(relaxed.valid)
    for k, net in zip(valid, nets(crystals.take(valid), cutoff=wanted.bond_window[1]), strict=True):
        frame.loc[k, ["net_key", "net_name", "kind", "periodicity"]] = [net.key, net.name, net.kind, net.periodicity]
    frame = pd.concat([frame, encode(crystals)], axis=1)
    return _with_undecodable(frame, decoded.reason)


def relax_chunks(
    table: pd.DataFrame,
    target: str,
    settings: RelaxSettings,
    *,
    decode: str = "snap",
    max_atoms: int = 500,
    threads: int = 1,
    chunk: int = 500,
) -> Iterator[pd.DataFrame]:
    """`relax_table` by chunks of rows, in order, spread over `threads` processes of one thread each.

    Rows are counted over the whole table. Close the iterator to stop early.
    """
    starts = range(0, len(table), chunk)
    parts = (table.iloc[start : start + chunk] for start in starts)
    work = partial(_relax_alone, target=target, settings=settings, decode=decode, max_atoms=max_atoms)
    if threads == 1 or len(starts) <= 1:
        frames = map(work, parts)
        yield from (_shifted(frame, start) for frame, start in zip(frames, starts, strict=True))
        return
    with ProcessPoolExecutor(min(threads, len(starts)), mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(work, part) for part in parts]
        try:
            for future, start in zip(waiting, starts, strict=True):
                yield _shifted(future.result(), start)
        finally:
            pool.shutdown(cancel_futures=True)


def _relax_alone(
    table: pd.DataFrame, *, target: str, settings: RelaxSettings, decode: str, max_atoms: int
) -> pd.DataFrame:
    import torch

    torch.set_num_threads(1)
    return relax_table(table, target, settings, decode=decode, max_atoms=max_atoms)


def _shifted(frame: pd.DataFrame, start: int) -> pd.DataFrame:
    return frame.assign(row=frame["row"] + start)


def _standardized(crystals: Crystals, valid: np.ndarray, target: object) -> Crystals:
    """The batch with each valid crystal that has more symmetry than its row's group rewritten in its own group."""
    from legocryst.crystal.files import standardized
    from legocryst.environment.validity import judge

    parts = [crystals.take([k]) for k in range(len(crystals))]
    for k in np.flatnonzero(valid):
        better = standardized(parts[k], symprec=SYMPREC)
        if better is not None and judge(better, target).valid[0]:  # type: ignore[arg-type]
            parts[k] = better
    return Crystals.concatenate(parts)


def _description(crystals: Crystals) -> pd.DataFrame:
    from ase.data import atomic_masses

    from legocryst.crystal.wyckoff import wyckoff

    mass = np.bincount(
        crystals.crystal_of_site,
        weights=atomic_masses[crystals.species] * crystals.multiplicity,
        minlength=len(crystals),
    )
    return pd.DataFrame(
        {
            "space_group": crystals.group,
            "symbol": wyckoff().symbol[crystals.group],
            "sites": crystals.site_count,
            "atoms": crystals.atom_count,
            "density": AMU * mass / crystals.volume,
        }
    )


def _with_undecodable(frame: pd.DataFrame, reason: np.ndarray) -> pd.DataFrame:
    """One row for each row of the table, the undecodable ones with their reason."""
    lost = np.flatnonzero(reason != "")
    missing = pd.DataFrame({"row": lost, "status": "undecodable", "reason": reason[lost], "published": False})
    for name in ("net_key", "net_name", "kind", "symbol"):
        missing[name] = ""
    out = pd.concat([frame, missing], ignore_index=True) if len(lost) else frame
    for name in ("evaluations", "written_group", "space_group", "sites", "atoms"):
        out[name] = out[name].astype("Int64")
    return out.sort_values("row", ignore_index=True)
