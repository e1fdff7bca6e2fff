"""Points of the Brillouin zone: the standard path between special points, and a mesh with its symmetry used."""

import warnings
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.structures import to_structure

_GREEK = {"\\Gamma": "Γ", "\\Sigma": "Σ", "\\Delta": "Δ", "\\Lambda": "Λ"}
_BELOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True, slots=True)
class Path:
    """Straight lines between special points; a new branch begins where the path jumps.

    `kpoints` (k, 3) in the basis of the reciprocal lattice, `distance` (k,) along the path in 1/angstrom (2 pi
    included), `branch` (k,) numbers of the branches, `ticks` places and names of the special points.
    """

    kpoints: np.ndarray
    distance: np.ndarray
    branch: np.ndarray
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Primitive:
    """The standard primitive cell of a crystal: lattice (3, 3) in angstrom, fractional (a, 3), atomic numbers (a,)."""

    lattice: np.ndarray
    fractional: np.ndarray
    species: np.ndarray
    special: dict[str, np.ndarray]  # special points by name
    branches: tuple[tuple[str, ...], ...]  # the path from one to the next

    @property
    def reciprocal(self) -> np.ndarray:
        """(3, 3) rows are the reciprocal lattice's basis, 1/angstrom, 2 pi included."""
        return 2 * np.pi * np.linalg.inv(self.lattice).T

    def divisions(self, spacing: float) -> np.ndarray:
        """Return (3,) points along each reciprocal axis that are no farther apart than `spacing` (1/angstrom)."""
        lengths: np.ndarray = np.linalg.norm(self.reciprocal, axis=1)
        return np.maximum(1, np.ceil(lengths / spacing - 1e-9)).astype(int)

    def mesh(self, divisions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return points (k, 3) of a mesh around Gamma, distinct by symmetry and time reversal, and their weights."""
        import spglib

        cell = (self.lattice.tolist(), self.fractional.tolist(), self.species.tolist())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            which, grid = spglib.get_ir_reciprocal_mesh(divisions, cell, is_shift=[0, 0, 0], symprec=0.01)
        points, counts = np.unique(which, return_counts=True)
        return grid[points] / divisions, counts / len(which)

    def path(self, spacing: float) -> Path:
        """Return the standard path with points no farther apart than `spacing` (1/angstrom)."""
        parts, distance, branch, ticks, at = [], [], [], list[tuple[float, str]](), 0.0
        for number, names in enumerate(self.branches):
            ticks += [(at, names[0])]
            for one, other in pairwise(names):
                ends = self.special[one], self.special[other]
                length = float(np.linalg.norm((ends[1] - ends[0]) @ self.reciprocal))
                share = np.linspace(0, 1, max(2, int(np.ceil(length / spacing)) + 1))
                parts.append(ends[0] + share[:, None] * (ends[1] - ends[0]))
                distance.append(at + share * length)
                branch.append(np.full(len(share), number))
                at += length
                ticks.append((at, other))
        return Path(np.concatenate(parts), np.concatenate(distance), np.concatenate(branch), _joined(ticks))


def primitive(crystals: Crystals, i: int = 0, *, symprec: float = 0.01) -> Primitive:
    """Return standard primitive cell and special points of crystal i.

    Cell and path are those of Setyawan and Curtarolo (Comput. Mater. Sci. 49, 299, 2010) as pymatgen has them. Raises
    ValueError where it finds none.
    """
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer
    from pymatgen.symmetry.bandstructure import HighSymmKpath

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of every cell that it turns into the standard one
        standard = SpacegroupAnalyzer(to_structure(crystals, i), symprec).get_primitive_standard_structure()
        symmetry_path = HighSymmKpath(standard, symprec=symprec)
    if symmetry_path.kpath is None:
        raise ValueError("there is no standard path for this cell: its symmetry is not clear")
    cell = symmetry_path.prim
    return Primitive(
        lattice=np.array(cell.lattice.matrix),
        fractional=np.array(cell.frac_coords),
        species=np.array(cell.atomic_numbers),
        special={_name(name): np.array(point) for name, point in symmetry_path.kpath["kpoints"].items()},
        branches=tuple(tuple(_name(name) for name in names) for names in symmetry_path.kpath["path"]),
    )


def _name(name: str) -> str:
    letter, _, number = name.partition("_")
    return _GREEK.get(letter, letter) + number.translate(_BELOW)


def _joined(ticks: list[tuple[float, str]]) -> tuple[tuple[float, str], ...]:
    """Return two names at one place as one, such as U|K."""
    out: list[tuple[float, str]] = []
    for at, name in ticks:
        if out and out[-1][0] == at:
            if out[-1][1] != name:
                out[-1] = at, f"{out[-1][1]}|{name}"
        else:
            out.append((at, name))
    return tuple(out)
