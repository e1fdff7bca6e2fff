"""Rows of METHOD's table as their free variables, which every value of makes a crystal, and back.

A row is a space group, a list of Wyckoff positions, a point on each, and what the crystal system leaves free of the
cell. Points are taken on the first operation of their position, where free coordinates are the point's own. Of the
many ways to write a row with one origin and one choice of axes, one is taken: special positions come before general
ones, each orbit is given by its point with the smallest coordinates, and equal positions are in the order of these.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from legocryst.crystal import cell as cells
from legocryst.crystal.io.table import CELL, decode
from legocryst.crystal.symmetry.projection import wrapped
from legocryst.crystal.symmetry.wyckoff import N_GROUPS, wyckoff
from legocryst.generators.columns import UNUSED, site_count

CELL_FREE = np.array(
    [
        [1, 1, 1, 1, 1, 1],
        [1, 1, 1, 0, 1, 0],
        [1, 1, 1, 0, 0, 0],
        [1, 0, 1, 0, 0, 0],
        [1, 0, 1, 0, 0, 0],
        [1, 0, 1, 0, 0, 0],
        [1, 0, 0, 0, 0, 0],
    ],
    bool,
)
"""By crystal system, which of the six cell variables are free."""
SHARPEST = (np.pi / 9, 0.1)
"""Sharpest angle of a cell with three free angles, and with one: flatter cells are impossible (see `table`)."""


ROUND = 100_000
"""Parts of the cell's edge in which coordinates are compared."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What a space group can have, by group (231) and Wyckoff index (27)."""

    exists: np.ndarray  # (231, 27) bool
    fixed: np.ndarray  # (231, 27) bool: no free coordinate, so that it can be used once
    multiplicity: np.ndarray  # (231, 27) int, 0 where there is no position
    identity: np.ndarray  # (231, 27) int, index into `wyckoff()`, 0 where there is no position
    free: np.ndarray  # (231, 27, 3) bool
    system: np.ndarray  # (231,) int, index into `cell.SYSTEMS`


@cache
def choices() -> Choices:
    """Return the table, made once."""
    table = wyckoff()
    count = np.diff(table.first)
    index = np.arange(count.max())
    exists = index < count[:, None]
    identity = np.where(exists, table.first[:-1, None] + index, 0)
    free = table.free[identity] & exists[..., None]
    multiplicity = np.where(exists, table.multiplicity[identity], 0)
    system = cells.system_index(np.arange(N_GROUPS + 1))
    return Choices(exists, exists & ~free.any(axis=2), multiplicity, identity, free, system)


@dataclass(frozen=True, slots=True)
class Variables:
    """n rows with room for s sites, the used ones first."""

    group: np.ndarray  # (n,) space group
    position: np.ndarray  # (n, s) Wyckoff index in the group, -1 unused
    species: np.ndarray  # (n, s) atomic number, -1 unused
    point: np.ndarray  # (n, s, 3) on the position's first operation, in [0, 1); 0 where unused
    cell: np.ndarray  # (n, 6) see `cell_variables`; 0 where the system leaves nothing free

    @property
    def count(self) -> np.ndarray:
        """(n,) sites."""
        return (self.position >= 0).sum(axis=1)

    @property
    def atoms(self) -> np.ndarray:
        """(n,) atoms in the conventional cell."""
        return atom_count(self.group, self.position)

    @property
    def cell_free(self) -> np.ndarray:
        """(n, 6) bool."""
        return CELL_FREE[choices().system[self.group]]

    def take(self, which: np.ndarray) -> "Variables":
        """Return the rows of an index array or a mask."""
        return Variables(*(getattr(self, name)[which] for name in ("group", "position", "species", "point", "cell")))


