"""The table of crystals, one row each, that LEGO-xtal reads and writes: `spg, a .. gamma, wp0, x0, y0, z0 ..`.

Angles are in radians, coordinates fractional; -1 fills the four columns of an unused site. Wyckoff positions count from
the general one, 0. Tables for several elements have one more column a site, `el0`, `el1`, ...
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from legocryst.crystal import cell as cells
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.elements import ATOMIC_NUMBER, SYMBOLS
from legocryst.crystal.symmetry.projection import project, wrapped
from legocryst.crystal.symmetry.wyckoff import N_GROUPS, wyckoff

Mode = Literal["snap", "strict", "drop"]
CELL = ("a", "b", "c", "alpha", "beta", "gamma")

STRICT_SHIFT = 0.1  # angstrom
DROP_SHIFT = 0.01  # summed fractional displacement beyond which the reference programs drop a site
DROP_BELOW = -0.01  # the reference programs read a site only if its four columns are above this
LENGTHS, VOLUMES, FLATTEST = (0.5, 500.0), (1.0, 1e6), 0.02  # angstrom, cubic angstrom, volume / (a b c)

OUTSIDE_GROUPS = f"space group outside 1..{N_GROUPS}"
OUTSIDE_POSITIONS = "Wyckoff index outside the group"
FIXED_TWICE = "fixed position used twice"
IMPOSSIBLE_CELL = "impossible cell"
NO_SITES = "no sites"
TOO_MANY_ATOMS = "too many atoms"
NOT_A_NUMBER = "not a number"
NOT_WHOLE = "space group or Wyckoff index not a whole number"
UNKNOWN_ELEMENT = "unknown element"
FAR_FROM_POSITION = f"shift above {STRICT_SHIFT} angstrom"


class TableError(ValueError):
    """A table that cannot be read as crystals; the message is one sentence that says why and what to do."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The crystals of a table, and the reason for each row that is none."""

    crystals: Crystals  # k decoded crystals, in the order of their rows
    rows: np.ndarray  # (k,) row of each crystal, counted from 0 whatever the table's index
    shift: np.ndarray  # (k,) largest distance a site moved onto its Wyckoff position, angstrom
    reason: np.ndarray  # (rows of the table,) object, "" where decoded


@dataclass(slots=True)
class _Sites:
    """The used sites of a table, in order, while it is decoded."""

    row: np.ndarray  # (s,)
    position: np.ndarray  # (s,) Wyckoff index in the group
    coordinates: np.ndarray  # (s, 3)
    species: np.ndarray  # (s,)

    def keep(self, mask: np.ndarray) -> "_Sites":
        return _Sites(self.row[mask], self.position[mask], self.coordinates[mask], self.species[mask])


def columns(sites: int = 8, *, elements: bool = False) -> list[str]:
    """Return column names of a table with that many sites."""
    names = ("el", "wp", "x", "y", "z") if elements else ("wp", "x", "y", "z")
    return ["spg", *CELL, *(f"{name}{i}" for i in range(sites) for name in names)]


def encode(crystals: Crystals, *, sites: int = 8) -> pd.DataFrame:
    """Return one row for each crystal; inverse of `decode`.

    Element columns (atomic numbers, -1 where unused) appear only if there are several elements. Raises TableError if a
    crystal has more than `sites` sites.
    """
    count = crystals.site_count
    if len(crystals) and count.max() > sites:
        worst = int(count.argmax())
        raise TableError(f"crystal {worst} has {count[worst]} sites, and a row holds {sites}: ask for more sites a row")
    n, owner = len(crystals), crystals.crystal_of_site
    slot = np.arange(len(owner)) - crystals.first_site[owner]
    elements = len(np.unique(crystals.species)) > 1
    position, species = np.full((2, n, sites), -1, np.int64)
    coordinates = np.full((n, sites, 3), -1.0)
    position[owner, slot], species[owner, slot] = crystals.position, crystals.species
    coordinates[owner, slot] = wrapped(crystals.coordinates)
    data: dict[str, np.ndarray] = {"spg": crystals.group.astype(np.int64)}
    data |= {name: crystals.cell[:, k] for k, name in enumerate(CELL)}
    for i in range(sites):
        if elements:
            data[f"el{i}"] = species[:, i]
        data[f"wp{i}"] = position[:, i]
        data |= {f"{axis}{i}": coordinates[:, i, k] for k, axis in enumerate("xyz")}
    return pd.DataFrame(data)


