"""Wyckoff positions of all 230 space groups as flat arrays.

Standard settings: monoclinic unique axis b cell choice 1, rhombohedral groups on hexagonal axes, origin choice 2.
The data file is written by `scripts/make_wyckoff.py` from pyxtal's tables.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from legocryst import DATA

N_GROUPS = 230


@dataclass(frozen=True, slots=True)
class Wyckoff:
    """All 1731 positions; position `first[g] + k` is the k-th of group g, k = 0 the general one, the last letter a.

    The orbit of a point u on the first operation of position p is `rotation[o] @ u + translation[o]` for o in
    `op_first[p]:op_first[p + 1]`, centring translations included. The first operation is the identity on the free
    coordinates, so u may be the point itself.
    """

    first: np.ndarray  # (232,) int
    multiplicity: np.ndarray  # (1731,) int
    letter: np.ndarray  # (1731,) str
    site_symmetry: np.ndarray  # (1731,) str
    free: np.ndarray  # (1731, 3) bool: which of x, y, z are free in the first operation
    op_first: np.ndarray  # (1732,) int
    rotation: np.ndarray  # (operations, 3, 3) float
    translation: np.ndarray  # (operations, 3) float
    symbol: np.ndarray  # (231,) str, Hermann-Mauguin

    def positions(self, group: int) -> range:
        """Return ids of the positions of `group`, general one first."""
        return range(int(self.first[group]), int(self.first[group + 1]))

    def operations(self, position_id: int) -> slice:
        """Return slice of `rotation` and `translation` that makes the orbit of a position."""
        return slice(int(self.op_first[position_id]), int(self.op_first[position_id + 1]))

    def general(self, group: int) -> tuple[np.ndarray, np.ndarray]:
        """Return rotations (m, 3, 3) and translations (m, 3) of the group, centring included."""
        ops = self.operations(int(self.first[group]))
        return self.rotation[ops], self.translation[ops]


@lru_cache(maxsize=1)
def wyckoff() -> Wyckoff:
    """Return the table, read once."""
    with np.load(DATA / "wyckoff.npz") as file:
        op_first = file["op_first"].astype(np.int64)
        return Wyckoff(
            first=file["first"].astype(np.int64),
            multiplicity=np.diff(op_first),
            letter=file["letter"],
            site_symmetry=file["site_symmetry"],
            free=file["free"],
            op_first=op_first,
            rotation=file["rotation"].astype(float),
            translation=file["translation24"].astype(float) / 24,
            symbol=file["symbol"],
        )


_CENTRING = {
    "P": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "A": ((1, 0, 0), (0, 1, 0), (0, 1 / 2, 1 / 2)),
    "C": ((1, 0, 0), (1 / 2, 1 / 2, 0), (0, 0, 1)),
    "I": ((1, 0, 0), (0, 1, 0), (1 / 2, 1 / 2, 1 / 2)),
    "F": ((0, 1 / 2, 1 / 2), (1 / 2, 0, 1 / 2), (1 / 2, 1 / 2, 0)),
    "R": ((2 / 3, 1 / 3, 1 / 3), (-1 / 3, 1 / 3, 1 / 3), (-1 / 3, -2 / 3, 1 / 3)),
}


def primitive(group: int) -> np.ndarray:
    """Return columns (3, 3) that are a basis of a space group's translations in its conventional axes."""
    return np.array(_CENTRING[symbol(group)[0]]).T


def symbol(group: int) -> str:
    """Return Hermann-Mauguin symbol of a space group."""
    return str(wyckoff().symbol[group])
