"""Curate: known crystals, shipped or a user's, judged against the target, each net once.

First every crystal that is offered is examined, which takes time; then the settings choose among them, at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from legocryst import DATA
from legocryst.crystal.cell import SYSTEMS, system_index
from legocryst.crystal.crystals import Crystals
from legocryst.infra.files import write_parquet
from legocryst.infra.phrases import all_of, any_of, several
from legocryst.infra.run_context import SILENT, Progress, RunContext
from legocryst.settings import CurateSettings, group_numbers
from legocryst.stages.base import Attempt, JobFiles, Paper, Stage, Table
from legocryst.vocabulary.quantities import CRYSTAL_COLUMNS, SITES

if TYPE_CHECKING:
    from legocryst.comparison.novelty import Known
    from legocryst.environment.target import Target

DESCRIPTION = (
    *("name", "source", "licence", "net_key", "periodicity", "kind", "rings", "energy", "strain", "atoms", "loss"),
)
"""Columns of a training set beside METHOD's: energy in eV/atom above the reference (NaN if unknown), loss per atom."""
REFERENCE = ("source", "name", "net_key", "periodicity", "kind", "rings", "energy", "strain", "spg", "sites", "atoms")
"""Columns of a reference set."""
REFERENCE_SHARD = "shards/reference.parquet"
"""What a job leaves besides, where a reference set was given."""
EXAMINED = {"seeds": "examined/seeds.parquet", "reference": "examined/reference.parquet"}
"""Training and reference set of a job as they were read and judged, once, before a filter."""
REPORT = ("crystal", "name", "source", "kept", "reason", "detail")
"""Columns of a report: number, name of the net, where it is from, and why it is not kept: in few words, and more."""
UNREADABLE, SAME_NET = "cannot be read", "same net as another"
OTHER_ELEMENTS = "other elements than the target's"
_ADVICE = "give crystals in which every atom has the target environment"
_UNKNOWN = {
    **dict.fromkeys(("name", "net_key", "kind", "rings"), ""),
    **{"periodicity": -1, "spg": 0, "sites": 0, "atoms": 0, "reason": UNREADABLE},
}
CrystalSource = pd.DataFrame | str | Path | Sequence[str | Path] | None


@dataclass(frozen=True, slots=True)
class Examined:
    """Everything that was offered, before the settings choose."""

    crystals: Crystals  # k that could be read
    table: pd.DataFrame
    """One row an offer, in order: DESCRIPTION, `spg`, `sites`, `reason` ("" where it has the target's environment),
    `detail`, and `place`, its number in `crystals`, -1 where it could not be read. The columns of the net are "" or -1
    and the strain is NaN where some atom has not the target's element or number of bonds."""

    def write(self, path: Path) -> None:
        """Keep it in a Parquet file, exact to the last bit, so that nothing is read and judged again."""
        from legocryst.crystal.batch import to_text

        texts = [to_text(self.crystals.take([k])) if k >= 0 else "" for k in self.table["place"]]
        write_parquet(self.table.assign(crystal=texts), path)

    @staticmethod
    def read(path: Path) -> "Examined":
        """Read what `write` kept."""
        from legocryst.crystal.batch import from_text

        table = pd.read_parquet(path)
        order = table.loc[table["place"] >= 0].sort_values("place")
        crystals = Crystals.concatenate([from_text(text) for text in order["crystal"]])
        return Examined(crystals, table.drop(columns="crystal"))


@dataclass(frozen=True, slots=True)
class Curated:
    """A training or reference set, and what became of each crystal that was offered."""

    table: pd.DataFrame  # METHOD's columns and DESCRIPTION, or REFERENCE; one row a crystal
    report: pd.DataFrame  # REPORT, one row an offer
    crystals: Crystals  # one for each row of the table


def shipped_file(target: str) -> Path:
    """Return where the shipped training set of a target lies, if it has one."""
    return DATA / "seeds" / f"{target.replace('-', '_')}.parquet"


def shipped(target: str) -> pd.DataFrame:
    """Read a target's shipped training set, METHOD's columns and DESCRIPTION; without rows where it has none."""
    path, columns = shipped_file(target), [*CRYSTAL_COLUMNS, *DESCRIPTION]
    return pd.read_parquet(path, columns=columns) if path.exists() else pd.DataFrame(columns=columns)