def decode(table: pd.DataFrame, *, element: int, mode: Mode = "snap", max_atoms: int = 500) -> Decoded:
    """Return crystals of a table; every site is kept or the row is undecodable, with its reason.

    `snap` moves a site to the nearest point of its Wyckoff position; `strict` refuses rows where one would move more
    than 0.1 angstrom; `drop` leaves out what the reference programs leave out: sites with a column at -0.01 or below
    or a summed fractional displacement above 0.01. Without element columns all atoms are of `element`.

    Raises TableError for an empty table, a missing column, or another format.
    """
    if mode not in ("snap", "strict", "drop"):
        raise TableError(f"no decoding {mode!r}: choose snap, strict or drop")
    table = _canonical(table)
    group, cell, sites = _numbers(table, element=element, drop=mode == "drop")
    _refuse_other_formats(cell, sites)
    reason = np.full(len(table), "", object)
    # The first reason stands, so the order of the checks is the order of what a reader would notice.
    number, whole = _whole(group)
    _mark(reason, ~np.isfinite(group) | ~np.isfinite(cell).all(axis=1), NOT_A_NUMBER)
    _mark(reason, ~whole, NOT_WHOLE)
    _mark(reason, (number < 1) | (number > N_GROUPS), OUTSIDE_GROUPS)
    cell = cells.symmetrized(np.clip(number, 1, N_GROUPS), cell)
    _mark(reason, ~possible(cell), IMPOSSIBLE_CELL)
    _check_sites(reason, number, sites)
    sites = sites.keep(reason[sites.row] == "")

    position_id = wyckoff().first[number[sites.row]] + sites.position.astype(np.int64)
    lattice = cells.lattice(cell)[sites.row]
    sites.coordinates, displacement = project(position_id, sites.coordinates, lattice)
    if mode == "drop":
        close = np.abs(displacement).sum(axis=1) <= DROP_SHIFT
        sites, position_id = sites.keep(close), position_id[close]
        lattice, displacement = lattice[close], displacement[close]
    distance = np.linalg.norm(np.einsum("si,sij->sj", displacement, lattice), axis=1)
    _check_atoms(reason, sites, position_id, max_atoms)
    if mode == "strict":
        _mark(reason, _any(distance > STRICT_SHIFT, sites.row, len(table)), FAR_FROM_POSITION)
    return _decoded(reason, number, cell, sites, distance)


def read_table(path: str | Path) -> pd.DataFrame:
    """Return a table from a .csv, .parquet or .json file. Raises TableError with one sentence if that fails."""
    path = Path(path)
    readers: dict[str, Callable[..., pd.DataFrame]] = {
        ".csv": pd.read_csv,
        ".parquet": pd.read_parquet,
        ".json": pd.read_json,
    }
    if path.suffix.lower() not in readers:
        raise TableError(f"{path.name} is no table: give a .csv, .parquet or .json file")
    if not path.is_file():
        raise TableError(f"there is no file {path}: check its name")
    if path.stat().st_size == 0:
        raise TableError(f"{path.name} is empty: give a table with at least one row")
    try:
        table = readers[path.suffix.lower()](path)
    except (ValueError, OSError) as error:  # pandas' and pyarrow's parser errors are all ValueErrors
        raise TableError(f"{path.name} cannot be read as a {path.suffix[1:]} table: {error}") from error
    _canonical(table)
    return table


