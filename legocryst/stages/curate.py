"""Curate: known crystals, shipped or a user's, judged against the target, each net once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from legocryst import DATA
from legocryst.crystal.representation import Crystals
from legocryst.settings import CurateSettings

SHIPPED = DATA / "seeds" / "sp2_carbon.parquet"
DESCRIPTION = ("name", "source", "licence", "net_key", "periodicity", "kind", "energy", "atoms", "loss")
"""Columns of a training set beside METHOD's: energy in eV/atom above graphite (NaN if unknown), loss per atom."""


@dataclass(frozen=True, slots=True)
class Curated:
    """A training set, and what became of each crystal that was offered."""

    table: pd.DataFrame  # METHOD's columns and DESCRIPTION, one row a crystal
    report: pd.DataFrame  # crystal (number), name, source, kept, reason ("" if kept)


def shipped() -> pd.DataFrame:
    """The shipped training set, with METHOD's columns and DESCRIPTION."""
    return pd.read_parquet(SHIPPED)


def curate(
    seeds: pd.DataFrame | str | Path | Sequence[str | Path] | None = None,
    settings: CurateSettings | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Curated:
    """The strictly valid crystals of a table, of files or folders, or of the shipped set if nothing is named.

    A user's crystals are brought to the standard setting of the group that spglib finds. Of crystals with one net key
    the first is kept. `progress(done, total)` while nets are found.

    Raises ValueError when no crystal is left, `FileError` or `TableError` (both ValueErrors) for unreadable input.
    """
    from legocryst.environment.targets import target
    from legocryst.environment.validity import judge

    settings = settings or CurateSettings()
    wanted = target(settings.target)
    crystals, description = _read(seeds, wanted.atomic_number)
    verdict = judge(crystals, wanted)
    reason = verdict.reason.copy()
    limits = (
        (crystals.site_count > settings.max_sites, f"more than {settings.max_sites} Wyckoff sites"),
        (crystals.atom_count > settings.max_atoms, f"more than {settings.max_atoms} atoms in the conventional cell"),
    )
    for broken, text in limits:
        reason[broken & (reason == "")] = text
    description["loss"] = verdict.loss
    description["atoms"] = crystals.atom_count
    good = np.flatnonzero(reason == "")
    if "net_key" not in description:
        _describe_nets(description, crystals, good, wanted.bond_window[1], progress)
    seen: dict[str, int] = {}
    for k in good:
        first = seen.setdefault(description["net_key"].iloc[k], int(k))
        if first != k:
            reason[k] = f"same net as crystal {first}"
    return _curated(crystals, description, reason, settings)


def _read(
    seeds: pd.DataFrame | str | Path | Sequence[str | Path] | None, element: int
) -> tuple[Crystals, pd.DataFrame]:
    """Crystals, and what is known of each: name, source, licence, energy; of the shipped set also its nets."""
    from legocryst.crystal.files import crystal_files, read_crystals
    from legocryst.crystal.table import decode

    if isinstance(seeds, pd.DataFrame):
        decoded = decode(seeds, mode="strict", element=element, max_atoms=100_000)
        if len(decoded.rows) < len(seeds):
            bad = int(np.flatnonzero(decoded.reason != "")[0])
            raise ValueError(f"row {bad} of the table is no crystal ({decoded.reason[bad]}): correct or remove it")
        return _of_user([("table", decoded.crystals)])
    paths = [seeds] if isinstance(seeds, str | Path) else seeds
    if paths:
        return _of_user([(file.name, read_crystals(file)) for path in paths for file in crystal_files(path)])
    table = shipped()
    return decode(table, max_atoms=100_000).crystals, table[list(DESCRIPTION)].copy()


def _of_user(batches: list[tuple[str, Crystals]]) -> tuple[Crystals, pd.DataFrame]:
    source = [name for name, batch in batches for _ in range(len(batch))]
    crystals = _standard(Crystals.concatenate([batch for _, batch in batches]))
    return crystals, pd.DataFrame({"name": "", "source": source, "licence": "", "energy": np.nan})


def _standard(crystals: Crystals) -> Crystals:
    """Each crystal in the standard setting of the group that spglib finds, or as it is where that is not clear."""
    from legocryst.crystal.files import FileError, from_structure, to_structure

    parts = [crystals.take([k]) for k in range(len(crystals))]
    for k in np.flatnonzero(np.nan_to_num(crystals.volume) > 0):
        try:
            parts[k] = from_structure(to_structure(crystals, int(k)))
        except FileError:  # overlapping atoms, unclear symmetry: the verdict tells
            continue
    return Crystals.concatenate(parts)


def _describe_nets(
    description: pd.DataFrame,
    crystals: Crystals,
    good: np.ndarray,
    cutoff: float,
    progress: Callable[[int, int], None] | None,
) -> None:
    from legocryst.analysis.nets import nets

    found = nets(crystals.take(good), cutoff=cutoff, progress=progress)
    for name, value in (("net_key", ""), ("periodicity", -1), ("kind", "")):
        description[name] = value
    rows = description.index[good]
    description.loc[rows, "net_key"] = [net.key for net in found]
    description.loc[rows, "periodicity"] = [net.periodicity for net in found]
    description.loc[rows, "kind"] = [net.kind for net in found]
    description.loc[rows, "name"] = [net.name for net in found]


def _curated(crystals: Crystals, description: pd.DataFrame, reason: np.ndarray, settings: CurateSettings) -> Curated:
    from legocryst.crystal.table import encode

    report = pd.DataFrame({"crystal": np.arange(len(crystals)), "name": description["name"].to_numpy()})
    report["source"] = description["source"].to_numpy()
    report["kept"], report["reason"] = reason == "", reason
    kept = np.flatnonzero(reason == "")
    if not len(kept):
        most = pd.Series(reason).value_counts()
        raise ValueError(
            f"none of the {len(crystals)} crystals can be used for {settings.target} (most often: {most.index[0]}): "
            "give crystals in which every atom has the wanted environment"
        )
    table = encode(crystals.take(kept), sites=8)
    extra = description.iloc[kept][list(DESCRIPTION)].reset_index(drop=True)
    return Curated(pd.concat([table, extra], axis=1), report)