def curate(
    source: CrystalSource, target: "Target", settings: CurateSettings | None = None, context: RunContext = SILENT
) -> Curated:
    """Take the strictly valid crystals of a table, files, folders or archives, or the shipped set if none is named.

    Those that the settings exclude are left out, and of crystals with one net key the first is kept.
    `context.progress(done, total)` while crystals are read, and again while nets are found.

    Raises ValueError when no crystal is left, `FileError` or `TableError` (both ValueErrors) for unreadable input.
    """
    settings = settings or CurateSettings()
    return select(examine(source, target, settings, context), target, settings)


def reference(
    source: CrystalSource, target: "Target", settings: CurateSettings, context: RunContext = SILENT
) -> Curated:
    """Return nets of crystals that are known but not learnt from, whose atoms have the target's number of bonds.

    Limits of bond lengths, angles and descriptors do not count, nor those of the settings: other methods give other
    geometries of the same net. Raises ValueError as `curate` does.
    """
    return as_reference(examine(source, target, settings, context))


def as_reference(examined: Examined) -> Curated:
    """Make a reference set of what was examined; see `reference`."""
    result = examined.table.copy()
    named = (result["net_key"] != "").to_numpy()
    result.loc[named, "reason"] = ""
    if not named.any():
        raise ValueError(f"none of the {len(result)} crystals of the reference has a net ({_most(result)}): {_ADVICE}")
    crystals = examined.crystals.take(result.loc[named, "place"].to_numpy())
    return Curated(result.loc[named, list(REFERENCE)].reset_index(drop=True), report(result), crystals)


def examine(
    source: CrystalSource, target: "Target", settings: CurateSettings, context: RunContext = SILENT
) -> Examined:
    """Read, judge and describe all that is offered; of the settings only `symprec` counts.

    Raises ValueError as `curate` does for unreadable input.
    """
    from legocryst.crystal.io.inputs import offers
    from legocryst.crystal.io.table import decode

    if source is None or (not isinstance(source, pd.DataFrame | str | Path) and not len(source)):
        source = _for_want_of_own(target)
    if source is None:
        table = shipped(target.name)
        crystals = decode(table, element=target.atomic_number, max_atoms=100_000).crystals
        table = table[[*DESCRIPTION, "spg"]].assign(sites=crystals.site_count, place=np.arange(len(table)), detail="")
        return Examined(crystals, table.assign(reason=_judged(crystals, target)[0]))
    candidates = offers(source, element=target.atomic_number, symprec=settings.symprec, progress=context.progress)
    crystals = Crystals.concatenate([offer.crystal for offer in candidates if offer.crystal is not None])
    read = np.array([offer.crystal is not None for offer in candidates])
    about = describe(crystals, target, progress=context.progress).assign(spg=crystals.group, sites=crystals.site_count)
    place = np.where(read, np.cumsum(read) - 1, -1)
    return Examined(
        crystals,
        _filled(about, place).assign(
            source=[offer.words.get("source") or offer.place for offer in candidates],
            licence=[str(offer.words.get("licence", "")) for offer in candidates],
            energy=[float(offer.words.get("energy", np.nan)) for offer in candidates],
            place=place,
            detail=[offer.reason or offer.note for offer in candidates],
        ),
    )


def _for_want_of_own(goal: "Target") -> pd.DataFrame | None:
    """Offer a target without a shipped set its reference and the sets of targets like it; else None."""
    from legocryst.crystal.io.readers import WORDS
    from legocryst.crystal.io.table import encode

    if shipped_file(goal.name).exists():
        return None
    columns, reference = [*CRYSTAL_COLUMNS, *WORDS, "net_key"], goal.reference.crystals()
    offered = [shipped(name)[columns] for name in _alike(goal)]
    if reference.site_count[0] <= SITES:
        own = encode(reference, sites=SITES)
        own = own.assign(source=f"reference of {goal.name}", licence="", energy=np.nan, net_key="")
        offered.append(own[columns])
    if not offered:
        raise ValueError(f"no crystals of {goal.name} are shipped: give crystals in which every atom is like it")
    return pd.concat(offered, ignore_index=True)