def _canonical(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table's own columns, with `wp_0` spelled `wp0`; refuses what is missing."""
    names = {f"{n}_{i}": f"{n}{i}" for n in ("wp", "x", "y", "z", "el") for i in range(len(table.columns))}
    table = table.rename(columns=names)
    sites = 0
    while f"wp{sites}" in table.columns:
        sites += 1
    expected = columns(max(sites, 1))
    missing = [name for name in expected if name not in table.columns]
    if missing:
        raise TableError(
            f"the table lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}: "
            "it needs spg, a, b, c, alpha, beta, gamma and wp0, x0, y0, z0 for each site"
        )
    elements = [f"el{i}" for i in range(sites) if f"el{i}" in table.columns]
    if elements and len(elements) < sites:
        raise TableError(f"the table has {len(elements)} element columns for {sites} sites: give one for each site")
    if not len(table):
        raise TableError("the table is empty: give one with at least one row")
    text = [name for name in expected if not pd.api.types.is_numeric_dtype(table[name])]
    if text:
        raise TableError(f"the column {text[0]} of the table holds text: numbers are needed there")
    return table[expected + elements]


def _numbers(table: pd.DataFrame, *, element: int, drop: bool) -> tuple[np.ndarray, np.ndarray, _Sites]:
    """Return group (n,) and cell (n, 6) as read, and the used sites."""
    sites = sum(name.startswith("wp") for name in table.columns)
    names = [f"{name}{i}" for i in range(sites) for name in ("wp", "x", "y", "z")]
    block = table[names].to_numpy(float).reshape(len(table), sites, 4)
    used = (np.rint(block[..., 0]) >= 0) | np.isnan(block[..., 0])
    if drop:
        used &= ~(block.min(axis=-1) <= DROP_BELOW)
    species = np.full((len(table), sites), element, np.int64)
    if "el0" in table.columns:
        species = np.stack([_atomic_numbers(table[f"el{i}"]) for i in range(sites)], axis=1)
    row, _ = np.nonzero(used)
    used_sites = _Sites(row, block[used][:, 0], block[used][:, 1:], species[used])
    return table["spg"].to_numpy(float), table[list(CELL)].to_numpy(float), used_sites


def _atomic_numbers(column: pd.Series) -> np.ndarray:
    """Return atomic numbers of a column of symbols or numbers; 0 for what is neither."""
    known = {str(number): number for number in range(1, len(SYMBOLS))} | ATOMIC_NUMBER
    return np.array([known.get(str(value).strip().removesuffix(".0"), 0) for value in column], np.int64)


def _refuse_other_formats(cell: np.ndarray, sites: _Sites) -> None:
    points = sites.coordinates[np.isfinite(sites.coordinates).all(axis=1)]
    if len(points) and np.all(points == np.rint(points)) and points.max() > 1:
        raise TableError(
            "this table holds integers for coordinates (the discrete variant): convert them to fractions of the cell"
        )
    angles = cell[np.isfinite(cell).all(axis=1), 3:]
    if len(angles) and np.all(angles > np.pi):
        raise TableError("the angles of this table are not in radians: convert alpha, beta and gamma to radians")


def _whole(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Round to integers, and say whether values are that up to round-off; what is not finite gives -1 and passes."""
    finite = np.isfinite(values)
    nearest = np.rint(np.where(finite, values, -1.0))
    return np.clip(nearest, -(2**31), 2**31).astype(np.int64), ~finite | (np.abs(values - nearest) < 1e-3)


def possible(cell: np.ndarray) -> np.ndarray:
    """Return (n,) bool: cells (n, 6) with a volume, of a size that a crystal can have."""
    lengths, volume = cell[:, :3], cells.volume(cell)
    angles_fit = np.all((cell[:, 3:] > 0) & (cell[:, 3:] < np.pi), axis=1)
    sized = np.all((lengths >= LENGTHS[0]) & (lengths <= LENGTHS[1]), axis=1)
    with np.errstate(invalid="ignore"):
        thick = volume > FLATTEST * np.abs(np.prod(lengths, axis=1))
        return angles_fit & sized & thick & (volume >= VOLUMES[0]) & (volume <= VOLUMES[1])


def _mark(reason: np.ndarray, rows: np.ndarray, text: str) -> None:
    reason[rows & (reason == "")] = text


def _any(sites: np.ndarray, row: np.ndarray, n: int) -> np.ndarray:
    """Return (n,) rows of which at least one site is true."""
    return np.bincount(row[sites], minlength=n) > 0


def _check_sites(reason: np.ndarray, group: np.ndarray, sites: _Sites) -> None:
    """Check single sites, and that there are any; site positions become integers."""
    n, table = len(reason), wyckoff()
    numbers = np.isfinite(sites.position) & np.isfinite(sites.coordinates).all(axis=1)
    position, whole = _whole(sites.position)
    last = np.diff(table.first)[np.clip(group, 1, N_GROUPS)][sites.row]
    _mark(reason, _any(~numbers, sites.row, n), NOT_A_NUMBER)
    _mark(reason, _any(~whole, sites.row, n), NOT_WHOLE)
    _mark(reason, _any(position >= last, sites.row, n), OUTSIDE_POSITIONS)
    unknown = (sites.species < 1) | (sites.species >= len(SYMBOLS))
    _mark(reason, _any(unknown, sites.row, n), UNKNOWN_ELEMENT)
    sites.position = position


def _check_atoms(reason: np.ndarray, sites: _Sites, position_id: np.ndarray, max_atoms: int) -> None:
    """Check the sites of a row together."""
    n, table = len(reason), wyckoff()
    _mark(reason, np.bincount(sites.row, minlength=n) == 0, NO_SITES)
    fixed = ~table.free[position_id].any(axis=1)
    key = sites.row * len(table.multiplicity) + position_id
    _, inverse, count = np.unique(key, return_inverse=True, return_counts=True)
    _mark(reason, _any(fixed & (count[inverse] > 1), sites.row, n), FIXED_TWICE)
    atoms = np.bincount(sites.row, weights=table.multiplicity[position_id], minlength=n)
    _mark(reason, atoms > max_atoms, TOO_MANY_ATOMS)


def _decoded(reason: np.ndarray, group: np.ndarray, cell: np.ndarray, sites: _Sites, distance: np.ndarray) -> Decoded:
    rows, good = np.flatnonzero(reason == ""), reason[sites.row] == ""
    shift = np.zeros(len(reason))
    np.maximum.at(shift, sites.row, distance)
    count = np.bincount(sites.row[good], minlength=len(reason))[rows]
    crystals = Crystals(
        group=group[rows],
        cell=cell[rows],
        first_site=np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
        species=sites.species[good],
        position=sites.position[good].astype(np.int64),
        coordinates=sites.coordinates[good],
    )
    return Decoded(crystals, rows, shift[rows], reason)