def atom_count(group: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Return atoms (n,) in the conventional cells of Wyckoff lists (n, s), -1 unused."""
    multiplicity = choices().multiplicity[group[:, None], position.clip(min=0)]
    return np.where(position >= 0, multiplicity, 0).sum(axis=1)


def cell_variables(group: np.ndarray, cell: np.ndarray, atoms: np.ndarray) -> np.ndarray:
    """Return variables (n, 6) of cells (n, 6): ln of each edge over the cube root of the number of atoms, then angles.

    The angles are alpha, beta and the one between the faces that share edge c; any three between 0 and pi make a cell.
    What the crystal system leaves no choice is 0.
    """
    cell = cells.symmetrized(group, cell)
    cosine, sine = np.cos(cell[:, 3:]), np.sin(cell[:, 3:])
    between = (cosine[:, 2] - cosine[:, 0] * cosine[:, 1]) / (sine[:, 0] * sine[:, 1])
    out = np.column_stack(
        [np.log(cell[:, :3]) - np.log(atoms)[:, None] / 3, cell[:, 3:5], np.arccos(between.clip(-1, 1))]
    )
    return np.where(CELL_FREE[choices().system[group]], out, 0.0)


def cell_of_variables(group: np.ndarray, variables: np.ndarray, atoms: np.ndarray) -> np.ndarray:
    """Return cells (n, 6) of variables (n, 6); inverse of `cell_variables`."""
    system = choices().system[group]
    edge, angle = variables[:, :3].copy(), variables[:, 3:].copy()
    angle[system > 0, 2] = np.pi / 2
    angle[system != 1, 1] = np.where(system == 0, angle[:, 1], np.pi / 2)[system != 1]
    angle[system > 0, 0] = np.pi / 2
    edge[system >= 3, 1] = edge[system >= 3, 0]
    edge[system == 6, 2] = edge[system == 6, 0]
    cosine, sine = np.cos(angle), np.sin(angle)
    gamma = np.arccos(cosine[:, 0] * cosine[:, 1] + sine[:, 0] * sine[:, 1] * cosine[:, 2])
    length = np.exp(edge) * np.cbrt(atoms)[:, None]
    return cells.symmetrized(group, np.column_stack([length, angle[:, :2], gamma]))


def with_volume(group: np.ndarray, variables: np.ndarray) -> np.ndarray:
    """Return cell variables (n, 6) with their angles moved away from those of flat cells."""
    out = variables.copy()
    sharpest = np.where(choices().system[group] == 0, *SHARPEST)[:, None]
    free = CELL_FREE[choices().system[group]][:, 3:]
    out[:, 3:] = np.where(free, out[:, 3:].clip(sharpest, np.pi - sharpest), 0.0)
    return out


def on_position(identity: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Return points (s, 3) in [0, 1) on the first operations of positions (s,), indices into `wyckoff()`."""
    table = wyckoff()
    op = table.op_first[identity]
    return wrapped(np.einsum("sij,sj->si", table.rotation[op], free) + table.translation[op])


@cache
def _alternatives(identity: int) -> tuple[np.ndarray, np.ndarray]:
    """Find rotations (k, 3, 3) and translations (k, 3) from a point on a position's first operation to the others.

    Each keeps it on the first operation, so that it is another point of the same orbit.
    """
    table = wyckoff()
    ops = slice(int(table.op_first[identity]), int(table.op_first[identity + 1]))
    rotation, translation = table.rotation[ops], table.translation[ops]
    onto, shift = rotation[0], translation[0]
    again, moved = onto @ rotation, translation @ onto.T + shift
    offset = moved - translation
    kept = np.abs(again - rotation).max(axis=(1, 2)) < 1e-6
    kept &= np.abs(offset - np.rint(offset)).max(axis=1) < 1e-6
    return rotation[kept], translation[kept]


def representative(identity: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Choose of each orbit's points on its position's first operation the one of smallest coordinates (s, 3).

    `identity` (s,) indexes `wyckoff()`; `point` (s, 3) is any of those points. x decides, then y, then z.
    """
    out = np.empty_like(point)
    order = np.argsort(identity, kind="stable")
    names, start = np.unique(identity[order], return_index=True)
    for name, sites in zip(names, np.split(order, start[1:]), strict=False):
        rotation, translation = _alternatives(int(name))
        images = wrapped(np.einsum("kij,sj->ski", rotation, point[sites]) + translation)
        rounded = np.rint(images * ROUND).astype(np.int64) % ROUND
        first = (rounded @ np.array([ROUND**2, ROUND, 1])).argmin(axis=1)
        out[sites] = images[np.arange(len(sites)), first]
    return out


def read(table: pd.DataFrame) -> tuple[Variables, np.ndarray, np.ndarray]:
    """Read variables of the rows that are crystals, which rows these are (k,), and why each other row is none."""
    decoded = decode(table, element=1, max_atoms=10**9)  # only geometry is learnt: any element will do
    crystals, sites = decoded.crystals, site_count(table.columns)
    owner = crystals.crystal_of_site
    identity = crystals.position_id
    point = representative(identity, crystals.coordinates)
    rounded = np.rint(point * ROUND).astype(np.int64) % ROUND
    order = np.lexsort([*rounded.T[::-1], crystals.species, -crystals.position, owner])
    slot = np.arange(len(owner)) - crystals.first_site[owner]
    n = len(crystals)
    position, species = np.full((2, n, sites), UNUSED)
    points = np.zeros((n, sites, 3))
    position[owner, slot], species[owner, slot] = crystals.position[order], crystals.species[order]
    points[owner, slot] = point[order]
    cell = cell_variables(crystals.group, crystals.cell, crystals.atom_count)
    return Variables(crystals.group, position, species, points, cell), decoded.rows, decoded.reason


def write(rows: Variables, columns: Sequence[str]) -> pd.DataFrame:
    """Return table with METHOD's columns; inverse of `read` up to the order of sites and the point of each orbit."""
    used = rows.position >= 0
    data: dict[str, np.ndarray] = {"spg": rows.group}
    data |= dict(zip(CELL, cell_of_variables(rows.group, rows.cell, rows.atoms).T, strict=True))
    for i in range(rows.position.shape[1]):
        data[f"wp{i}"] = rows.position[:, i]
        data[f"el{i}"] = rows.species[:, i]
        for k, axis in enumerate("xyz"):
            data[f"{axis}{i}"] = np.where(used[:, i], rows.point[:, i, k], UNUSED)
    return pd.DataFrame({name: data[name] for name in columns})