def _alike(goal: "Target") -> list[str]:
    """Return names of the shipped targets with a set and with a target's element and coordination."""
    from legocryst.environment.target import shipped_names
    from legocryst.environment.target_library import target

    like = (goal.element, goal.coordination)
    sets = [name for name in shipped_names() if shipped_file(name).exists()]
    return [name for name in sets if (target(name).element, target(name).coordination) == like]


def describe(crystals: Crystals, target: "Target", *, progress: Progress | None = None) -> pd.DataFrame:
    """Describe net, strain, atoms and loss of crystals as in DESCRIPTION, and the `reason` why invalid, or ""."""
    from legocryst.environment.strain import strain
    from legocryst.topology.nets import nets

    strained = np.where(_has_other_elements(crystals, target), np.nan, strain(crystals, target))
    bonded = np.flatnonzero(np.isfinite(strained))
    net_list = nets(crystals.take(bonded), cutoff=target.bond_window[1], progress=progress)
    words = {
        "name": [net.name for net in net_list],
        "net_key": [net.key for net in net_list],
        "kind": [net.kind for net in net_list],
        "rings": [" ".join(str(size) for size in sorted(net.rings) if size) for net in net_list],
    }
    named = pd.DataFrame(words, index=bonded, dtype=object)
    named["periodicity"] = np.array([net.periodicity for net in net_list], np.int64)
    out = _filled(named, np.arange(len(crystals))).assign(strain=strained)
    reason, loss = _judged(crystals, target)
    return out.assign(atoms=crystals.atom_count, loss=loss, reason=reason)


def known(table: pd.DataFrame, target: "Target", *, of_set: str, crystals: Crystals | None = None) -> "Known":
    """Return crystals as what is known of novelty; those without a name are called by their number.

    `table` has `name` and `net_key` and, where `crystals` are not given, METHOD's columns.
    """
    from legocryst.comparison.novelty import Known
    from legocryst.crystal.io.table import decode

    if crystals is None:
        crystals = decode(table, element=target.atomic_number, max_atoms=100_000).crystals
    return Known.of(crystals, target, names=list(table["name"]), keys=list(table["net_key"]), of_set=of_set)


def described(table: pd.DataFrame, target: "Target") -> pd.DataFrame:
    """Return a training set with `rings` and `strain` computed anew, columns in order: METHOD's, DESCRIPTION.

    Raises ValueError for a row that is no crystal.
    """
    from legocryst.crystal.io.table import decode

    decoded = decode(table, mode="strict", element=target.atomic_number, max_atoms=100_000)
    if len(decoded.rows) < len(table):
        bad = int(np.flatnonzero(decoded.reason != "")[0])
        raise ValueError(f"row {bad} of the table is no crystal ({decoded.reason[bad]}): correct or remove it")
    description = describe(decoded.crystals, target)
    columns = [name for name in table.columns if name not in DESCRIPTION]
    table = table.assign(rings=description["rings"].to_numpy(), strain=description["strain"].to_numpy())
    return table[[*columns, *DESCRIPTION]]


def excluded(table: pd.DataFrame, settings: CurateSettings) -> dict[str, np.ndarray]:
    """Return which rows (n,) of `Examined.table` each set filter leaves out, by the reason that a report gives."""
    energy, system = table["energy"].to_numpy(float), system_index(table["spg"].to_numpy(int))
    sets = settings.periodicities, settings.crystal_systems, settings.space_groups.strip()
    filters = {
        f"more than {settings.max_sites} Wyckoff sites": (True, table["sites"] > settings.max_sites),
        f"more than {settings.max_atoms} atoms in the conventional cell": (True, table["atoms"] > settings.max_atoms),
        f"strain above {settings.max_strain}": _above(table["strain"], settings.max_strain),
        f"energy above {settings.max_energy} eV/atom": _above(energy, settings.max_energy),
        "energy not known": (settings.known_energy_only, np.isnan(energy)),
        f"periodicity not {any_of(sets[0])}": (sets[0], ~np.isin(table["periodicity"], sets[0])),
        f"crystal system not {any_of(sets[1])}": (sets[1], ~np.isin(np.array(SYSTEMS)[system], sets[1])),
        f"space group not in {sets[2]}": (sets[2], ~np.isin(table["spg"], list(group_numbers(sets[2])))),
    }
    return {reason: np.asarray(rows, bool) for reason, (is_set, rows) in filters.items() if is_set}


