"""Subgroups of the space groups, and how the basis of one is written.

The data file is made by `scripts/make_subgroups.py`, which verifies every entry.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache

import numpy as np

from legocryst import DATA
from legocryst.crystal.symmetry.normalizers import shears
from legocryst.crystal.symmetry.wyckoff import N_GROUPS, primitive, wyckoff

CELLS = 4
"""The data file has the subgroups whose primitive cell is at most this many times the parent's."""
_TERM = re.compile(r"([+-]?)(\d+(?:/\d+)?)?([abc])")


@dataclass(frozen=True, eq=False, slots=True)
class Subgroups:
    """n subgroups of one space group in their standard settings.

    (a', b', c') = (a, b, c) P and x = P x' + p, as in International Tables A1.
    """

    parent: int
    group: np.ndarray  # (n,)
    t_index: np.ndarray  # (n,) how many times fewer rotations
    k_index: np.ndarray  # (n,) how many times fewer translations
    P: np.ndarray  # (n, 3, 3)
    p: np.ndarray  # (n, 3)

    def __len__(self) -> int:
        return len(self.group)

    @property
    def index(self) -> np.ndarray:
        """(n,) index in the parent."""
        return self.t_index * self.k_index

    def take(self, which: np.ndarray | Sequence[int] | slice) -> "Subgroups":
        """Return those of an index array, a boolean mask or a slice, in that order."""
        arrays = (self.group, self.t_index, self.k_index, self.P, self.p)
        return Subgroups(self.parent, *(array[which] for array in arrays))


@lru_cache(maxsize=1)
def _table() -> dict[str, np.ndarray]:
    with np.load(DATA / "subgroups.npz") as file:
        return {name: file[name] for name in file.files}


@cache
def subgroups(group: int) -> Subgroups:
    """Return the subgroups of a space group by increasing index, itself first; one for each class of conjugates.

    Conjugate subgroups describe a crystal in the same numbers, so one of them stands for all.
    """
    table = _table()
    rows = np.flatnonzero(table["parent"] == group)
    return Subgroups(
        parent=group,
        group=np.r_[group, table["group"][rows].astype(np.int64)],
        t_index=np.r_[1, table["t_index"][rows].astype(np.int64)],
        k_index=np.r_[1, table["k_index"][rows].astype(np.int64)],
        P=np.concatenate([np.eye(3)[None], table["matrix6"][rows] / 6]),
        p=np.concatenate([np.zeros((1, 3)), table["origin48"][rows] / 48]),
    )


def reduced(table: Subgroups, lattice: np.ndarray) -> Subgroups:
    """Return the same subgroups, monoclinic and triclinic ones with the shortest axes that their settings allow.

    `lattice` (3, 3) is the parent's, rows a, b, c. An axis is changed by another as long as that makes it shorter.
    """
    P, p = table.P.copy(), table.p.copy()
    for group in np.unique(table.group[table.group <= 15]):
        rows, steps = np.flatnonzero(table.group == group), shears(int(group))
        while len(rows):
            axes = P[rows].swapaxes(-1, -2) @ lattice
            changed = steps.W.swapaxes(-1, -2) @ axes[:, None]
            size = (changed**2).sum(axis=(-1, -2))
            best = size.argmin(axis=1)
            shorter = size[np.arange(len(rows)), best] < (axes**2).sum(axis=(-1, -2)) - 1e-6
            rows, best = rows[shorter], best[shorter]
            p[rows] += np.einsum("nij,nj->ni", P[rows], steps.w[best])
            P[rows] = P[rows] @ steps.W[best]
    return Subgroups(table.parent, table.group, table.t_index, table.k_index, P, p)


def indices(parent: np.ndarray, group: np.ndarray, P: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return indices of the rotations and translations (n,) of groups in parents (n,), with their axes (n, 3, 3)."""
    table = wyckoff()
    volume = np.array([np.linalg.det(primitive(g)) for g in range(1, N_GROUPS + 1)])
    rotations = table.multiplicity[table.first[1:-1]] * volume
    k_index = np.abs(np.linalg.det(P)) * volume[group - 1] / volume[parent - 1]
    return tuple(np.rint(x).astype(np.int64) for x in (rotations[parent - 1] / rotations[group - 1], k_index))


def basis_text(P: np.ndarray) -> str:
    """Return the axes a', b', c' that a transformation P (3, 3) gives, in those of the parent: `a-b,a+b,2c`."""
    return ",".join(_sum(column) for column in P.T)


def basis_of(text: str) -> np.ndarray:
    """Return P (3, 3) of such a text; inverse of `basis_text`. Raises ValueError for any other text."""
    columns = []
    for part in text.split(","):
        terms = list(_TERM.finditer(part))
        if "".join(term[0] for term in terms) != part or not part:
            raise ValueError(f"{text!r} is no basis: write it like a-b,a+b,2c")
        column = np.zeros(3)
        for sign, number, axis in (term.groups() for term in terms):
            column["abc".index(axis)] += float(Fraction(number or 1)) * (-1 if sign == "-" else 1)
        columns.append(column)
    if len(columns) != 3:
        raise ValueError(f"{text!r} is no basis: give three axes, divided by commas")
    return np.array(columns).T


def _sum(column: np.ndarray) -> str:
    text = ""
    for value, axis in zip(column, "abc", strict=True):
        number = Fraction(float(value)).limit_denominator(12)
        if number:
            size = "" if abs(number) == 1 else str(abs(number))
            text += f"{'-' if number < 0 else '+'}{size}{axis}"
    return text.removeprefix("+")
