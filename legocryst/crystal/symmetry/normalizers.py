"""The other ways to set the axes and the origin of a space group's standard setting.

The data file is made by `scripts/make_normalizers.py`, which says which ways are meant.
"""

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from legocryst import DATA
from legocryst.crystal.symmetry.wyckoff import N_GROUPS, wyckoff


@dataclass(frozen=True, slots=True)
class Ways:
    """k changes of axes and origin, x = W x' + w; `target` is the group, or its enantiomorphic partner."""

    target: np.ndarray  # (k,)
    W: np.ndarray  # (k, 3, 3)
    w: np.ndarray  # (k, 3)


@lru_cache(maxsize=1)
def _table() -> dict[str, np.ndarray]:
    with np.load(DATA / "normalizers.npz") as file:
        return {name: file[name] for name in file.files}


def _ways(which: np.ndarray, prefix: str = "") -> Ways:
    table = _table()
    target, matrix, origin = (table[prefix + name][which] for name in ("target", "matrix", "origin24"))
    return Ways(target.astype(np.int64), matrix.astype(float), origin / 24)


@lru_cache(maxsize=1)
def all_ways() -> tuple[np.ndarray, Ways]:
    """Return the ways of all groups in turn: those of group g are first[g]:first[g + 1], the group as it is first."""
    of = _table()["group"]
    return np.searchsorted(of, np.arange(N_GROUPS + 2)), _ways(np.arange(len(of)))


@cache
def shears(group: int) -> Ways:
    """Return changes of one axis by another of a triclinic or monoclinic group, with which its cell is reduced."""
    return _ways(np.flatnonzero(_table()["shear_group"] == group), "shear_")


@cache
def polar_axes(group: int) -> np.ndarray:
    """Return (3,) bool: axes along which a space group leaves the origin free."""
    return np.abs(wyckoff().general(group)[0].mean(axis=0)).max(axis=1) > 1e-6


@cache
def improper(group: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Find rotation and translation of an operation that changes the hand; None where all rotations are proper."""
    rotation, translation = wyckoff().general(group)
    operations = np.flatnonzero(np.linalg.det(rotation) < 0)
    return (rotation[operations[0]], translation[operations[0]]) if len(operations) else None