def dropped(table: pd.DataFrame, settings: CurateSettings) -> pd.DataFrame:
    """Return what each filter that is set leaves out of the valid rows of `Examined.table`, the repeated nets last.

    Columns: `reason`; `alone`, how many rows it leaves out by itself; `only`, how many of them nothing else does.
    """
    valid = table[table["reason"] == ""]
    filters = excluded(valid, settings)
    times = np.sum(list(filters.values()), axis=0)
    rows = [(reason, int(out.sum()), int((out & (times == 1)).sum())) for reason, out in filters.items()]
    repeated = int(valid["net_key"].duplicated().sum()), int(valid.loc[times == 0, "net_key"].duplicated().sum())
    return pd.DataFrame([*rows, (SAME_NET, *repeated)], columns=["reason", "alone", "only"])


def filtered(table: pd.DataFrame, settings: CurateSettings) -> pd.DataFrame:
    """Add to `Examined.table` `reason` and `detail` of the rows that the settings leave out, repeated nets last."""
    reason = table["reason"].to_numpy(object, copy=True)
    for text, rows in excluded(table, settings).items():
        reason[rows & (reason == "")] = text
    good = table.loc[reason == "", "net_key"]
    first = pd.Series(good.index, index=good.index).groupby(good).transform("first")
    again = first[first != first.index]
    reason[again.index] = SAME_NET
    detail = table["detail"].to_numpy(object, copy=True)
    detail[again.index] = [f"crystal {k}, {table['source'][k]}" for k in again]
    return table.assign(reason=reason, detail=detail)


def report(table: pd.DataFrame) -> pd.DataFrame:
    """Return what became of each row of `filtered`, in REPORT's columns."""
    numbered = table.assign(crystal=np.arange(len(table)), kept=table["reason"] == "")
    return numbered[list(REPORT)].reset_index(drop=True)


def select(examined: Examined, target: "Target", settings: CurateSettings) -> Curated:
    """Return the training set that the settings make of what was offered; raises ValueError when no crystal is left."""
    from legocryst.crystal.io.table import encode

    table = filtered(examined.table, settings)
    passing = table[table["reason"] == ""]
    if passing.empty:
        advice = "loosen the filters" if (examined.table["reason"] == "").any() else _ADVICE
        raise ValueError(f"none of the {len(table)} crystals can be used for {target.name} ({_most(table)}): {advice}")
    crystals = examined.crystals.take(passing["place"].to_numpy())
    described = passing[list(DESCRIPTION)].reset_index(drop=True)
    return Curated(pd.concat([encode(crystals, sites=SITES), described], axis=1), report(table), crystals)


def _judged(crystals: Crystals, target: "Target") -> tuple[np.ndarray, np.ndarray]:
    """Return reason (n,), "" where strictly valid, and loss (n,) of each crystal."""
    from legocryst.environment.validity import judge

    verdict = judge(crystals, target)
    return np.where(_has_other_elements(crystals, target), OTHER_ELEMENTS, verdict.reason), verdict.loss


def _has_other_elements(crystals: Crystals, target: "Target") -> np.ndarray:
    other = crystals.species != target.atomic_number
    return np.bincount(crystals.crystal_of_site, weights=other, minlength=len(crystals)) > 0


def _above(values: "pd.Series | np.ndarray", limit: float | None) -> "tuple[bool, pd.Series | np.ndarray]":
    return (False, values) if limit is None else (True, values > limit)


def _filled(rows: pd.DataFrame, index: np.ndarray) -> pd.DataFrame:
    """Return the rows of an index, in its order, with what stands for the unknown where there is no such row."""
    missing = {name: value for name, value in _UNKNOWN.items() if name in rows}
    return rows.reindex(index).fillna(missing).astype(rows.dtypes).reset_index(drop=True)


def _most(table: pd.DataFrame) -> str:
    """Return the most frequent reason, with an example."""
    reason = table["reason"].value_counts().index[0]
    detail = table.loc[table["reason"] == reason, "detail"].iloc[0]
    return f"most often: {reason}" + (f": {detail}" if detail else "")


def _work(attempt: Attempt, _: int) -> None:
    job, settings = attempt.job, attempt.settings.curate
    curated = select(examined(attempt, "seeds", job.training_files), attempt.target, settings)
    use = curated.report.assign(use="training")
    if job.reference:
        known = as_reference(examined(attempt, "reference", job.reference))
        use = pd.concat([use, known.report.assign(use="reference")], ignore_index=True)
        write_parquet(known.table, job.folder / REFERENCE_SHARD)
    write_parquet(use, STAGE.path(job.folder, file=1))
    write_parquet(curated.table, STAGE.path(job.folder))


def examined(attempt: Attempt, name: str, paths: Sequence[Path]) -> Examined:
    """Read and judge a job's crystals, unless that was done when it was made or in an earlier attempt.

    `name` is "seeds" or "reference".
    """
    path = attempt.job.folder / EXAMINED[name]
    if not path.exists():
        examine(paths, attempt.target, attempt.settings.curate, attempt.context(STAGE.name)).write(path)
    return Examined.read(path)


def _counts(job: JobFiles) -> dict[str, Any]:
    """Return crystals of the training set and, where there is one, of the reference set."""
    counts = {"seeds": len(STAGE.read(job.folder))}
    return counts | ({"reference": len(pd.read_parquet(job.folder / REFERENCE_SHARD))} if job.reference else {})


def _methods(paper: Paper) -> None:
    settings, target, number = paper.settings.curate, paper.target, paper.summary["seeds"]
    low, high = target.bond_window
    paper.say(
        f'Crystals of {target.element} with the local environment "{target.title}" were treated with LEGO-Cryst '
        f"{paper.version} {paper.cite('legocryst')}, an independent implementation of the method of "
        f"{paper.cite('legoxtal', 'legoxtal2')}."
    )
    criteria = [
        f"{several(target.coordination, 'bond')} of {low:g} to {high:g} Å",
        f"no further atom nearer than {target.gap:g} Å",
    ]
    criteria += [f"no angle between bonds below {target.min_angle:g} degrees"] if target.coordination > 1 else []
    if target.vertex_figure:
        criteria.append(f"bonds in directions within {target.vertex_figure.limit:g} (RMSD) of the target's")
    paper.say(
        f"The training set consists of {several(number, 'known crystal')} {_origin(paper)}, "
        f"{'each with another net, ' if number > 1 else ''}in which every atom has "
        f"{', '.join(criteria[:-1])}, and {criteria[-1]}."
    )
    limits = [f"at most {settings.max_sites} Wyckoff sites", f"at most {settings.max_atoms} atoms in the cell"]
    limits += [f"a strain of at most {settings.max_strain:g}"] if settings.max_strain is not None else []
    if settings.max_energy is not None:
        limits.append(f"at most {settings.max_energy:g} eV/atom above the reference, where the energy is known")
    limits += ["a known energy"] if settings.known_energy_only else []
    limits += [f"periodicity {any_of(settings.periodicities)}"] if settings.periodicities else []
    limits += [f"a {any_of(settings.crystal_systems)} cell"] if settings.crystal_systems else []
    limits += [f"space groups {settings.space_groups}"] if settings.space_groups else []
    paper.say(f"Taken were crystals with {all_of(limits)}.")
    if paper.summary.get("reference"):
        paper.say(f"The nets of {several(paper.summary['reference'], 'further crystal')} counted as known.")


def _origin(paper: Paper) -> str:
    """Say where the crystals of a training set come from."""
    if files := paper.job.training_files:
        return f"read from {several(len(files), 'file')}"
    own = shipped_file(paper.target.name).exists()
    if not own and not _alike(paper.target):
        return "that the target is made from"
    shipped_ones = "shipped with the program" if own else "that the target is made from or that the program ships"
    return f"{shipped_ones} (nets of the RCSR {paper.cite('rcsr')} and nets found by a random search)"


STAGE = Stage(
    name="curate",
    number=0,
    title="Judge the training set",
    work=_work,
    files=("shards/seeds.parquet", "curation.parquet"),
    tables=(
        Table(
            name="seeds",
            columns=(
                *("job", "number", *CRYSTAL_COLUMNS, "name", "source", "licence", "net_key", "periodicity", "kind"),
                *("rings", "energy", "strain", "atoms", "loss"),
            ),
        ),
        Table(name="reference", columns=("job", *REFERENCE)),
    ),
    settings="curate",
    counts=_counts,
    size=lambda amount: amount.crystals,
    methods=_methods,
)
